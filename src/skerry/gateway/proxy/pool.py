"""Connections to backends that wait for their next request, and what each backend has to do.

Counting begins when a backend is chosen, before it is reached, and ends with the last byte: so
whoever drains a workload sees every request that could still concern it.
"""

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from skerry.gateway.proxy.settings import Settings
from skerry.gateway.table import Backend

if TYPE_CHECKING:
    from skerry.gateway.proxy.upstream import Upstream


Key = TypeVar("Key", Backend, str)


def _less(counts: dict[Key, int], key: Key) -> None:
    """One less; what has none left is not in it."""
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]


class Pool:
    """All connections to backends of one proxy."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: dict[Backend, list[Upstream]] = {}
        self._busy: dict[Backend, int] = {}
        self._shunned: dict[Backend, float] = {}
        self._turn = count()
        self.in_flight: dict[str, int] = {}
        """Requests and connections under way, by workload."""

    def choose(self, backends: Sequence[Backend], tried: Sequence[Backend], now: float) -> Backend:
        """The backend with least to do; of equals, each in its turn. One that was tried for this
        request, or could not be reached a moment ago, only when there is no other."""
        if len(backends) == 1:
            return backends[0]
        turn = next(self._turn) % len(backends)
        busy, shunned = self._busy, self._shunned

        def cost(at: int) -> tuple[bool, bool, int, int]:
            backend = backends[at]
            return (
                backend in tried,
                bool(shunned) and shunned.get(backend, 0.0) > now,
                busy.get(backend, 0),
                (at - turn) % len(backends),
            )

        return backends[min(range(len(backends)), key=cost)]

    def enter(self, backend: Backend) -> None:
        self._busy[backend] = self._busy.get(backend, 0) + 1
        self.in_flight[backend.workload] = self.in_flight.get(backend.workload, 0) + 1

    def leave(self, backend: Backend) -> None:
        _less(self._busy, backend)
        _less(self.in_flight, backend.workload)

    def shun(self, backend: Backend, now: float) -> None:
        self._shunned[backend] = now + self._settings.shunned

    def take(self, backend: Backend, now: float, *, once: bool) -> "Upstream | None":
        """A connection that waits. ``once``: for a request that must not be sent twice, so one
        that the backend has hardly had the time to close, and that it has not closed."""
        idle = self._idle.get(backend)
        oldest = now - (self._settings.fresh if once else self._settings.idle)
        while idle:
            upstream = idle.pop()
            if upstream.since > oldest and not (once and upstream.ended()):
                return upstream
            upstream.close()
        return None

    def give(self, upstream: "Upstream", now: float) -> None:
        """A connection whose request is finished."""
        idle = self._idle.setdefault(upstream.backend, [])
        if len(idle) < self._settings.idle_connections:
            upstream.since = now
            idle.append(upstream)
        else:
            upstream.close()

    def lost(self, upstream: "Upstream") -> None:
        """A waiting connection has been closed."""
        idle = self._idle.get(upstream.backend, [])
        if upstream in idle:
            idle.remove(upstream)

    def sweep(self, now: float) -> None:
        """Close what has waited too long."""
        oldest = now - self._settings.idle
        for backend, idle in list(self._idle.items()):
            while idle and idle[0].since <= oldest:
                idle.pop(0).close()
            if not idle:
                del self._idle[backend]
        for backend in [b for b, until in self._shunned.items() if until <= now]:
            del self._shunned[backend]

    def close(self) -> None:
        for idle in self._idle.values():
            for upstream in idle:
                upstream.close()
        self._idle.clear()

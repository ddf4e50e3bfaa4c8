"""Requests as a gateway counts them, by route."""

import uuid
from collections.abc import Mapping, Sequence

from skerry.series.ticks import Batch
from skerry.store import Tx

_IDLE = 240
"""Readings after which a route that had no request is forgotten: an hour."""


class _Count:
    __slots__ = ("failures", "idle", "received", "requests", "sent", "waited")

    def __init__(self) -> None:
        self.requests = self.failures = self.received = self.sent = self.idle = 0
        self.waited = 0.0


class Requests:
    """The counters of one gateway process, since it started. Used from one event loop."""

    def __init__(self) -> None:
        self._routes: dict[uuid.UUID, _Count] = {}

    def count(
        self, route: uuid.UUID, *, failed: bool, seconds: float, received: int = 0, sent: int = 0
    ) -> None:
        """One request that was answered, or failed to be: ``failed`` is a 5xx, ``seconds`` until
        its answer was complete, bytes are those of the bodies."""
        count = self._routes.get(route)
        if count is None:
            count = self._routes[route] = _Count()
        count.requests += 1
        count.failures += failed
        count.waited += seconds
        count.received += received
        count.sent += sent
        count.idle = 0

    def read(self) -> Batch:
        """All counters as they stand now."""
        for route, count in tuple(self._routes.items()):
            count.idle += 1
            if count.idle > _IDLE:
                del self._routes[route]
        counts = self._routes.values()
        return Batch(
            "route",
            [(str(route), 0) for route in self._routes],
            {
                name: [getattr(count, name) for count in counts]
                for name in ("requests", "failures", "waited", "received", "sent")
            },
            _themselves,
        )


async def _themselves(tx: Tx, names: Sequence[str]) -> Mapping[str, uuid.UUID]:
    return {name: uuid.UUID(name) for name in names}

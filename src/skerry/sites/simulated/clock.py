"""Simulated time: seconds since 1970, and one wake-up at a time.

A world keeps its own heap of timers and asks its clock only for the earliest.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

Wake = Callable[[], None]


class Clock(Protocol):
    def now(self) -> float: ...

    def wake(self, at: float | None, callback: Wake) -> None:
        """Call back once at that time, instead of any earlier arrangement; None: never."""


class HostClock:
    """The host's time. ``speed`` makes it run faster from the moment it is made."""

    def __init__(self, speed: float = 1.0, since: float | None = None) -> None:
        self.speed = speed
        self.since = time.time() if since is None else since
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return self.since + (time.time() - self.since) * self.speed

    def wake(self, at: float | None, callback: Wake) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(0.0, (at - self.now()) / self.speed)
            self._timer = asyncio.get_running_loop().call_later(delay, callback)


class HandClock:
    """A clock that stands still until ``advance``. For tests."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start.timestamp()
        self._next: tuple[float, Wake] | None = None

    def now(self) -> float:
        return self._now

    def wake(self, at: float | None, callback: Wake) -> None:
        self._next = None if at is None else (at, callback)

    async def advance(self, seconds: float) -> None:
        """Move on, stopping at each wake-up so that those who wait for it can act then."""
        target = self._now + seconds
        await _others()
        while self._next is not None and self._next[0] <= target:
            at, callback = self._next
            self._next = None
            self._now = max(self._now, at)
            callback()
            await _others()
        self._now = target


async def _others() -> None:
    """Let everybody who is ready have a few turns."""
    for _ in range(5):
        await asyncio.sleep(0)


def moment(seconds: float) -> datetime:
    """Simulated seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)

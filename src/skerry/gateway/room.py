"""The waiting room: where requests stay while nothing answers their route.

The route's owner is told ``wake``, once for all who wait, and again after a while in case nothing
came of it. The room has a size for each route and one in all; who finds it full, or has waited too
long, is answered 503 and when to come again. A browser waits shortly and is shown a page that asks
again by itself.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from skerry.gateway import pages
from skerry.gateway.seams import Answer, Head
from skerry.gateway.table import Route, Table
from skerry.store import DATABASE_ERRORS

_log = structlog.get_logger("gateway")

Tell = Callable[[uuid.UUID, str], Awaitable[None]]
"""Tells a resource's flow of an intent."""

SEATS = 200
"""For one route."""
ALL_SEATS = 2000
SECONDS = 60.0
BROWSER_SECONDS = 8.0
REMIND = 15.0
"""Seconds between two ``wake`` for a route that people still wait for."""


class Room:
    """Lets requests wait for a backend of their route."""

    def __init__(
        self,
        table: Table,
        tell: Tell,
        *,
        seats: int = SEATS,
        all_seats: int = ALL_SEATS,
        seconds: float = SECONDS,
        browser_seconds: float = BROWSER_SECONDS,
        remind: float = REMIND,
    ) -> None:
        self._table = table
        self._tell = tell
        self._seats = seats
        self._all_seats = all_seats
        self._seconds = seconds
        self._browser_seconds = browser_seconds
        self._remind = remind
        self._waiting: Counter[uuid.UUID] = Counter()
        self._doors: dict[uuid.UUID, asyncio.Event] = {}
        self._callers: dict[uuid.UUID, asyncio.Task[None]] = {}
        table.watch(self._look)

    def waiting(self, route: uuid.UUID) -> int:
        """How many wait for it now."""
        return self._waiting[route]

    async def wait(self, route: Route, head: Head | None) -> Route | Answer:
        """The route once it has a backend, or what to answer instead."""
        if route.owner is None:
            return pages.unavailable(head, "Nothing answers here at the moment.", again=30)
        if route.wake_by_page and not (head is not None and pages.wants_page(head)):
            return pages.unavailable(head, "It sleeps until its page is opened.", again=30)
        if self._waiting[route.uid] >= self._seats or self._waiting.total() >= self._all_seats:
            return pages.unavailable(head, "Too many are waiting already.", again=10)
        browser = head is not None and pages.wants_page(head)
        limit = min(self._browser_seconds if browser else self._seconds, route.limits.timeout)
        self._waiting[route.uid] += 1
        try:
            return await self._sit(route, head, limit)
        finally:
            self._waiting[route.uid] -= 1
            if not self._waiting[route.uid]:
                self._empty(route.uid)

    async def _sit(self, route: Route, head: Head | None, limit: float) -> Route | Answer:
        door = self._doors.setdefault(route.uid, asyncio.Event())
        if route.uid not in self._callers:
            call = self._call(route)
            self._callers[route.uid] = asyncio.get_running_loop().create_task(call)
        try:
            async with asyncio.timeout(limit):
                while True:
                    now = self._table.get(route.uid)
                    if now is None:
                        return pages.plain(404, "There is nothing here any more.")
                    if now.backends:
                        return now
                    door.clear()
                    await door.wait()
        except TimeoutError:
            return pages.unavailable(head, "It is being started.", again=5)

    async def _call(self, route: Route) -> None:
        """Tell the owner, now and then, for as long as somebody waits."""
        assert route.owner is not None
        while True:
            try:
                await self._tell(route.owner, "wake")
            except DATABASE_ERRORS as error:
                _log.warning("wake not told, trying again", route=route.ref, error=str(error))
                await asyncio.sleep(1.0)
                continue
            await asyncio.sleep(self._remind)

    def _empty(self, route: uuid.UUID) -> None:
        del self._waiting[route]
        self._doors.pop(route, None)
        caller = self._callers.pop(route, None)
        if caller is not None:
            caller.cancel()

    def _look(self) -> None:
        """The table changed: whose route has backends, or is gone, goes on."""
        for uid, door in self._doors.items():
            route = self._table.get(uid)
            if route is None or route.backends:
                door.set()

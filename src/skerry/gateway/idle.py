"""Idle routes: whose owners want to know that nobody asks any more.

A route is idle when no gateway had a request for it in so many seconds, and there is none under
way or waiting here. Its owner is told ``idle``, and again each minute for as long as it keeps its
backends.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping

import structlog

from skerry.gateway.follow import Follower
from skerry.gateway.room import Room, Tell
from skerry.gateway.table import Route, Table
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.gateway", "idle.sql")
_log = structlog.get_logger("gateway")

LOOK = 1.0
REMIND = 60.0


class Idle:
    """Looks for idle routes. One for each gateway."""

    def __init__(
        self,
        db: Database,
        table: Table,
        room: Room,
        follower: Follower,
        in_flight: Mapping[str, int],
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._table = table
        self._room = room
        self._follower = follower
        self._in_flight = in_flight
        self._tell = tell
        self._clock = clock
        self._since: dict[uuid.UUID, tuple[bool, float]] = {}
        self._told: dict[uuid.UUID, float] = {}

    def asked(self, route: uuid.UUID) -> None:
        """A request to the route ended."""
        self._since[route] = (True, self._clock())
        self._told.pop(route, None)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("idle routes not looked for", error=str(error))

    async def look(self) -> None:
        """Tell the owners of what is idle now."""
        now = self._clock()
        watched = [r for r in self._table.all() if r.idle and r.owner is not None]
        quiet = [route for route in watched if self._quiet(route, now)]
        if quiet:
            seconds = [float(route.idle) for route in quiet]
            rows = await self._db.fetch(_sql.idle, [route.uid for route in quiet], seconds)
            idle = {row["route"] for row in rows}
            for route in quiet:
                if route.uid in idle and route.owner is not None:
                    self._told[route.uid] = now
                    await self._tell(route.owner, "idle")
        keep = {route.uid for route in watched}
        for known in (self._since, self._told):
            for uid in [uid for uid in known if uid not in keep]:
                del known[uid]

    def _quiet(self, route: Route, now: float) -> bool:
        """Whether this gateway has seen nothing of it for long enough, and not said so lately."""
        busy = any(self._in_flight.get(backend.workload) for backend in route.backends)
        if busy or self._room.waiting(route.uid):
            self._since[route.uid] = (bool(route.backends), now)
            self._told.pop(route.uid, None)
            self._follower.asked(route.uid)
            return False
        up, since = self._since.get(route.uid, (False, now))
        if up != bool(route.backends):
            # It was woken, or put to sleep: time runs from here.
            up, since = bool(route.backends), now
        self._since[route.uid] = (up, since)
        told = self._told.get(route.uid)
        return up and now - since >= route.idle and (told is None or now - told >= REMIND)

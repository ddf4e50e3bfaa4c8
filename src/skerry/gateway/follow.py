"""Following the routes: a list, then the feed of changes, for ever.

The feed may give two changes of one route in either order, so the highest version counts, also of
those that are gone. Where the feed has expired under us, or after a while in any case, the routes
are listed again. A route that can't be read keeps its last good version; the others go on.

Each version that is in the table is written down (``seen``), with the workloads that left the route
and still have requests here, so that whoever ends them knows when.
"""

import asyncio
import contextlib
import dataclasses
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from skerry.gateway import seen
from skerry.gateway.specs import RouteSpec
from skerry.gateway.table import Backend, Limits, Route, Table
from skerry.kernel import alerts
from skerry.kernel.errors import Gone
from skerry.kernel.feed import Feed, Happening
from skerry.kernel.sealing import Sealer, SealError
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.gateway", "follow.sql")
_log = structlog.get_logger("gateway")

BEAT = 5.0
"""Seconds between two signs of life, and two looks whether the feed still has our position."""
AGAIN = 300.0
"""Seconds after which the routes are listed again without need."""
LOOK = 0.1
"""Seconds between two looks at what drains."""
REMEMBERED = 10_000
"""Routes that are gone, whose last versions are kept."""
_RETRY = 1.0


class Unreadable(Exception):
    """A route that this gateway can't make sense of."""


def route_of(body: Mapping[str, Any]) -> Route:
    """From a resource as the feed and the database have it. Raises ``Unreadable``."""
    try:
        spec, status = msgspec.convert(body["spec"], RouteSpec), body["status"] or {}
        tcp = spec.protocol == "tcp"
        owner = body["owner_uid"]
        return Route(
            uid=uuid.UUID(str(body["uid"])),
            ref=str(body["ref"]),
            tenant=str(body["tenant"]),
            workspace=str(body["workspace"]),
            version=int(body["version"]),
            backends=tuple(Backend(b.at, b.workload, b.rank, b.port) for b in spec.backends),
            login=spec.login,
            limits=Limits(spec.limits.body, spec.limits.concurrent, float(spec.limits.timeout)),
            tcp_port=int(status.get("tcpPort") or 0) if tcp else 0,
            hosts=() if tcp else tuple(str(host) for host in status.get("hosts") or ()),
            owner=uuid.UUID(str(owner)) if owner else None,
            idle=spec.idle,
            wake_by_page=spec.wake == "page",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from error


class Follower:
    """Keeps a table as the routes are. ``in_flight`` counts the requests at each workload."""

    def __init__(
        self,
        db: Database,
        feed: Feed,
        table: Table,
        gateway: str,
        in_flight: Mapping[str, int],
        sealer: Sealer | None = None,
    ) -> None:
        """``sealer`` opens the keys that backends are shown."""
        self._db = db
        self._sealer = sealer
        self._feed = feed
        self._table = table
        self._gateway = gateway
        self._in_flight = in_flight
        self._routes: dict[uuid.UUID, Route] = {}
        self._versions: OrderedDict[uuid.UUID, int] = OrderedDict()
        self._draining: dict[uuid.UUID, set[str]] = {}
        self._position = -1
        self._swapping = False
        self._news: set[uuid.UUID] = set()
        self._wake = asyncio.Event()
        self._asked: dict[uuid.UUID, float] = {}
        self.ready = asyncio.Event()
        """The routes were listed once."""

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._tell())
            group.create_task(self._beat())

    def asked(self, route: uuid.UUID) -> None:
        """A request to the route is under way, or has just ended."""
        self._asked[route] = time.monotonic()

    async def _follow(self) -> None:
        while True:
            try:
                await self._watch()
            except Gone:
                _log.info("the feed has expired, listing routes again")
            except DATABASE_ERRORS as error:
                _log.warning("routes not followed, trying again", error=str(error))
                await asyncio.sleep(_RETRY)

    async def _watch(self) -> None:
        """List, then follow until it is time to list again."""
        self._position = await self._feed.position()
        await self.list()
        clock = asyncio.get_running_loop().time
        began = clock()
        events = self._feed.watch(self._wanted, self._position, beat=BEAT)
        async with contextlib.aclosing(events):  # type: ignore[type-var]
            async for event in events:
                if event is not None:
                    await self.take(event)
                    continue
                await self._feed.cursor(self._position)
                if clock() - began > AGAIN:
                    return

    def _wanted(self, event: Happening) -> bool:
        if event.position != self._position + 1:
            # Positions have no gaps: what is missing was never seen here.
            raise Gone(f"the feed goes on at {event.position}, after {self._position}")
        self._position = event.position
        return event.kind == "route"

    async def list(self) -> None:
        """Take all routes as they are in the database."""
        listed: set[uuid.UUID] = set()
        last = uuid.UUID(int=0)
        while rows := await self._db.fetch(_sql.routes_after, last):
            last = rows[-1]["uid"]
            for row in rows:
                listed.add(row["uid"])
                await self._apply(row["uid"], dict(row))
        for uid in [uid for uid in self._routes if uid not in listed]:
            # It may have been made since the list was read: its change is still to come then.
            self._gone(uid, self._versions.get(uid, 0))
        self._swap()
        self.ready.set()

    async def take(self, event: Happening) -> None:
        """Take one change of a route."""
        body = msgspec.json.decode(event.body)
        uid = uuid.UUID(body["uid"])
        if event.version < self._versions.get(uid, 0):
            return
        if event.verb == "deleted" or body.get("deleted_at"):
            self._gone(uid, event.version)
        else:
            await self._apply(uid, body)
        if not self._swapping:
            self._swapping = True
            asyncio.get_running_loop().call_soon(self._swap)

    async def _apply(self, uid: uuid.UUID, body: Mapping[str, Any]) -> None:
        if int(body["version"]) < self._versions.get(uid, 0):
            return
        try:
            route = await self._with_key(route_of(body))
        except (Unreadable, SealError) as problem:
            _log.error("route left as it was", route=str(body.get("ref")), problem=str(problem))
            await self._alert(str(body.get("ref")), str(problem))
            return
        before = self._routes.get(uid)
        if before == route:
            return
        if before is not None:
            left = {b.workload for b in before.backends} - {b.workload for b in route.backends}
            if left:
                self._draining.setdefault(uid, set()).update(left)
        self._draining.get(uid, set()).difference_update(b.workload for b in route.backends)
        self._routes[uid] = route
        self._versions[uid] = route.version
        self._news.add(uid)

    async def _with_key(self, route: Route) -> Route:
        """The key is sealed, so neither the feed nor the list has it. Raises ``SealError``."""
        if not route.login or self._sealer is None:
            return route
        before = self._routes.get(route.uid)
        if before is not None and before.version == route.version:
            return dataclasses.replace(route, key=before.key)
        async with self._db.transaction(readonly=True) as tx:
            key = await self._sealer.open(tx, route.tenant, route.uid, "key")
        return dataclasses.replace(route, key=key.encode()) if isinstance(key, str) else route

    def _gone(self, uid: uuid.UUID, version: int) -> None:
        self._routes.pop(uid, None)
        self._draining.pop(uid, None)
        self._news.discard(uid)
        self._asked.pop(uid, None)
        self._versions[uid] = version
        self._versions.move_to_end(uid)
        while len(self._versions) > len(self._routes) + REMEMBERED:
            oldest = next(u for u in self._versions if u not in self._routes)
            del self._versions[oldest]

    def _swap(self) -> None:
        self._swapping = False
        self._table.replace(self._routes.values())
        if self._news:
            self._wake.set()

    async def _alert(self, ref: str, problem: str) -> None:
        async with self._db.transaction() as tx:
            await alerts.raise_alert(
                tx,
                subject=ref,
                reason="route-unreadable",
                message=f"The gateway can't read {ref}: {problem}",
                remedy="Its last good version is in use. Put it again, or update the gateway.",
            )

    def drains(self, route: Route) -> tuple[str, ...]:
        """Workloads that left the route and still have requests here."""
        left = self._draining.get(route.uid)
        return tuple(sorted(w for w in left if self._in_flight.get(w))) if left else ()

    async def _tell(self) -> None:
        """Write down what was taken into the table, and what has drained since."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK if self._draining else BEAT):
                    await self._wake.wait()
            self._wake.clear()
            self._drained()
            await self._say(self._news | self._asked.keys())

    def _drained(self) -> None:
        for uid in list(self._draining):
            still = {w for w in self._draining[uid] if self._in_flight.get(w)}
            if still != self._draining[uid]:
                self._news.add(uid)
            if still:
                self._draining[uid] = still
            else:
                del self._draining[uid]

    async def _say(self, uids: set[uuid.UUID]) -> None:
        news, self._news = self._news, set()
        asked, self._asked = self._asked, {}
        now = time.monotonic()
        ago = {uid: now - at for uid, at in asked.items()}
        sights = [
            seen.Sight(uid, route.version, self.drains(route), ago.get(uid))
            for uid in sorted(uids)
            if (route := self._routes.get(uid)) is not None
        ]
        try:
            for start in range(0, len(sights), 500):
                await seen.saw(self._db, self._gateway, sights[start : start + 500])
        except DATABASE_ERRORS as error:
            self._news |= news
            self._asked = asked | self._asked
            _log.warning("routes seen not written, trying again", error=str(error))
            await asyncio.sleep(_RETRY)
            self._wake.set()

    async def _beat(self) -> None:
        while True:
            try:
                await seen.beat(self._db, self._gateway)
            except DATABASE_ERRORS as error:
                _log.warning("sign of life not written", error=str(error))
            await asyncio.sleep(BEAT)

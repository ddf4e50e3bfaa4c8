"""A small cloud of sites for the tests of hub and observer."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.sites import seen
from skerry.sites.hub import Hub
from skerry.sites.kinds import KINDS, ensure_region
from skerry.sites.observer import Observer
from skerry.sites.places import at_of
from skerry.sites.simulated.driver import WORLDS
from skerry.sites.simulated.world import World
from skerry.store import Database, Tx

PATIENCE = 30
PROVIDERS = (("seca.workspace", "v1"),)


class Noting(Observer):
    """An observer whose test knows when it last looked for silent sites."""

    looked_at: datetime | None = None

    async def tick(self) -> None:
        before = await self._db.fetchval("select skerry_now()")
        await super().tick()
        self.looked_at = before


class Cloud:
    """A region ``home`` with zones a and b, and sites as a test declares them."""

    def __init__(self, db: Database, folder: FilePath) -> None:
        self.db = db
        self.folder = folder
        self.resources = Resources(Registry(tuple(KINDS)), Sealer(folder / "keys"), "home")
        self.hub = Hub(db)
        self.told: list[str] = []
        """Workloads of which ``on_change`` was told."""

    async def region(self) -> None:
        async with self.db.transaction() as tx:
            await ensure_region(tx, self.resources, "home", ["a", "b"], "http://here", PROVIDERS)

    async def site(self, name: str = "", zone: str = "a", **config: Any) -> tuple[Resource, World]:
        """Declare a simulated site; the answer has its world as well."""
        name = name or f"site-{uuid.uuid4().hex[:8]}"
        site = await self.declare(
            name, driver="simulated", zone=zone, config={"name": name, **config}
        )
        self.hub.open(name, "simulated", site.spec["config"])
        return site, WORLDS[name]

    async def declare(self, name: str, **spec: Any) -> Resource:
        body = {"spec": {"driver": "local", "region": "home", "zone": "a", **spec}}
        kind = self.resources.registry["site"]
        async with self.db.transaction() as tx:
            put = await self.resources.put(tx, kind, Path(name=name), body, SYSTEM)
            return put.resource

    async def remove(self, site: Resource) -> None:
        async with self.db.transaction() as tx:
            await self.resources.delete(tx, site, SYSTEM)

    def beside(self) -> "Cloud":
        """Another server process on the same database."""
        return Cloud(self.db, self.folder)

    async def read(self, site: Resource) -> Resource:
        async with self.db.transaction() as tx:
            return await self.resources.by_uid(tx, site.uid)

    async def shown(self, site: Resource) -> dict[str, Any]:
        """The status that a client sees."""
        async with self.db.transaction() as tx:
            kind = self.resources.registry["site"]
            current = await self.resources.by_uid(tx, site.uid)
            assert kind.hooks is not None
            return {**current.status, **await kind.hooks.shown(tx, self.resources, current)}

    async def own(self, id: str, site: Resource) -> uuid.UUID:
        owner = uuid.uuid4()
        async with self.db.transaction() as tx:
            await seen.own(tx, id, at=at_of(site), owner=owner, tenant="acme")
        return owner

    async def give_up(self, id: str) -> None:
        async with self.db.transaction() as tx:
            await seen.give_up(tx, id)

    async def find(self, id: str) -> seen.Seen:
        async with self.db.transaction() as tx:
            found = await seen.find(tx, id)
        assert found is not None
        return found

    def observer(self, **more: Any) -> Noting:
        async def note(tx: Tx, ids: Any) -> None:
            self.told.extend(ids)

        given: dict[str, Any] = {"on_change": note, "beat": 0.1, "patience": PATIENCE}
        return Noting(self.db, self.resources, self.hub, **given | more)

    @asynccontextmanager
    async def observed(self, **more: Any) -> AsyncIterator[Noting]:
        """An observer at work while the block runs."""
        observer = self.observer(**more)
        work = asyncio.create_task(observer.run())
        try:
            yield observer
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def let_pass(self, observer: Noting, seconds: int) -> None:
        """Let the database's time pass, in steps that don't look like a stopped server."""
        for _ in range(seconds // 5):
            await self.db.shift_clock(timedelta(seconds=5))
            shifted = await self.db.fetchval("select skerry_now()")

            async def looked(shifted: datetime = shifted) -> bool:
                return observer.looked_at is not None and observer.looked_at >= shifted

            await self.until(looked)

    async def until(self, wanted: Callable[[], Any]) -> Any:
        """Wait for a coroutine function's answer to be true, and give it."""
        async with asyncio.timeout(30):
            while not (answer := await wanted()):
                await asyncio.sleep(0.02)
            return answer

    async def ended(self, id: str) -> seen.Seen:
        async def over() -> seen.Seen | None:
            found = await self.find(id)
            return found if found.status is not None and found.status.ended else None

        return await self.until(over)

    async def gone(self, id: str) -> seen.Seen:
        async def is_gone() -> seen.Seen | None:
            found = await self.find(id)
            return found if found.gone_at is not None else None

        return await self.until(is_gone)

    async def phase(self, site: Resource, phase: str) -> None:
        async def reached() -> bool:
            return (await self.read(site)).phase == phase

        await self.until(reached)

"""A database with tenants, workloads and routes, and the parts that make a gateway's table live."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from typing import Any

from skerry.gateway import face
from skerry.gateway.face import Face
from skerry.kernel.feed import Feed
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import OPERATOR_TENANT, Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.kernel.sequencer import Sequencer
from skerry.ledger import price_lists
from skerry.sites import seen
from skerry.sites.kinds import ensure_region
from skerry.store import Database

REGISTRY = Registry.discover()
AT = Path("acme", "prod")
FACE = Face(scheme="http", base="apps.localhost", port=8421, tcp_first=20_000, tcp_last=20_002)


class Cloud:
    """What a test of the gateway does and sees."""

    def __init__(self, db: Database, folder: FilePath) -> None:
        self.db = db
        self.folder = folder
        self.resources = Resources(REGISTRY, Sealer(folder / "keys"), "home")
        self.feed = Feed(db, poll=0.02)
        self.sequencer = Sequencer(db)

    async def put(
        self,
        name: str,
        spec: Mapping[str, Any] | None = None,
        *,
        tenant: str = "acme",
        owner: Resource | None = None,
    ) -> Resource:
        async with self.db.transaction() as tx:
            path = Path(tenant, "prod", (), name)
            body = {"spec": dict(spec or {})}
            kind = REGISTRY["route"]
            put = await self.resources.put(tx, kind, path, body, SYSTEM, owner=owner)
        await self.fed()
        return put.resource

    async def delete(self, route: Resource, owner: Resource | None = None) -> None:
        async with self.db.transaction() as tx:
            await self.resources.delete(tx, route, SYSTEM, owner=owner)
        await self.fed()

    async def fed(self) -> None:
        """Wait until the feed has every change. One alone would do, were there no other
        transactions: a change waits for all that began before it, also in other databases."""
        while await self.db.fetchval(
            "select exists (select from change c left join feed f on f.change_id = c.id"
            " where f.position is null)"
        ):
            if not await self.sequencer.run_once():
                await asyncio.sleep(0.01)

    async def workload(self, id: str, tenant: str = "acme") -> dict[str, Any]:
        """A workload of a tenant, as a backend of its routes."""
        async with self.db.transaction() as tx:
            await seen.own(tx, id, at="here", owner=uuid.uuid4(), tenant=tenant)
        return {"at": "here", "workload": id, "port": 8080}

    async def grant(self, domain: str, tenant: str = "acme") -> None:
        async with self.db.transaction() as tx:
            path = Path(tenant, name=domain)
            await self.resources.put(tx, REGISTRY["domain"], path, {"spec": {}}, SYSTEM)

    async def shown(self, route: Resource) -> dict[str, Any]:
        """The route's status as a client sees it."""
        hooks = REGISTRY["route"].hooks
        assert hooks is not None
        async with self.db.transaction() as tx:
            now = await self.resources.by_uid(tx, route.uid)
            return {**now.status, **await hooks.shown(tx, self.resources, now)}


async def opened(db: Database, folder: FilePath, shown: Face | None = FACE) -> Cloud:
    """A cloud with two tenants beside the operator, each with a workspace ``prod``."""
    cloud = Cloud(db, folder)
    async with db.transaction() as tx:
        await ensure_region(tx, cloud.resources, "home", ["home-1"], "http://home")
        await price_lists.load(tx, price_lists.shipped())
        for tenant in (OPERATOR_TENANT, "acme", "other"):
            path = Path(name=tenant)
            await cloud.resources.put(tx, REGISTRY["tenant"], path, {"spec": {}}, SYSTEM)
            workspace = Path(tenant, name="prod")
            await cloud.resources.put(tx, REGISTRY["workspace"], workspace, {"spec": {}}, SYSTEM)
    if shown is not None:
        await face.show(db, cloud.resources, shown)
    await cloud.fed()
    return cloud


@asynccontextmanager
async def running(*works: Any) -> AsyncIterator[None]:
    """Run things that never end beside a test."""
    tasks = [asyncio.get_running_loop().create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(happens: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something that other tasks bring about; a coroutine function is awaited."""
    async with asyncio.timeout(seconds):
        while True:
            found = happens()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)

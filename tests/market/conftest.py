"""A small cloud with a market: tenants who ask, offers, prices, and a kind of thing to place."""

import uuid
from pathlib import Path as FilePath
from typing import Any

import pytest

from skerry.identity.kinds import KINDS as IDENTITY
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind, Registry, Spec
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import watch_over
from skerry.kernel.sealing import Sealer
from skerry.ledger import chart, price_lists
from skerry.ledger.chart import Terms
from skerry.market import offers
from skerry.market.ask import GIB, Ask, Offer
from skerry.market.kinds import KINDS as MARKET
from skerry.market.lease import Lease, Refusal
from skerry.market.leases import Market
from skerry.store import Database
from tests.ledger.world import START, pay_in, set_clock
from tests.market.supply import ask


class ThingSpec(Spec, kw_only=True):
    millicores: int = 1000
    limit: int = 0
    password: str | None = None


def ask_of(spec: ThingSpec) -> Ask:
    return Ask(millicores=spec.millicores, memory=GIB, duration=spec.limit)


THING = Kind(
    provider="skerry.things",
    collection="things",
    noun="thing",
    summary="Something to place",
    spec=ThingSpec,
    secrets=("password",),
    ask=ask_of,
)
REGISTRY = Registry((*IDENTITY, *MARKET, THING))
AT = Path("acme", "lab")


class Cloud:
    """What a test does, one transaction each."""

    def __init__(self, db: Database, resources: Resources) -> None:
        self.db = db
        self.resources = resources
        self.market = Market.of(resources)

    async def offer(self, *wanted: Offer) -> None:
        async with self.db.transaction() as tx:
            for one in wanted:
                await offers.write(tx, one)

    async def put(self, noun: str, name: str, spec: Any, at: Path = AT) -> Resource:
        kind = self.resources.registry[noun]
        path = {"global": Path(), "tenant": Path(at.tenant), "workspace": at}[kind.scope]
        async with self.db.transaction() as tx:
            put = await self.resources.put(tx, kind, path.named(name), {"spec": spec}, SYSTEM)
        return put.resource

    async def thing(self, name: str = "", at: Path = AT) -> Resource:
        return await self.put("thing", name or f"thing-{uuid.uuid4()}", {}, at)

    async def reserve(
        self, wanted: Ask | None = None, owner: Resource | None = None, **more: Any
    ) -> Lease | Refusal:
        owner = owner or await self.thing()
        async with self.db.transaction() as tx:
            return await self.market.reserve(tx, wanted or ask(), owner, **more)

    async def lease(self, wanted: Ask | None = None, owner: Resource | None = None) -> Lease:
        made = await self.reserve(wanted, owner)
        assert isinstance(made, Lease)
        return await self.confirm(made)

    async def confirm(self, lease: Lease) -> Lease:
        async with self.db.transaction() as tx:
            return await self.market.confirm(tx, lease.id)

    async def close(self, lease: Lease, reason: Any = "done", **more: Any) -> Lease:
        async with self.db.transaction() as tx:
            return await self.market.close(tx, lease.id, reason, **more)

    async def used(self, id: str) -> Any:
        async with self.db.transaction() as tx:
            row = await offers.read(tx, id)
        assert row is not None
        return row.used

    async def read(self, resource: Resource) -> Resource:
        async with self.db.transaction() as tx:
            return await self.resources.by_uid(tx, resource.uid)

    async def held(self, tenant: str = "acme") -> int:
        """Money set aside, in nano."""
        return int(
            await self.db.fetchval(
                "select coalesce(sum(credits_pending + credits_posted - debits_posted), 0)"
                " from account where owner = $1 and code = 'held'",
                tenant,
            )
        )


async def opened(db: Database, directory: FilePath) -> Cloud:
    """Prices, two tenants with a workspace each, and nothing on sale."""
    watch_over(REGISTRY)
    resources = Resources(REGISTRY, Sealer(directory / "keys"), "here")
    await set_clock(db, START)
    async with db.transaction() as tx:
        await price_lists.load(tx, price_lists.shipped())
        for tenant in ("acme", "operator"):
            await resources.put(tx, REGISTRY["tenant"], Path(name=tenant), {}, SYSTEM)
            at = Path(tenant, name="lab")
            await resources.put(tx, REGISTRY["workspace"], at, {}, SYSTEM)
    return Cloud(db, resources)


@pytest.fixture
async def cloud(db: Database, tmp_path: FilePath) -> Cloud:
    return await opened(db, tmp_path)


async def prepay(cloud: Cloud, amount: int) -> None:
    """Let ``acme`` spend so much and no more, in nano."""
    async with cloud.db.transaction() as tx:
        await chart.set_terms(tx, "acme", Terms("prepaid", None, "EUR"))
        await pay_in(tx, "acme", amount)

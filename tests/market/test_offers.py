"""Offers as the operator writes them, and as sites bring them."""

import msgspec
import pytest

from skerry.kernel import changes
from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.resources import Resource
from skerry.ledger import price_lists
from skerry.market import offers
from skerry.market.ask import GIB, Divisible, GpuStock, Used
from skerry.market.site_offers import (
    Devices,
    Pool,
    SiteFacts,
    shortened,
    suspend_offers,
    sync_offers,
    withdraw_offers,
)
from skerry.store import Tx
from tests.market.conftest import Cloud
from tests.market.supply import ask, instance, pool

POOL = {
    "pool": {
        "millicores": 4000, "memory": 8 * GIB, "corePrice": "0.01", "memoryPrice": "0.001",
        "gpus": [{"model": "H100", "count": 1, "memory": 80 * GIB, "price": "2.50"}],
    },
    "currency": "EUR", "operator": "coop", "site": "home", "jurisdiction": "DE", "trustTier": 3,
}  # fmt: skip
INSTANCES = {
    "instances": {"instanceType": "big", "count": 2, "millicores": 8000, "memory": 8 * GIB,
                  "price": "0.4", "spotPrice": "0.1"},
    "currency": "EUR",
}  # fmt: skip
FACTS = SiteFacts(
    site="basement", operator="coop", region="home", zone="basement", jurisdiction="DE", tier=2,
    isolations=("process", "sandbox"),
)  # fmt: skip


async def shown(cloud: Cloud, resource: Resource) -> dict:
    async with cloud.db.transaction() as tx:
        return dict(await cloud.resources.registry["offer"].hooks.shown(
            tx, cloud.resources, resource
        ))  # fmt: skip


async def test_an_operators_offer_is_sold(cloud: Cloud):
    made = await cloud.put("offer", "home", POOL)
    assert await shown(cloud, made) == {
        "free": {"millicores": 4000, "memory": 8 * GIB, "disk": 0, "gpus": {"H100": 1}},
        "version": 1,
    }
    lease = await cloud.reserve(ask(gpus=1))
    assert lease.choice.place.tier == 3
    assert lease.choice.price.per_hour == 2_511_000_000
    assert (await shown(cloud, made))["free"]["gpus"] == {"H100": 0}
    bare = await cloud.put("offer", "bare", POOL | {"pool": POOL["pool"] | {"gpus": []}})
    assert "gpus" not in (await shown(cloud, bare))["free"]


async def test_instances_are_sold_whole(cloud: Cloud):
    made = await cloud.put("offer", "big", INSTANCES)
    lease = await cloud.reserve(ask(tasks=2, spot=True))
    assert lease.choice.price.per_hour == 200_000_000
    assert lease.choice.spot
    assert await shown(cloud, made) == {"free": {"count": 0}, "version": 2}
    assert (await cloud.reserve()).counts == {"capacity": 1}


async def test_a_suspended_or_deleted_offer_is_not_sold(cloud: Cloud):
    await cloud.put("offer", "home", POOL | {"suspended": True})
    assert not await shown(cloud, await cloud.put("offer", "never", POOL | {"suspended": True}))
    assert (await cloud.reserve()).message == "there is no offer at all"
    made = await cloud.put("offer", "home", POOL)
    lease = await cloud.lease()
    await cloud.put("offer", "home", POOL | {"suspended": True})
    assert (await cloud.reserve()).message == "there is no offer at all"
    async with cloud.db.transaction() as tx:
        await cloud.resources.delete(tx, made, SYSTEM)
    assert (await cloud.close(lease)).state == "closed"
    await cloud.put("offer", "home", POOL)
    assert await cloud.used("home") == Used()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instances": INSTANCES["instances"]}, "either a pool or instances"),
        ({"pool": None}, "either a pool or instances"),
        ({"currency": "euro"}, "currency"),
        ({"jurisdiction": "Germany"}, "jurisdiction"),
        ({"pool": POOL["pool"] | {"corePrice": "1000"}}, "corePrice"),
        ({"pool": POOL["pool"] | {"gpus": POOL["pool"]["gpus"] * 2}}, "stands once"),
    ],
)
async def test_a_wrong_offer_is_refused(cloud: Cloud, change, said):
    with pytest.raises(ValidationError, match=said):
        await cloud.put("offer", "home", POOL | change)


async def sync(cloud: Cloud, *pools: Pool, facts: SiteFacts = FACTS) -> None:
    async with cloud.db.transaction() as tx:
        prices = await price_lists.at(tx)
        await sync_offers(tx, cloud.resources, facts, pools, prices)


async def names(cloud: Cloud) -> list[str]:
    rows = await cloud.db.fetch("select id from offer where not retired order by id")
    return [row["id"] for row in rows]


async def test_a_sites_offer_follows_what_it_has(cloud: Cloud):
    card = Devices(model="NVIDIA H100 80GB HBM3", memory=80 * GIB, count=2)
    machine = Pool(millicores=8000, memory=16 * GIB, disk=100 * GIB, gpus=(card,))
    await sync(cloud, machine)
    await sync(cloud, machine)
    async with cloud.db.transaction() as tx:
        row = await offers.read(tx, "basement")
    assert row.version == 1
    assert row.offer.price_version == 1
    assert row.offer.supply.gpus[0].price == 2_300_000_000
    assert row.offer.supply.core_price == 12_000_000
    lease = await cloud.lease(ask(gpus=1, gpu_models=("H100",)))
    assert lease.choice.place.site == "basement"
    assert [c.price_version for c in lease.charges] == [1, 1, 1]
    await sync(cloud, Pool(millicores=500, memory=GIB))
    assert (await cloud.used("basement")).millicores == 1000
    assert (await cloud.reserve()).counts == {"shape": 1}
    await cloud.close(lease)
    assert await cloud.used("basement") == Used()


def test_one_model_in_several_sizes_is_sold_by_the_smallest():
    def found(*sizes: int | None) -> list[Devices]:
        cards = tuple(Devices(model="RTX 3060", memory=size, count=1) for size in sizes)
        return Pool(millicores=1, memory=1, gpus=cards).models

    assert found(12, 8) == [Devices(model="RTX 3060", memory=8, count=2)]
    assert found(12, None, 8) == [Devices(model="RTX 3060", memory=None, count=3)]
    assert found(None) == [Devices(model="RTX 3060", memory=None, count=1)]


async def test_a_site_of_several_machines_has_an_offer_for_each(cloud: Cloud):
    one, two = (Pool(name=name, millicores=1000, memory=GIB) for name in ("one", "two"))
    await sync(cloud, one, two)
    assert await names(cloud) == ["basement.one", "basement.two"]
    await sync(cloud, two)
    assert await names(cloud) == ["basement.two"]


async def test_each_host_of_a_site_has_an_offer_of_its_own(cloud: Cloud):
    machine = Pool(millicores=8000, memory=16 * GIB)
    second = SiteFacts(site="basement", host="two", jurisdiction="DE", tier=2)
    await sync(cloud, machine)
    await sync(cloud, machine, facts=second)
    assert await names(cloud) == ["basement", "basement.two"]
    lease = await cloud.lease(ask(sites=("basement/two",)))
    assert lease.choice.place.at == "basement/two"
    await sync(cloud, facts=FACTS)
    assert await names(cloud) == ["basement.two"]
    async with cloud.db.transaction() as tx:
        await suspend_offers(tx, cloud.resources, "basement/two")
    assert (await cloud.reserve()).counts == {}


async def test_a_site_out_of_sight_sells_nothing(cloud: Cloud):
    machine = Pool(millicores=8000, memory=16 * GIB)
    await sync(cloud, machine)
    await sync(cloud, machine, facts=SiteFacts(site="elsewhere"))
    lease = await cloud.lease(ask(sites=("basement",)))
    for _ in range(2):
        async with cloud.db.transaction() as tx:
            await suspend_offers(tx, cloud.resources, "basement")
    assert await names(cloud) == ["elsewhere"]
    await sync(cloud, machine)
    assert (await cloud.used("basement")).millicores == 1000
    async with cloud.db.transaction() as tx:
        await withdraw_offers(tx, cloud.resources, "basement")
    assert await names(cloud) == ["elsewhere"]
    assert (await cloud.close(lease)).state == "closed"


def test_what_fits():
    offer = pool()
    assert offers.fits(offer, Used(millicores=8000, memory=32 * GIB, gpus={"H100": 2}))
    for much in (
        Used(millicores=8001), Used(memory=33 * GIB), Used(disk=101 * GIB), Used(gpus={"H100": 3}),
        Used(gpus={"T4": 1}),
    ):  # fmt: skip
        assert not offers.fits(offer, much)
    assert offers.fits(instance(count=1), Used(count=1))
    assert not offers.fits(instance(count=1), Used(count=2))


def test_what_is_free_is_never_below_zero():
    row = offers.Row(offer=pool(), used=Used(millicores=9000, gpus={"H100": 5}))
    left = offers.free(row)
    assert isinstance(left, Divisible)
    assert (left.millicores, left.memory) == (0, 32 * GIB)
    assert left.gpus == (GpuStock(model="H100", memory=80 * GIB, count=0, price=2 * 10**9),)


async def test_a_thousand_nodes_are_offered_in_a_few_statements(cloud: Cloud, monkeypatch):
    asked = 0

    def counted(name: str):
        plain = getattr(Tx, name)

        async def wrapped(self, *args, **kwargs):
            nonlocal asked
            asked += 1
            return await plain(self, *args, **kwargs)

        monkeypatch.setattr(Tx, name, wrapped)

    for name in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
        counted(name)
    card = Devices(model="H100", memory=80 * GIB, count=8)
    nodes = [
        Pool(name=f"n{n}", millicores=64_000, memory=512 * GIB, gpus=(card,), rack=f"r{n // 16}")
        for n in range(1000)
    ]
    await sync(cloud, *nodes)
    assert asked < 30
    assert len(await names(cloud)) == 1000
    lease = await cloud.lease(ask(gpus=8, gpu_models=("H100",), sites=("basement/n7",)))
    asked = 0
    await sync(cloud, *nodes)
    assert asked < 15
    closed = msgspec.structs.replace(nodes[3], closed="cordoned")
    await sync(cloud, *nodes[:3], closed, *nodes[4:999])
    rows = await cloud.db.fetch("select id, version, retired from offer where version > 1")
    assert {(row["id"], row["version"], row["retired"]) for row in rows} == {
        ("basement.n3", 2, False), ("basement.n7", 2, False), ("basement.n999", 2, True),
    }  # fmt: skip
    async with cloud.db.transaction() as tx:
        await suspend_offers(tx, cloud.resources, "basement")
    assert await names(cloud) == []
    await sync(cloud, *nodes)
    assert (await cloud.used("basement.n7")).gpus == {"H100": 8}
    assert (await cloud.close(lease)).state == "closed"
    async with cloud.db.transaction() as tx:
        made = await cloud.resources.get(tx, "skerry.market/v1/offers/basement.n3")
        assert made.spec["rack"] == "r0"
        told = await tx.fetchval(
            "select body from change where subject = $1 order by version desc limit 1", made.ref
        )
        assert changes.canonical(await changes.WITNESSES["offer"](tx, made.ref)).decode() == told


def test_a_long_name_is_kept_apart_from_its_likes():
    long = [shortened(f"site.{'x' * 200}{n}") for n in range(3)]
    assert len(set(long)) == 3
    assert all(len(name) <= 128 for name in long)

"""Capacity under concurrency: never more taken than there is, at any instant."""

import asyncio
import random
from pathlib import Path as FilePath

import msgspec

from skerry.kernel.resources import Resource, Resources
from skerry.kernel.sealing import Sealer
from skerry.ledger import money
from skerry.market import decisions, offers
from skerry.market.ask import GIB, Fixed, Used
from skerry.market.lease import Lease, Refusal
from skerry.market.leases import Market
from skerry.store import Database
from tests.market.conftest import REGISTRY, Cloud
from tests.market.supply import EURO, ask, instance, pool

ASKERS = 200


async def check_every_state(db: Database) -> None:
    """No state that any offer ever had takes more than the offer has."""
    for record in await db.fetch(
        "select s.offer as id, s.version, s.used, t.body from offer_state s"
        " join offer_terms t on t.digest = s.terms"
    ):
        row = offers.row_of(record)
        assert offers.fits(row.offer, row.used), row


async def test_two_hundred_at_once(cloud: Cloud, pg_url: str, tmp_path: FilePath):
    """Four processes' markets, two hundred askers, room for 130; a third of the leases end early
    and make room again."""
    wide = await Database.open(pg_url, size=16)
    made = [Resources(REGISTRY, Sealer(tmp_path / "keys"), "here") for _ in range(4)]
    markets = [Market.of(resources) for resources in made]
    await cloud.offer(
        pool("one", millicores=50_000, memory=500 * GIB),
        pool("two", millicores=60_000, memory=50 * GIB, core_price=EURO // 99),
        instance(count=30, price=EURO),
    )
    owners = [await cloud.thing(f"t{n}") for n in range(ASKERS)]
    dice = random.Random(5)
    ended = 0

    async def one(number: int, owner: Resource) -> Lease | Refusal:
        nonlocal ended
        market = markets[number % len(markets)]
        async with wide.transaction() as tx:
            got = await market.reserve(tx, ask(), owner)
        if isinstance(got, Refusal) or dice.random() < 0.5:
            return got
        async with wide.transaction() as tx:
            got = await market.confirm(tx, got.id)
        if dice.random() < 0.3:
            ended += 1
            async with wide.transaction() as tx:
                got = await market.close(tx, got.id, "done")
        return got

    got = await asyncio.gather(*(one(n, owner) for n, owner in enumerate(owners)))
    open_leases = [g for g in got if isinstance(g, Lease) and g.state != "closed"]
    assert 130 - ended <= len(open_leases) <= 130
    assert all(g.reason == "NoOffer" for g in got if isinstance(g, Refusal))
    await check_every_state(cloud.db)
    for id in ("one", "two", "cloud.small"):
        takes = [lease.takes for lease in open_leases if lease.offer == id]
        total = Used()
        for part in takes:
            total = offers.more(total, part)
        assert await cloud.used(id) == total
    assert await cloud.held() == sum(lease.choice.price.per_hour for lease in open_leases)
    async with cloud.db.transaction() as tx:
        for lease in open_leases[::10]:
            recorded, again = await decisions.recompute(tx, lease.decision)
            assert recorded.decision == again
    await wide.close()


async def test_the_last_place_goes_to_one(cloud: Cloud):
    await cloud.offer(instance(count=1))
    owners = [await cloud.thing() for _ in range(6)]
    got = await asyncio.gather(*(cloud.reserve(owner=owner) for owner in owners))
    assert [isinstance(g, Lease) for g in got].count(True) == 1
    assert {g.message for g in got if isinstance(g, Refusal)} == {
        "none of 1 offers serves it: 1 too little free just now"
    }


async def test_a_budget_is_not_passed_together(cloud: Cloud):
    """Ten at once, money for four: each finds the offer free, and the ledger says who gets it."""
    await cloud.offer(pool(millicores=100_000, memory=100 * GIB))
    hourly = 11 * EURO // 1000
    await cloud.put("policy", "any", {})
    async with cloud.db.transaction() as tx:
        from skerry.ledger import chart
        from tests.ledger.world import pay_in

        await chart.set_terms(tx, "acme", chart.Terms("prepaid", None, "EUR"))
        await pay_in(tx, "acme", 4 * hourly + 1)
    owners = [await cloud.thing() for _ in range(10)]
    got = await asyncio.gather(*(cloud.reserve(owner=owner) for owner in owners))
    assert [isinstance(g, Lease) for g in got].count(True) == 4
    assert (await cloud.used("alpha")).millicores == 4000
    assert await cloud.held() == 4 * hourly
    refusals = [g for g in got if isinstance(g, Refusal)]
    assert {r.reason for r in refusals} == {"NoMoney"}
    assert all(money.text(hourly) in r.message or r.hint for r in refusals)


async def test_a_shrunken_offer_sells_no_more_until_there_is_room(cloud: Cloud):
    await cloud.offer(instance(count=3))
    leases = [await cloud.lease() for _ in range(3)]
    small = instance(count=3)
    assert isinstance(small.supply, Fixed)
    await cloud.offer(
        msgspec.structs.replace(small, supply=msgspec.structs.replace(small.supply, count=1))
    )
    await cloud.close(leases[0])
    await cloud.close(leases[1])
    assert isinstance(await cloud.reserve(), Refusal)
    await cloud.close(leases[2])
    assert isinstance(await cloud.reserve(), Lease)

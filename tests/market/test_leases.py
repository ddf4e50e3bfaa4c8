"""Leases: capacity and money are taken together, and come back together."""

import asyncio
from datetime import timedelta

import pytest

from skerry.kernel.errors import Conflict, NotFound, Unavailable, ValidationError
from skerry.kernel.paths import Path
from skerry.ledger import holds, streams
from skerry.market import decisions, leases, offers
from skerry.market.ask import GIB, Used
from skerry.market.lease import Lease, Refusal
from skerry.market.leases import Market
from skerry.store import Database
from tests.ledger.world import START
from tests.market.conftest import Cloud, prepay
from tests.market.supply import EURO, ask, instance, pool

HOUR = 3600


async def test_a_match_takes_capacity_and_money(cloud: Cloud):
    await cloud.offer(pool(), instance(price=EURO))
    lease = await cloud.reserve(ask(millicores=2000, gpus=1, gpu_models=("H100",)))
    assert isinstance(lease, Lease)
    assert lease.state == "reserved"
    assert lease.choice.place.jurisdiction == "DE"
    assert await cloud.used("alpha") == Used(millicores=2000, memory=GIB, gpus={"H100": 1})
    assert lease.choice.price.per_hour == EURO * (20 + 1 + 2000) // 1000
    assert await cloud.held() == lease.choice.price.per_hour
    assert lease.policies == ("skerry.market/tenants-are-isolated@1",)


async def test_a_volume_takes_of_the_disk_and_pays_by_the_month(cloud: Cloud):
    await cloud.offer(pool(disk=100 * GIB, storage_price=EURO // 20))
    volume = ask(millicores=0, memory=0, storage=72 * GIB)
    lease = await cloud.lease(volume)
    assert await cloud.used("alpha") == Used(disk=72 * GIB)
    assert await cloud.held() == lease.choice.price.per_hour == EURO // 200
    assert isinstance(await cloud.reserve(volume), Refusal)
    async with cloud.db.transaction() as tx:
        await holds.start(tx, lease.id, lease.charges, source="alpha", at=START)
        await streams.seen(tx, "alpha", START + timedelta(days=30))
    await cloud.db.shift_clock(timedelta(days=30))
    await cloud.close(lease, ended_at=START + timedelta(days=30))
    async with cloud.db.transaction() as tx:
        assert (await holds.get(tx, lease.id)).drawn == 72 * EURO // 20
    assert await cloud.used("alpha") == Used()


async def test_a_confirmed_lease_is_shown_and_its_terms_stay(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing("web")
    lease = await cloud.lease(owner=owner)
    assert (await cloud.confirm(lease)).state == "active"
    await cloud.offer(pool(core_price=EURO))
    async with cloud.db.transaction() as tx:
        again = await cloud.market.get(tx, lease.id)
        shown = (await cloud.resources.children(tx, owner.uid))[0]
        hooks = cloud.resources.registry["lease"].hooks
        computed = await hooks.shown(tx, cloud.resources, shown)
    assert again.choice == lease.choice
    assert again.charges == lease.charges
    assert shown.name == str(lease.id)
    assert shown.spec["place"]["site"] == "alpha"
    assert shown.spec["pricePerHourNano"] == lease.choice.price.per_hour
    assert shown.status["phase"] == "active"
    assert computed == {"costNano": 0}


async def test_closing_gives_everything_back_once(cloud: Cloud):
    await cloud.offer(pool())
    lease = await cloud.lease()
    closed = await cloud.close(lease)
    assert (closed.state, closed.reason) == ("closed", "done")
    assert await cloud.used("alpha") == Used()
    assert await cloud.held() == 0
    assert await cloud.close(lease, "failed") == closed
    assert await cloud.used("alpha") == Used()
    async with cloud.db.transaction() as tx:
        with pytest.raises(Conflict):
            await cloud.market.confirm(tx, lease.id)
        with pytest.raises(Conflict):
            await cloud.market.extend(tx, lease.id)


async def test_a_lease_is_charged_to_its_end(cloud: Cloud):
    await cloud.offer(pool())
    lease = await cloud.lease(ask(duration=2 * HOUR))
    assert await cloud.held() == 2 * lease.choice.price.per_hour
    async with cloud.db.transaction() as tx:
        await holds.start(tx, lease.id, lease.charges, source="alpha", at=START)
        await streams.seen(tx, "alpha", START + timedelta(hours=2))
    await cloud.db.shift_clock(timedelta(hours=2))
    await cloud.close(lease, ended_at=START + timedelta(hours=1))
    hold = await cloud.db.fetchrow("select * from hold where lease = $1", lease.id)
    assert hold["state"] == "closed"
    assert await cloud.held() == 0
    charged = await cloud.db.fetchval("select sum(amount) from usage")
    assert charged == lease.choice.price.per_hour


async def test_an_owner_has_one_open_lease(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing()
    first = await cloud.reserve(owner=owner)
    assert await cloud.reserve(owner=owner) == first
    other = await cloud.reserve(owner=owner, part="second")
    assert other.id != first.id
    await cloud.close(first)
    third = await cloud.reserve(owner=owner)
    assert third.id not in (first.id, other.id)
    async with cloud.db.transaction() as tx:
        assert {x.id for x in await cloud.market.leases_of(tx, owner.uid)} == {
            first.id, other.id, third.id,
        }  # fmt: skip


async def test_the_same_owner_twice_at_once_gets_one_lease(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing()
    made = await asyncio.gather(*(cloud.reserve(owner=owner) for _ in range(4)))
    assert len({lease.id for lease in made}) == 1
    assert (await cloud.used("alpha")).millicores == 1000


async def test_a_reservation_frees_itself(cloud: Cloud):
    await cloud.offer(pool())
    lease = await cloud.reserve(seconds=60)
    kept = await cloud.reserve(seconds=60)
    async with cloud.db.transaction() as tx:
        await cloud.market.extend(tx, kept.id, 600)
    confirmed = await cloud.lease()
    await cloud.db.shift_clock(timedelta(seconds=59))
    assert await cloud.market.sweep(cloud.db) == 0
    await cloud.db.shift_clock(timedelta(seconds=2))
    assert await cloud.market.sweep(cloud.db) == 1
    async with cloud.db.transaction() as tx:
        assert (await cloud.market.get(tx, lease.id)).reason == "expired"
        assert (await cloud.market.get(tx, kept.id)).state == "reserved"
        assert (await cloud.market.get(tx, confirmed.id)).state == "active"
        await cloud.market.extend(tx, confirmed.id)
    assert (await cloud.used("alpha")).millicores == 2000


async def test_a_dead_reservation_is_free_within_a_minute(cloud: Cloud):
    """Its capacity and its money, though the sweep before had just missed it."""
    await cloud.offer(pool())
    assert isinstance(await cloud.reserve(), Lease)
    assert await cloud.held() > 0
    await cloud.db.shift_clock(timedelta(seconds=60 - leases.SWEEP_SECONDS))
    assert await cloud.market.sweep(cloud.db) == 1
    assert (await cloud.used("alpha")).millicores == 0
    assert await cloud.held() == 0


async def test_a_reservation_that_is_confirmed_in_time_is_not_swept(cloud: Cloud):
    await cloud.offer(pool())
    lease = await cloud.reserve(seconds=0)
    async with cloud.db.transaction() as tx:
        await holds.lock(tx, lease.id)
        sweeping = asyncio.create_task(cloud.market.sweep(cloud.db))
        await asyncio.sleep(0.1)
        await cloud.market.confirm(tx, lease.id)
    assert await sweeping == 0
    async with cloud.db.transaction() as tx:
        assert (await cloud.market.get(tx, lease.id)).state == "active"


async def test_the_sweeper_runs_until_it_is_cancelled(cloud: Cloud, monkeypatch):
    monkeypatch.setattr(leases, "SWEEP_SECONDS", 0.01)
    await cloud.offer(pool())
    await cloud.reserve(seconds=0)
    task = asyncio.create_task(cloud.market.run(cloud.db))
    while (await cloud.used("alpha")).millicores:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_sweeper_outlives_its_database(cloud: Cloud, pg_url: str, monkeypatch):
    monkeypatch.setattr(leases, "SWEEP_SECONDS", 0.01)
    lost = await Database.open(pg_url)
    task = asyncio.create_task(cloud.market.run(lost))
    lost.terminate()
    await asyncio.sleep(0.1)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_refusal_says_why_and_what_would_help(cloud: Cloud):
    refused = await cloud.reserve()
    assert isinstance(refused, Refusal)
    assert refused.message == "there is no offer at all"
    await cloud.offer(pool(), instance(jurisdiction="US", millicores=1000))
    await cloud.put("policy", "home", {"jurisdictions": ["EU"]})
    refused = await cloud.reserve(ask(millicores=9500))
    assert refused.reason == "NoOffer"
    assert refused.message == (
        "none of 2 offers serves it: 1 in a jurisdiction the policy does not allow; "
        "1 too small even when empty, or of unknown size"
    )
    assert refused.hint == (
        "The nearest is alpha (DE): 1.5 more cores would have to be in all; "
        "1.5 more cores would have to be free."
    )
    assert refused.counts == {"jurisdiction": 1, "shape": 1}


async def test_a_refusal_is_written_down_once_while_it_is_the_same(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing()
    wanted = ask(millicores=9000)
    first = await cloud.reserve(wanted, owner)
    assert (await cloud.reserve(wanted, owner)).decision == first.decision
    assert (await cloud.reserve(ask(millicores=9001), owner)).decision != first.decision
    assert await cloud.db.fetchval("select count(*) from decision") == 2


async def test_without_money_nothing_is_taken(cloud: Cloud):
    await prepay(cloud, 10**7)
    await cloud.offer(pool())
    refused = await cloud.reserve(ask(duration=HOUR))
    assert isinstance(refused, Refusal)
    assert refused.reason == "NoMoney"
    assert "pays for 54 minutes of it" in refused.hint
    assert await cloud.used("alpha") == Used()
    assert await cloud.held() == 0
    async with cloud.db.transaction() as tx:
        recorded = await decisions.get(tx, refused.decision)
    assert recorded.outcome == "unaffordable"
    assert recorded.decision.chosen.offer == "alpha"
    assert isinstance(await cloud.reserve(ask(duration=HOUR // 2)), Lease)
    open_ended = await cloud.reserve(ask())
    assert "pays for" not in open_ended.hint


async def test_only_the_operators_own_work_runs_bare(cloud: Cloud):
    await cloud.offer(pool(isolations=("process",)))
    bare = ask(isolation="process")
    assert (await cloud.reserve(bare)).counts == {"isolation": 1}
    own = await cloud.thing(at=Path("operator", "lab"))
    lease = await cloud.reserve(bare, own)
    assert lease.choice.isolation == "process"


async def test_policies_of_tenant_and_workspace_both_bind(cloud: Cloud):
    await cloud.offer(pool(), instance())
    await cloud.put("policy", "all", {"jurisdictions": ["DE", "FR"]})
    await cloud.put("policy", "some", {"jurisdictions": ["FR", "US"], "workspaces": ["lab"]})
    await cloud.put("policy", "others", {"jurisdictions": ["US"], "workspaces": ["elsewhere"]})
    lease = await cloud.reserve()
    assert lease.choice.offer == "cloud.small"
    assert [s.rpartition("/")[2] for s in lease.policies] == [
        "tenants-are-isolated@1", "all@1", "some@1",
    ]  # fmt: skip


async def test_a_wrong_policy_is_refused(cloud: Cloud):
    with pytest.raises(ValidationError, match="'XX'"):
        await cloud.put("policy", "home", {"jurisdictions": ["XX"]})
    made = await cloud.put("policy", "home", {"jurisdictions": ["EU"]})
    assert made.status["words"] == "only in EU"


async def test_a_seller_owes_its_notice(cloud: Cloud):
    await cloud.offer(pool(notice=2 * HOUR))
    lease = await cloud.lease()
    assert await cloud.held() == 2 * lease.choice.price.per_hour
    with pytest.raises(Conflict, match="notice"):
        await cloud.close(lease, "provider")
    async with cloud.db.transaction() as tx:
        draining = await cloud.market.drain(tx, lease.id)
        assert await cloud.market.drain(tx, lease.id) == draining
    assert draining.state == "draining"
    assert draining.charges == lease.charges
    await cloud.db.shift_clock(timedelta(hours=1, minutes=59))
    with pytest.raises(Conflict, match="notice"):
        await cloud.close(lease, "provider")
    await cloud.db.shift_clock(timedelta(minutes=2))
    assert (await cloud.close(lease, "provider")).reason == "provider"


async def test_a_tenant_may_leave_at_any_time(cloud: Cloud):
    await cloud.offer(pool(notice=HOUR))
    assert (await cloud.close(await cloud.lease(), "tenant")).state == "closed"


async def test_removing_the_owner_ends_its_lease(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing()
    lease = await cloud.lease(owner=owner)
    async with cloud.db.transaction() as tx:
        shown = (await cloud.resources.children(tx, owner.uid))[0]
        await cloud.resources.delete(tx, shown, by=leases.SYSTEM, owner=owner)
        assert (await cloud.market.get(tx, lease.id)).reason == "tenant"
    assert await cloud.used("alpha") == Used()


async def test_a_lease_can_be_closed_after_its_resource_is_gone(cloud: Cloud):
    await cloud.offer(pool())
    lease = await cloud.lease()
    await cloud.db.execute("update resource set deleted_at = now() where kind = 'lease'")
    assert (await cloud.close(lease)).state == "closed"


async def test_another_currency_is_refused(cloud: Cloud):
    await cloud.offer(pool(currency="USD"))
    with pytest.raises(ValidationError, match="billed in EUR"):
        await cloud.reserve(ask(currency="USD"))
    assert (await cloud.reserve(ask(currency=""))).counts == {"currency": 1}


async def test_a_full_offer_is_found_out_under_its_lock(cloud: Cloud):
    """The live snapshot is behind: the row says that the cheapest is full by now."""
    await cloud.offer(pool(millicores=1000), instance())
    owner, late = await cloud.thing(), await cloud.thing()
    async with cloud.db.transaction() as tx:
        found = await cloud.market.decide(tx, ask(), "acme", "lab")
    await cloud.reserve(owner=owner)

    async def stale(*_: object) -> object:
        return found

    cloud.market.decide = stale  # type: ignore[method-assign]
    async with cloud.db.transaction() as tx:
        lease = await cloud.market.reserve(tx, ask(), late)
    assert lease.choice.offer == "cloud.small"
    async with cloud.db.transaction() as tx:
        recorded, again = await decisions.recompute(tx, lease.decision)
    assert recorded.decision == again


async def test_a_retired_offer_is_found_out_under_its_lock(cloud: Cloud):
    await cloud.offer(pool())
    owner = await cloud.thing()
    async with cloud.db.transaction() as tx:
        found = await cloud.market.decide(tx, ask(), "acme", "lab")
        await offers.retire(tx, "alpha")

    async def stale(*_: object) -> object:
        return found

    cloud.market.decide = stale  # type: ignore[method-assign]
    async with cloud.db.transaction() as tx:
        assert isinstance(await cloud.market.reserve(tx, ask(), owner), Refusal)


async def test_a_market_that_moves_too_fast_gives_up_for_now(cloud: Cloud, monkeypatch):
    monkeypatch.setattr(leases, "TRIES", 0)
    await cloud.offer(pool())
    with pytest.raises(Unavailable):
        await cloud.reserve()


async def test_a_lease_nobody_made_is_not_found(cloud: Cloud):
    owner = await cloud.thing()
    async with cloud.db.transaction() as tx:
        with pytest.raises(NotFound):
            await cloud.market.get(tx, owner.uid)


async def test_there_is_one_market_for_each_set_of_resources(cloud: Cloud):
    assert Market.of(cloud.resources) is cloud.market

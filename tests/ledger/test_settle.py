"""One lease from hold to final bill, on a real database."""

import asyncio
import random
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.kernel.errors import Conflict, NotFound
from skerry.ledger import holds, settle, streams
from skerry.ledger.budgets import BudgetExhausted
from skerry.ledger.journal import InsufficientFunds
from skerry.ledger.prices import Price
from skerry.ledger.settle import Reading
from skerry.ledger.streams import Charge
from skerry.store import Database
from tests.ledger.world import (
    EURO,
    HOUR,
    HOURLY,
    MINUTE,
    START,
    balance,
    budget,
    charges,
    finish,
    hold_of,
    lease_of,
    open_cloud,
    prices,
    run,
    see,
    set_clock,
    usage,
    verified,
)


async def test_a_lease_is_charged_to_the_microsecond_and_the_rest_comes_back(db: Database) -> None:
    await open_cloud(db, funds=EURO)
    lease = await run(db)
    assert await balance(db, "held") == HOURLY
    done = await finish(db, lease, START + timedelta(minutes=30, microseconds=500_000))
    # 1800.5 s of one core (12,000,000 nano an hour) and one GiB (1,600,000).
    assert done.charged == 12_000_000 * 18005 // 36000 + 1_600_000 * 18005 // 36000
    assert done.released == HOURLY - done.charged
    assert await balance(db, "funds") == EURO - done.charged
    assert await balance(db, "held") == 0
    assert await balance(db, "revenue:run") == done.charged
    assert [row["quantity"] for row in await usage(db, lease)] == [1_800_500, 1024 * 18005 // 10]
    async with db.transaction() as tx:
        assert streams.cost(await charges(tx), 3600) == HOURLY
        assert await settle.settle(tx, lease.id) == settle.Settled()
    assert await finish(db, lease, START + HOUR) == settle.Settled()
    assert (await hold_of(db, lease)).remaining == 0
    await verified(db)


async def test_settling_each_minute_costs_the_same_as_once(db: Database) -> None:
    await open_cloud(db)
    often, once = await run(db, "often"), await run(db, "once")
    for minute in range(1, 12):
        await see(db, START + minute * MINUTE + timedelta(seconds=13))
        async with db.transaction() as tx:
            await settle.settle(tx, often.id, START + minute * MINUTE)
            await settle.settle(tx, often.id, START + minute * MINUTE)
    end = START + 11 * MINUTE + timedelta(seconds=17, microseconds=7)
    await finish(db, often, end)
    await finish(db, once, end)
    assert (await hold_of(db, often)).drawn == (await hold_of(db, once)).drawn
    assert len(await usage(db, often)) == 24
    assert len(await usage(db, once)) == 2
    await verified(db)


async def test_only_what_was_seen_is_charged_while_it_runs(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    await see(db, START + 5 * MINUTE)
    await see(db, START + 3 * MINUTE)
    await set_clock(db, START + 30 * MINUTE)
    async with db.transaction() as tx:
        await settle.settle(tx, lease.id)
    assert [row["ends_at"] for row in await usage(db, lease)] == [START + 5 * MINUTE] * 2
    async with db.transaction() as tx:
        await streams.gap(tx, "here", START + 2 * MINUTE, START + 15 * MINUTE)
        await streams.gap(tx, "here", START + 14 * MINUTE, START + 15 * MINUTE)
        with pytest.raises(NotFound):
            await streams.gap(tx, "nowhere", START, START + MINUTE)
    await finish(db, lease, START + 20 * MINUTE)
    assert sum(r["quantity"] for r in await usage(db, lease) if r["meter"] == "cpu-hour") == (
        1000 * 60 * 10
    )
    await verified(db)


async def test_an_end_learned_late_takes_back_what_was_too_much(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    await see(db, START + 10 * MINUTE)
    async with db.transaction() as tx:
        await settle.settle(tx, lease.id, START + 10 * MINUTE)
    done = await finish(db, lease, START + 9 * MINUTE)
    assert done.charged < 0
    assert (await hold_of(db, lease)).drawn == HOURLY * 9 // 60
    assert [r["quantity"] for r in await usage(db, lease)][:2] == [600_000, -60_000]
    await verified(db)


async def test_the_first_end_counts_and_none_is_before_the_start(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    async with db.transaction() as tx:
        await streams.stop(tx, lease.id, START - HOUR)
        await streams.stop(tx, lease.id, START + HOUR)
    assert (await finish(db, lease, START + HOUR)).charged == 0
    await verified(db)


async def test_a_lease_that_pauses_is_not_charged_meanwhile(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    async with db.transaction() as tx:
        await streams.stop(tx, lease.id, START + 10 * MINUTE)
    async with db.transaction() as tx:
        again = START + 40 * MINUTE
        await holds.start(tx, lease.id, await charges(tx), source="here", at=again)
        await holds.start(tx, lease.id, await charges(tx), source="here", at=again)
    await finish(db, lease, START + 50 * MINUTE)
    # Each of the four streams rounds down by itself.
    assert (await hold_of(db, lease)).drawn == 2 * (2_000_000 + 266_666)
    await verified(db)


async def test_a_reservation_that_never_runs_is_free(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    first, second, third = lease_of("a"), lease_of("b"), lease_of("c")
    async with db.transaction() as tx:
        expires = await tx.now() + 5 * MINUTE
        hold = await holds.reserve(tx, first, HOURLY, expires_at=expires)
        assert await holds.reserve(tx, first, HOURLY, expires_at=expires) == hold
        assert await holds.available(tx, "acme", "lab") == 0
        with pytest.raises(Conflict, match="has a hold already"):
            await holds.reserve(tx, first, HOURLY + 1)
        with pytest.raises(InsufficientFunds):
            await holds.reserve(tx, second, 1)
    async with db.transaction() as tx:
        await holds.release(tx, first.id)
        await holds.release(tx, first.id)
        with pytest.raises(Conflict, match="has ended"):
            await holds.start(tx, first.id, [], source="here", at=START)
        with pytest.raises(NotFound):
            await holds.release(tx, uuid.uuid4())
        await holds.reserve(tx, second, HOURLY)
    done = await finish(db, second, START)
    assert done.released == HOURLY
    await run(db, "c")
    async with db.transaction() as tx:
        with pytest.raises(Conflict, match="has run"):
            await holds.release(tx, third.id)
    await verified(db)


async def test_an_expired_reservation_can_still_start_if_the_money_is_there(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    lease, other = lease_of("late"), lease_of("other")
    async with db.transaction() as tx:
        await holds.reserve(tx, lease, HOURLY, expires_at=await tx.now() + MINUTE)
    await set_clock(db, START + 2 * MINUTE)
    async with db.transaction() as tx:
        assert await holds.expired(tx) == [lease.id]
        await holds.start(tx, lease.id, await charges(tx), source="here", at=START)
    await finish(db, lease, START + MINUTE)
    async with db.transaction() as tx:
        left = await holds.available(tx, "acme", "lab")
        await holds.reserve(tx, other, left or 0, expires_at=await tx.now() + MINUTE)
    await set_clock(db, START + 9 * MINUTE)
    async with db.transaction() as tx:
        await holds.release(tx, other.id)
    await verified(db)


async def test_beyond_its_hold_a_lease_is_paid_from_funds_and_then_free(db: Database) -> None:
    await open_cloud(db, funds=HOURLY * 3)
    lease = await run(db)
    done = await finish(db, lease, START + 5 * HOUR)
    assert done.charged == HOURLY * 3
    assert done.unbilled == HOURLY * 2
    assert done.released == 0
    assert await balance(db, "funds") == 0
    assert sum(row["unbilled"] for row in await usage(db, lease)) == HOURLY * 2
    await verified(db)


async def test_what_was_free_is_taken_back_first(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    lease = await run(db)
    await see(db, START + 2 * HOUR)
    async with db.transaction() as tx:
        await settle.settle(tx, lease.id, START + 2 * HOUR)
    done = await finish(db, lease, START + HOUR + 30 * MINUTE)
    # The core's half hour was free anyway; the memory's was paid and comes back.
    assert done == settle.Settled(-800_000, -6_000_000, 800_000, done.batch)
    await verified(db)


async def test_a_ceiling_is_never_exceeded(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db, hold=HOURLY, ceiling=HOURLY + 7)
    done = await finish(db, lease, START + 2 * HOUR)
    assert done.charged == HOURLY + 7
    await verified(db)


async def test_a_new_tenant_gets_the_price_lists_credit(db: Database) -> None:
    await set_clock(db, START)
    async with db.transaction() as tx:
        await prices(tx)
        assert await holds.available(tx, "newcomer", "lab") == 1000 * EURO
        lease = lease_of("x", "newcomer")
        with pytest.raises(InsufficientFunds, match=r"1000\.00 EUR are left in newcomer's funds"):
            await holds.reserve(tx, lease, 1001 * EURO)


async def test_readings_count_once_in_any_order_and_late(db: Database) -> None:
    await open_cloud(db)
    lease = lease_of("tokens")
    price = Price(meter="token-million", sku="", amount=3 * EURO, per=10**6, currency="EUR",
                  version=1)  # fmt: skip
    charge = Charge.counted(price)
    async with db.transaction() as tx:
        await holds.reserve(tx, lease, EURO)
        with pytest.raises(Conflict, match="has not started"):
            await settle.count(tx, [reading(lease.id, 0, 1)])
        await holds.start(tx, lease.id, [charge], source="gate", at=START)
    readings = [reading(lease.id, minute, 1000 + minute) for minute in range(20)]
    shuffled = readings + readings[:7]
    random.Random(4).shuffle(shuffled)
    for part in (shuffled[:9], shuffled[9:], shuffled[:3]):
        async with db.transaction() as tx:
            await settle.count(tx, part)
    await finish(db, lease, START + 2 * MINUTE)
    async with db.transaction() as tx:
        late = await settle.count(tx, [reading(lease.id, 30, 1)])
        assert late.charged == 3000
        with pytest.raises(Conflict, match="was counted as 1000, not 5"):
            await settle.count(tx, [reading(lease.id, 0, 5)])
        with pytest.raises(Conflict, match="takes no readings of request-each"):
            await settle.count(tx, [Reading(lease=lease.id, meter="request-each", start=START,
                                            end=START, quantity=1)])  # fmt: skip
    total = sum(1000 + minute for minute in range(20)) + 1
    assert (await hold_of(db, lease)).drawn == 3 * EURO * total // 10**6
    await verified(db)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
        min_size=3, max_size=3,
    ),
    micros=st.integers(0, 10**9),
)  # fmt: skip
async def test_the_database_writes_the_same_text_as_python(
    db: Database, words: list[str], micros: int
) -> None:
    tenant = f"t{uuid.uuid4().hex}"
    await open_cloud(db, tenant)
    name, sku, source = words
    lease = lease_of(name, tenant)
    async with db.transaction() as tx:
        price = (await prices(tx)).price("cpu-hour", sku)
        assert price is not None
        await holds.reserve(tx, lease, HOURLY)
        charge = Charge.running(price, 1000)
        await holds.start(tx, lease.id, [charge], source=source, region=sku, at=START)
    await finish(db, lease, START + timedelta(microseconds=micros))
    await verified(db)


def reading(lease: uuid.UUID, minute: int, quantity: int) -> Reading:
    at = START + minute * MINUTE
    return Reading(lease=lease, meter="token-million", start=at, end=at + MINUTE, quantity=quantity)


async def test_two_hundred_holds_at_once_overspend_a_budget_by_nothing(db: Database) -> None:
    await open_cloud(db)
    await budget(db, "team", "0.10")
    await budget(db, "lab", "0.05", workspace="lab")

    async def attempt(n: int) -> bool:
        lease = lease_of(str(n), workspace="lab" if n % 2 else "office")
        try:
            async with db.transaction() as tx:
                await holds.reserve(tx, lease, EURO // 1000)
        except BudgetExhausted:
            return False
        return True

    done = await asyncio.gather(*(attempt(n) for n in range(200)))
    assert sum(done) == 100
    assert sum(done[1::2]) <= 50
    held = await db.fetchval("select sum(credits_pending) from account where code = 'held'")
    assert held == EURO // 10
    await verified(db)


async def test_a_budget_says_what_is_wrong_with_numbers(db: Database) -> None:
    await open_cloud(db)
    await budget(db, "lab", "0.02", workspace="lab")
    lease = await run(db)
    await finish(db, lease, START + 30 * MINUTE)
    await run(db, "two", hold=10_000_000)
    with pytest.raises(BudgetExhausted) as refused:
        await run(db, "three", hold=4_000_000)
    assert refused.value.status == 409
    assert refused.value.detail == (
        "budget 'lab' of workspace 'lab' is exhausted: 0.004 EUR must be set aside, "
        "0.0032 EUR of 0.02 EUR are left this month (0.0068 EUR spent, 0.01 EUR held)"
    )
    await run(db, "elsewhere", workspace="office")
    await set_clock(db, START + timedelta(days=30))
    await run(db, "four", hold=10_000_000)
    await verified(db)


async def test_a_crash_leaves_nothing_half_done(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db)
    before = await hold_of(db, lease)
    for table in ("usage", "transfer", "batch", "spending"):
        await db.execute("create or replace function fail() returns trigger language plpgsql as "
                         "$$ begin raise exception 'power cut'; end $$")  # fmt: skip
        await db.execute(f"create trigger fail before insert on {table} "
                         "for each row execute function fail()")  # fmt: skip
        with pytest.raises(Exception, match="power cut"):
            await finish(db, lease, START + HOUR)
        await db.execute(f"drop trigger fail on {table}")
        assert await hold_of(db, lease) == before
        assert await usage(db, lease) == []
        await verified(db)
    assert (await finish(db, lease, START + HOUR)).charged == HOURLY
    await verified(db)

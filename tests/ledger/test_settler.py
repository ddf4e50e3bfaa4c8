"""All leases at once: the same figures as one by one, holds kept covered, nobody overspends."""

import random
import uuid
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.kernel import alerts
from skerry.kernel.errors import NotFound
from skerry.ledger import chart, holds, settle, streams
from skerry.ledger.chart import Terms
from skerry.ledger.journal import InsufficientFunds
from skerry.ledger.settler import Exhausted, Settler, Tick
from skerry.store import Database, Tx
from tests.ledger.world import (
    EURO,
    HOUR,
    HOURLY,
    MINUTE,
    START,
    balance,
    budget,
    finish,
    hold_of,
    lease_of,
    open_cloud,
    pay_in,
    run,
    see,
    set_clock,
    usage,
    verified,
)


async def tick(db: Database, at: datetime, settler: Settler | None = None) -> Tick:
    """Everything is seen up to ``at``, and a tick runs then."""
    await set_clock(db, at)
    for source in ("here", "there"):
        await see(db, at, source)
    return await (settler or Settler(db)).tick()


async def test_each_minute_is_charged_and_one_batch_covers_it(db: Database) -> None:
    await open_cloud(db)
    one = await run(db, "one")
    two = await run(db, "two", workspace="office", at=START + timedelta(seconds=20))
    settler = Settler(db)
    for minute in (1, 2, 3):
        done = await tick(db, START + minute * MINUTE + timedelta(seconds=5), settler)
        assert done.leases == 2
        assert done.until == START + minute * MINUTE
    assert [row["ends_at"] for row in await usage(db, one)][:3] == [
        START + minute * MINUTE for minute in (1, 2, 3)
    ]
    assert (await hold_of(db, one)).drawn == 680_000
    assert (await hold_of(db, two)).drawn == 13_600_000 * 160 // 3600
    batches = await db.fetch("select * from batch where size > 2")
    assert [row["size"] for row in batches] == [6, 6, 6]
    await verified(db)


@pytest.mark.parametrize("seed", range(4))
async def test_all_at_once_is_the_same_as_one_by_one(db: Database, seed: int) -> None:
    """Random starts, ends, gaps, ticks and sources, once through the settler and once by hand."""
    dice = random.Random(seed)
    await open_cloud(db)
    start = datetime(2026, 10, 31, 23, 40, tzinfo=START.tzinfo)
    await set_clock(db, start)

    def second(most: int) -> datetime:
        return start + timedelta(microseconds=dice.randrange(most * 10**6))

    pairs = []
    for n in range(12):
        at, source = second(600), dice.choice(["here", "there"])
        hold = dice.choice([HOURLY, HOURLY // 8, 5])
        pairs.append([
            await run(db, f"{side}{n}", workspace=side, at=at, source=source, hold=hold)
            for side in ("all", "each")
        ])  # fmt: skip
    settler = Settler(db, chunk=5)
    for minute in sorted(dice.sample(range(1, 60), 9)):
        now = start + minute * MINUTE
        await set_clock(db, now)
        async with db.transaction() as tx:
            if dice.random() < 0.5:
                await streams.gap(tx, "here", now - 2 * MINUTE, now - MINUTE)
            await streams.seen(tx, "here", now - timedelta(seconds=dice.randrange(90)))
            await streams.seen(tx, "there", now)
        if dice.random() < 0.4:
            end = second(minute * 60)
            for lease in dice.choice(pairs):
                async with db.transaction() as tx:
                    await streams.stop(tx, lease.id, end)
        await settler.tick()
        for _, each in pairs:
            async with db.transaction() as tx:
                await settle.settle(tx, each.id, now)
    for pair in pairs:
        for lease in pair:
            await finish(db, lease, start + 61 * MINUTE)
    for all_, each in pairs:
        assert (await hold_of(db, all_)).drawn == (await hold_of(db, each)).drawn
        rows = [
            [(r["meter"], r["period"], r["quantity"], r["amount"]) for r in await usage(db, lease)]
            for lease in (all_, each)
        ]
        assert monthly(rows[0]) == monthly(rows[1])
    await verified(db)


def monthly(rows: list[tuple[object, ...]]) -> dict[tuple[object, ...], tuple[int, int]]:
    sums: dict[tuple[object, ...], tuple[int, int]] = {}
    for meter, period, quantity, amount in rows:
        before = sums.get((meter, period), (0, 0))
        sums[meter, period] = (before[0] + quantity, before[1] + amount)  # type: ignore[operator]
    return sums


async def test_holds_are_kept_covered(db: Database) -> None:
    await open_cloud(db, funds=EURO)
    lease = await run(db)
    settler = Settler(db)
    assert (await tick(db, START + 29 * MINUTE, settler)).topped_up == 0
    done = await tick(db, START + 31 * MINUTE, settler)
    assert done.topped_up == HOURLY * 31 // 60
    assert (await hold_of(db, lease)).remaining == HOURLY
    assert done.exhausted == []
    await tick(db, START + 5 * HOUR, settler)
    assert (await hold_of(db, lease)).remaining == HOURLY
    await verified(db)


async def test_a_lease_paid_in_full_needs_no_more(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    lease = await run(db, hold=HOURLY, ceiling=HOURLY)
    done = await tick(db, START + 59 * MINUTE)
    assert done.topped_up == 0
    assert done.exhausted == []
    partly = await run(db, "partly", hold=1000, ceiling=2000) if await released(db, lease) else None
    assert partly is not None
    done = await tick(db, START + 59 * MINUTE + timedelta(seconds=1))
    assert (await hold_of(db, partly)).drawn == 2000
    await verified(db)


async def released(db: Database, lease: holds.Lease) -> bool:
    return (await finish(db, lease, START + 59 * MINUTE)).released > 0


async def test_when_money_ends_it_is_told_before_it_is_gone(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    lease = await run(db, hold=HOURLY // 2)
    told: list[Exhausted] = []

    async def stop(tx: Tx, exhausted: Exhausted) -> None:
        await tx.execute("select 1")
        told.append(exhausted)

    settler = Settler(db, on_exhausted=stop)
    at = START
    while not told:
        at += MINUTE
        await tick(db, at, settler)
    assert at == START + 59 * MINUTE
    assert told == [Exhausted(lease.id, "acme", "lab", 60)]
    done = await finish(db, lease, at + timedelta(seconds=59))
    assert done.unbilled == 0
    assert 0 <= await balance(db, "funds") < HOURLY // 3600 + 5
    await verified(db)


async def test_a_lease_that_can_not_be_told_does_not_stop_the_tick(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    await run(db)

    async def gone(tx: Tx, exhausted: Exhausted) -> None:
        raise NotFound("its owner is gone")

    done = await tick(db, START + 2 * HOUR, Settler(db, on_exhausted=gone))
    assert (len(done.exhausted), done.charged) == (1, HOURLY)


async def test_who_goes_on_beyond_the_end_is_free_but_told(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    lease = await run(db)
    done = await tick(db, START + 2 * HOUR)
    assert done.charged == HOURLY
    assert done.exhausted == [Exhausted(lease.id, "acme", "lab", 0)]
    again = await tick(db, START + 2 * HOUR + MINUTE)
    assert again.charged == 0
    assert again.exhausted == done.exhausted
    assert (await finish(db, lease, START + 2 * HOUR + MINUTE)).charged == 0
    await verified(db)


async def test_two_workspaces_share_a_purse_in_order(db: Database) -> None:
    await open_cloud(db)
    await budget(db, "all", "0.0272")
    await budget(db, "lab", "0.0204", workspace="lab")
    lab, office = await run(db, "a"), await run(db, "b", workspace="office", hold=HOURLY // 2)
    done = await tick(db, START + 31 * MINUTE)
    assert (await hold_of(db, lab)).amount == HOURLY + HOURLY // 2
    assert (await hold_of(db, office)).amount == HOURLY // 2
    assert [one.workspace for one in done.exhausted] == ["office"]
    await verified(db)


async def test_budgets_warn_once_for_each_threshold_and_month(db: Database) -> None:
    await open_cloud(db)
    uid = await budget(db, "team", "0.0272")
    await run(db, hold=2 * HOURLY, ceiling=2 * HOURLY)
    settler, warned = Settler(db), []
    for minutes in (30, 59, 61, 62, 97, 98, 119, 120, 121):
        done = await tick(db, START + minutes * MINUTE, settler)
        warned += [(minutes, threshold) for _, threshold in done.warnings]
    assert warned == [(61, 50), (97, 80), (120, 100)]
    rows = await db.fetch("select * from change where kind = 'ledger.budget' order by at")
    assert [row["subject"] for row in rows] == [
        f"ledger/budgets/{uid}/2026-10/{threshold}" for threshold in (50, 80, 100)
    ]
    assert len(await alerts.open_alerts(db, "acme")) == 3
    told = await db.fetch("select subject, facts from notice_outbox where topic = 'budget.warning'")
    assert sorted(row["facts"]["threshold"] for row in told) == [50, 80, 100]
    await verified(db)


async def test_expired_reservations_are_freed(db: Database) -> None:
    await open_cloud(db, funds=HOURLY)
    async with db.transaction() as tx:
        for name in ("a", "b"):
            expires = await tx.now() + (MINUTE if name == "a" else HOUR)
            await holds.reserve(tx, lease_of(name), HOURLY // 2, expires_at=expires)
    await tick(db, START + 2 * MINUTE)
    async with db.transaction() as tx:
        assert await holds.available(tx, "acme", "lab") == HOURLY // 2
    assert (await hold_of(db, lease_of("a"))).state == "closed"
    await verified(db)


async def test_a_months_end_is_on_the_right_invoice_after_any_downtime(db: Database) -> None:
    await open_cloud(db)
    lease = await run(db, at=START)
    behind = await run(db, "behind", source="there")
    november = datetime(2026, 11, 1, tzinfo=START.tzinfo)
    settler = Settler(db)
    await tick(db, november - MINUTE, settler)
    await tick(db, november + 5 * MINUTE, settler)
    december = datetime(2026, 12, 1, tzinfo=START.tzinfo)
    await tick(db, december + MINUTE, Settler(db))
    for one in (lease, behind):
        rows = [row for row in await usage(db, one) if row["meter"] == "cpu-hour"]
        assert [row["period"].month for row in rows] == [10, 10, 11, 11, 12]
        assert rows[1]["ends_at"] == november
    # A month and more without a single tick: the far ones are settled one by one.
    await tick(db, datetime(2027, 2, 3, tzinfo=START.tzinfo), Settler(db))
    periods = [row["period"].month for row in await usage(db, lease) if row["meter"] == "cpu-hour"]
    assert periods[5:] == [12, 1, 2]
    await verified(db)


async def test_one_broken_lease_does_not_stop_the_others(db: Database) -> None:
    await open_cloud(db)
    broken = await run(db, "broken", tenant="acme", workspace="lab")
    async with db.transaction() as tx:
        await chart.set_terms(tx, "zoo", Terms("postpaid", None, "EUR"))
    fine = await run(db, "fine", tenant="zoo")
    await db.execute("update account set credits_posted = 0 where code = 'held' and owner = 'acme'")
    done = await tick(db, START + MINUTE)
    assert (await hold_of(db, fine)).drawn > 0
    assert (await hold_of(db, broken)).drawn == 0
    assert done.charged == (await hold_of(db, fine)).drawn
    (alert,) = await alerts.open_alerts(db)
    assert alert["subject"] == f"lease {broken.id}"


async def test_a_lease_someone_else_settles_is_left_to_them(db: Database) -> None:
    await open_cloud(db)
    await run(db, "one")
    two = await run(db, "two")
    async with db.transaction() as tx:
        await holds.lock(tx, two.id)
        done = await tick(db, START + MINUTE)
        assert done.leases == 1
    assert (await tick(db, START + MINUTE)).charged > 0
    await verified(db)


async def test_a_crash_within_a_tick_is_made_good_by_the_next(db: Database) -> None:
    await open_cloud(db)
    leases = [await run(db, str(n)) for n in range(4)]
    made = await db.fetchval("select count(*) from batch")
    await db.execute(
        "create function fail() returns trigger language plpgsql as $$ begin "
        f"if (select count(*) from batch) > {made} then raise exception 'power cut'; end if; "
        "return new; end $$"
    )
    await db.execute(
        "create trigger fail before insert on batch for each row execute function fail()"
    )
    with pytest.raises(ExceptionGroup) as failed:
        await tick(db, START + MINUTE, Settler(db, chunk=2, parallel=1))
    assert failed.group_contains(Exception, match="power cut")
    drawn = [(await hold_of(db, lease)).drawn for lease in leases]
    assert sorted(map(bool, drawn)) == [False, False, True, True]
    await verified(db)
    await db.execute("drop trigger fail on batch")
    await tick(db, START + MINUTE, Settler(db, chunk=2))
    assert {(await hold_of(db, lease)).drawn for lease in leases} == {HOURLY // 60}
    await verified(db)


async def test_it_ticks_every_minute_and_waits_for_a_lost_database(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    await open_cloud(db)
    settler = Settler(db)
    ticks = 0

    async def failing() -> Tick:
        nonlocal ticks
        ticks += 1
        if ticks == 1:
            raise OSError("connection lost")
        return Tick(START)

    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real(0)
        if len(slept) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(settler, "tick", failing)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await settler.run()
    assert slept[0] == 1
    assert 0 < slept[1] <= 60


@settings(max_examples=15,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(funds=st.integers(0, 4 * HOURLY), wishes=st.lists(st.integers(0, 2 * HOURLY), max_size=5),
       minutes=st.integers(1, 200))  # fmt: skip
async def test_nobody_ever_spends_more_than_there_is(
    db: Database, funds: int, wishes: list[int], minutes: int
) -> None:
    tenant = f"t{uuid.uuid4().hex}"
    await open_cloud(db, tenant)
    async with db.transaction() as tx:
        await chart.set_terms(tx, tenant, Terms("prepaid", None, "EUR"))
        await pay_in(tx, tenant, funds)
    for n, wish in enumerate(wishes):
        try:
            await run(db, str(n), tenant=tenant, hold=wish)
        except InsufficientFunds:
            continue
    settler = Settler(db)
    for at in range(1, minutes, 37):
        await tick(db, START + at * MINUTE, settler)
        spent, held = await balance(db, "revenue:run", tenant), await balance(db, "held", tenant)
        left = await balance(db, "funds", tenant)
        assert spent + held + left == funds
        assert min(spent, held, left) >= 0
    await verified(db)

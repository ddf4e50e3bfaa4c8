"""Both doors on a real Postgres: stored as decided, safe under concurrency, covered by the log."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, TooLarge, Unavailable
from skerry.ledger import chart, journal
from skerry.ledger.chart import Terms, account_id, funds, held
from skerry.ledger.ids import named
from skerry.ledger.journal import InsufficientFunds, Refused, post
from skerry.ledger.records import transfer_text
from skerry.ledger.transfers import Account, Transfer
from skerry.ledger.writer import Writer
from skerry.proof.audit import EXPLAINS
from skerry.store import Database

CASH = account_id("", "cash", "EUR")
ACME = funds("acme", "EUR")
HELD = held("acme", "lab", "EUR")


@pytest.fixture
async def ledger(db: Database) -> Database:
    """A prepaid tenant with 100 nano."""
    async with db.transaction() as tx:
        await chart.set_terms(tx, "acme", Terms("prepaid", None, "EUR"))
        await chart.ensure(tx, [("", "cash", "EUR", ""), ("acme", "held", "EUR", "lab")])
        await post(tx, [pay("first", 100)])
    return db


@pytest.fixture
async def writer(ledger: Database) -> AsyncIterator[Writer]:
    writer = Writer(ledger)
    task = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    yield writer
    task.cancel()
    await asyncio.wait([task])


def pay(name: str, amount: int) -> Transfer:
    return Transfer(id=named(name), debit=CASH, credit=ACME, amount=amount, code="payment")


def hold(name: str, amount: int, verb: str = "move") -> Transfer:
    return Transfer(id=named(name), verb=verb, debit=ACME, credit=HELD, amount=amount, code="hold")  # type: ignore[arg-type]


async def account(db: Database, id: uuid.UUID) -> Account:
    row = await db.fetchrow(journal._sql.account, id)
    assert row is not None
    return chart.account_of(row)


async def verified(db: Database) -> None:
    """Every batch's change can be rebuilt from the rows, and all balances add up."""
    async with db.transaction() as tx:
        for row in await tx.fetch("select subject, body from change where kind = 'ledger.batch'"):
            body = await changes.WITNESSES["ledger.batch"](tx, row["subject"])
            assert body is not None
            assert changes.canonical(body).decode() == row["body"]
    assert await db.fetchval("select sum(credits_posted - debits_posted) from account") == 0


async def test_all_or_nothing_in_the_callers_transaction(ledger: Database) -> None:
    with pytest.raises(InsufficientFunds) as refused:
        async with ledger.transaction() as tx:
            await post(tx, [hold("a", 60), hold("b", 60)])
    assert "0.00000012 EUR are needed and 0.0000001 EUR are left" in refused.value.detail
    assert (await account(ledger, ACME)).balance == 100
    async with ledger.transaction() as tx:
        assert [r.outcome for r in await post(tx, [hold("a", 60)])] == ["done"]
        assert [r.outcome for r in await post(tx, [hold("a", 60)])] == ["exists"]
        assert await post(tx, []) == []
    with pytest.raises(Refused, match="id-in-use"):
        async with ledger.transaction() as tx:
            await post(tx, [hold("a", 61)])
    assert (await account(ledger, HELD)).balance == 60
    await verified(ledger)


async def test_two_phases_and_their_expiry(ledger: Database) -> None:
    async with ledger.transaction() as tx:
        expires = await tx.now() + timedelta(minutes=5)
        wish = Transfer(id=named("p"), verb="pending", debit=ACME, credit=HELD, amount=80,
                        expires_at=expires, code="hold")  # fmt: skip
        await post(tx, [wish, hold("q", 20, "pending")])
        await post(tx, [Transfer(id=named("q2"), verb="post", pending=named("q"), amount=5,
                                 code="hold")])  # fmt: skip
    assert (await account(ledger, ACME)).available == 15
    await ledger.shift_clock(timedelta(minutes=6))
    async with ledger.transaction() as tx:
        with pytest.raises(Refused, match="pending-expired"):
            await post(tx, [Transfer(id=named("p2"), verb="post", pending=named("p"), code="hold")])
        await post(tx, [Transfer(id=named("p3"), verb="expire", pending=named("p"), code="hold")])
        with pytest.raises(Refused, match="pending-ended"):
            await post(tx, [Transfer(id=named("p4"), verb="void", pending=named("p"), code="hold")])
    assert (await account(ledger, ACME)).available == 95
    await verified(ledger)


async def test_rows_refuse_to_be_changed(ledger: Database) -> None:
    for sql in (
        "update transfer set amount = 1",
        "delete from transfer",
        "truncate transfer cascade",
        "update batch set size = 1",
        "delete from terms",
    ):
        with pytest.raises(asyncpg.RaiseError, match="never changed or removed"):
            await ledger.execute(sql)


async def test_an_altered_row_is_found_and_named(ledger: Database) -> None:
    async with ledger.transaction() as tx:
        await post(tx, [hold("a", 60), hold("b", 5)])
        batch = await tx.fetchval("select max(id) from batch")
        assert await journal.altered(tx, batch) == []
    await ledger.execute("alter table transfer disable trigger transfer_immutable")
    await ledger.execute("update transfer set amount = 61 where id = $1", named("a"))
    await ledger.execute("delete from transfer where id = $1", named("b"))
    async with ledger.transaction() as tx:
        found = await journal.altered(tx, batch)
        assert len(found) == 2
        assert '"amount":61' in found[0].text
        assert found[1].text == ""
        told = await EXPLAINS[journal.KIND](tx, journal.subject_of(batch))
        assert [text.partition(":")[0] for text in told] == [
            "is not what was sealed",
            "a record is gone",
        ]
    with pytest.raises(AssertionError):
        await verified(ledger)
    await ledger.execute("delete from transfer where batch = $1", batch)
    async with ledger.transaction() as tx:
        rebuilt = await changes.WITNESSES["ledger.batch"](tx, journal.subject_of(batch))
    assert rebuilt is None


async def test_two_hundred_holds_at_the_edge_overdraw_nothing(ledger: Database) -> None:
    async def attempt(n: int) -> bool:
        try:
            async with ledger.transaction() as tx:
                await post(tx, [hold(f"h{n}", 1)])
        except InsufficientFunds:
            return False
        return True

    done = await asyncio.gather(*(attempt(n) for n in range(200)))
    assert sum(done) == 100
    assert (await account(ledger, ACME)).available == 0
    await verified(ledger)


async def test_the_two_doors_never_lock_each_other_out(ledger: Database, writer: Writer) -> None:
    async def direct(n: int) -> None:
        async with ledger.transaction() as tx:
            back = Transfer(id=named("r", n), debit=HELD, credit=ACME, amount=1, code="release")
            await post(tx, [hold(f"d{n}", 1), back])

    async def batched(n: int) -> None:
        back = Transfer(id=named("s", n), debit=HELD, credit=ACME, amount=1, code="release")
        results = await writer.submit([hold(f"w{n}", 1), back])
        assert all(result.ok for result in results)

    await asyncio.gather(*(f(n) for n in range(60) for f in (direct, batched)))
    assert (await account(ledger, ACME)).balance == 100
    await verified(ledger)


async def test_the_writer_answers_each_caller(ledger: Database, writer: Writer) -> None:
    answers = await asyncio.gather(
        writer.submit([hold("a", 70)]),
        writer.submit([hold("b", 31), hold("c", 1)]),
        writer.submit([hold("a", 70)]),
        writer.submit([hold("d", 30)]),
        writer.submit([hold("a", 71)]),
    )
    assert [[r.outcome for r in answer] for answer in answers] == [
        ["done"], ["exceeds-credits", "chain-broken"], ["exists"], ["done"], ["id-in-use"],
    ]  # fmt: skip
    assert await ledger.fetchval("select count(*) from batch") == 2
    with pytest.raises(TooLarge):
        await writer.submit([hold(f"x{n}", 1) for n in range(1001)])
    await verified(ledger)


async def test_the_writer_cuts_batches_between_chains(ledger: Database, writer: Writer) -> None:
    chains = [[hold(f"{chain}-{n}", 0) for n in range(400)] for chain in range(4)]
    answers = await asyncio.gather(*map(writer.submit, chains))
    assert all(result.ok for answer in answers for result in answer)
    assert await ledger.fetchval("select max(size) from batch") == 800


async def test_many_chains_at_once_are_answered_in_their_order(
    ledger: Database, writer: Writer
) -> None:
    many = [[hold(f"m{n}", n % 2 * 200)] for n in range(1500)]
    answers = await writer.submit_all(many)
    expected = ["done", "exceeds-credits"] * 750
    assert [answer[0].outcome for answer in answers] == expected
    assert await writer.submit_all([]) == []
    with pytest.raises(TooLarge):
        await writer.submit_all([[hold("y", 1)], [hold(f"z{n}", 1) for n in range(1001)]])
    assert (await account(ledger, ACME)).balance == 100
    await verified(ledger)


async def test_a_failed_commit_fails_its_callers_and_leaves_nothing(
    ledger: Database, writer: Writer
) -> None:
    await ledger.execute(
        "create function fail() returns trigger language plpgsql as "
        "$$ begin raise exception 'disk full'; end $$"
    )
    await ledger.execute(
        "create constraint trigger fail after insert on batch deferrable initially deferred "
        "for each row execute function fail()"
    )
    with pytest.raises(asyncpg.RaiseError, match="disk full"):
        await writer.submit([hold("a", 1)])
    assert await ledger.fetchval("select count(*) from transfer where id = $1", named("a")) == 0
    assert (await account(ledger, ACME)).balance == 100
    await ledger.execute("drop trigger fail on batch")
    assert (await writer.submit([hold("a", 1)]))[0].ok


async def test_a_stopped_writer_says_so(ledger: Database) -> None:
    writer = Writer(ledger)
    with pytest.raises(Unavailable, match="not running"):
        await writer.submit([hold("a", 1)])
    task = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    async with ledger.transaction() as tx:
        await tx.execute(chart._sql.lock_account, ACME)
        submitted = asyncio.create_task(writer.submit([hold("a", 1)]))
        await asyncio.sleep(0.05)
        queued = asyncio.create_task(writer.submit([hold("b", 1)]))
        cancelled = asyncio.create_task(writer.submit([hold("c", 1)]))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    for one in (submitted, queued):
        with pytest.raises(Unavailable, match="has stopped"):
            await one
    assert (await account(ledger, ACME)).balance == 100


async def test_a_cancelled_caller_does_not_disturb_the_others(
    ledger: Database, writer: Writer
) -> None:
    gone = asyncio.create_task(writer.submit([hold("a", 1)]))
    stays = asyncio.create_task(writer.submit([hold("b", 1)]))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays)[0].ok


async def test_one_id_for_two_transfers_at_once_is_a_conflict(ledger: Database) -> None:
    other = Transfer(id=named("a"), debit=account_id("", "promo", "EUR"),
                     credit=account_id("zoo", "x", "EUR"), amount=1, code="gift")  # fmt: skip
    async with ledger.transaction() as tx:
        await chart.ensure(tx, [("", "promo", "EUR", ""), ("zoo", "x", "EUR", "")])

    async def second() -> None:
        async with ledger.transaction() as tx:
            await post(tx, [other])

    async with ledger.transaction() as tx:
        await post(tx, [hold("a", 1)])
        task = asyncio.create_task(second())
        while not await ledger.fetchval(
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
    with pytest.raises(Conflict, match="under the same id"):
        await task


async def test_terms_are_versioned_and_witnessed(db: Database) -> None:
    async with db.transaction() as tx:
        assert await chart.terms_of(tx, "acme") is None
        first = await chart.set_terms(tx, "acme", Terms("postpaid", 50, "EUR"))
        assert await chart.set_terms(tx, "acme", Terms("postpaid", 50, "EUR")) == first
        await chart.ensure(tx, [("acme", "held", "EUR", "lab")])
        await post(tx, [hold("a", 50)])
        with pytest.raises(InsufficientFunds):
            await post(tx, [hold("b", 1)])
        await chart.set_terms(tx, "acme", Terms("postpaid", None, "EUR"), actor="operator")
        await post(tx, [hold("b", 10**12)])
        second = await chart.set_terms(tx, "acme", Terms("prepaid", None, "EUR"))
        assert second.version == 3
        with pytest.raises(InsufficientFunds, match=r"0\.00 EUR are left"):
            await post(tx, [hold("c", 1)])
        for row in await tx.fetch("select subject, body from change where kind = 'ledger.terms'"):
            body = await changes.WITNESSES["ledger.terms"](tx, row["subject"])
            assert changes.canonical(body).decode() == row["body"]
        assert await changes.WITNESSES["ledger.terms"](tx, "ledger/terms/nobody/1") is None


def test_texts_are_canonical() -> None:
    from skerry.ledger.transfers import Entry

    entry = Entry(id=uuid.UUID(int=1), verb="move", debit=uuid.UUID(int=2), credit=uuid.UUID(int=3),
                  amount=4, pending=None, expires_at=None, code="hold", subject="é")  # fmt: skip
    assert transfer_text(entry) == (
        '{"amount":4,"code":"hold","credit":"00000000-0000-0000-0000-000000000003",'
        '"debit":"00000000-0000-0000-0000-000000000002","expires":null,'
        '"id":"00000000-0000-0000-0000-000000000001","pending":null,"subject":"é",'
        '"type":"transfer","verb":"move"}'
    )

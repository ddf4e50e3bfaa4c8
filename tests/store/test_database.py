"""Transactions and notices, on the real database."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from skerry.store import Database, lending


@pytest.fixture
async def table(db: Database) -> str:
    await db.execute("create table thing (id integer primary key, body jsonb)")
    return "thing"


async def count(db: Database) -> int:
    return await db.fetchval("select count(*) from thing")


async def test_a_transaction_is_whole_or_nothing(db: Database, table: str) -> None:
    called: list[str] = []

    async def fail_halfway() -> None:
        async with db.transaction() as tx:
            tx.after_commit(lambda: called.append("never"))
            await tx.executemany("insert into thing (id) values ($1)", [(1,), (2,)])
            await tx.execute("insert into thing (id) values (1)")

    with pytest.raises(asyncpg.UniqueViolationError):
        await fail_halfway()
    assert (await count(db), called) == (0, [])
    async with db.transaction() as tx:
        tx.after_commit(lambda: called.append("committed"))
        assert await tx.execute("insert into thing (id) values (1)") == "INSERT 0 1"
        assert called == []
    assert (await count(db), called) == (1, ["committed"])


async def test_a_savepoint_fails_alone(db: Database, table: str) -> None:
    async with db.transaction() as tx:
        await tx.execute("insert into thing (id) values (1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tx.savepoint():
                await tx.execute("insert into thing (id) values (2), (1)")
        await tx.execute("insert into thing (id) values (3)")
    assert [row["id"] for row in await db.fetch("select id from thing order by id")] == [1, 3]


async def test_a_readonly_transaction_sees_one_moment_and_cannot_write(
    db: Database, table: str
) -> None:
    async with db.transaction(readonly=True) as tx:
        before = await tx.fetchval("select count(*) from thing")
        await db.execute("insert into thing (id) values (1)")
        assert await tx.fetchval("select count(*) from thing") == before == 0
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await tx.execute("delete from thing")


async def test_json_goes_in_and_out_as_objects(db: Database, table: str) -> None:
    body = {"a": [1, None, {"ü": True}]}
    async with db.transaction() as tx:
        await tx.copy("thing", ["id", "body"], [(1, body), (2, None)])
        row = await tx.fetchrow("select body from thing where id = 1")
        assert row is not None
        assert row["body"] == body
        assert [row["id"] async for row in tx.cursor("select id from thing order by id")] == [1, 2]
    assert await db.fetchrow("select body from thing where id = 3") is None


async def test_time_is_the_databases_and_one_per_transaction(db: Database) -> None:
    async with db.transaction() as tx:
        now = await tx.now()
        assert await tx.now() == now
        assert now.tzinfo == UTC
    await db.shift_clock(timedelta(days=400))
    async with db.transaction() as tx:
        assert (await tx.now() - now).days == 400
    assert isinstance(await db.fetchval("select skerry_now()"), datetime)


class Ear:
    """A callback that can be waited for."""

    def __init__(self) -> None:
        self.calls = 0
        self._called = asyncio.Event()

    def __call__(self) -> None:
        self.calls += 1
        self._called.set()

    async def heard(self) -> None:
        async with asyncio.timeout(10):
            await self._called.wait()
        self._called.clear()


async def test_notices_arrive_and_are_folded(db: Database) -> None:
    one, last = Ear(), Ear()
    await db.listen("one", one)
    await db.listen("last", last)
    await one.heard()  # connected anew, so it is told of the gap
    assert (one.calls, last.calls) == (1, 0)
    for _ in range(50):
        db.notify("one")
    await asyncio.sleep(0)
    db.notify("last")
    await last.heard()
    assert (one.calls, last.calls) == (2, 1)


async def test_listening_goes_on_after_a_lost_connection(db: Database) -> None:
    ear = Ear()
    await db.listen("one", ear)
    await db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'"
    )
    await ear.heard()
    db.notify("one")
    await ear.heard()
    assert ear.calls == 2


async def test_after_a_kill_nothing_is_sent_or_asked(db: Database) -> None:
    await db.listen("one", Ear())
    db.notify("one")
    db.terminate()
    with pytest.raises(asyncpg.InterfaceError):
        await db.fetchval("select 1")


async def test_who_waits_for_a_connection_is_told_in_the_end(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "WAIT_SECONDS", 0.05)
    async with AsyncExitStack() as stack:
        while db.idle:
            await stack.enter_async_context(db.transaction())
        for asking in (db.fetchval("select 1"), db.transaction().__aenter__()):
            with pytest.raises(TimeoutError):
                await asking
    assert await db.fetchval("select 1") == 1

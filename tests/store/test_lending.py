"""Connections that are lent, kept at hand and given back, on the real database."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from skerry.store import Database, lending
from skerry.store.database import DATABASE_ERRORS

WHO = "select pg_backend_pid()"


@pytest.fixture
async def one(pg_url: str) -> AsyncIterator[Database]:
    """With a single connection."""
    database = await Database.open(pg_url, size=1)
    yield database
    await database.close()


async def test_one_that_broke_at_hand_is_not_lent_again(one: Database, db: Database) -> None:
    before = await one.fetchval(WHO)
    await db.execute("select pg_terminate_backend($1)", before)
    async with asyncio.timeout(30):
        while True:
            try:
                after = await one.fetchval(WHO)
            except DATABASE_ERRORS:
                continue  # the server's goodbye had not come yet
            if after != before:
                break
    assert await one.fetchval("select 1") == 1


async def test_a_cancelled_query_leaves_nothing_behind(one: Database) -> None:
    work = asyncio.create_task(one.fetchval("select pg_sleep(60)"))
    while one.idle:
        await asyncio.sleep(0.001)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await one.fetchval("select 2") == 2


async def test_a_transaction_that_failed_is_rolled_back_before_the_next(one: Database) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with one.transaction() as tx:
            await tx.execute("select 1 / 0")
    async with one.transaction(readonly=True) as tx:
        assert await tx.fetchval("show transaction_isolation") == "repeatable read"
    assert await one.fetchval("show transaction_isolation") == "read committed"


async def test_who_waits_has_it_before_who_comes_later(one: Database) -> None:
    had: list[str] = []

    async def have(name: str) -> None:
        async with one.transaction():
            had.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(have(str(number)))
    assert sorted(had, key=int) == had


async def test_one_that_was_handed_to_a_cancelled_waiter_goes_to_the_next(one: Database) -> None:
    async with one.transaction():
        first = asyncio.create_task(one.fetchval("select 1"))
        second = asyncio.create_task(one.fetchval("select 2"))
        await asyncio.sleep(0)
    first.cancel()  # it has been handed the connection by now, and does not know it yet
    with pytest.raises(asyncio.CancelledError):
        await first
    async with asyncio.timeout(30):
        assert await second == 2


async def test_who_waits_has_room_that_a_failure_made(one: Database) -> None:
    async def fail() -> None:
        async with one.transaction() as tx:
            await asyncio.sleep(0)
            await tx.execute("select 1 / 0")

    async with asyncio.timeout(30):
        failed = asyncio.gather(*(fail() for _ in range(5)), return_exceptions=True)
        assert await asyncio.gather(*(one.fetchval("select 3") for _ in range(5))) == [3] * 5
        assert all(isinstance(e, asyncpg.DivisionByZeroError) for e in await failed)


async def test_what_is_at_hand_goes_back_to_the_pool(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "AT_HAND_SECONDS", 0.01)
    pool = await asyncpg.create_pool(pg_url, min_size=1, max_size=2)
    lender = lending.Lender(pool)
    kept = await lender.take()
    assert (lender.idle, pool.get_idle_size()) == (1, 0)
    lender.keep(kept)
    assert lender.idle == 2
    async with asyncio.timeout(30):
        while (lender.idle, pool.get_idle_size()) != (2, 1):
            await asyncio.sleep(0.01)
    assert lender.at_hand() is None
    late = await lender.take()
    await lender.close()
    lender.keep(late)
    async with asyncio.timeout(30):
        await pool.close()

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


async def test_what_is_at_hand_goes_back_to_the_pool(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "AT_HAND_SECONDS", 0.01)
    pool = await asyncpg.create_pool(pg_url, min_size=1, max_size=2)
    lender = lending.Lender(pool)
    kept = await lender.take()
    assert (lender.idle, pool.get_idle_size()) == (1, 0)
    assert lender.keep(kept)
    assert lender.idle == 2
    async with asyncio.timeout(30):
        while not pool.get_idle_size():
            await asyncio.sleep(0.01)
    assert lender.idle == 2
    assert lender.at_hand() is None
    await lender.close()
    again = await lender.take()
    assert not lender.keep(again)
    await lender.give_back(again)
    await pool.close()

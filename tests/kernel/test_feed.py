"""The watch feed: everything, in order, once, from any position that is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from skerry.kernel import changes
from skerry.kernel import feed as feeds
from skerry.kernel.errors import Gone
from skerry.kernel.feed import Feed, Happening
from skerry.kernel.sequencer import Sequencer
from skerry.store import Database

Write = Callable[[int], "asyncio.Future[None]"]


async def write(db: Database, count: int, kind: str = "thing") -> None:
    """``count`` changes, sequenced. Transactions of other tests' databases hold that up, too."""
    async with db.transaction() as tx:
        for i in range(count):
            await changes.record(
                tx, kind=kind, subject=f"{kind}/{i}", verb="put", tenant="t", actor="u", body={},
                version=i,
            )  # fmt: skip
    sequencer = Sequencer(db)
    async with asyncio.timeout(60):
        while await sequencer.waiting():
            if not await sequencer.run_once():
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(db: Database, poll: float = 0.05) -> AsyncIterator[Feed]:
    feed = Feed(db, poll)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def everything(event: Happening) -> bool:
    return True


async def read(feed: Feed, cursor: int, count: int, slow: bool = False) -> list[int]:
    """The positions of the next ``count`` events after a cursor."""
    got: list[int] = []
    async with asyncio.timeout(60):
        async for event in feed.watch(everything, cursor):
            if event is not None:
                got.append(event.position)
                if slow and len(got) % 100 == 0:
                    await asyncio.sleep(0.01)
            if len(got) >= count:
                return got
    raise AssertionError("the watch ended")


async def test_a_watcher_from_the_start_sees_all_and_goes_on(db: Database) -> None:
    await write(db, 3)
    async with running(db) as feed:
        cursor = await feed.cursor(-1)
        watching = asyncio.create_task(read(feed, cursor, 5))
        await write(db, 2)
        assert await watching == [0, 1, 2, 3, 4]


async def test_a_watcher_from_now_sees_only_what_comes(db: Database) -> None:
    await write(db, 3)
    async with running(db) as feed:
        cursor = await feed.cursor(None)
        assert cursor == await feed.position() == 2
        await write(db, 2)
        assert await read(feed, cursor, 2) == [3, 4]


@pytest.mark.parametrize("cursor", [-2, 3, 10_000])
async def test_a_position_that_never_was_is_gone(db: Database, cursor: int) -> None:
    await write(db, 3)
    async with running(db) as feed:
        with pytest.raises(Gone, match="from 0 to 2"):
            await feed.cursor(cursor)


async def test_an_expired_position_is_gone(db: Database) -> None:
    await write(db, 10)
    await db.execute("delete from feed where position < 5")
    async with running(db) as feed:
        assert await feed.cursor(4) == 4
        assert await read(feed, 4, 5) == [5, 6, 7, 8, 9]
        for expired in (-1, 3):
            with pytest.raises(Gone) as refused:
                await feed.cursor(expired)
            assert "List the resources again" in refused.value.hint


async def test_thousands_of_events_reach_fast_and_slow_watchers_alike(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Little is kept in memory, so that those who are behind have to read the database.
    monkeypatch.setattr(feeds, "KEPT", 300)
    total = 4000
    async with running(db) as feed:
        cursor = await feed.cursor(-1)
        fast = [asyncio.create_task(read(feed, cursor, total)) for _ in range(5)]
        slow = [asyncio.create_task(read(feed, cursor, total, slow=True)) for _ in range(3)]
        for _ in range(8):
            await write(db, total // 8)
        for watching in (*fast, *slow):
            assert await watching == list(range(total))


async def test_a_watcher_that_wakes_while_more_is_read_misses_nothing(db: Database) -> None:
    async with running(db) as feed:
        watchers = [asyncio.create_task(read(feed, -1, 300)) for _ in range(40)]
        for _ in range(60):
            await write(db, 5)
        for watching in watchers:
            assert await watching == list(range(300))


async def test_silence_is_broken_by_a_beat_even_while_others_talk(db: Database) -> None:
    def never(event: Happening) -> bool:
        return False

    async with running(db) as feed:
        beats = 0
        talking = asyncio.create_task(_talk(db))
        async with asyncio.timeout(30):
            async for event in feed.watch(never, await feed.cursor(None), beat=0.2):
                assert event is None
                beats += 1
                if beats == 3:
                    break
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking


async def _talk(db: Database) -> None:
    while True:
        await write(db, 1)
        await asyncio.sleep(0.02)


async def test_a_lost_database_is_waited_for(db: Database) -> None:
    await db.execute("alter table feed rename to away")
    async with running(db) as feed:
        asking = asyncio.create_task(feed.position())
        await asyncio.sleep(0.2)
        assert not asking.done()
        await db.execute("alter table away rename to feed")
        assert await asking == -1
        await db.execute("alter table feed rename to away")
        await asyncio.sleep(0.2)
        await db.execute("alter table away rename to feed")
        await write(db, 2)
        assert await read(feed, -1, 2) == [0, 1]

"""Positions: gapless, once each, and never past a transaction that may still commit.

Other tests share the server, and their open transactions hold positions up as any would: a test
waits until what it expects is there, then makes sure that nothing else comes.
"""

import asyncio
import contextlib

import pytest

from skerry.kernel import alerts, changes, sequencer
from skerry.kernel.sequencer import Sequencer
from skerry.store import Database


async def change(tx, subject="thing/a", **more):
    return await changes.record(
        tx, kind="thing", subject=subject, verb="put", tenant="t", actor="u", body={"x": 1}, **more
    )


async def feed(db):
    rows = await db.fetch("select position, change_id from feed order by position")
    assert [row["position"] for row in rows] == list(range(len(rows)))
    return [row["change_id"] for row in rows]


async def placed(db, sequencer, count):
    """The feed, once it holds so many; and another round changes nothing."""
    async with asyncio.timeout(60):
        while len(await feed(db)) < count:
            if not await sequencer.run_once():
                await asyncio.sleep(0.01)
    assert await sequencer.run_once() == 0
    found = await feed(db)
    assert len(found) == count
    return found


async def changes_in(db, count):
    async with db.transaction() as tx:
        return [await change(tx, f"thing/{i}", version=i) for i in range(count)]


async def test_changes_get_positions_in_order(db):
    first = await changes_in(db, 3)
    second = await changes_in(db, 2)
    assert await placed(db, Sequencer(db), 5) == first + second


async def test_versions_of_one_transaction_stay_in_order(db):
    async with db.transaction() as tx:
        ids = [await change(tx, version=version) for version in range(20)]
    assert await placed(db, Sequencer(db), 20) == ids


async def test_batches_go_on_where_the_last_one_ended(db):
    ids = await changes_in(db, 7)
    assert await placed(db, Sequencer(db, batch=3), 7) == ids


async def test_a_late_commit_is_never_passed_over(db):
    sequencer = Sequencer(db)
    before = await changes_in(db, 1)
    async with db.transaction() as late:
        slow = await change(late)
        after = await changes_in(db, 5)
        assert await placed(db, sequencer, 1) == before
        assert await sequencer.waiting() > 0
    assert await placed(db, sequencer, 7) == [*before, slow, *after]
    assert await sequencer.waiting() == 0


async def test_a_transaction_that_rolls_back_leaves_no_gap(db):
    class Stop(Exception):
        pass

    with contextlib.suppress(Stop):
        async with db.transaction() as tx:
            await change(tx)
            raise Stop
    kept = await changes_in(db, 2)
    assert await placed(db, Sequencer(db), 2) == kept


async def test_many_sequencers_and_writers_share_without_double_or_gap(db, pg_url):
    other = await Database.open(pg_url)
    done = asyncio.Event()

    async def work(database):
        one = Sequencer(database, batch=4)
        while not done.is_set():
            await one.run_once()
            await asyncio.sleep(0)

    async def write():
        return [id for _ in range(10) for id in await changes_in(db, 3)]

    async with asyncio.TaskGroup() as group:
        for database in (db, other, other):
            group.create_task(work(database))
        async with asyncio.TaskGroup() as writers:
            written = [writers.create_task(write()) for _ in range(4)]
        done.set()
    await other.close()
    ids = [id for task in written for id in task.result()]
    assert sorted(await placed(db, Sequencer(db), 120)) == sorted(ids)


async def test_a_loaded_dump_goes_on_where_it_stood(db):
    sequenced = await changes_in(db, 2)
    await placed(db, Sequencer(db), 2)
    unsequenced = await changes_in(db, 2)
    # What a dump brings from a cluster that was further on: rows and a cursor of its own ids.
    await db.execute("update change set xid = '900000000'")
    await db.execute("update sequencer set xid = '900000000'")
    loaded = Sequencer(db)
    assert await loaded.run_once() == 0
    fresh = await changes_in(db, 1)
    after = await placed(db, loaded, 5)
    assert after[:2] == sequenced
    assert sorted(after[2:4]) == sorted(unsequenced)
    assert after[4:] == fresh


async def test_running_follows_each_commit_and_tells_the_feed(db):
    told = asyncio.Event()
    await db.listen("feed", told.set)
    running = asyncio.create_task(Sequencer(db).run())
    for count in (1, 2):
        async with db.transaction() as tx:
            await change(tx)
            tx.after_commit(lambda: db.notify("changes"))
        async with asyncio.timeout(20):
            while len(await feed(db)) < count:
                await told.wait()
                told.clear()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_lost_database_is_waited_for(db, monkeypatch):
    monkeypatch.setattr(sequencer, "RETRY_SECONDS", 0.01)
    await changes_in(db, 1)
    await db.execute("alter table feed rename to away")
    running = asyncio.create_task(Sequencer(db).run())
    await asyncio.sleep(0.2)
    assert not running.done()
    await db.execute("alter table away rename to feed")
    async with asyncio.timeout(20):
        while not await feed(db):
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_stalled_feed_is_an_alert_until_it_moves(db, monkeypatch):
    monkeypatch.setattr(sequencer, "STALLED_SECONDS", 0.0)
    one = Sequencer(db)
    async with db.transaction() as late:
        await change(late)
        await changes_in(db, 1)
        await one.run_once()
        running = asyncio.create_task(one.run())
        async with asyncio.timeout(20):
            while not await alerts.open_alerts(db):
                await asyncio.sleep(0.05)
        alert = (await alerts.open_alerts(db))[0]
        assert "pg_stat_activity" in alert["remedy"]
    async with asyncio.timeout(20):
        while await alerts.open_alerts(db):
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

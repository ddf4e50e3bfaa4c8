"""The live snapshot shows what is committed, all of it, and nothing else."""

import asyncio

from skerry.market import offers
from skerry.market.live import LiveSnapshot
from skerry.market.snapshot import Snapshot
from skerry.store import Database, Tx
from tests.market.supply import instance, pool


async def seen(live: LiveSnapshot, db: Database) -> dict[str, int]:
    async with db.transaction() as tx:
        return versions(await live.current(tx))


def versions(snapshot: Snapshot) -> dict[str, int]:
    return {change.offer: change.version for change in snapshot.members()}


async def write(db: Database, *wanted) -> None:
    async with db.transaction() as tx:
        for offer in wanted:
            await offers.write(tx, offer)


async def test_a_committed_offer_is_seen_at_once(db: Database):
    live = LiveSnapshot()
    assert await seen(live, db) == {}
    await write(db, pool(), instance())
    assert await seen(live, db) == {"alpha": 1, "cloud.small": 1}
    await write(db, pool(millicores=1), pool("beta"))
    assert await seen(live, db) == {"alpha": 2, "beta": 1, "cloud.small": 1}
    await write(db, pool(millicores=1))
    assert (await seen(live, db))["alpha"] == 2
    async with db.transaction() as tx:
        await offers.retire(tx, "alpha")
        await offers.retire(tx, "alpha")
        await offers.retire(tx, "unknown")
    assert await seen(live, db) == {"beta": 1, "cloud.small": 1}
    await write(db, pool())
    assert (await seen(live, db))["alpha"] == 4


async def test_a_late_commit_is_not_missed(db: Database):
    live = LiveSnapshot()
    early = db.transaction()
    tx: Tx = await early.__aenter__()
    await offers.write(tx, pool("early"))
    await write(db, pool("late"))
    assert await seen(live, db) == {"late": 1}
    await early.__aexit__(None, None, None)
    assert await seen(live, db) == {"early": 1, "late": 1}


async def test_what_is_rolled_back_was_never_seen_by_others(db: Database):
    live = LiveSnapshot()
    await write(db, pool(), pool("beta"))
    await seen(live, db)
    try:
        async with db.transaction() as tx:
            await offers.write(tx, pool(millicores=1))
            await offers.write(tx, pool("gamma"))
            await offers.retire(tx, "beta")
            await offers.write(tx, pool("delta"))
            await offers.retire(tx, "delta")
            assert versions(await live.current(tx)) == {"alpha": 2, "gamma": 1}
            raise InterruptedError
    except InterruptedError:
        pass
    assert await seen(live, db) == {"alpha": 1, "beta": 1}
    await write(db, pool(millicores=2))
    assert (await seen(live, db))["alpha"] == 2


async def test_what_a_snapshot_is_named_by_is_kept(db: Database):
    live = LiveSnapshot()
    await write(db, *(pool(f"o{n}") for n in range(5)))
    for n in range(150):
        await write(db, pool("o1", millicores=n), pool(f"p{n}"))
        async with db.transaction() as tx:
            snapshot = await live.current(tx)
        base = snapshot.base or snapshot.digest
        assert await db.fetchval("select true from offer_snapshot where digest = $1", base)
        assert len(snapshot.changes or ()) <= 65
    assert 2 <= await db.fetchval("select count(*) from offer_snapshot") <= 4
    assert snapshot.lines == 155
    fresh = LiveSnapshot()
    async with db.transaction() as tx:
        again = await fresh.current(tx)
    assert again.digest == snapshot.as_base().digest


async def test_many_readers_at_once_agree(db: Database):
    live = LiveSnapshot()
    stop = asyncio.Event()

    async def churn() -> None:
        for n in range(120):
            await write(db, pool(f"o{n % 20}", millicores=n))
        stop.set()

    async def read() -> None:
        while not stop.is_set():
            await seen(live, db)

    async with asyncio.TaskGroup() as group:
        group.create_task(churn())
        for _ in range(3):
            group.create_task(read())
    rows = await db.fetch("select id, version from offer")
    assert await seen(live, db) == {row["id"]: row["version"] for row in rows}


async def test_of_two_bases_made_at_once_one_is_taken(db: Database):
    live = LiveSnapshot()
    await write(db, pool())
    one, two = db.transaction(), db.transaction()
    first, second = await one.__aenter__(), await two.__aenter__()
    base = await live.current(first)
    await write(db, pool("beta"))
    await one.__aexit__(None, None, None)
    later = await live.current(second)
    assert later.base == base.digest
    await write(db, *(pool(f"o{n}") for n in range(70)))
    third = db.transaction()
    tx = await third.__aenter__()
    newest = await live.current(tx)
    assert newest.digest != base.digest
    waiting = asyncio.create_task(live.current(second))
    await asyncio.sleep(0.05)
    await third.__aexit__(None, None, None)
    rival = await waiting
    await two.__aexit__(None, None, None)
    assert rival.digest == newest.digest
    async with db.transaction() as again:
        assert (await live.current(again)).digest == newest.digest

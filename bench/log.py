"""The transparency log: how fast changes enter it, and how soon and how quickly they are proved.

Postgres runs with fsync on, and tiles are flushed to the same disk, so the append rate is that of
durable appends.

    python bench/log.py [--changes 100000] [--leaves 1000000]
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from figures import Figures
from skerry.kernel import changes
from skerry.kernel.sequencer import Sequencer
from skerry.proof import receipts, tree, verify
from skerry.proof.log import Log
from skerry.proof.note import Signer
from skerry.proof.receipts import Section
from skerry.proof.tiles import Tiles
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

COLUMNS = (
    "id", "at", "kind", "subject", "verb", "tenant", "workspace", "actor", "version", "body",
    "salt", "leaf",
)  # fmt: skip


FIGURES = Figures("log")


def rows(count: int) -> list[tuple[object, ...]]:
    """Changes of a usual size, as ``changes.record`` would write them."""
    at, made = datetime.now(UTC), []
    body = json.dumps({"spec": {"command": ["python", "x.py"], "cores": 2}, "pad": "x" * 300})
    for number in range(count):
        about = {
            "id": uuid.uuid4(), "at": at, "kind": "job", "verb": "status", "version": number,
            "subject": f"skerry.run/v1/tenants/acme/workspaces/w/jobs/j{number}",
            "tenant": "acme", "workspace": "w", "actor": "system", "body": body,
            "salt": os.urandom(16),
        }  # fmt: skip
        about |= {"leaf": changes.leaf_of(**about)}
        made.append(tuple(about[name] for name in COLUMNS))
    return made


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def appending(db: Database, log: Log, count: int) -> None:
    """Sequencing and publishing alone, then both at once, as they run in a cloud."""
    await log.publish()
    one = Sequencer(db)

    async def sequence() -> None:
        while await one.run_once():
            pass

    await recorded(db, count)
    sequenced, published = await timed(sequence), await timed(log.publish)
    FIGURES.add("sequenced", count / sequenced, "/s", limit=50_000, least=1)
    FIGURES.add("tiles, entries and checkpoint", count / published, "/s", limit=50_000, least=1)

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(sequence())
            while True:
                if (await log.publish()).size == 2 * count:
                    break
                await asyncio.sleep(0)

    await recorded(db, count)
    rate = count / await timed(both)
    FIGURES.add("appended: both at once", rate, "/s", limit=50_000, least=1)


async def recorded(db: Database, count: int) -> None:
    for _ in range(0, count, 20_000):
        async with db.transaction() as tx:
            await tx.copy("change", COLUMNS, rows(20_000))
    await db.execute("vacuum analyze change")


async def following(db: Database, log: Log) -> None:
    """From the commit of a change to the checkpoint that covers it, everything running."""
    slowest = 0.0
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(Sequencer(db).run()), group.create_task(log.run())]
        for _ in range(5):
            before = (await log.checkpoint()).size
            async with db.transaction() as tx:
                await changes.record(
                    tx, kind="a", subject="b", verb="c", tenant="", actor="", body={}
                )
            start = time.perf_counter()
            while True:
                if (await log.checkpoint()).size > before:
                    break
                await asyncio.sleep(0.02)
            slowest = max(slowest, time.perf_counter() - start)
        for task in running:
            task.cancel()
    FIGURES.add("checkpoint after a change, slowest of 5", slowest, "s", limit=10)


async def receipt(db: Database, log: Log) -> None:
    ids = [row["change_id"] for row in await db.fetch("select change_id from feed limit 20")]
    sections = [Section("all", "declared", ids)]
    made = await receipts.build(db, log, title="t", subject="s", sections=sections)
    data = json.dumps(made).encode()
    start = time.perf_counter()
    verify.verify(data, log.signer.key)
    took = time.perf_counter() - start
    FIGURES.add("receipt of 20 statements, verified offline", took, "s", limit=5)


def proving(directory: Path, size: int) -> None:
    """Proofs over a tree on disk: from nothing cached, and in a process that served some; the
    median of 200."""
    edge, store = tree.Edge(), Tiles(directory)
    for first in range(0, size, 65_536):
        leaves = [tree.leaf_hash(b"%d" % n) for n in range(first, min(first + 65_536, size))]
        store.write(edge.extend(leaves), [])
    store.write(edge.partial(), [])
    chance = random.Random(1)
    picks = [chance.randrange(1, size) for _ in range(200)]
    for pick in picks:
        tree.inclusion(pick, size, store.node(size))
    for name, prove in (("inclusion", tree.inclusion), ("consistency", tree.consistency)):
        for kept in ("cold", "warm"):
            took = []
            for pick in picks:
                begun = time.perf_counter()
                prove(pick, size, (Tiles(directory) if kept == "cold" else store).node(size))
                took.append((time.perf_counter() - begun) * 1000)
            middle = statistics.median(took)
            FIGURES.add(f"{name} proof at {size:,} leaves, {kept}", middle, "ms", limit=1)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        base = Path(place)
        proving(base / "large", given.leaves)
        postgres = EmbeddedPostgres(base / "pg")
        await postgres.start()
        try:
            url = postgres.url_of("postgres")
            await migrate(url)
            db = await Database.open(url)
            log = Log(db, base / "log", Signer.open(base / "key", "skerry/bench"))
            await appending(db, log, given.changes)
            await following(db, log)
            await receipt(db, log)
            await db.close()
        finally:
            await postgres.stop()
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""Queues: how many waiting entries a second are admitted, and how near the quotas' own bound the
last of them ends. The load is the baseline of Kueue's scheduler test, made from its stated numbers
(`test/performance/scheduler/configs/baseline`): five cohorts of six queues, each with a nominal
quota of 20 and a borrowing limit of 100, and in each queue 350 small ones (1 unit, 200 ms, one each
100 ms), 100 medium (5 units, 500 ms, one each 500 ms) and 50 large (20 units, 1 s, one each 1.2 s),
of priorities 50, 100 and 200: 15,000 in all.

One embedded Postgres with fsync, and the hand that admits, as every cloud has it. What is admitted
is durable, stands in the log and its flow is woken; nothing is placed or started.

- saturated: all 15,000 wait, and what is admitted ends at once. The peer is what Kueue publishes
  for the same load (mean of five runs: 351 s, 43/s), which its quotas and run times bound;
- replay: they come and end at their times. Time is made of what happens: the database's clock is
  set to each arrival and end in turn (a thousandfold, so that a millisecond counts as a second), so
  hours of it cost what the hand takes. The bound is what each cohort's work comes to, divided by
  its quota. No more than 1.1 of it is wanted.

    python bench/queues.py
"""

import heapq
import os
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path as File
from typing import NamedTuple

import uvloop

from figures import Figures
from figures.processes import cpu, family
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.market.queues.hand import Hand
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

FIGURES = Figures("queues")
COHORTS, QUEUES, NOMINAL, BORROWING = 5, 6, 20, 100
KUEUE = 15_000 / 351.1164
START = datetime(2026, 1, 1, tzinfo=UTC)
UNIT = 1000
"""Thousandths of a core."""


class Sort(NamedTuple):
    count: int
    every: int
    runs: int
    priority: int
    units: int


SORTS = (Sort(350, 100, 200, 50, 1), Sort(100, 500, 500, 100, 5), Sort(50, 1200, 1000, 200, 20))
"""Times in milliseconds."""


class Job(NamedTuple):
    owner: uuid.UUID
    queue: str
    at: int
    sort: Sort


def jobs() -> list[Job]:
    """All of them, in the order in which they come."""
    made = [
        Job(uuid.uuid4(), f"tenant-{queue}/main", sort.every * (number + 1), sort)
        for queue in range(COHORTS * QUEUES)
        for sort in SORTS
        for number in range(sort.count)
    ]
    return sorted(made, key=lambda job: job.at)


def bound() -> float:
    """Seconds that a cohort's work takes at the least, all of its quota in use from the start."""
    work = QUEUES * sum(s.count * s.units * s.runs for s in SORTS) / 1000
    return work / (QUEUES * NOMINAL)


async def make(db: Database, resources: Resources) -> None:
    """Tenants with a workspace and a queue each."""
    quota = {"resource": "millicores", "nominal": NOMINAL * UNIT,
             "borrowingLimit": BORROWING * UNIT}  # fmt: skip
    async with db.transaction() as tx:
        for number in range(COHORTS * QUEUES):
            name = f"tenant-{number}"
            spec = {"cohort": f"cohort-{number // QUEUES}", "quotas": [quota]}
            for noun, at, body in (
                ("tenant", Path(name=name), {}),
                ("workspace", Path(name, name="lab"), {}),
                ("queue", Path(name, name="main"), {"spec": spec}),
            ):
                await resources.put(tx, resources.registry[noun], at, body, SYSTEM)


async def wait(db: Database, some: list[Job]) -> None:
    """Let jobs wait: resources with flows that sleep, and their entries."""
    now = datetime.now(UTC)
    things = [
        (j.owner, "job", f"job/{j.owner}", str(j.owner), j.queue.partition("/")[0], "lab", "", "",
         j.owner, "bench", "{}", "{}", "{}", "{}", "v1", "{}", "pending", "[]", 1, 1, now, now)
        for j in some
    ]  # fmt: skip
    entries = [
        (j.owner, j.queue, j.queue.partition("/")[0], "lab", f"job/{j.owner}", j.sort.priority,
         True, False, 30, j.sort.units * UNIT, 0, 0, [], j.sort.runs,
         START + timedelta(seconds=j.at), "waiting")
        for j in some
    ]  # fmt: skip
    async with db.transaction() as tx:
        await tx.executemany(
            "insert into resource (uid, kind, ref, name, tenant, workspace, region, parent_ref,"
            " root_uid, created_by, labels, annotations, extensions, spec, spec_version, status,"
            " state, conditions, version, generation, created_at, modified_at) values ($1, $2, $3,"
            " $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb, $12::text::json, $13::text::json,"
            " $14::text::json, $15, $16::text::json, $17, $18::text::json, $19, $20, $21, $22)"
            " on conflict do nothing",
            things,
        )
        await tx.executemany(
            "insert into flow (uid, kind, step, wake_at, entered_at, generation)"
            " values ($1, 'job', 'queue', 'infinity', now(), 1) on conflict do nothing",
            [(j.owner,) for j in some],
        )
        await tx.executemany(
            "insert into queue_entry (owner, queue, tenant, workspace, subject, priority, preempts,"
            " preemptible, notice, millicores, memory, gpus, models, duration, asked_at, state)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            entries,
        )


async def running(db: Database) -> list[uuid.UUID]:
    rows = await db.fetch("select owner from queue_entry where state = 'admitted'")
    return [row["owner"] for row in rows]


async def end(db: Database, owners: list[uuid.UUID]) -> None:
    await db.execute("delete from queue_entry where owner = any($1::uuid[])", owners)


async def saturated(db: Database, hand: Hand, all: list[Job]) -> None:
    """All wait, and what is admitted ends at once."""
    for first in range(0, len(all), 1000):
        await wait(db, all[first : first + 1000])
    await db.execute("analyze queue_entry")
    took, busy, admitted, looks = 0.0, 0.0, 0, 0
    while admitted < len(all):
        begun, before = time.perf_counter(), cpu(family(os.getpid()))
        found = await hand.once()
        took += time.perf_counter() - begun
        busy += cpu(family(os.getpid())) - before
        assert found
        admitted, looks = admitted + found, looks + 1
        await end(db, await running(db))
    assert admitted == len(all)
    FIGURES.add("admitted, run times of zero", admitted / took, "/s", limit=430, least=1.0)
    FIGURES.add("the same", admitted / took, "/s", peer=("Kueue's published", KUEUE))
    FIGURES.add(
        "for a second of CPU, ours and Postgres", admitted / busy, "/s", limit=430, least=1.0
    )
    FIGURES.add("admitted at a look", admitted / looks, "entries", peer=("one by one", 1))


async def replay(db: Database, hand: Hand, all: list[Job]) -> None:
    """They come and end at their times."""
    by_owner = {job.owner: job for job in all}
    ends: list[tuple[int, uuid.UUID]] = []
    known: set[uuid.UUID] = set()
    used, next_job, now, last = 0.0, 0, 0, 0
    begun = time.perf_counter()
    while next_job < len(all) or ends:
        now = min([j.at for j in all[next_job : next_job + 1]] + [e[0] for e in ends[:1]])
        come = next_job
        while come < len(all) and all[come].at <= now:
            come += 1
        over = []
        while ends and ends[0][0] <= now:
            over.append(heapq.heappop(ends)[1])
        moment = START + timedelta(seconds=now)
        await db.execute("update clock set shift = $1 - clock_timestamp(), held = '0'", moment)
        await end(db, over)
        known -= set(over)
        if come > next_job:
            await wait(db, all[next_job:come])
            next_job = come
        while await hand.once():
            pass
        for owner in set(await running(db)) - known:
            job = by_owner[owner]
            known.add(owner)
            heapq.heappush(ends, (now + job.sort.runs, owner))
            last = max(last, now + job.sort.runs)
            used += job.sort.units * job.sort.runs / 1000
    took = time.perf_counter() - begun
    assert not await db.fetchval("select count(*) from queue_entry")
    first = all[0].at / 1000
    FIGURES.add("replay: first to last", last / 1000 - first, "s",
                peer=("the quotas' bound", bound()), most=1.1)  # fmt: skip
    FIGURES.add("the same", last / 1000, "s", peer=("Kueue's published", 351.1))
    use = used / (COHORTS * QUEUES * NOMINAL) / (last / 1000)
    FIGURES.add("quota in use on the average", 100 * use, "%", limit=55, least=1.0)
    FIGURES.add("what the replay took here", took, "s", peer=("as it would run", last / 1000))


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        postgres = EmbeddedPostgres(File(place) / "postgres", fsync=True)
        url = await postgres.start()
        try:
            await migrate(url)
            db = await Database.open(url)
            resources = Resources(Registry.discover(), Sealer(File(place) / "keys"), "home")
            await make(db, resources)
            hand, all = Hand(db, resources), jobs()
            await saturated(db, hand, all)
            await replay(db, hand, jobs())
            await db.close()
        finally:
            await postgres.stop()
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))

"""Series: how fast samples of 10,000 workloads are written and packed, what a workload-day of them
takes on disk, and how soon a day and 90 days of one are read.

The peer, in the same run and the same Postgres (fsync on): a row for each sample in a plain table,
written by COPY without an index, then read with one, averaged to the same points.

    python bench/series.py [--workloads 10000] [--hosts 100] [--history 50]
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from figures import Figures
from skerry.series import STEP, Batch, Recorder
from skerry.series.columns import COLUMNS
from skerry.series.packing import FINE, SLOTS, pack
from skerry.series.views import answer, question
from skerry.store import Database, Tx
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres
from skerry.store.queries import load

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
MEASURED = ("cpu", "memory", "received", "sent", "disk")
"""Of a workload without GPU and routes: the usual one."""
_sql = load("skerry.series")
FIGURES = Figures("series")


class Cloud:
    """So many workloads on so many hosts, each the one task of a job of its own."""

    def __init__(self, db: Database, workloads: int, hosts: int) -> None:
        self.db = db
        self.jobs = [uuid.uuid4() for _ in range(workloads)]
        self.owners = {str(job): job for job in self.jobs}
        self.hosts = [self.jobs[i::hosts] for i in range(hosts)]
        self.recorder = Recorder(db)
        self.chance = random.Random(1)

    async def begin(self) -> None:
        await self.clock(START)
        await self.db.execute(
            "insert into resource select j, 'job', j::text, j::text, 'acme', 'lab', '', '', null,"
            " j, '', '{}', '{}', '{}', '{}', 'v1', '{}', 'active', '[]', 1, 1, now(), now(), null"
            " from unnest($1::uuid[]) j",
            self.jobs,
        )

    async def clock(self, at: datetime) -> None:
        await self.db.execute("update clock set shift = $1 - clock_timestamp()", at)

    async def _owners(self, tx: Tx, names: Sequence[str]) -> Mapping[str, uuid.UUID]:
        return {name: self.owners[name] for name in names}

    def batch(self, jobs: Sequence[uuid.UUID], number: int) -> Batch:
        columns = {name: [number * 15.0 + self.chance.random() * 1e6 for _ in jobs]
                   for name in MEASURED}  # fmt: skip
        return Batch("task", [(str(job), 0) for job in jobs], columns, self._owners)

    async def tick(self, number: int) -> float:
        """All hosts speak at one instant; the seconds that writing took."""
        await self.clock(START + timedelta(seconds=number * STEP))
        said = [self.batch(jobs, number) for jobs in self.hosts]
        start = time.perf_counter()
        for host, batch in enumerate(said):
            assert await self.recorder.write(f"hall/{host}", [batch])
        return time.perf_counter() - start


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def size(db: Database, like: str) -> int:
    found: int = await db.fetchval(
        "select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class"
        " where relkind = 'r' and relname like $1",
        like,
    )
    return found


async def writing(cloud: Cloud) -> None:
    db, count = cloud.db, len(cloud.jobs)
    await cloud.tick(0)  # names its subjects, once in their life
    seconds = sum([await cloud.tick(number) for number in range(1, SLOTS)])
    columns = ", ".join(f"{name} real" for name in COLUMNS)
    await db.execute(f"create table peer (at timestamptz, subject integer, {columns})")
    plain = 0.0
    for number in range(1, SLOTS):
        at = START + timedelta(seconds=number * STEP)
        batch = cloud.batch(cloud.jobs, number)
        values = [batch.columns.get(name, [None] * count) for name in COLUMNS]
        rows = [(at, i, *row) for i, row in enumerate(zip(*values, strict=True))]
        hosts = len(cloud.hosts)

        async def copied(rows: list[tuple[object, ...]] = rows, hosts: int = hosts) -> None:
            for host in range(hosts):
                async with db.transaction() as tx:
                    await tx.copy("peer", ("at", "subject", *COLUMNS), rows[host::hosts])

        plain += await timed(copied)
    rate, peer = (count * (SLOTS - 1) / s for s in (seconds, plain))
    FIGURES.add("written", rate, "/s", limit=count / STEP, least=1)
    FIGURES.add("written, beside COPY of rows", rate, "/s", peer=("COPY", peer))
    await cloud.clock(START + timedelta(seconds=FINE + 2 * STEP))
    packed = await timed(lambda: pack(db))
    FIGURES.add("five minutes of all, packed", packed, "s", limit=FINE / 10)
    ours = await size(db, "sample%") / count / FINE * 86400 / 1024
    theirs = await size(db, "peer") / count / (FINE - STEP) * 86400 / 1024
    FIGURES.add("15 s points, a workload's day", ours, "KiB", limit=1024)
    FIGURES.add("15 s points, beside rows", ours, "KiB", peer=("rows", theirs))


async def history(cloud: Cloud, count: int) -> list[uuid.UUID]:
    """Give some workloads a day of samples and 90 days of rollups, by SQL from what is there."""
    db, end = cloud.db, START + timedelta(days=90)
    jobs = cloud.jobs[:count]
    await db.execute("update subject set seen_at = $1", end)
    for table, first, every, width in (
        ("sample", timedelta(days=1), FINE, timedelta(hours=6)),
        ("rollup", timedelta(days=90), 3600, timedelta(days=7)),
    ):
        at = end - first
        while at < end + width:
            await db.fetchval(_sql.keep_partitions, table, width, at, START)
            at += width
        rows = {
            "sample": ", ".join((*COLUMNS, "mean", "peak")),
            "rollup": ", ".join(
                [*(f"{name}[1:12]" for name in COLUMNS), *(f"{name}[9:20]" for name in COLUMNS)]
            ),
        }[table]
        await db.execute(
            f"insert into {table} select subject, t, {rows} from sample"
            " join subject s on s.id = subject and s.owner = any($1),"
            " generate_series($2::timestamptz, $3, make_interval(secs => $4)) t"
            " where start = $5",
            jobs, end - first, end - timedelta(seconds=every), float(every), START,
        )  # fmt: skip
    await db.execute("update packed set until = $1", end)
    await db.execute("insert into packed values ('rollup', $1) on conflict do nothing", end)
    await cloud.clock(end)
    await peers(db, count, end)
    await db.execute("vacuum analyze")
    return jobs


async def peers(db: Database, count: int, end: datetime) -> None:
    for table, first, every in (("peer_day", 1, STEP), ("peer_quarter", 90, FINE)):
        await db.execute(f"create table {table} (like peer)")
        names = ", ".join(COLUMNS)
        await db.execute(
            f"insert into {table} select t, subject, {names} from peer,"
            " generate_series($2::timestamptz, $3, make_interval(secs => $4)) t"
            " where subject < $1 and at = $5",
            count, end - timedelta(days=first), end, float(every), START + timedelta(seconds=STEP),
        )  # fmt: skip
        await db.execute(f"create index on {table} (subject, at)")


async def reading(cloud: Cloud, jobs: Sequence[uuid.UUID]) -> None:
    db = cloud.db
    per = await size(db, "rollup%") / len(jobs) / 90 / 1024
    plain = await size(db, "peer_quarter") / len(jobs) / 90 / 1024
    FIGURES.add("5 min points, a workload's day", per, "KiB", limit=128)
    FIGURES.add("5 min points, beside rows", per, "KiB", peer=("rows", plain))
    means = ", ".join(f"avg({name}), max({name})" for name in COLUMNS)
    for name, start, step, table in (
        ("a day", "-1d", 360, "peer_day"),
        ("90 days", "-90d", 32400, "peer_quarter"),
    ):
        ours, theirs = [], []
        for number in range(min(len(jobs), 50)):
            job, seconds = jobs[number], int(start[1:-1]) * 86400.0

            async def ask(job: uuid.UUID = job, start: str = start, step: int = step) -> None:
                async with db.transaction(readonly=True) as tx:
                    about = question({"from": start, "step": str(step)}, await tx.now())
                    span = about.span
                    subjects = await tx.fetch(_sql.subjects_of, job, span.start, span.end)
                    found = await answer(tx, about, subjects)
                    assert len(found["series"]) > len(MEASURED)

            async def plainly(number: int = number, seconds: float = seconds, step: int = step,
                              table: str = table) -> None:  # fmt: skip
                found = await db.fetch(
                    f"select date_bin(make_interval(secs => $3), at, '2000-01-01'), {means}"
                    f" from {table} where subject = $1"
                    " and at >= skerry_now() - make_interval(secs => $2) group by 1 order by 1",
                    number, seconds, float(step),
                )  # fmt: skip
                assert len(found) > 200

            ours.append(await timed(ask) * 1000)
            theirs.append(await timed(plainly) * 1000)
        middle, peer = statistics.median(ours), statistics.median(theirs)
        FIGURES.add(f"{name} of a workload read, p50", middle, "ms", limit=100)
        FIGURES.add(f"{name} of a workload, beside rows", middle, "ms", peer=("rows", peer))


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--history", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        postgres = EmbeddedPostgres(Path(place) / "pg")
        await postgres.start()
        try:
            await migrate(postgres.url_of("postgres"))
            db = await Database.open(postgres.url_of("postgres"))
            cloud = Cloud(db, given.workloads, given.hosts)
            await cloud.begin()
            await writing(cloud)
            await reading(cloud, await history(cloud, given.history))
            await db.close()
        finally:
            await postgres.stop()
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""The flow engine: how many durable steps a second it takes, and how soon one runs that is woken.

One embedded Postgres with fsync, as `skerry up` starts it, and two processes of one worker each,
which share the flows of one table; two cores for all of it. A step is durable when the commit that
says what follows has reached the disk. Half of the steps run between two transactions, as those
that call a site do, and half of them inside one, as those that bill do.

- steps: lives of twenty steps each, all due at once; once with steps that only move on, once with
  steps that also change the resource, which writes its row and a change for feed and log;
- wake to run: flows that sleep and are woken a hundred times a second, half of them by another
  process (from before it says so) and half by their own clock (from when they are due), until the
  first line of their step runs.

The peer, in the same run, is plain SQL: as many updates of one row each, committed one by one over
as many connections.

    python bench/flows.py [--lives 1000] [--seconds 20]
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path as File

import uvloop

from figures import Figures
from figures.processes import cpu, family
from skerry.kernel.flows import Context, Flow, Next, Services, done, gone, hop, nap, step
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind, Registry, Spec, Status
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.kernel.worker import CHANNEL, Worker, poke
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

FIGURES = Figures("flows")
STEPS, PROCESSES, RATE, PERIOD = 20, 2, 100, 5.0
LONG = 3600.0


class Asked(Spec):
    tell: bool = False
    """Whether each step also changes the resource."""
    every: float = 0.0
    """Seconds a sleeper sleeps; 0: until somebody wakes it."""


class Taken(Status):
    steps: int = 0


class Runs(list[tuple[str, float, float]]):
    """A sleeper's uid, when its step began and when it was due (0: when it was woken)."""


class Walk(Flow):
    """Steps that do nothing but follow each other, outside and inside in turn."""

    @step(deadline=2 * LONG, inside=True)
    async def start(self, ctx: Context) -> Next:
        return hop("walk", after=LONG)

    @step(deadline=2 * LONG)
    async def walk(self, ctx: Context) -> Next:
        return self._onward(ctx, "turn")

    @step(deadline=LONG, inside=True)
    async def turn(self, ctx: Context) -> Next:
        return self._onward(ctx, "walk")

    def _onward(self, ctx: Context, following: str) -> Next:
        taken = int(ctx.data.get("taken", 0)) + 1
        shown = {"steps": taken} if ctx.resource.spec.get("tell") else {}
        if taken == STEPS:
            return done(status=shown)
        return hop(following, status=shown, data={"taken": taken})

    @step(deadline=LONG, inside=True)
    async def update(self, ctx: Context) -> Next:
        return hop("walk")

    @step(deadline=LONG, inside=True)
    async def remove(self, ctx: Context) -> Next:
        return gone()


class Sleep(Walk):
    """Sleeps until it is woken, and says when that was."""

    @step(deadline=2 * LONG)
    async def walk(self, ctx: Context) -> Next:
        now = time.time()
        ctx.services[Runs].append((str(ctx.resource.uid), now, ctx.data.get("due") or 0.0))
        every = ctx.spec(Asked).every
        return nap(every or LONG, data={"due": now + every if every else None})


REGISTRY = Registry(
    tuple(
        Kind(
            provider="bench.flows", collection=f"{flow.__name__.lower()}ers", parent="global",
            noun=f"{flow.__name__.lower()}er", summary="For the benchmark", spec=Asked,
            status=Taken, flow=flow,
        )
        for flow in (Walk, Sleep)
    )
)  # fmt: skip


def resources_of(db: Database, folder: File) -> Resources:
    made = Resources(REGISTRY, Sealer(folder / "seal.json"))
    made.woken = lambda: db.notify(CHANNEL)
    return made


async def work(url: str, folder: File, told: File) -> None:
    """One worker in a process of its own, until its standard input ends."""
    db = await Database.open(url, size=12)
    runs = Runs()
    worker = Worker(db, resources_of(db, folder), Services(runs))
    async with asyncio.TaskGroup() as group:
        working = group.create_task(worker.run())
        await asyncio.to_thread(sys.stdin.read)
        working.cancel()
    told.write_text(json.dumps(runs))
    await db.close()


@contextmanager
def workers(url: str, folder: File) -> Iterator[list[File]]:
    """So many processes; their files are there at the end."""
    files = [folder / f"runs-{number}.json" for number in range(PROCESSES)]
    command = [sys.executable, __file__, "--work", url, str(folder)]
    started = [subprocess.Popen([*command, str(file)], stdin=subprocess.PIPE) for file in files]
    try:
        yield files
    finally:
        for process in started:
            process.communicate()


async def none_left(db: Database, count: str, *args: object) -> None:
    while await db.fetchval(count, *args):  # noqa: ASYNC110 - other processes make it so
        await asyncio.sleep(0.05)


async def put(db: Database, resources: Resources, noun: str, specs: Sequence[dict]) -> list:
    """Make so many of a kind, and wait until they sleep."""
    kind, uids = REGISTRY[noun], []
    for spec in specs:
        async with db.transaction() as tx:
            path = Path(name=f"{noun}-{uuid.uuid4().hex}")
            made = await resources.put(tx, kind, path, {"spec": spec}, SYSTEM)
            uids.append(made.resource.uid)
    await none_left(db, "select count(*) from flow where step = 'start'")
    return uids


async def walked(db: Database, resources: Resources, lives: int, tell: bool) -> tuple[float, float]:
    """Steps a second, and milliseconds of CPU for each: workers and Postgres."""
    uids = await put(db, resources, "walker", [{"tell": tell}] * lives)
    begun, used = time.perf_counter(), cpu(family(os.getpid()))
    await db.execute("update flow set wake_at = skerry_now() where uid = any($1)", uids)
    db.notify(CHANNEL)
    await none_left(db, "select count(*) from flow where uid = any($1) and step <> 'rest'", uids)
    took, used = time.perf_counter() - begun, cpu(family(os.getpid())) - used
    return lives * STEPS / took, 1000 * used / (lives * STEPS)


async def plainly(db: Database, lives: int) -> float:
    """Updates a second."""
    await db.execute("create table peer (id integer primary key, step integer)")
    await db.execute("insert into peer select i, 0 from generate_series(1, $1) i", lives)

    async def life(number: int) -> None:
        for taken in range(STEPS):
            await db.execute("update peer set step = $2 where id = $1", number, taken)

    begun = time.perf_counter()
    await asyncio.gather(*(life(number + 1) for number in range(lives)))
    return lives * STEPS / (time.perf_counter() - begun)


async def woken(db: Database, uids: Sequence[uuid.UUID], seconds: float) -> dict[str, list[float]]:
    """Wake them one after another, at an even pace; when each was woken."""
    said: dict[str, list[float]] = defaultdict(list)
    begun, pause = time.perf_counter(), 1 / (RATE / 2)
    for number in range(int(seconds / pause)):
        await asyncio.sleep(max(0.0, begun + number * pause - time.perf_counter()))
        uid = uids[number % len(uids)]
        said[str(uid)].append(time.time())
        await poke(db, [uid])
    return said


def late(said: dict[str, list[float]], files: Sequence[File]) -> tuple[list[float], list[float]]:
    """Milliseconds by which those ran late that were woken, and those that woke by themselves."""
    runs = sorted(
        (tuple(run) for file in files for run in json.loads(file.read_text())),
        key=lambda run: run[1],
    )
    by_word, by_clock = [], []
    for uid, at, due in runs:
        if uid in said:
            by_word.append((at - said[uid].pop(0)) * 1000)
        elif due:
            by_clock.append((at - due) * 1000)
    assert not any(said.values()), "some were woken and did not run"
    return by_word, by_clock


def tell_late(name: str, found: list[float]) -> None:
    FIGURES.add(f"{name}, p95", statistics.quantiles(found, n=20)[-1], "ms", limit=50.0)


async def measure(url: str, folder: File, lives: int, seconds: float) -> None:
    db = await Database.open(url, size=16)
    resources = resources_of(db, folder)
    await db.fetch("select 1")
    with workers(url, folder):
        rate, used = await walked(db, resources, lives, tell=False)
        telling, used_telling = await walked(db, resources, lives, tell=True)
    peer = await plainly(db, lives)
    FIGURES.add("durable steps", rate, "/s", limit=1000, least=1)
    FIGURES.add("durable steps, beside plain updates", rate, "/s", peer=("updates", peer))
    FIGURES.add("steps that change their resource", telling, "/s", limit=1000, least=1)
    # Two cores have 2 ms for each of 1,000 steps.
    FIGURES.add("CPU of a durable step", used, "ms", limit=2)
    FIGURES.add("CPU of a step that changes its resource", used_telling, "ms", limit=2)
    count = int(RATE / 2 * PERIOD)
    with workers(url, folder) as files:
        sleepers = await put(db, resources, "sleeper", [{}] * count)
        await put(db, resources, "sleeper", [{"every": PERIOD}] * count)
        # Those with a clock of their own start it one after another.
        await db.execute(
            "update flow f set wake_at = skerry_now() + t.number * make_interval(secs => $1)"
            " from (select uid, row_number() over () as number from resource"
            " where (spec ->> 'every')::float > 0) t where t.uid = f.uid",
            PERIOD / count,
        )
        db.notify(CHANNEL)
        said = await woken(db, sleepers, seconds)
        await asyncio.sleep(1)
    by_word, by_clock = late(said, files)
    tell_late("woken by another process", by_word)
    tell_late("woken by its clock", by_clock)
    await db.close()


async def main(lives: int, seconds: float) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-flows-") as place:
        postgres = EmbeddedPostgres(File(place) / "pg")
        url = await postgres.start()
        try:
            await migrate(url)
            await measure(url, File(place), lives, seconds)
        finally:
            await postgres.stop()
    return FIGURES.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lives", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        address, *files = given.work
        uvloop.run(work(address, *(File(file) for file in files)))
    else:
        sys.exit(uvloop.run(main(given.lives, given.seconds)))

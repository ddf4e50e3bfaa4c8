"""What 10,000 live jobs cost that simply run: the whole server as `skerry up` makes it, without
its edge and its agent, on an embedded Postgres with fsync, with ten simulated sites that have
room for all of them, and ten tenants. Each job prints a line every minute, as what lives does.

- steady load: CPU of the server, the simulated hosts within it, and Postgres, while all jobs run:
  billed each minute, sampled every 15 s, watched;
- how many jobs a second were brought from put to running before that: on a quiet machine it takes
  some minutes.

    python bench/simulated.py [--jobs 10000] [--seconds 60] [--profile FILE]
"""

import argparse
import asyncio
import cProfile
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog
import uvloop

from figures import Figures
from figures.processes import cpu, family
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path as At
from skerry.ledger import chart, price_lists
from skerry.server import Server, opened
from skerry.settings import Settings
from skerry.sites.kinds import ensure_region
from skerry.up import equip

T = TypeVar("T")
FIGURES = Figures("simulated")
TENANTS = SITES = 10
SETTLE = 20.0
PUTS = 8
WAITING = "select count(*) from resource where kind = 'job' and status ->> 'phase' <> 'running'"
SCRIPT = msgspec.json.encode([["print", "still here"], ["sleep", 60], ["again"]]).decode()


@asynccontextmanager
async def cloud(data: Path) -> AsyncIterator[Server]:
    """A server that works, with tenants and prices, and no site."""
    async with opened(Settings(data=data, agent=False)) as server:
        hub = equip(server)
        async with server.db.transaction() as tx:
            await ensure_region(tx, server.resources, "home", ["a"], "http://here")
            await price_lists.load(tx, price_lists.shipped())
            for name in (f"tenant-{number}" for number in range(TENANTS)):
                for noun, at in (("tenant", At(name=name)), ("workspace", At(name, name="lab"))):
                    await server.resources.put(tx, server.registry[noun], at, {}, SYSTEM)
                await tx.execute("insert into quota values ($1, 'job', 1000000)", name)
                # Nobody's credit is what is measured here.
                await chart.set_terms(tx, name, chart.Terms("postpaid", None, "EUR"))
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(task()) for task in server.tasks]
            yield server
            for task in running:
                task.cancel()
        await hub.close_all()


async def sites(server: Server, jobs: int) -> None:
    """Sites that have room for so many jobs, evenly."""
    each = -(-jobs // SITES)
    config = {"millicores": 1000 * each, "memory": each << 30, "disk": each << 31}
    spec = {
        "driver": "simulated", "region": "home", "zone": "a", "jurisdiction": "SE",
        "operator": "skerry", "config": config,
    }  # fmt: skip
    async with server.db.transaction() as tx:
        for number in range(SITES):
            at = At(name=f"hall-{number}")
            await server.resources.put(tx, server.registry["site"], at, {"spec": spec}, SYSTEM)
    while await server.db.fetchval("select count(*) from offer") < SITES:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def bring(server: Server, jobs: int) -> float:
    """Put so many and wait until all of them run; the seconds that took."""
    begun, gate = time.perf_counter(), asyncio.Semaphore(PUTS)
    spec = {"command": ["train"], "memory": 1 << 30, "env": {"SKERRY_SIM": SCRIPT}}

    async def one(number: int) -> None:
        async with gate, server.db.transaction() as tx:
            at = At(f"tenant-{number // SITES % TENANTS}", "lab", name=f"job-{number}")
            body = {"spec": {**spec, "site": f"hall-{number % SITES}"}}
            await server.resources.put(tx, server.registry["job"], at, body, SYSTEM)

    await asyncio.gather(*(one(number) for number in range(jobs)))
    told = time.perf_counter()
    while left := await server.db.fetchval(WAITING):
        if time.perf_counter() > told + 15:
            told = time.perf_counter()
            print(f"  {jobs - left} of {jobs} run after {told - begun:.0f} s", flush=True)
        await asyncio.sleep(0.25)
    return time.perf_counter() - begun


def used() -> tuple[float, float]:
    """Seconds of CPU of this process, and of its Postgres."""
    children = [pid for pid in family(os.getpid()) if pid != os.getpid()]
    return time.process_time(), cpu(children)


async def steady(server: Server, seconds: float) -> tuple[float, float]:
    """Cores, of the server and of Postgres."""
    before, begun = used(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, took = used(), time.perf_counter() - begun
    return (after[0] - before[0]) / took, (after[1] - before[1]) / took


async def profiled(work: Coroutine[Any, Any, T], file: str) -> T:
    if not file:
        return await work
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        return await work
    finally:
        profiler.disable()
        profiler.dump_stats(file)


async def main(jobs: int, seconds: float, profile: str) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        async with cloud(Path(place)) as server:
            await sites(server, jobs)
            took = await profiled(bring(server, jobs), profile and f"{profile}.bring")
            await asyncio.sleep(SETTLE)
            ours, postgres = await profiled(steady(server, seconds), profile)
            assert not await server.db.fetchval(WAITING)
    FIGURES.add(f"steady load of {jobs} live jobs", ours + postgres, "cores", limit=1)
    FIGURES.add("of which Postgres", postgres, "cores", limit=1)
    FIGURES.add("jobs put to running", jobs / took, "/s", peer=("wanted", 50))
    return FIGURES.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What live jobs cost.")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--profile", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.exit(uvloop.run(main(given.jobs, given.seconds, given.profile)))

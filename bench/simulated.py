"""How much of a core 10,000 live simulated workloads take.

Each prints a line every ten seconds; every second some end and as many are applied. The peer is
the plain way to write such a twin: one asyncio task per workload that sleeps and appends to a
list, with no events, limits, room or fences.

    python bench/simulated.py [workloads] [seconds]
"""

import asyncio
import itertools
import resource
import sys
import time

import msgspec

from skerry.sites.contract import Resources, Workload
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.world import World

PERIOD = 10
SCRIPT = msgspec.json.encode(
    [["print", "a line of a log"], ["sleep", PERIOD], ["again"]]
).decode()  # fmt: skip


def _work(number: int) -> Workload:
    return Workload(
        id=f"w-{number}",
        tenant="acme",
        command=("train",),
        env={"SKERRY_SIM": SCRIPT},
        resources=Resources(millicores=1000, memory=1 << 30),
    )


async def _watch(driver: Simulated) -> None:
    cursor, _ = await driver.list()
    async for _ in driver.watch(cursor):
        pass


async def _twin(count: int, seconds: int) -> dict[str, float]:
    config = Config(millicores=2000 * count, memory=count << 31, disk=1 << 50)
    driver = Simulated(World(config))
    watching = asyncio.create_task(_watch(driver))
    begun = time.perf_counter()
    for number in range(count):
        await driver.apply(_work(number), 1)
    applied = time.perf_counter() - begun
    numbers = itertools.count(count)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(seconds):
        for _ in range(count // 100):
            number = next(numbers)
            await driver.apply(_work(number), 1)
            await driver.delete(f"w-{number - count}", 1)
        await asyncio.sleep(1)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    begun = time.perf_counter()
    await driver.list()
    listed = time.perf_counter() - begun
    watching.cancel()
    await driver.close()
    return {"applies per second": count / applied, "cores": share, "list, ms": listed * 1000}


async def _peer(count: int, seconds: int) -> dict[str, float]:
    async def live(log: list[tuple[float, str]]) -> None:
        while True:
            log.append((time.time(), "a line of a log"))
            await asyncio.sleep(PERIOD)

    begun = time.perf_counter()
    tasks = [asyncio.create_task(live([])) for _ in range(count)]
    await asyncio.sleep(0)
    applied = time.perf_counter() - begun
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(seconds):
        for _ in range(count // 100):
            tasks.append(asyncio.create_task(live([])))
            tasks.pop(0).cancel()
        await asyncio.sleep(1)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    for task in tasks:
        task.cancel()
    return {"applies per second": count / applied, "cores": share}


def main() -> None:
    count, seconds = (int(word) for word in (*sys.argv[1:], "10000", "20")[:2])
    twin = asyncio.run(_twin(count, seconds))
    peer = asyncio.run(_peer(count, seconds))
    print(f"{count} workloads, {seconds} s, 1 % of them replaced each second")
    for name, figure in twin.items():
        ratio = f"  ({figure / peer[name]:.2f} × asyncio tasks)" if name in peer else ""
        print(f"  {name:20} {figure:12.3f}{ratio}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {'peak memory, MiB':20} {peak:12.0f}")


if __name__ == "__main__":
    main()

"""What a cloud costs that nobody uses: `skerry up` with its agent, left alone.

The peer is an embedded Postgres with the same settings, left alone as long, in the same run. Memory
is the proportional share (PSS) of all processes, CPU what they used while nothing was asked.

    python bench/idle.py [--seconds 60]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from figures import Figures
from figures.processes import TICKS, cpu, disk, family, memory, skerry_up
from skerry.store.postgres import EmbeddedPostgres

SETTLE_SECONDS = 10
LIMITS = {"ready": ("s", 10.0), "memory": ("MiB", 250.0), "CPU of a core": ("%", 2.0),
          "disk": ("MiB", 128.0)}  # fmt: skip


def watched(root: int, seconds: float) -> dict[str, float]:
    time.sleep(SETTLE_SECONDS)
    pids = family(root)
    before, began = cpu(pids), time.monotonic()
    time.sleep(seconds)
    pids = family(root)
    used, took = max(cpu(pids) - before, 1 / TICKS), time.monotonic() - began
    return {"memory": memory(pids), "CPU of a core": 100 * used / took}


def cloud(folder: Path, seconds: float) -> dict[str, float]:
    began = time.monotonic()
    with skerry_up(folder) as process:
        ready = time.monotonic() - began
        found = watched(process.pid, seconds)
        return {"ready": ready, **found, "disk": disk(folder / "cloud")}


async def bare(folder: Path, seconds: float) -> dict[str, float]:
    began = time.monotonic()
    postgres = EmbeddedPostgres(folder / "postgres")
    await postgres.start()
    try:
        ready = time.monotonic() - began
        assert postgres.pid is not None
        found = await asyncio.to_thread(watched, postgres.pid, seconds)
        return {"ready": ready, **found, "disk": disk(folder / "postgres")}
    finally:
        await postgres.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description="What an idle cloud costs.")
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="skerry-idle-") as place:
        ours = cloud(Path(place), seconds)
        peer = asyncio.run(bare(Path(place), seconds))
    print(f"skerry up with its agent, idle for {seconds:g} s")
    figures = Figures("idle")
    for name, (unit, limit) in LIMITS.items():
        figures.add(name, ours[name], unit, limit=limit)
        figures.add(name, ours[name], unit, peer=("bare Postgres", peer[name]))
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())

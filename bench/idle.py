"""What a cloud costs that nobody uses: `skerry up` with its agent, left alone.

The peer is an embedded Postgres with the same settings, left alone as long, in the same run. Memory
is the proportional share (PSS) of all processes, CPU what they used while nothing was asked.

    python bench/idle.py [--seconds 60]
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figures
from skerry.store.postgres import EmbeddedPostgres

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 10
LIMITS = {"ready": ("s", 10.0), "memory": ("MiB", 250.0), "CPU of a core": ("%", 2.0),
          "disk": ("MiB", 128.0)}  # fmt: skip


def family(root: int) -> list[int]:
    """A process and all that came from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, at = [root], 0
    while at < len(found):
        found += children.get(found[at], [])
        at += 1
    return found


def memory(pids: list[int]) -> float:
    """MiB that these processes hold; what they share is counted once."""
    kib = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kib += next(int(text.split()[1]) for text in lines if text.startswith("Pss:"))
    return kib / 1024


def cpu(pids: list[int]) -> float:
    """Seconds of CPU that these processes, and the ended ones they waited for, have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def disk(folder: Path) -> float:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20


def watched(root: int, seconds: float) -> dict[str, float]:
    time.sleep(SETTLE_SECONDS)
    pids = family(root)
    before, began = cpu(pids), time.monotonic()
    time.sleep(seconds)
    pids = family(root)
    used, took = max(cpu(pids) - before, 1 / TICKS), time.monotonic() - began
    return {"memory": memory(pids), "CPU of a core": 100 * used / took}


def cloud(folder: Path, seconds: float) -> dict[str, float]:
    command = [
        str(Path(sys.executable).with_name("skerry")), "up", "--data", str(folder / "cloud"),
        "--listen", "127.0.0.1:0", "--token-file", str(folder / "token"),
    ]  # fmt: skip
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "SKERRY_NO_CONTEXT": "1"}
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    try:
        told = folder / "cloud" / "server.json"
        while not told.exists() and process.poll() is None:
            time.sleep(0.05)
        ready = time.monotonic() - began
        found = watched(process.pid, seconds)
        return {"ready": ready, **found, "disk": disk(folder / "cloud")}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


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

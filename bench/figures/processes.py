"""What processes use, as Linux tells it, and a real `skerry up` to look at."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 120


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
    """MiB that a folder takes."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20


@contextmanager
def skerry_up(folder: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """A cloud of its own in ``folder``/cloud, its operator's token in ``folder``/token, ended at
    the end. Raises ``RuntimeError`` if it does not start."""
    command = [
        str(Path(sys.executable).with_name("skerry")), "up", "--data", str(folder / "cloud"),
        "--listen", "127.0.0.1:0", "--token-file", str(folder / "token"), *flags,
    ]  # fmt: skip
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "SKERRY_NO_CONTEXT": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    try:
        told, until = folder / "cloud" / "server.json", time.monotonic() + START_SECONDS
        while not told.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)

"""What tasks use, from their control groups or, where there are none, from their processes."""

import contextlib
import os
from datetime import UTC, datetime

from skerry.sites.contract import Stats
from skerry.sites.local.cgroups import Cgroups
from skerry.sites.local.held import Held, HeldTask
from skerry.sites.local.shim.sandbox import descendants

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def use(cgroups: Cgroups, held: Held) -> tuple[Stats, ...]:
    """Of each task that has started, so far."""
    return tuple(_task(cgroups, task) for task in held.tasks if task.record is not None)


def _task(cgroups: Cgroups, task: HeldTask) -> Stats:
    record = task.record
    assert record is not None
    now = datetime.now(UTC)
    if task.ended:
        return Stats(rank=task.rank, at=now, cpu_seconds=record.cpu / 1e9, memory_peak=record.peak)
    if cgroups.reason:
        return loose(task, now)
    found = cgroups.group(task.name).use()
    return Stats(
        rank=task.rank,
        at=now,
        cpu_seconds=(record.cpu + found["cpu"]) / 1e9,
        memory=found["memory"],
        memory_peak=max(record.peak, found["peak"]),
        pids=found["pids"],
    )


def loose(task: HeldTask, now: datetime) -> Stats:
    """Of a task without a control group, from the processes that it has now."""
    ticks = pages = count = 0
    for pid in descendants(task.directory.shim()):
        with (
            contextlib.suppress(FileNotFoundError, ProcessLookupError),
            open(f"/proc/{pid}/stat") as file,
        ):
            fields = file.read().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
            pages += int(fields[21])
            count += 1
    return Stats(
        rank=task.rank, at=now, cpu_seconds=ticks / _TICK, memory=pages * _PAGE, pids=count
    )

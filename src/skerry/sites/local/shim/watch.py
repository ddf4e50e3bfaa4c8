"""Limits that no kernel keeps for us: disk space, and without cgroups memory and processes."""

import errno
import os
import time

from .plan import Plan
from .sandbox import descendants

_DISK_EVERY = 1.0
_DISK_SHARE = 20
"""A look at the disk may take this fraction of the time: 1/20."""
_MEMORY_EVERY = 0.25
_BLOCK = 4096


class Watch:
    """``look`` when it is ``due`` (monotonic seconds)."""

    def __init__(self, plan: Plan, *directories: str) -> None:
        """``directories``: those whose space counts."""
        self._plan, self._directories = plan, directories
        self.peak = 0
        """Most memory seen; not looked at where there are control groups."""
        self.disk = -1
        """Bytes it has written, as last seen; below zero before that."""
        self._disk_at = 0.0 if plan.disk or plan.watched else float("inf")
        self._memory_at = float("inf") if plan.group else 0.0

    @property
    def due(self) -> float:
        return min(self._disk_at, self._memory_at)

    def look(self, now: float) -> tuple[str, str] | None:
        """Reason and message if a limit is passed."""
        if now >= self._memory_at:
            self._memory_at = now + _MEMORY_EVERY
            found = self._memory()
            if found:
                return found
        if now >= self._disk_at:
            found = self._disk()
            took = time.monotonic() - now
            self._disk_at = now + max(_DISK_EVERY, took * _DISK_SHARE)
            return found
        return None

    def _disk(self) -> tuple[str, str] | None:
        if self._plan.disk:
            taken = sum(used(directory) for directory in self._directories)
            self.disk = int(min(taken, 1 << 62))
            if taken > self._plan.disk:
                return self.disk_full()
        for directory, size in self._plan.watched:
            if used(directory) > size:
                return "VolumeFull", f"it wrote more than the {size >> 20} MiB of its volume"
        return None

    def disk_full(self) -> tuple[str, str]:
        return "DiskLimit", f"it wrote more than its {self._plan.disk >> 20} MiB of disk space"

    def _memory(self) -> tuple[str, str] | None:
        pids = descendants(os.getpid())
        memory = sum(_share(pid) for pid in pids)
        self.peak = max(self.peak, memory)
        if memory > self._plan.memory:
            limit = f"{self._plan.memory >> 20} MiB of memory"
            return "OutOfMemory", f"it needed more than its {limit}"
        if len(pids) > self._plan.pids:
            own = self._plan.pids - self._plan.depth
            return "ProcessLimit", f"it had more than its {own} processes"
        return None


def _share(pid: int) -> int:
    """Bytes of memory that it has, with its part of what it shares with others."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # it is gone, or changes its user just now
        pass
    return 0


def used(directory: str) -> float:
    """Bytes that a tree takes on disk; what vanishes meanwhile counts nothing.

    A tree so deep that its paths can't be named any more could hide any amount.
    """
    total = 0
    waiting = [directory]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _blocks(entry)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return float("inf")
    return total


def _blocks(entry: "os.DirEntry[str]") -> int:
    """An empty file takes one as well: a disk has only so many inodes, for all tenants."""
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512 or _BLOCK
    except OSError:
        return 0

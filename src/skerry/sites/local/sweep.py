"""Remove what is left of tasks whose shim is no more."""

import contextlib
import os
import signal
import stat
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from skerry.sites.local.cgroups import Cgroups
from skerry.sites.local.engines.base import Engine
from skerry.sites.local.plans import MARK
from skerry.sites.local.shim.sandbox import descendants

_SECONDS = 60


def sweep(name: str, engines: list[Engine], cgroups: Cgroups) -> None:
    """Kill and remove a task's sandbox, by the name that it has everywhere. Raises ``OSError``."""
    group = cgroups.group(name)
    group.kill()
    for engine in engines:
        command = engine.sweep(name)
        if command:
            # It complains about what is gone already; what counts is that it is gone after.
            subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    group.remove()


def sweep_loose(mark: str) -> None:
    """Kill a task's processes where no control group holds them together.

    A sandbox ends with its first process. Bare processes are known by the variables that they
    were started with, and by descent.
    """
    variable = f"{MARK}={mark}".encode()
    found = [pid for pid in _pids() if variable in _environment(pid)]
    found += [below for pid in found for below in descendants(pid)]
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def task_of(pid: int, names: set[str], cgroups: Cgroups, mark: Callable[[str], str]) -> str:
    """Which of these tasks a process belongs to: by its control group or, where there are none, by
    the variables that it was started with. Empty: to none."""
    if cgroups.reason:
        found = set(_environment(pid))
        marks = ((name, f"{MARK}={mark(name)}".encode()) for name in names)
        return next((name for name, marked in marks if marked in found), "")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        groups = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        paths = {line.split(":", 2)[2] for line in groups}
        return next((n for n in names if any(_within(p, cgroups.path(n)) for p in paths)), "")
    return ""


def _within(path: str, group: str) -> bool:
    """Below an agent's own group, too."""
    return f"{path}/".endswith(f"{group}/") or f"{group}/" in f"{path}/"


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def remove_tree(path: Path) -> None:
    """Remove a directory that nobody uses any more, if it is there. Raises ``OSError``."""
    with contextlib.suppress(FileNotFoundError):
        path.chmod(0o700)
        trash = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _empty(trash)
        finally:
            os.close(trash)
        path.rmdir()


def _empty(trash: int) -> None:
    """However deep it is: what lies below comes up to ``trash`` first, a directory at a time."""
    waiting = [name for name in os.listdir(trash) if not _unlinked(trash, name)]
    while waiting:
        directory = waiting.pop()
        # A task of our own user may have closed its directories to itself.
        os.chmod(directory, 0o700, dir_fd=trash)
        below = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=trash)
        try:
            for name in os.listdir(below):
                if not _unlinked(below, name):
                    lifted = uuid.uuid4().hex
                    os.chmod(name, 0o700, dir_fd=below)
                    os.rename(name, lifted, src_dir_fd=below, dst_dir_fd=trash)
                    waiting.append(lifted)
        finally:
            os.close(below)
        os.rmdir(directory, dir_fd=trash)


def _unlinked(directory: int, name: str) -> bool:
    """Whether it could be removed as a file; else it is a directory."""
    if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=directory)
    return True

"""Remove what is left of tasks whose shim is no more."""

import contextlib
import os
import shutil
import signal
import subprocess
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


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def remove_tree(path: Path) -> None:
    """Remove a directory that nobody uses any more, if it is there. Raises ``OSError``."""
    if not path.exists():
        return
    if os.geteuid() != 0:
        # A task of our own user may have closed its directories to itself.
        path.chmod(0o700)
        for directory, names, _ in os.walk(path):
            for name in names:
                below = Path(directory, name)
                if not below.is_symlink():
                    below.chmod(0o700)
    shutil.rmtree(path)

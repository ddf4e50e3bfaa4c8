"""What the engines have in common."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from skerry.sites.contract import Isolation
from skerry.sites.local.shim.plan import PROGRAM_FD
from skerry.sites.local.view import Bind, View

WORK = "/work"
"""Where a task finds its working directory."""


class Unusable(Exception):
    """The engine can't work on this host, and why."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One task to be run."""

    name: str
    """Unique among this data directory's tasks."""
    hostname: str
    uid: int
    directory: Path
    """The task's own, where an engine may leave what it needs."""
    work: Path
    memory: int
    disk: int
    network: bool
    binds: tuple[Bind, ...] = ()
    """Beside those of the view: accounts, devices, volumes."""
    root: Path | None = None
    """What becomes its root directory, instead of the view's skeleton."""
    cgroup: str = ""
    """Path below the cgroup mounts; empty if there are no cgroups."""

    def binds_in_order(self, view: tuple[Bind, ...]) -> tuple[Bind, ...]:
        """Those of the view, its own, its working directory, and those that lie in that."""
        inside = tuple(b for b in self.binds if Path(b.target).is_relative_to(WORK))
        others = tuple(b for b in self.binds if b not in inside)
        return (*view, *others, Bind(str(self.work), WORK, writable=True), *inside)


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What the shim is to start; see ``shim.plan.Plan`` for the meaning of each."""

    argv: list[str]
    directory: Path
    path: str = ""
    """The command's ``PATH``; empty for the agent's own."""
    home: str = "/work"
    pid_file: str = ""
    depth: int = 0
    memory_files: list[bytes] = field(default_factory=list)
    """For the engine, open from ``FIRST_MEMORY_FD`` on."""
    cleanup: list[list[str]] = field(default_factory=list)
    join: bool = True


class Engine(Protocol):
    name: str
    isolation: Isolation

    def version(self) -> str:
        """Raises ``Unusable`` if it is plain already that it can't work."""

    def launch(self, order: Order) -> Launch:
        """Prepare what is needed on disk, without secrets, and say what to start."""

    def sweep(self, name: str) -> list[str]:
        """The command that removes what a dead shim has left of a task; may be empty."""


@dataclass(frozen=True)
class Host:
    """What engines need to know of the host."""

    data: Path
    view: View
    root: bool
    cgroups: str
    """Why there are none; empty if there are."""


def last(uid: int = 0) -> list[str]:
    """The program that every launch ends in; it becomes ``uid`` unless the engine has done so."""
    program = f"/proc/self/fd/{PROGRAM_FD}"
    return [os.path.realpath(sys.executable), "-I", "-S", program, str(uid)]


def find(program: str) -> str:
    """Its path. Raises ``Unusable``."""
    for directory in (*os.get_exec_path(), "/usr/local/sbin", "/usr/sbin", "/sbin"):
        path = os.path.join(directory, program)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise Unusable(f"{program} is not installed")

"""What the engines have in common."""

import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from skerry.sites.contract import Isolation
from skerry.sites.local.shim.plan import FIRST_MEMORY_FD, PROGRAM_FD
from skerry.sites.local.state import NUMBERS
from skerry.sites.local.view import Bind, View

WORK = "/work"
"""Where a task finds its working directory."""


class Unusable(Exception):
    """The engine can't work on this host, and why."""


HOLD = "/.skerry"
"""Where a sandbox holds what ``inside`` carries into an image."""
KEPT = (0, 1, 3, 4, 5, 6, 7, 10)
"""Capabilities that an image's root keeps, over its own files and processes only: to change
owners, pass over permissions, kill, take on other users, and bind low ports."""
ENTERING = (
    *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP"),
    *("SETGID", "SETPCAP", "SETUID", "SYS_ADMIN"),
)
"""Capabilities that ``inside`` needs to enter an image."""
_CARRIED = ("/dev", "/tmp", WORK)  # noqa: S108 - in the sandbox


@dataclass(frozen=True, kw_only=True)
class ImageRoot:
    """An image that a task runs in."""

    rootfs: Path
    disk: Path
    """For all that the task writes to it; in the task's own directory."""
    base: int
    """The host's number for the image's user 0; 0 where the agent can't choose."""
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    """By the image's own numbers."""
    directory: str = "/"


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
    image: ImageRoot | None = None
    """None: the host's own userland."""

    def binds_in_order(self, view: tuple[Bind, ...]) -> tuple[Bind, ...]:
        """Those of the view, its own, its working directory, and those that lie in that.

        For an image its own are held aside until it is entered.
        """
        if self.image is not None:
            image = Bind(str(self.image.rootfs), f"{HOLD}/image")
            disk = Bind(str(self.image.disk), f"{HOLD}/disk", writable=True)
            held = (replace(b, target=f"{HOLD}/{n}") for n, b in enumerate(self.binds))
            return (*view, image, disk, *held, Bind(str(self.work), WORK, writable=True))
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


def last(uid: int = 0, order: Order | None = None) -> list[str]:
    """The program that every launch ends in; it becomes ``uid`` unless the engine has done so, or
    enters the order's image and becomes that one's user."""
    program = f"/proc/self/fd/{PROGRAM_FD}"
    argv = [os.path.realpath(sys.executable), "-I", "-S", program, str(uid)]
    return argv if order is None or order.image is None else [*argv, _root(order, order.image)]


def _root(order: Order, image: ImageRoot) -> str:
    carry = [(place, place) for place in _CARRIED]
    carry += [(f"{HOLD}/{n}", bind.target) for n, bind in enumerate(order.binds)]
    root = {
        "image": f"{HOLD}/image",
        "disk": f"{HOLD}/disk",
        "root": f"{HOLD}/root",
        "carry": [*carry, ("/proc", "/proc")],
        "base": image.base,
        "count": NUMBERS,
        "uid": image.uid,
        "gid": image.gid,
        "groups": image.groups,
        "directory": image.directory,
        "keep": KEPT,
        "filter": FIRST_MEMORY_FD,
    }
    return json.dumps(root, separators=(",", ":"))


def find(program: str) -> str:
    """Its path. Raises ``Unusable``."""
    for directory in (*os.get_exec_path(), "/usr/local/sbin", "/usr/sbin", "/sbin"):
        path = os.path.join(directory, program)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise Unusable(f"{program} is not installed")

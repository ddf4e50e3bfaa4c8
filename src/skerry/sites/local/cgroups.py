"""Where the control groups of this data directory's tasks live, or why there can be none.

Version 1: ``/skerry/INSTANCE/WORKLOAD.RANK`` below the mount of each controller. Version 2: the
same below the root, or, for an agent that is not root, below its own group if that was delegated
to it (then the agent moves into a leaf of it, as the kernel wants processes in leaves only).
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from skerry.sites.local.shim.cgroup import Group

_CONTROLLERS = ("cpu", "cpuacct", "memory", "pids", "freezer")
_UNIFIED = ("cpu", "memory", "pids")
_ROOT = "skerry"


@dataclass(frozen=True)
class Mount:
    directory: Path
    version: int
    options: frozenset[str]


def mounts(mountinfo: str) -> list[Mount]:
    """The cgroup mounts in the text of ``/proc/self/mountinfo``."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            version = 2 if kind == "cgroup2" else 1
            found.append(Mount(Path(left.split(" ")[4]), version, frozenset(options.split(","))))
    return found


class Cgroups:
    """``reason`` is empty if groups can be made."""

    def __init__(self, instance: str, parents: dict[str, Path], reason: str = "") -> None:
        self.instance, self.parents, self.reason = instance, parents, reason

    @property
    def version(self) -> int:
        return 2 if "" in self.parents else 1

    def directories(self, name: str) -> dict[str, str]:
        """Of one task's group, by controller; empty if there can be none."""
        return {
            controller: str(parent / self.instance / name)
            for controller, parent in self.parents.items()
        }

    def path(self, name: str) -> str:
        """The same for an engine that finds the mounts itself."""
        return f"/{_ROOT}/{self.instance}/{name}"

    def group(self, name: str) -> Group:
        return Group(self.directories(name))

    def names(self) -> set[str]:
        """All groups that there are."""
        found = set()
        for parent in self.parents.values():
            with contextlib.suppress(FileNotFoundError):
                found |= {path.name for path in (parent / self.instance).iterdir() if path.is_dir()}
        return found

    def leave(self) -> None:
        """Remove the instance's own directories, if nothing is in them any more.

        Also those that runc makes for further controllers. The directory above is shared with
        other instances, so it stays.
        """
        above = {mount.directory / _ROOT for mount in mounts(_mountinfo())}
        for parent in above | set(self.parents.values()):
            with contextlib.suppress(OSError):
                (parent / self.instance).rmdir()


def find(instance: str) -> Cgroups:
    """Groups for ``instance`` on this host, made ready as far as needed."""
    found = mounts(_mountinfo())
    unified = next((m for m in found if m.version == 2), None)
    try:
        if unified is not None and _has(unified.directory):
            return Cgroups(instance, {"": _unified(unified.directory, instance)})
        parents = {}
        for controller in _CONTROLLERS:
            mount = next((m for m in found if m.version == 1 and controller in m.options), None)
            if mount is None:
                return Cgroups(instance, {}, f"the host has no cgroup controller {controller!r}")
            parents[controller] = mount.directory / _ROOT
            (parents[controller] / instance).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Cgroups(instance, {}, f"no cgroups can be made: {error}")
    return Cgroups(instance, parents)


def _mountinfo() -> str:
    return Path("/proc/self/mountinfo").read_text()


def _has(directory: Path) -> bool:
    """Whether version 2 has the controllers we need, and not version 1."""
    there = (directory / "cgroup.controllers").read_text().split()
    return set(_UNIFIED) <= set(there)


def _unified(mount: Path, instance: str) -> Path:
    """The parent of the instance's groups, with controllers enabled. Raises ``OSError``."""
    top = mount
    if os.geteuid() != 0:
        [own] = [
            line.split(":", 2)[2]
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if line.startswith("0::")
        ]
        top = mount / own.lstrip("/")
        if top.name == "skerry-agent":
            top = top.parent
        leaf = top / "skerry-agent"
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text("0")
    for level in (top, top / _ROOT, top / _ROOT / instance):
        level.mkdir(exist_ok=True)
        (level / "cgroup.subtree_control").write_text(" ".join(f"+{c}" for c in _UNIFIED))
    return top / _ROOT

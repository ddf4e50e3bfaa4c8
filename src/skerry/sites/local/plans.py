"""From a workload to what each of its shims is to do."""

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path

from skerry.sites.contract import Workload
from skerry.sites.contract.gang import given
from skerry.sites.local.cgroups import Cgroups
from skerry.sites.local.engines import inside
from skerry.sites.local.engines.base import Engine, ImageRoot, Launch, Order
from skerry.sites.local.gpus import Gpus
from skerry.sites.local.gpus.giving import Given
from skerry.sites.local.held import directory_of
from skerry.sites.local.images.facts import Image
from skerry.sites.local.networks import gangs
from skerry.sites.local.networks.networks import Networks
from skerry.sites.local.shim.plan import Plan
from skerry.sites.local.state import TaskDirectory, boot_id
from skerry.sites.local.view import Bind, accounts

MARK = "SKERRY_TASK"
"""The variable by which a task's processes are known where there are no control groups."""
ENVIRONMENT = "/environment"
"""Where a sandbox has its Python environment."""
_UID_INSIDE = 1000
_USUAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Setting:
    """What a workload runs in."""

    engine: Engine
    image: Image | None = None
    rootfs: Path | None = None
    """Of the image."""
    environment: Path | None = None

    def command(self, workload: Workload) -> tuple[str, ...]:
        return workload.command or (self.image.command if self.image else ())


@dataclass(frozen=True)
class Attached:
    """A task's volumes and devices, ready to be bound into its sandbox."""

    binds: tuple[Bind, ...] = ()
    root: Path | None = None
    """A root of its own, with places to mount them on."""
    watched: list[tuple[str, int]] = field(default_factory=list)
    """Directories that its shim keeps to a size."""
    given: Given = field(default_factory=Given)
    """Of its devices; their binds are among ``binds``."""


@dataclass(frozen=True)
class Planner:
    """Plans for tasks of one driver."""

    cgroups: Cgroups
    gpus: Gpus
    networks: Networks
    root: bool
    disk: int
    """Bytes for those who don't say how much."""
    hosts: Bind
    """The names of the host itself, for images."""

    def plan(
        self,
        setting: Setting,
        workload: Workload,
        rank: int,
        directory: TaskDirectory,
        uid: int,
        devices: tuple[str, ...],
        volumes: "Attached",
        gang: str = "",
    ) -> Plan:
        """``uid`` is the task's first number. ``workload`` has its secrets here. Writes what the
        engine needs besides, without them. ``gang`` is as in ``Intent``."""
        resources = workload.resources
        disk = resources.disk or self.disk
        order = self._order(setting, workload, rank, directory, uid, disk, volumes, gang)
        launch = setting.engine.launch(order)
        program = Path(inside.__file__).read_bytes()
        env = {**self._env(setting, launch), **volumes.given.env}
        return Plan(
            {
                "workload": workload.id,
                "rank": rank,
                "command": list(setting.command(workload)),
                "env": _looking(
                    {**env, **self.variables(workload, rank, devices, gang)},
                    volumes.given.libraries,
                ),
                "argv": launch.argv,
                "directory": str(launch.directory),
                "pid_file": launch.pid_file,
                "depth": launch.depth,
                "memory_files": [
                    base64.b64encode(content).decode()
                    for content in (program, *launch.memory_files)
                ],
                "cleanup": launch.cleanup,
                "group": self.cgroups.directories(order.name),
                "join": launch.join,
                "millicores": resources.millicores,
                "memory": resources.memory,
                # The engine's own processes don't count against the task's number.
                "pids": resources.pids + launch.depth,
                "disk": disk,
                "watched": volumes.watched,
                "time_limit": workload.time_limit,
                "grace": workload.grace,
                "restart": workload.restart,
                "max_restarts": workload.max_restarts,
                "log_bytes": workload.log_bytes,
                "boot_id": boot_id(),
                "network": -1,
                "hub": -1,
            }
        )

    def _order(
        self,
        setting: Setting,
        workload: Workload,
        rank: int,
        directory: TaskDirectory,
        uid: int,
        disk: int,
        volumes: "Attached",
        gang: str,
    ) -> Order:
        name = f"{workload.id}.{rank}"
        root = self._root(setting, workload, directory, uid)
        joined = gang == "own"
        names = (gangs.hosts(workload, directory.path),) if joined else ()
        return Order(
            name=name,
            hostname=gangs.name(workload, rank),
            uid=uid + root.uid if root and uid else uid,
            directory=directory.path,
            work=directory.work,
            memory=workload.resources.memory,
            disk=disk,
            network=workload.network or joined,
            binds=(
                *(() if root else self._accounts(directory.path, uid)),
                *(names or ((self.hosts,) if root else ())),
                *(self.networks.resolver(directory.path) if workload.network else ()),
                *([Bind(str(e), ENVIRONMENT)] if (e := setting.environment) else ()),
                *volumes.binds,
            ),
            root=volumes.root,
            cgroup="" if self.cgroups.reason else self.cgroups.path(name),
            image=root,
        )

    def _root(
        self, setting: Setting, workload: Workload, directory: TaskDirectory, uid: int
    ) -> ImageRoot | None:
        """With the layer that the task writes to, as its own."""
        image = setting.image
        if image is None or setting.rootfs is None:
            return None
        for part in ("upper", "work"):
            path = directory.disk / part
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.chmod(0o755)
        if uid:
            os.chown(directory.disk / "upper", uid, uid)
        return ImageRoot(
            rootfs=setting.rootfs,
            disk=directory.disk,
            base=uid,
            uid=image.uid,
            gid=image.gid,
            groups=image.groups,
            directory=directory_of(workload, image),
        )

    def _env(self, setting: Setting, launch: Launch) -> dict[str, str]:
        """What a command finds unless the workload sets it otherwise."""
        if setting.image is not None:
            return {"PATH": _USUAL, "HOME": setting.image.home, **setting.image.env}
        env = {"PATH": launch.path, "HOME": launch.home, "LANG": "C.UTF-8"}
        if setting.environment is not None:
            sandboxed = setting.engine.isolation != "process"
            place = ENVIRONMENT if sandboxed else str(setting.environment)
            env |= {"PATH": f"{place}/bin:{launch.path}", "VIRTUAL_ENV": place}
        return env

    def variables(
        self, workload: Workload, rank: int, devices: tuple[str, ...], gang: str = ""
    ) -> dict[str, str]:
        """Those of the workload, which win over its gang's, and ours, which it can't set."""
        ours = {
            "SKERRY_RANK": str(rank),
            "SKERRY_TASKS": str(workload.tasks),
            MARK: self.mark(f"{workload.id}.{rank}"),
        }
        gpus = self.gpus.env(devices) if self.gpus.devices else {}
        return {**given(workload, gangs.told(workload, rank, gang)), **gpus, **ours}

    def mark(self, name: str) -> str:
        """What tells a task's processes from all others on this host."""
        return f"{self.cgroups.instance}/{name}"

    def _accounts(self, directory: Path, uid: int) -> tuple[Bind, ...]:
        texts = accounts(uid if self.root else _UID_INSIDE)
        binds = []
        for name, text in zip(("passwd", "group"), texts, strict=True):
            path = directory / name
            path.write_text(text)
            path.chmod(0o644)
            binds.append(Bind(str(path), f"/etc/{name}"))
        return tuple(binds)


def _looking(env: dict[str, str], libraries: tuple[str, ...]) -> dict[str, str]:
    """With directories where the loader looks after those that it is told already."""
    told = [path for path in env.get("LD_LIBRARY_PATH", "").split(":") if path]
    return {**env, "LD_LIBRARY_PATH": ":".join((*told, *libraries))} if libraries else env

"""From a workload to what each of its shims is to do."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from skerry.sites.contract import Workload
from skerry.sites.local.cgroups import Cgroups
from skerry.sites.local.engines import inside
from skerry.sites.local.engines.base import Engine, Order
from skerry.sites.local.gpus import Gpus
from skerry.sites.local.networks.networks import Networks
from skerry.sites.local.shim.plan import Plan
from skerry.sites.local.state import TaskDirectory, boot_id
from skerry.sites.local.view import Bind, accounts

MARK = "SKERRY_TASK"
"""The variable by which a task's processes are known where there are no control groups."""
_UID_INSIDE = 1000


@dataclass(frozen=True)
class Attached:
    """A task's volumes, ready to be bound into its sandbox."""

    binds: tuple[Bind, ...] = ()
    root: Path | None = None
    """A root of its own, with places to mount them on."""
    watched: list[tuple[str, int]] = field(default_factory=list)
    """Directories that its shim keeps to a size."""


@dataclass(frozen=True)
class Planner:
    """Plans for tasks of one driver."""

    cgroups: Cgroups
    gpus: Gpus
    networks: Networks
    root: bool
    disk: int
    """Bytes for those who don't say how much."""

    def plan(
        self,
        engine: Engine,
        workload: Workload,
        rank: int,
        directory: TaskDirectory,
        uid: int,
        devices: tuple[str, ...],
        volumes: "Attached",
    ) -> Plan:
        """``workload`` has its secrets here. Writes what the engine needs besides, without them."""
        resources = workload.resources
        disk = resources.disk or self.disk
        order = self._order(workload, rank, directory, uid, devices, disk, volumes)
        launch = engine.launch(order)
        program = Path(inside.__file__).read_bytes()
        env = {"PATH": launch.path, "HOME": launch.home, "LANG": "C.UTF-8"}
        return Plan(
            {
                "workload": workload.id,
                "rank": rank,
                "command": list(workload.command),
                "env": {**env, **self.variables(workload, rank, devices)},
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
            }
        )

    def _order(
        self,
        workload: Workload,
        rank: int,
        directory: TaskDirectory,
        uid: int,
        devices: tuple[str, ...],
        disk: int,
        volumes: "Attached",
    ) -> Order:
        name = f"{workload.id}.{rank}"
        return Order(
            name=name,
            hostname=f"{workload.id[:50]}-{rank}",
            uid=uid,
            directory=directory.path,
            work=directory.work,
            memory=workload.resources.memory,
            disk=disk,
            network=workload.network,
            binds=(
                *self._accounts(directory.path, uid),
                *(self.networks.resolver(directory.path) if workload.network else ()),
                *self.gpus.binds(devices),
                *volumes.binds,
            ),
            root=volumes.root,
            cgroup="" if self.cgroups.reason else self.cgroups.path(name),
        )

    def variables(self, workload: Workload, rank: int, devices: tuple[str, ...]) -> dict[str, str]:
        """Those of the workload, and ours, which it can't set."""
        ours = {
            "SKERRY_RANK": str(rank),
            "SKERRY_TASKS": str(workload.tasks),
            MARK: self.mark(f"{workload.id}.{rank}"),
        }
        gpus = self.gpus.env(devices) if self.gpus.devices else {}
        return {**workload.env, **workload.secret_env, **gpus, **ours}

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

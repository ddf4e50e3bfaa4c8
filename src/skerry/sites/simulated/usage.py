"""What a simulated site uses: what its tasks' scripts say, and nothing by the site itself."""

from collections.abc import Sequence

from skerry.sites.contract import DeviceUsage, HostUsage, TaskUsage
from skerry.sites.simulated.clock import moment
from skerry.sites.simulated.task import Task
from skerry.sites.simulated.world import World

_TOLD = 1024
"""Of a larger fleet's devices only the mean is told: there it is the matching that is tried."""


def usage(world: World) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
    """The site and the tasks that run."""
    now = world.now()
    tasks = [task for live in world.workloads() for task in live.tasks]
    live = [task for task in tasks if task.live]
    devices = world.room.devices
    host = HostUsage(
        at=moment(now),
        cpu_seconds=world.spent + sum(task.used(now) for task in tasks),
        memory=sum(task.memory for task in live),
        disk=sum(_disk(task) for task in tasks),
        gpu=sum(len(t.seat.gpus) for t in live if t.busy(now)) / devices if devices else None,
        devices=_devices(world, live, now) if 0 < devices <= _TOLD else (),
    )
    return host, tuple(_task(task, now) for task in live)


def _devices(world: World, live: Sequence[Task], now: float) -> tuple[DeviceUsage, ...]:
    use = {uuid: (task.busy(now), task.memory) for task in live for uuid in task.seat.gpus}
    return tuple(
        DeviceUsage(uuid=gpu.uuid, busy=float(busy), memory=memory)
        for gpu in world.capacity().devices
        for busy, memory in (use.get(gpu.uuid, (False, 0)),)
    )


def _task(task: Task, now: float) -> TaskUsage:
    return TaskUsage(
        id=task.owner.work.id,
        rank=task.rank,
        at=moment(now),
        cpu_seconds=task.used(now),
        memory=task.memory,
        gpu=float(task.busy(now)) if task.seat.gpus else None,
        gpu_memory=task.memory if task.seat.gpus else None,
        disk=_disk(task),
        log=task.log.end,
    )


def _disk(task: Task) -> int:
    return sum(file.size for file in task.files.values())

"""What a simulated site uses: what its tasks' scripts say, and nothing by the site itself."""

from skerry.sites.contract import HostUsage, TaskUsage
from skerry.sites.simulated.clock import moment
from skerry.sites.simulated.task import Task
from skerry.sites.simulated.world import World


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
    )
    return host, tuple(_task(task, now) for task in live)


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

"""A workload of a world: its tasks and the status that others see."""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from skerry.sites.contract import TaskStatus, Workload, WorkloadStatus
from skerry.sites.simulated import script as steps
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.room import Seat
from skerry.sites.simulated.task import Stored, Task

if TYPE_CHECKING:
    from skerry.sites.simulated.world import Timed, World


def script_of(work: Workload, config: Config) -> steps.Script:
    """What the workload's tasks do."""
    program = work.command[0] if work.command else ""
    if "SKERRY_SIM" in work.env:
        return steps.parse(work.env["SKERRY_SIM"])
    if not any(fnmatchcase(program, glob) for glob in config.programs):
        missing = f"{program} is not a command of this simulated site"
        return (steps.End(127, "CommandNotFound", missing),)
    if work.restart == "always":
        said = steps.Print(f"[simulated] pretending to serve {' '.join(work.command)}")
        return (said, *(steps.Listen(port.port) for port in work.ports), steps.Stay())
    cores = min(1.0, work.resources.millicores / 1000)
    return (
        steps.Print(f"[simulated] pretending to run {' '.join(work.command)}"),
        steps.Burn(config.run_seconds * cores),
        steps.End(config.exit_code),
    )


class Live:
    """Owned by the world from ``apply`` to ``delete``."""

    def __init__(self, world: "World", work: Workload, fence: int, seats: list[Seat]) -> None:
        self.world = world
        self.work = work
        self.fence = fence
        self.script = script_of(work, world.config)
        self.tasks = [Task(self, rank, seat) for rank, seat in enumerate(seats)]
        self._status: WorkloadStatus | None = None

    @property
    def status(self) -> WorkloadStatus:
        if self._status is None:
            shown: tuple[TaskStatus, ...] = tuple(task.status for task in self.tasks)
            self._status = WorkloadStatus(
                id=self.work.id,
                fence=self.fence,
                tasks=shown,
                engine="simulated",
                isolation=self.work.isolation,
                labels=self.work.labels,
            )
        return self._status

    def start(self, now: float) -> None:
        """All tasks at once."""
        for task in self.tasks:
            for file in self.work.files:
                task.files[file.path] = Stored(file.size, file.mode, now, digest=file.digest)
            if self.work.time_limit:
                self.schedule(now + self.work.time_limit, task, task.limit, always=True)
        for task in self.tasks:
            task.start(now)

    def kill(self, now: float) -> None:
        """End whatever still runs; nothing of it will be seen."""
        for task in self.tasks:
            if not task.over:
                task.lose(now)

    def changed(self) -> None:
        self._status = None
        self.world.dirty[self.work.id] = self

    def freed(self, task: Task) -> None:
        self.world.room.give_back(self.work.resources, task.seat)

    def schedule(self, at: float, task: Task, then: "Timed", *, always: bool = False) -> None:
        """Call ``then`` at that time if the task is still in the same run (``always``: if it is
        not over)."""
        self.world.schedule(at, then, task, None if always else task.run)

    def blob(self, digest: str) -> bytes:
        return self.world.blobs.read(digest)

"""The workloads that are here, as the driver knows them: what is on disk, read once and kept up."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from skerry.sites.contract import Isolation, Resources, TaskStatus, Workload, WorkloadStatus
from skerry.sites.local.images.facts import Image
from skerry.sites.local.shim.plan import DECISION
from skerry.sites.local.shim.record import sync_directory
from skerry.sites.local.state import (
    Decision,
    Intent,
    Record,
    TaskDirectory,
    boot_id,
    load,
    moment,
    save,
)

_FINAL = ("exited", "lost")
INTENT = "intent.json"
READY = "ready"
"""In a task's directory: which of its runs was found ready."""


def public(workload: Workload) -> Workload:
    """Without its secrets."""
    return msgspec.structs.replace(workload, secret_env={}, secret_files={})


def directory_of(workload: Workload, image: Image | None) -> str:
    """Where its command starts in a sandbox: where the image wants it, unless the workload brings
    files or keeps some, which are named from ``/work`` on."""
    if image is None or workload.files or workload.artifacts:
        return "/work"
    return image.directory or "/work"


class HeldTask:
    """One task: what its shim has last recorded."""

    def __init__(self, id: str, rank: int, path: Path, gpus: tuple[str, ...]) -> None:
        self.id, self.rank, self.gpus = id, rank, gpus
        self.name = f"{id}.{rank}"
        """Unique among the instance's tasks; of its control group, and for the engine."""
        self.directory = TaskDirectory(path)
        self.record: Record | None = None
        self.checked = False
        """Whether it has a health check."""
        self.trouble = ""
        """What is wrong with it, in words."""
        self.rested = False
        """Whether its devices were seen to be given back."""
        self.cpu = 0.0
        """Processor seconds of all its runs, as last seen."""
        self.news = asyncio.Event()
        """Set when its record has been read again."""
        self._ready_run = -1

    def refresh(self) -> None:
        self.record = self.directory.record()
        self.news.set()

    @property
    def ended(self) -> bool:
        return self.record is not None and self.record.phase in _FINAL

    @property
    def running(self) -> bool:
        return self.record is not None and self.record.phase == "running"

    @property
    def run(self) -> int:
        """How often it was started before, while it runs; else -1."""
        found = self.record
        return found.restarts if found and self.running and not found.waiting else -1

    @property
    def unready(self) -> bool:
        return self.running and (self.run < 0 or (self.checked and self.run != self._ready_run))

    def set_ready(self, run: int, trouble: str = "") -> None:
        """A check has found out about that run. Kept on disk, as long as that can be written: who
        comes after this driver has not to find it out anew."""
        self._ready_run, self.trouble = -1 if trouble else run, trouble
        with contextlib.suppress(OSError):
            (self.directory.path / READY).write_text(str(self._ready_run))

    def read_ready(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            self._ready_run = int((self.directory.path / READY).read_text())

    def lose(self, ended_at: int) -> None:
        """Write down that nobody knows how it ended, nor will."""
        known = self.record or Record(phase="pending")
        restarted = known.boot_id not in ("", boot_id())
        self.record = msgspec.structs.replace(
            known,
            phase="lost",
            ended_at=max(ended_at, known.started_at) if known.started_at else 0,
            reason="HostRestarted" if restarted else "ShimDied",
            message=(
                "the host was restarted while it ran"
                if restarted
                else "the process that looked after it was killed, so it was stopped"
            ),
        )
        self.directory.write(self.record)

    def status(self, decision: Decision | None) -> TaskStatus:
        if decision is not None and not decision.go:
            return TaskStatus(
                rank=self.rank, phase="exited", reason=decision.reason, message=decision.message
            )
        found = self.record
        if decision is None or found is None:
            return TaskStatus(rank=self.rank, phase="pending", gpus=self.gpus)
        return TaskStatus(
            rank=self.rank,
            phase=found.phase,
            exit_code=found.exit_code,
            reason=found.reason,
            message=found.message or (self.trouble if self.unready else ""),
            started_at=moment(found.started_at),
            ended_at=moment(found.ended_at),
            restarts=found.restarts,
            gpus=self.gpus,
            unready=self.unready,
        )


class Held:
    """One workload."""

    def __init__(self, path: Path, intent: Intent, fence: int) -> None:
        self.path, self.intent, self.fence = path, intent, fence
        self.workload = intent.workload
        self.decision: Decision | None = None
        self.starting = False
        """Whether this driver is at it just now; then it holds room before the decision."""
        self.tasks = [
            HeldTask(self.workload.id, rank, path / "tasks" / str(rank), gpus)
            for rank, gpus in enumerate(intent.gpus)
        ]
        for task in self.tasks:
            task.checked = self.workload.health is not None
        self.told: WorkloadStatus | None = None
        """The status of the last event."""

    def write_intent(self) -> None:
        """To disk, before anything of it exists. Raises ``OSError``."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        save(self.path / INTENT, self.intent)
        sync_directory(str(self.path.parent))

    def decide(self, decision: Decision) -> None:
        """To disk, once and for all."""
        save(self.path / DECISION, decision)
        self.decision = decision

    def read(self) -> None:
        self.decision = load(self.path / DECISION, Decision)
        for task in self.tasks:
            task.refresh()
            task.read_ready()

    def holdings(self) -> list[tuple[Resources, Sequence[str]]]:
        """What its tasks hold of the host's room."""
        going = self.starting or (self.decision is not None and self.decision.go)
        resources = self.workload.resources
        return [(resources, task.gpus) for task in self.tasks if going and not task.ended]

    def numbers(self) -> dict[int, "HeldTask"]:
        """The tasks' places in the pool of addresses, as far as they are taken."""
        if not self.holdings():
            return {}
        pairs = zip(self.intent.network, self.tasks, strict=False)
        return {number: task for number, task in pairs if not task.ended}

    @property
    def going(self) -> bool:
        """Whether any of its tasks runs, or is to."""
        return bool(self.holdings())

    @property
    def directory(self) -> str:
        return directory_of(self.workload, self.intent.image)

    def uids(self) -> range:
        """The first number of each task."""
        step = self.intent.numbers
        return range(self.intent.uid, self.intent.uid + len(self.tasks) * step, step)

    def users(self) -> list[tuple[int, int]]:
        """The numbers of user and group that each task's command runs as."""
        image = self.intent.image
        own = (image.uid, image.gid) if image and self.intent.uid else (0, 0)
        return [(uid + own[0], uid + own[1]) for uid in self.uids()]

    def taken(self) -> range:
        """All its numbers."""
        return range(self.intent.uid, self.intent.uid + len(self.tasks) * self.intent.numbers)

    def status(self, isolation: Isolation) -> WorkloadStatus:
        return WorkloadStatus(
            id=self.workload.id,
            fence=self.fence,
            tasks=tuple(task.status(self.decision) for task in self.tasks),
            engine=self.intent.engine,
            isolation=isolation,
            labels=self.workload.labels,
        )


def load_intent(path: Path) -> Intent | None:
    """None if a crash came before it was written, or if it can't be read, which the log tells."""
    return load(path / INTENT, Intent)


def free_uid(first: int, taken: Sequence[range], count: int) -> int:
    """The lowest number from ``first`` on with ``count`` free ones."""
    candidate = first
    for uids in sorted(taken, key=lambda uids: uids.start):
        if uids.stop <= candidate:
            continue
        if uids.start - candidate >= count:
            break
        candidate = uids.stop
    return candidate

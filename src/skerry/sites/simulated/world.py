"""A simulated site: everything it owns, and the timers that move it on.

Each verb first lets time pass up to now (``run_due``), then acts. What a verb changes is told by
one event per workload, right after it, so the same verbs at the same times always give the same
events with the same numbers.
"""

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from skerry.sites.checks import check
from skerry.sites.contract import (
    Capacity,
    Refused,
    StaleFence,
    UnknownWorkload,
    Volume,
    VolumeStatus,
    Workload,
    WorkloadStatus,
)
from skerry.sites.simulated.blobs import Blobs
from skerry.sites.simulated.clock import Clock, HostClock
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.events import Events
from skerry.sites.simulated.faults import Fault, Faults
from skerry.sites.simulated.images import Kept
from skerry.sites.simulated.journal import Head, Journal, Record
from skerry.sites.simulated.notice import Notice, done
from skerry.sites.simulated.room import Room
from skerry.sites.simulated.task import Task
from skerry.sites.simulated.volumes import Volumes
from skerry.sites.simulated.workload import Live, script_of

Timed = Callable[[float], None]
_SIGNALS = range(1, 65)
_STOPS = {19, 20, 21, 22}


class World:
    """Outlives the drivers opened on it."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self.config = config
        self.room = Room(config)
        self.volumes = Volumes(self.room)
        self.events = Events(config.keep_events)
        self.faults = Faults()
        self.dirty: dict[str, Live] = {}
        self.heard = Notice()
        """For those who watch."""
        self._live: dict[str, Live] = {}
        self._dead: dict[str, int] = {}
        """The last fence of each deleted id."""
        self._heap: list[tuple[float, int, Timed, Task | None, int | None]] = []
        self._order = itertools.count()
        self._crowded = 1000
        """So many timers that those of what has ended are sorted out."""
        self._now = 0.0
        self.spent = 0.0
        """Processor seconds of what was deleted."""
        self._drivers = 0
        self._waiting: set[asyncio.Future[None]] = set()
        folder = Path(config.directory) if config.directory else None
        self.blobs = Blobs(folder / "blobs" if folder else None)
        self.images = Kept(folder / "images" if folder else None)
        self.environments = Kept(folder / "environments" if folder else None)
        self._journal = Journal(folder) if folder else None
        head = Head(HostClock().now(), config.speed)
        if self._journal is not None:
            head = self._journal.head(head)
        self.clock = clock or HostClock(head.speed, head.since)
        for fault in config.faults:
            self.faults.add(fault, self.clock.now())
        if self._journal is not None:
            self._replay(self._journal.records())

    def _replay(self, records: Iterable[Record]) -> None:
        journal, self._journal = self._journal, None
        for record in records:
            self._pass(record.at)
            if record.workload is not None:
                self._apply(record.workload, record.fence)
            elif record.verb == "delete":
                self._delete(record.id, record.fence)
            elif record.verb in ("close", "sicken", "lose"):
                self._befall(record)
            elif record.verb != "signal":
                self._keep(record)
            else:
                self._signal(self._live[record.id], record.signal, record.fence)
        self._journal = journal

    # Time

    def schedule(self, at: float, then: Timed, task: Task | None, run: int | None) -> None:
        """Call ``then`` at that time, unless ``task`` is over or in another run by then."""
        heapq.heappush(self._heap, (at, next(self._order), then, task, run))

    def now(self) -> float:
        return max(self._now, self.clock.now())

    def run_due(self) -> None:
        """Let everything happen that is due by now, and be woken for the next."""
        self._pass(self.now())
        if self._drivers:
            self.clock.wake(self._heap[0][0] if self._heap else None, self.run_due)

    def _pass(self, until: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until:
            at, _, then, task, run = heapq.heappop(heap)
            self._now = max(self._now, at)
            if task is None or not (task.over or (run is not None and run != task.run)):
                then(at)
                self._tell()
        self._now = max(self._now, until)
        if len(heap) > self._crowded:
            self._heap = [e for e in heap if e[3] is None or not e[3].over]
            heapq.heapify(self._heap)
            self._crowded = max(1000, 2 * len(self._heap))

    def _tell(self) -> None:
        if self.dirty:
            for id, live in self.dirty.items():
                self.events.add(id, live.status)
            self.dirty.clear()
            self.heard.wake()

    def enter(self) -> None:
        """A driver is here: time passes by itself from now on."""
        self._drivers += 1
        self.run_due()

    def leave(self) -> None:
        """A driver is gone. After the last, what happens is worked out when one comes back."""
        self._drivers -= 1
        if not self._drivers:
            self.clock.wake(None, self.run_due)

    def end(self) -> None:
        """Give the journal's file free for another process."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    async def wait(self, notice: Notice) -> None:
        """Until ``notice``, or until everybody is stirred."""
        future = notice.future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    async def sleep(self, seconds: float) -> None:
        """So many simulated seconds, or until everybody is stirred."""
        notice = Notice()
        self.schedule(self.now() + seconds, lambda _: notice.wake(), None, None)
        self.run_due()
        await self.wait(notice)

    def stir(self) -> None:
        """Let everybody who waits look again."""
        for future in tuple(self._waiting):
            done(future)

    def fail(self, fault: Fault) -> None:
        """From now on this goes wrong."""
        self.faults.add(fault, self.now())
        self.stir()

    def heal(self) -> None:
        """No fault is left."""
        self.faults.clear()
        self.stir()

    def close_node(self, name: str, why: str) -> None:
        """Nothing new is placed at the node, for this reason; without one it is open again."""
        self._befalls("close", name, why)

    def sicken(self, device: str, why: str) -> None:
        """The device is not to be used, for this reason; without one it is well again."""
        self._befalls("sicken", device, why)

    def lose_node(self, name: str) -> None:
        """The node is gone, with the tasks that run there."""
        self._befalls("lose", name, "not ready: nothing is heard of it")

    def _befalls(self, verb: Literal["close", "sicken", "lose"], id: str, words: str) -> None:
        self.run_due()
        record = Record(self._now, verb, 0, id, words=words)
        if self._journal is not None:
            self._journal.write(record)
        self._befall(record)
        self._tell()

    def _befall(self, record: Record) -> None:
        if record.verb == "sicken":
            self.room.sicken(record.id, record.words)
            return
        self.room.close(record.id, record.words)
        if record.verb == "lose":
            for task in [task for live in self._live.values() for task in live.tasks]:
                if task.seat.node == record.id and not task.over:
                    task.lose(self._now)

    def users(self) -> list[tuple[Workload, WorkloadStatus]]:
        """Workloads as volumes know them."""
        return [(live.work, live.status) for live in self._live.values() if live.work.mounts]

    # Verbs

    def capacity(self) -> Capacity:
        return self.room.capacity()

    def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        return self.events.last, tuple(live.status for live in self._live.values())

    def workloads(self) -> Iterable[Live]:
        return self._live.values()

    def find(self, id: str) -> Live:
        try:
            return self._live[id]
        except KeyError as error:
            raise UnknownWorkload("UnknownWorkload", f"there is no workload {id!r} here") from error

    def task(self, id: str, rank: int) -> Task:
        live = self.find(id)
        if not 0 <= rank < len(live.tasks):
            raise Refused("UnknownTask", f"{id} has no task of rank {rank}")
        return live.tasks[rank]

    def apply(self, work: Workload, fence: int) -> WorkloadStatus:
        self.run_due()
        check(work)
        self._check_fence(work.id, fence)
        if work.id in self._dead:
            raise Refused("Deleted", f"{work.id} was deleted, and an id is used once only")
        known = self._live.get(work.id)
        if known is None:
            self._check_new(work)
        elif known.work != work:
            raise Refused("Changed", f"{work.id} is here already, as another workload")
        status = self._apply(work, fence)
        self.run_due()
        return self._live[work.id].status if work.id in self._live else status

    def _check_fence(self, id: str, fence: int) -> None:
        known = self._live.get(id)
        last = self._dead.get(id, 0) if known is None else known.fence
        if fence < last:
            raise StaleFence("StaleFence", f"{id} was taken over: {fence} is older than {last}")

    def create_volume(self, volume: Volume, fence: int) -> VolumeStatus:
        self.run_due()
        self.volumes.check_create(volume, fence)
        self._note(Record(self._now, "volume", fence, volume.id, volume=volume))
        return self.volumes.status(volume.id, self.users())

    def list_volumes(self) -> tuple[VolumeStatus, ...]:
        self.run_due()
        return self.volumes.statuses(self.users())

    def delete_volume(self, id: str, fence: int) -> None:
        self.run_due()
        writer, readers = self.volumes.users(id, self.users())
        self.volumes.check_delete(id, fence, [user for user in (writer, *readers) if user])
        self._note(Record(self._now, "volume-delete", fence, id))

    def snapshot_volume(self, id: str, snapshot: str, fence: int) -> None:
        self.run_due()
        self.volumes.check_snapshot(id, snapshot, fence)
        self._note(Record(self._now, "snapshot", fence, id, snapshot=snapshot))

    def delete_snapshot(self, id: str, snapshot: str, fence: int) -> None:
        self.run_due()
        self.volumes.check_drop(snapshot, fence)
        self._note(Record(self._now, "snapshot-delete", fence, id, snapshot=snapshot))

    def _note(self, record: Record) -> None:
        if self._journal is not None:
            self._journal.write(record)
        self._keep(record)

    def _keep(self, record: Record) -> None:
        """Do what was asked about volumes."""
        match record:
            case Record(verb="volume", volume=Volume() as volume):
                self.volumes.create(volume, record.fence)
            case Record(verb="volume-delete"):
                self.volumes.delete(record.id, record.fence)
            case Record(verb="snapshot"):
                self.volumes.snapshot(record.id, record.snapshot, record.fence)
            case _:
                self.volumes.drop(record.id, record.snapshot, record.fence)

    def _check_new(self, work: Workload) -> None:
        self.volumes.check_mounts(work, self.users())
        if work.isolation not in self.config.isolations:
            raise Refused("Isolation", f"this site can't isolate by {work.isolation}")
        script_of(work, self.config)
        if work.isolation == "process" and work.secret_files:
            raise Refused("Unsupported", "a bare process can't be given secret files")
        for file in work.files:
            if not self.blobs.has(file.digest):
                raise Refused("MissingBlob", f"the content of {file.path!r} was not uploaded")
        if work.image and not self.images.has(work.image):
            raise Refused("MissingImage", f"the image {work.image} is not here: prepare it")
        if work.environment and not self.environments.has(work.environment):
            words = f"the Python environment {work.environment} is not here: prepare it"
            raise Refused("MissingEnvironment", words)

    def _apply(self, work: Workload, fence: int) -> WorkloadStatus:
        known = self._live.get(work.id)
        if known is not None:
            if fence > known.fence:
                self._write("apply", fence, workload=work)
                self._move_fence(known, fence)
            return known.status
        seats = self.room.take(work)
        self._write("apply", fence, workload=work)
        live = self._live[work.id] = Live(self, work, fence, seats)
        live.changed()
        self._tell()
        delay = self.config.start_seconds + self.config.start_jitter * _share(work.id)
        self.schedule(self._now + delay, live.start, live.tasks[0], None)
        return live.status

    def _move_fence(self, live: Live, fence: int) -> None:
        if fence > live.fence:
            live.fence = fence
            live.changed()
        self._tell()

    def delete(self, id: str, fence: int) -> None:
        self.run_due()
        self._check_fence(id, fence)
        if id in self._live or self._dead.get(id, 0) < fence:
            self._delete(id, fence)
        self.run_due()

    def _delete(self, id: str, fence: int) -> None:
        self._write("delete", fence, id=id)
        self._dead[id] = fence
        live = self._live.pop(id, None)
        if live is not None:
            live.kill(self._now)
            self.spent += sum(task.used(self._now) for task in live.tasks)
            self.dirty.pop(id, None)
            self.events.add(id, None)
            self.heard.wake()

    def signal(self, id: str, number: int, fence: int) -> None:
        self.run_due()
        live = self.find(id)
        self._check_fence(id, fence)
        if number not in _SIGNALS or number in _STOPS:
            raise Refused("BadSignal", f"a simulated task can't be sent signal {number}")
        self._signal(live, number, fence)
        self.run_due()

    def _signal(self, live: Live, number: int, fence: int) -> None:
        self._write("signal", fence, id=live.work.id, signal=number)
        for task in live.tasks:
            task.told(number, self._now)
        self._move_fence(live, fence)

    def _write(
        self, verb: str, fence: int, *, id: str = "", signal: int = 0,
        workload: Workload | None = None,
    ) -> None:  # fmt: skip
        if self._journal is not None:
            self._journal.write(
                Record(self._now, verb, fence, id, workload, signal)  # type: ignore[arg-type]
            )


def _share(id: str) -> float:
    """A number from 0 to 1 that is always the same for one id."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:4]) / 2**32

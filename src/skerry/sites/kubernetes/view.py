"""What the site looks like just now: records and pods, as informers and our own calls tell of them.

Of a workload there are its record and one ``TaskStatus`` for each pod; of pods that are not ours,
only what they take of their node. Both our own writes and the watches come through here, so that
what was done is seen at once, and a later report of an older state changes nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from skerry.sites.contract import CursorExpired, Event, TaskStatus, WorkloadStatus
from skerry.sites.kubernetes import names, records
from skerry.sites.kubernetes.nodes import Used, requests_of
from skerry.sites.kubernetes.records import Record
from skerry.sites.kubernetes.seen import Pod
from skerry.sites.kubernetes.status import Known, task_status

_log = structlog.get_logger("kubernetes")
PODS = msgspec.json.Decoder(Pod)


@dataclass(slots=True)
class Task:
    """A pod of ours."""

    pod: str
    uid: str
    version: int
    node: str
    status: TaskStatus
    entered: bool
    """Whether its keeper can be entered."""
    ready: bool
    """Whether the kubelet finds it ready."""
    address: str
    """Of the pod, in the cluster."""
    raw: Pod | None = None
    """What it looked like, while its state may yet be told anew."""


@dataclass(slots=True, eq=False)
class Work:
    record: Record
    tasks: dict[int, Task] = field(default_factory=dict)
    told: dict[int, dict[str, str]] = field(default_factory=dict)
    """By rank: the keeper's state when it was last asked."""
    flipped: set[int] = field(default_factory=set)
    """Ranks that the kubelet found ready and does no more, until their keeper has said why."""
    shown: WorkloadStatus | None = None

    @property
    def intent(self) -> records.Intent:
        assert self.record.intent is not None
        return self.record.intent

    def status(self) -> WorkloadStatus:
        intent = self.intent
        return WorkloadStatus(
            id=intent.id,
            fence=self.record.fence,
            tasks=tuple(self.task(rank) for rank in range(intent.tasks)),
            engine=intent.engine,
            isolation=intent.isolation,
            labels=intent.labels,
        )

    def task(self, rank: int) -> TaskStatus:
        if (over := self.record.ended.get(str(rank))) is not None:
            return over
        task = self.tasks.get(rank)
        if task is not None:
            return task.status
        node = self.intent.nodes[rank] if self.intent.pinned else ""
        return TaskStatus(rank=rank, phase="pending", node=node)

    def known(self, rank: int) -> Known:
        intent = self.intent
        gpus = intent.gpus[rank] if intent.gpus else ()
        return Known(
            rank,
            self.record.began,
            intent.waits,
            intent.restart != "never",
            intent.checked,
            self.told.get(rank, {}),
            rank in self.flipped,
            gpus,
        )


class View:
    def __init__(self, home: str, keep: int) -> None:
        self._home, self._keep = home, keep
        self.works: dict[str, Work] = {}
        self.dead: dict[str, int] = {}
        """Deleted ids and their last fence."""
        self.others: dict[str, tuple[str, Used]] = {}
        """By uid: what pods of others take, and of which node."""
        self._early: dict[str, dict[int, Pod]] = {}
        """Pods whose record has not been seen yet."""
        self._events: deque[Event] = deque(maxlen=keep)
        # Cursors of a driver that was here before are older than any of ours.
        self._cursor = self._first = time.time_ns() // 1000
        self._waiters: set[asyncio.Event] = set()
        self.on_task: Callable[[Work, int], None] = lambda work, rank: None
        self.on_orphan: Callable[[str, str, str], None] = lambda where, pod, uid: None

    # Events

    def everything(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        """All that have a record, and a cursor of this moment."""
        shown = [work.shown for work in self.works.values() if work.shown is not None]
        return self._cursor, tuple(shown)

    @property
    def cursor(self) -> int:
        return self._cursor

    def after(self, cursor: int) -> list[Event]:
        """Raises ``CursorExpired``."""
        oldest = self._cursor - len(self._events)
        if not oldest <= cursor <= self._cursor:
            raise CursorExpired(f"events after {cursor} are not kept here")
        missing = self._cursor - cursor
        return [self._events[i] for i in range(len(self._events) - missing, len(self._events))]

    def _tell(self, id: str, status: WorkloadStatus | None) -> None:
        self._cursor += 1
        self._events.append(Event(cursor=self._cursor, id=id, status=status))
        self.stir()

    def stir(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    async def wait(self, done: Callable[[], bool]) -> None:
        """Until it holds."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            while not done():
                waiter.clear()
                await waiter.wait()
        finally:
            self._waiters.discard(waiter)

    def show(self, work: Work) -> None:
        """Tell of it, if there is anything new."""
        status = work.status()
        if status != work.shown:
            work.shown = status
            self._tell(status.id, status)

    # Records

    def record(self, record: Record) -> None:
        work = self.works.get(record.id)
        if record.deleted or record.intent is None:
            self.dead[record.id] = max(record.fence, self.dead.get(record.id, 0))
            if work is not None:
                self._gone(record.id)
            for pod in self._early.pop(record.id, {}).values():
                self._orphan(pod)
            return
        if record.id in self.dead:
            return
        if work is None:
            work = self.works[record.id] = Work(record)
            for rank, pod in self._early.pop(record.id, {}).items():
                self._put(work, rank, pod)
        elif record.number >= work.record.number:
            work.record = record
            for rank, task in work.tasks.items():
                if task.raw is not None:
                    task.status = task_status(task.raw, work.known(rank))
        self.show(work)

    def reserve(self, record: Record) -> None:
        """It is being made: it holds its room, and nobody is told of it yet."""
        self.works[record.id] = Work(record)

    def forget(self, id: str) -> None:
        """Its start failed, or its record is gone."""
        if id in self.works:
            self._gone(id)

    def _gone(self, id: str) -> None:
        work = self.works.pop(id)
        if work.shown is not None:
            self._tell(id, None)
        else:
            self.stir()

    # Pods

    def pod(self, pod: Pod, raw: bytes | msgspec.Raw) -> None:
        labels = pod.metadata.labels
        id = pod.metadata.annotations.get(names.ID, "")
        if not names.ours(labels, self._home) or not id:
            self._other(pod, raw)
            return
        rank = int(labels.get(names.RANK, "0"))
        if id in self.dead:
            self._orphan(pod)
            return
        work = self.works.get(id)
        if work is None:
            self._early.setdefault(id, {})[rank] = pod
            return
        self._put(work, rank, pod)
        self.show(work)

    def _put(self, work: Work, rank: int, pod: Pod) -> None:
        version = int(pod.metadata.resource_version or 0)
        before = work.tasks.get(rank)
        if before is not None and before.uid == pod.metadata.uid and before.version > version:
            return
        ready = any(c.name == names.TASK and c.ready for c in pod.status.container_statuses)
        if ready:
            work.flipped.discard(rank)
        elif before is not None and before.ready:
            work.flipped.add(rank)
        status = task_status(pod, work.known(rank))
        entered = any(
            c.name == names.KEEPER and c.state.running is not None
            for c in pod.status.container_statuses
        )
        raw = pod if status.phase in ("pending", "running") else None
        work.tasks[rank] = Task(
            pod=pod.metadata.name,
            uid=pod.metadata.uid,
            version=version,
            node=pod.spec.node_name,
            status=status,
            entered=entered,
            ready=ready,
            address=pod.status.pod_ip or "",
            raw=raw,
        )
        self.on_task(work, rank)

    def tell(self, work: Work, rank: int, state: dict[str, str]) -> None:
        """What its keeper says."""
        work.told[rank] = state
        work.flipped.discard(rank)
        task = work.tasks.get(rank)
        if task is not None and task.raw is not None:
            task.status = task_status(task.raw, work.known(rank))
            self.show(work)

    def no_pod(self, pod: Pod) -> None:
        """It is gone from the cluster."""
        self.others.pop(pod.metadata.uid, None)
        id = pod.metadata.annotations.get(names.ID, "")
        if early := self._early.get(id):
            early.pop(int(pod.metadata.labels.get(names.RANK, "0")), None)
        work = self.works.get(id)
        if work is None:
            return
        for rank, task in list(work.tasks.items()):
            if task.uid == pod.metadata.uid:
                self.lost(work, rank)

    def lost(self, work: Work, rank: int) -> None:
        task = work.tasks.pop(rank, None)
        if str(rank) in work.record.ended:
            return
        before = task.status if task is not None else TaskStatus(rank=rank, phase="pending")
        if before.phase not in ("exited", "lost"):
            before = msgspec.structs.replace(
                before,
                phase="lost",
                reason="PodDeleted",
                message="its pod was deleted in the cluster, and not by Skerry",
                unready=False,
            )
        work.record.ended = {**work.record.ended, str(rank): before}
        self.on_task(work, rank)
        self.show(work)

    def _orphan(self, pod: Pod) -> None:
        meta = pod.metadata
        if not meta.deletion_timestamp:
            self.on_orphan(meta.namespace, meta.name, meta.uid)

    def _other(self, pod: Pod, raw: bytes | msgspec.Raw) -> None:
        if pod.status.phase in ("Succeeded", "Failed") or not pod.spec.node_name:
            self.others.pop(pod.metadata.uid, None)
        else:
            self.others[pod.metadata.uid] = (
                pod.spec.node_name,
                requests_of(msgspec.json.decode(raw)),
            )


class RecordSink:
    """Records, as the informer tells of them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._listing: set[str] = set()
        self._before: set[str] = set()

    def begin(self) -> None:
        """What is made while the list comes in need not be in it."""
        works = self._view.works.values()
        self._listing, self._before = set(), {w.record.id for w in works if w.record.version}

    def put(self, raw: msgspec.Raw) -> str:
        record = records.read(raw)
        if record is None:
            return msgspec.json.decode(raw, type=Pod).metadata.resource_version
        self._listing.add(record.id)
        self._view.record(record)
        return record.version

    def end(self) -> None:
        for id in self._before - self._listing:
            self._view.forget(id)

    def drop(self, raw: msgspec.Raw) -> str:
        record = records.read(raw)
        if record is not None:
            self._view.forget(record.id)
            return record.version
        return msgspec.json.decode(raw, type=Pod).metadata.resource_version


class PodSink:
    """Pods of the whole cluster."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._listing: set[str] = set()
        self._before: set[str] = set()

    def begin(self) -> None:
        self._listing = set()
        works = self._view.works.values()
        self._before = {task.uid for work in works for task in work.tasks.values()}

    def put(self, raw: msgspec.Raw) -> str:
        try:
            pod = PODS.decode(raw)
        except msgspec.ValidationError as error:  # one that we can't read must not hide the others
            _log.warning("pod not understood", error=str(error))
            version: str = msgspec.json.decode(raw)["metadata"]["resourceVersion"]
            return version
        self._listing.add(pod.metadata.uid)
        self._view.pod(pod, raw)
        return pod.metadata.resource_version

    def end(self) -> None:
        """Pods that were deleted while nobody watched."""
        view = self._view
        for uid in set(view.others) - self._listing:
            del view.others[uid]
        for work in list(view.works.values()):
            for rank in range(work.intent.tasks):
                task = work.tasks.get(rank)
                if task is None:
                    missing = work.record.made
                else:
                    missing = task.uid in self._before and task.uid not in self._listing
                if missing:
                    view.lost(work, rank)

    def drop(self, raw: msgspec.Raw) -> str:
        pod = PODS.decode(raw)
        self._view.no_pod(pod)
        return pod.metadata.resource_version

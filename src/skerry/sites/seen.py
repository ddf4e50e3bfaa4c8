"""What is known of each workload: made by whom, last seen how.

A flow writes its intent with ``own`` before it first calls the site, so nothing at a site is ever
without a record here. From then on every sight of the workload, an answer to the flow or an event
of the watch, is folded into one row by ``merge``, which only goes forward: late, doubled and
reordered sights change nothing.

Bills go by these times, so a host's clock is trusted only so far: nothing began before it was made
here or happens later than now, and a time once written down is not moved by what the host says of
it later, as it does when its clock was set.

``give_up`` says that no flow wants it any more; what is still at the site is then deleted by
whoever sees it.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from skerry.sites.contract import TaskPhase, TaskStatus, WorkloadStatus
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites")
_ORDER: Mapping[TaskPhase, int] = {"pending": 0, "running": 1, "lost": 2, "exited": 3}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``workload``."""

    id: str
    at: str
    """The site it is at, or the host at the site."""
    owner: uuid.UUID
    tenant: str
    status: WorkloadStatus | None
    """None: the site never showed it."""
    seen_at: datetime | None
    started_at: datetime | None
    """When its first task started first, as the host told."""
    ended_at: datetime | None
    """When its last task ended, as the host told; None while one runs or is lost untimed."""
    gone_at: datetime | None
    given_up_at: datetime | None


def merge(old: WorkloadStatus | None, new: WorkloadStatus) -> WorkloadStatus:
    """The further of two sights, task by task."""
    if old is None or len(old.tasks) != len(new.tasks):
        return new
    tasks = tuple(_further(a, b) for a, b in zip(old.tasks, new.tasks, strict=True))
    fence, engine = max(old.fence, new.fence), new.engine or old.engine
    return msgspec.structs.replace(new, tasks=tasks, fence=fence, engine=engine)


def _further(old: TaskStatus, new: TaskStatus) -> TaskStatus:
    """A task goes from pending over running to its end, and with a restart round again."""
    if _place(new) < _place(old):
        return old
    started_at, ended_at = old.started_at or new.started_at, new.ended_at
    if (new.phase, new.restarts) == (old.phase, old.restarts):
        ended_at = old.ended_at or ended_at
    if (started_at, ended_at) == (new.started_at, new.ended_at):
        return new
    return msgspec.structs.replace(new, started_at=started_at, ended_at=ended_at)


def within(status: WorkloadStatus, earliest: datetime, latest: datetime) -> WorkloadStatus:
    """The same, its times no earlier and no later than these."""
    tasks = tuple(_within(task, earliest, latest) for task in status.tasks)
    if all(a is b for a, b in zip(tasks, status.tasks, strict=True)):
        return status
    return msgspec.structs.replace(status, tasks=tasks)


def _within(task: TaskStatus, earliest: datetime, latest: datetime) -> TaskStatus:
    started_at, ended_at = task.started_at, task.ended_at
    if started_at is not None:
        started_at = min(max(started_at, earliest), latest)
    if ended_at is not None:
        ended_at = min(max(ended_at, started_at or earliest), latest)
    if (started_at, ended_at) == (task.started_at, task.ended_at):
        return task
    return msgspec.structs.replace(task, started_at=started_at, ended_at=ended_at)


def _place(task: TaskStatus) -> tuple[bool, int, int]:
    over = task.phase in ("exited", "lost")
    return over, task.restarts, _ORDER[task.phase]


def started(status: WorkloadStatus) -> datetime | None:
    """When its first task started, by the host's clock."""
    return min((t.started_at for t in status.tasks if t.started_at), default=None)


def ended(status: WorkloadStatus) -> datetime | None:
    """When its last task ended, by the host's clock; None before that."""
    if not status.ended:
        return None
    return max((t.ended_at for t in status.tasks if t.ended_at), default=None)


async def own(tx: Tx, id: str, *, at: str, owner: uuid.UUID, tenant: str) -> None:
    """Before the first ``apply``, in a transaction of its own: this is to run ``at`` that place.

    Repeating it changes nothing. Raises ``ValueError`` for an id that is used already, by another
    owner or at another place.
    """
    if await tx.fetchval(_sql.own_workload, id, at, owner, tenant) is None:
        raise ValueError(f"workload {id!r} is known already, elsewhere: an id is used once only")


async def give_up(tx: Tx, id: str) -> None:
    """No flow wants it any more. What the site still has of it is deleted when it is seen."""
    await tx.execute(_sql.give_up_workload, id)


async def find(tx: Tx, id: str) -> Seen | None:
    row = await tx.fetchrow(_sql.workload, id)
    return _seen(row) if row else None


async def of_owner(tx: Tx, owner: uuid.UUID) -> list[Seen]:
    """All that a flow ever made, oldest first."""
    return [_seen(row) for row in await tx.fetch(_sql.workloads_of, owner)]


async def owners_at(tx: Tx, at: str) -> list[uuid.UUID]:
    """Whose flows have something at a place that is not over there."""
    return [row["owner"] for row in await tx.fetch(_sql.owners_at, at)]


async def below(tx: Tx, uid: uuid.UUID, name: str = "") -> list[Seen]:
    """All of a resource and of what it owns, oldest first; with a name only those of that one."""
    return [_seen(row) for row in await tx.fetch(_sql.workloads_below, uid, name)]


class Sights(msgspec.Struct, frozen=True):
    """What came of looking at a place."""

    changed: list[Row]
    """The rows that it was news for, as they were before."""
    unknown: list[WorkloadStatus]
    """Workloads that nobody here made."""


async def saw(tx: Tx, at: str, statuses: Iterable[WorkloadStatus]) -> Sights:
    """Fold sights into the rows."""
    newest: dict[str, WorkloadStatus] = {}
    for status in statuses:
        newest[status.id] = merge(newest.get(status.id), status)
    changed: list[Row] = []
    writes = []
    if not newest:
        return Sights([], [])
    now = await tx.now()
    for row in await tx.fetch(_sql.lock_workloads, at, list(newest)):
        known = _status(row)
        status = merge(known, within(newest.pop(row["id"]), row["made_at"], now))
        if status != known:
            changed.append(row)
            body = msgspec.to_builtins(status)
            began = row["started_at"] or started(status)
            writes.append((row["id"], body, status.fence, began, ended(status)))
    await tx.executemany(_sql.see_workload, writes)
    return Sights(changed, list(newest.values()))


async def is_gone(tx: Tx, at: str, ids: Iterable[str]) -> list[Row]:
    """The place does not have them any more. The answer is the rows that this is new for."""
    gone = list(ids)
    rows = await tx.fetch(_sql.lock_workloads, at, gone) if gone else []
    changed = [row for row in rows if row["gone_at"] is None]
    for row in changed:
        await tx.execute(_sql.workload_gone, row["id"])
    return changed


def _status(row: Row) -> WorkloadStatus | None:
    if row["status"] is None:
        return None
    return msgspec.convert(row["status"], WorkloadStatus)


def _seen(row: Row) -> Seen:
    fields: dict[str, Any] = {name: row[name] for name in Seen.__struct_fields__}
    return Seen(**fields | {"status": _status(row)})

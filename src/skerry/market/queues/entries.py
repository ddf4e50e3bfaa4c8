"""What waits and what is admitted, in the database.

An entry belongs to the resource that asks, and is written in the transactions of its flow: made
when it asks first, dropped with its lease or with itself. Only the hand admits. What is admitted
counts until its entry is dropped, whatever the queue allows by then.
"""

import uuid
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from skerry.market.queues.order import Release, Waiting
from skerry.market.queues.quota import Amounts, Book, Queue, Want, counted
from skerry.market.queues.specs import CohortSpec, PriorityClassSpec, QueueSpec
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")
PREEMPT = "preempt"
"""What the flow of one that must give way is told."""
SOON = 30.0
"""Seconds: for one that starts within them by itself nobody is ended."""
PRECEDENCE = 600.0
"""Seconds: so long at most a place that was made for one is for it alone."""
REST = 5.0
"""Seconds until one that found no place is tried again."""


@dataclass(frozen=True)
class Entry:
    """One that waits for its queue, or is admitted."""

    owner: uuid.UUID
    queue: str
    tenant: str
    workspace: str
    subject: str
    priority: int
    preempts: bool
    preemptible: bool
    notice: int
    millicores: int
    memory: int
    gpus: int
    models: list[str]
    duration: int
    asked_at: datetime
    number: int
    state: str
    model: str
    admitted_at: datetime | None
    rests_until: datetime | None
    unplaced_since: datetime | None
    evicted_at: datetime | None
    evicted_for: uuid.UUID | None
    evicted_why: str

    @property
    def amounts(self) -> Amounts:
        return counted(self.millicores, self.memory, self.gpus, self.model)


@dataclass(frozen=True)
class Cohort:
    """Queues that are counted together. ``name`` is empty of a queue that lends to nobody."""

    name: str
    book: Book
    keys: tuple[str, ...]


def entry_of(row: Row) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__})


async def find(tx: Tx, owner: uuid.UUID) -> Entry | None:
    row = await tx.fetchrow(_sql.find, owner)
    return entry_of(row) if row else None


async def drop(tx: Tx, owner: uuid.UUID, ran: timedelta | None = None) -> None:
    """It waits no more, and holds no quota. ``ran`` is how long it did, if it ended by itself."""
    row = await tx.fetchrow(_sql.drop, owner)
    if row is not None and ran is not None and row["queue"] and not row["duration"]:
        await tx.execute(
            _sql.past, row["queue"], row["millicores"], row["gpus"], ran.total_seconds()
        )


async def rest(tx: Tx, owner: uuid.UUID, *, full: bool) -> None:
    """It found no place: its quota is free for others, and it is tried again in a little while.
    ``full``: places that would do are taken."""
    now = await tx.now()
    await tx.execute(_sql.rest, owner, now + timedelta(seconds=REST), now if full else None)


async def placed(tx: Tx, owner: uuid.UUID) -> None:
    """It found a place."""
    await tx.execute(_sql.placed, owner)


async def preemptible(tx: Tx) -> bool:
    """Whether anybody runs that may be ended for others."""
    return bool(await tx.fetchval(_sql.preemptible))


async def comes_first(tx: Tx) -> set[bool]:
    """Whether one with GPUs (True), or one without, waits for a place for which others have been
    ended: until it has it, nobody starts there who would have to end for it again."""
    since = await tx.now() - timedelta(seconds=PRECEDENCE)
    return {row["gpus"] for row in await tx.fetch(_sql.comes_first, since)}


async def queue_of(tx: Tx, tenant: str, workspace: str) -> Queue | None:
    """The queue of a workspace: the one that names it, else the tenant's."""
    best: Queue | None = None
    for row in await tx.fetch(_sql.queues_of, tenant):
        spec = msgspec.convert(row["spec"], QueueSpec)
        if workspace in spec.workspaces:
            return spec.queue(key_of(row["tenant"], row["name"]))
        if not spec.workspaces:
            best = spec.queue(key_of(row["tenant"], row["name"]))
    return best


def key_of(tenant: str, name: str) -> str:
    return f"{tenant}/{name}"


async def class_of(tx: Tx, name: str) -> PriorityClassSpec | None:
    """A priority class, or nothing for one that is not there."""
    row = await tx.fetchrow(_sql.class_of, name)
    return msgspec.convert(row["spec"], PriorityClassSpec) if row else None


async def cohorts(tx: Tx, *, of: str | None = None) -> list[Cohort]:
    """All queues with what they use now, by cohort; or the cohort of one queue alone."""
    found: dict[str, list[Queue]] = {}
    for row in await tx.fetch(_sql.queues):
        key = key_of(row["tenant"], row["name"])
        spec = msgspec.convert(row["spec"], QueueSpec)
        found.setdefault(spec.cohort or f"queue {key}", []).append(spec.queue(key))
    if of is not None:
        found = {n: qs for n, qs in found.items() if any(q.key == of for q in qs)}
    shared = {
        row["name"]: msgspec.convert(row["spec"], CohortSpec).shared
        for row in await tx.fetch(_sql.cohorts)
    }
    made = [
        Cohort(
            queues[0].cohort,
            Book(queues, shared.get(name) if queues[0].cohort else None),
            tuple(queue.key for queue in queues),
        )
        for name, queues in found.items()
    ]
    where = {key: cohort.book for cohort in made for key in cohort.keys}
    for row in await tx.fetch(_sql.used):
        if (book := where.get(row["queue"])) is not None:
            amounts = counted(row["millicores"], row["memory"], row["gpus"], row["model"])
            book.take(row["queue"], amounts)
    return made


async def releases(tx: Tx, keys: Iterable[str]) -> list[Release]:
    """What is admitted of those queues, and when each ends, as far as is known."""
    rows = await tx.fetch(_sql.releases, list(keys))
    return [
        Release(
            row["queue"],
            counted(row["millicores"], row["memory"], row["gpus"], row["model"]),
            row["ends"],
        )
        for row in rows
    ]


async def write(tx: Tx, values: Sequence[object]) -> None:
    """Make an entry, or make it anew."""
    await tx.execute(_sql.add, *values)


def want_of(row: Row) -> Want:
    return Want(row["millicores"], row["memory"], row["gpus"], tuple(row["models"]))


def waiting_of(row: Row, now: datetime, first: Container[bool] = ()) -> Waiting:
    """``first`` is what ``comes_first`` tells."""
    rests = row["rests_until"] is not None and row["rests_until"] > now
    return Waiting(
        owner=row["owner"],
        queue=row["queue"],
        priority=row["priority"],
        asked_at=row["asked_at"],
        number=row["number"],
        want=want_of(row),
        duration=row["duration"],
        rests=rests or (row["preemptible"] and (row["gpus"] > 0) in first),
        unplaced_since=row["unplaced_since"],
        preempts=row["preempts"],
        subject=row["subject"],
        told=row["told"],
    )

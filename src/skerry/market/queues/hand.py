"""The hand that admits: one of all nodes, many entries in one transaction.

Each look reads what the queues use, takes the first of what waits (no more of any sort than could
be admitted at most), decides in memory (``order``), and writes down all that is admitted at once,
with one change for each queue. Nothing is remembered between looks, and looks take turns, so it
does no harm if two hands are at work or one dies anywhere.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from skerry.kernel import changes
from skerry.kernel.resources import Resources
from skerry.kernel.worker import CHANNEL, poke
from skerry.market.queues import entries
from skerry.market.queues.entries import Cohort
from skerry.market.queues.order import Admission, Round, Waiting, admit
from skerry.market.queues.quota import Want
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")
_log = structlog.get_logger("queues")
POLL = 1.0
"""Seconds between two looks without a word."""
PAUSE = 0.05
"""Seconds between two looks at least: what comes at about the same time is looked at at once."""
MOST = 1000
"""Of one sort that has no limit, so many at a look."""
TIDY = 60.0


class Hand:
    """Admits until cancelled."""

    def __init__(self, db: Database, resources: Resources, *, poll: float = POLL) -> None:
        self._db = db
        self._resources = resources
        self._poll = poll
        self._news = asyncio.Event()

    async def run(self) -> None:
        await self._db.listen(CHANNEL, self._news.set)
        tidied = -TIDY
        while True:
            try:
                if (now := asyncio.get_running_loop().time()) - tidied >= TIDY:
                    await self._db.execute(_sql.drop_gone)
                    tidied = now
                await self.once()
            except DATABASE_ERRORS as error:
                _log.warning("database away, admitting later", error=str(error))
            await asyncio.sleep(PAUSE)
            try:
                async with asyncio.timeout(self._poll):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()

    async def once(self) -> int:
        """One look; says how many were admitted."""
        if not await self._db.fetchval(_sql.anybody):
            return 0
        async with self._db.transaction() as tx:
            admitted = await look(tx)
        if admitted:
            await poke(self._db, admitted)
        return len(admitted)


async def look(tx: Tx) -> list[uuid.UUID]:
    """Admit who may be; their owners are to be woken after the commit."""
    await tx.execute(_sql.take_turn)
    now = await tx.now()
    cohorts = await entries.cohorts(tx)
    keys = [key for cohort in cohorts for key in cohort.keys]
    admitted = [row["owner"] for row in await tx.fetch(_sql.free, keys, now)]
    waiting = await _waiting(tx, cohorts, now)
    for cohort in cohorts:
        line = {key: waiting[key] for key in cohort.keys if key in waiting}
        if line:
            found = admit(cohort.book, line, await entries.releases(tx, cohort.keys), now)
            admitted += await _written(tx, found, now)
    return admitted


async def _waiting(tx: Tx, cohorts: Sequence[Cohort], now: datetime) -> dict[str, list[Waiting]]:
    """The first of what waits, by queue, in the queue's order."""
    books = {key: cohort.book for cohort in cohorts for key in cohort.keys}
    asked: list[tuple[object, ...]] = []
    for row in await tx.fetch(_sql.groups):
        if (book := books.get(row["queue"])) is None:
            continue
        rooms = [book.room(way[1]) for way in want_of(row).ways(book.queues[row["queue"]])]
        most = max((MOST if room is None else min(room, MOST) for room in rooms), default=0) + 1
        asked.append(
            (row["queue"], row["priority"], row["millicores"], row["memory"], row["gpus"],
             ",".join(row["models"]), min(most, row["entries"]))
        )  # fmt: skip
    found: dict[str, list[Waiting]] = {}
    if asked:
        for row in await tx.fetch(_sql.heads, *map(list, zip(*asked, strict=True))):
            found.setdefault(row["queue"], []).append(waiting_of(row, now))
    for line in found.values():
        line.sort(key=lambda w: (-w.priority, w.asked_at, w.number))
    return found


def want_of(row: Row) -> Want:
    return Want(row["millicores"], row["memory"], row["gpus"], tuple(row["models"]))


def waiting_of(row: Row, now: datetime) -> Waiting:
    return Waiting(
        owner=row["owner"],
        queue=row["queue"],
        priority=row["priority"],
        asked_at=row["asked_at"],
        number=row["number"],
        want=want_of(row),
        duration=row["duration"],
        rests=row["rests_until"] is not None and row["rests_until"] > now,
        unplaced_since=row["unplaced_since"],
        preempts=row["preempts"],
        subject=row["subject"],
        told=row["told"],
    )


async def _written(tx: Tx, found: Round, now: datetime) -> list[uuid.UUID]:
    """Write down who is admitted. One that was dropped meanwhile is not."""
    if not found.admitted:
        return []
    owners = [one.entry.owner for one in found.admitted]
    models = [one.model for one in found.admitted]
    done = {row["owner"] for row in await tx.fetch(_sql.admit, owners, models, now)}
    by_queue: dict[str, list[Admission]] = {}
    for one in found.admitted:
        # One that found no place is tried again and again, which is no news.
        if one.entry.owner in done and not one.entry.told:
            by_queue.setdefault(one.entry.queue, []).append(one)
    for queue, some in by_queue.items():
        await record(tx, queue, "admitted", now, {"admitted": [_told(one) for one in some]})
    return [owner for owner in owners if owner in done]


def _told(one: Admission) -> dict[str, Any]:
    told: dict[str, Any] = {"subject": one.entry.subject, "uses": dict(one.amounts)}
    if one.borrows:
        told["borrows"] = True
    if one.early:
        told["early"] = True
    return told


async def record(tx: Tx, queue: str, verb: str, now: datetime, what: Mapping[str, Any]) -> None:
    """Write down what was done for a queue, and one change that covers it."""
    id = uuid.uuid4()
    body = {"id": str(id), "at": now.isoformat(), "queue": queue, **what}
    change = changes.change_of(
        now,
        kind="queueing",
        subject=str(id),
        verb=verb,
        tenant=queue.partition("/")[0],
        actor="system",
        body=body,
    )
    await tx.execute(_sql.add_round, id, now, queue, changes.canonical(body).decode(), *change)


@changes.witness("queueing")
async def _rebuild(tx: Tx, subject: str) -> Mapping[str, Any] | None:
    row = await tx.fetchrow(_sql.round, uuid.UUID(subject))
    if row is None:
        return None
    try:
        body: dict[str, Any] = msgspec.json.decode(row["body"])
    except msgspec.DecodeError as error:
        return {"id": subject, "unreadable": str(error)}
    return {**body, "id": subject, "at": row["at"].isoformat(), "queue": row["queue"]}

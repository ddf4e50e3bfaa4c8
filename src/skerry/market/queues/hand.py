"""The hand that admits: one of all nodes, many entries in one transaction.

Each look reads what the queues use, takes the first of what waits (no more of any sort than could
be admitted at most), decides in memory (``order``), and writes down all that is admitted at once,
with one change for each queue. Nothing is remembered between looks, and looks take turns, so it
does no harm if two hands are at work or one dies anywhere.
"""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from skerry.kernel.resources import Resources
from skerry.kernel.worker import CHANNEL, poke
from skerry.market.queues import entries
from skerry.market.queues.entries import Cohort
from skerry.market.queues.making_room import make_room, tell
from skerry.market.queues.order import Admission, Round, Waiting, admit
from skerry.market.queues.rounds import record
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")
_log = structlog.get_logger("queues")
POLL = 1.0
"""Seconds between two looks without a word."""
PAUSE = 0.05
"""Seconds between two looks at least: what comes at about the same time is looked at at once."""
MOST = 1000
"""Of one sort that has no limit, so many at a look."""
FEW = 2
"""Of each sort so many at least: what is in the way of the first may leave room for others, and
there is another look when somebody was admitted."""
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
            admitted = await look(tx, self._resources)
        woken = [*admitted, *await tell(self._db, self._resources)]
        if woken:
            await poke(self._db, woken)
        return len(woken)


async def look(tx: Tx, resources: Resources) -> list[uuid.UUID]:
    """Admit who may be, and choose who gives way to others; the owners of those who were admitted
    are to be woken after the commit."""
    await tx.execute(_sql.take_turn)
    now = await tx.now()
    cohorts = await entries.cohorts(tx)
    keys = [key for cohort in cohorts for key in cohort.keys]
    admitted = [row["owner"] for row in await tx.fetch(_sql.free, keys, now)]
    waiting = await _waiting(tx, cohorts, now)
    rounds = []
    for cohort in cohorts:
        line = {key: waiting[key] for key in cohort.keys if key in waiting}
        if line:
            found = admit(cohort.book, line, await entries.releases(tx, cohort.keys), now)
            admitted += await _written(tx, found, now)
            rounds.append(found)
    await make_room(tx, resources, cohorts, rounds)
    return admitted


async def _waiting(tx: Tx, cohorts: Sequence[Cohort], now: datetime) -> dict[str, list[Waiting]]:
    """The first of what waits, by queue, in the queue's order."""
    books = {key: cohort.book for cohort in cohorts for key in cohort.keys}
    asked: list[tuple[object, ...]] = []
    first_ones: dict[str, dict[str, int]] = {}
    """What those of higher priority would use, of each queue."""
    for row in await tx.fetch(_sql.groups):
        if (book := books.get(row["queue"])) is None:
            continue
        ways = entries.want_of(row).ways(book.queues[row["queue"]])
        before = first_ones.setdefault(row["queue"], {})
        rooms = [book.room(amounts, before) for _, amounts in ways]
        most = max((MOST if room is None else min(room, MOST) for room in rooms), default=0) + FEW
        for name, amount in ways[0][1].items() if ways else ():
            before[name] = before.get(name, 0) + amount * min(most, row["entries"])
        asked.append(
            (row["queue"], row["priority"], row["millicores"], row["memory"], row["gpus"],
             ",".join(row["models"]), min(most, row["entries"]), row["preempts"])
        )  # fmt: skip
    found: dict[str, list[Waiting]] = {}
    first = await entries.comes_first(tx) if asked else ()
    if asked:
        for row in await tx.fetch(_sql.heads, *map(list, zip(*asked, strict=True))):
            found.setdefault(row["queue"], []).append(entries.waiting_of(row, now, first))
    for line in found.values():
        line.sort(key=lambda w: (-w.priority, w.asked_at, w.number))
    return found


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

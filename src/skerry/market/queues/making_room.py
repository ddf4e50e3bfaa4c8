"""Making room for one that waits: who must give way is chosen, written down, and told.

Choosing is part of a look of the hand. It writes into the entry of each one that must end why and
for whom, and a change that tells it. Telling is a transaction of its own for each: its lease drains
for the notice of its priority class, and its flow is told (``preempt``), which asks its processes
to end, waits for the notice, ends them, and queues it again. Killed in between, the next look tells
who was not told yet.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from skerry.kernel.errors import NotFound, Problem
from skerry.kernel.resources import Resources
from skerry.market import decisions, offers
from skerry.market.ask import Ask, Row, Used
from skerry.market.leases import Market
from skerry.market.match import match
from skerry.market.queues import entries
from skerry.market.queues.entries import PREEMPT, Cohort, Entry
from skerry.market.queues.order import Claim, Round, starts_at
from skerry.market.queues.quota import Book, counted
from skerry.market.queues.rounds import record
from skerry.market.queues.victims import Asker, Victim, allowed, choose
from skerry.market.taking import taken_by
from skerry.store import Database, Tx
from skerry.store.database import Row as Record
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")
_log = structlog.get_logger("queues")
ASKERS = 8
"""For so many at a look room is made."""


async def make_room(
    tx: Tx, resources: Resources, cohorts: Sequence[Cohort], rounds: Sequence[Round]
) -> int:
    """Choose who gives way to those who wait, in a look of the hand; says how many must."""
    rows = await tx.fetch(_sql.victims)
    askers = await _askers(tx, cohorts, rounds) if rows else []
    if not askers:
        return 0
    taken = await taken_by(tx, [row["lease"] for row in rows])
    candidates = [_victim(row, taken.get(row["lease"], {})) for row in rows]
    ended: set[uuid.UUID] = set()
    for asker in askers[:ASKERS]:
        left = [v for v in candidates if v.owner not in ended and v.owner != asker.entry.owner]
        if not allowed(asker, left):
            continue
        places = await _placing(tx, resources, asker)
        chosen = await choose(asker, left, places) if places is not None else ()
        if chosen:
            ended |= {victim.owner for victim in chosen}
            await _write(tx, asker, chosen)
    return len(ended)


async def _askers(tx: Tx, cohorts: Sequence[Cohort], rounds: Sequence[Round]) -> list[Asker]:
    """Who waits, may have others ended, and has nobody ended for it yet."""
    books = {key: cohort.book for cohort in cohorts for key in cohort.keys}
    found: list[Asker] = []
    served = {row["evicted_for"] for row in await tx.fetch(_sql.served)}
    now = await tx.now()
    for one in rounds:
        for claim in _blocked(one, books):
            own = books[claim.entry.queue]
            if not claim.entry.preempts or claim.entry.owner in served:
                continue
            if not await _soon(tx, cohorts, claim, own, now):
                found.append(Asker(claim.entry, claim.amounts, own, False, full=False))
    for row in await tx.fetch(_sql.unplaced):
        entry = entries.entry_of(row)
        if entry.owner in served or not entry.preempts:
            continue
        waiting = entries.waiting_of(row, now)
        book = books.get(entry.queue)
        if book is None:
            found.append(Asker(waiting, {}, None, entry.preemptible, full=True))
            continue
        fitting = (a for _, a in waiting.want.ways(book.queues[entry.queue]))
        amounts = next((a for a in fitting if book.fits(entry.queue, a)), None)
        if amounts is not None:
            found.append(Asker(waiting, amounts, book, entry.preemptible, full=True))
    return sorted(found, key=lambda a: (-a.entry.priority, a.entry.asked_at, a.entry.number))


def _blocked(one: Round, books: dict[str, Book]) -> Iterable[Claim]:
    """Those who were passed over for want of quota, and might have it by right."""
    seen = set()
    for entry in one.passed:
        book, like = books[entry.queue], (entry.queue, entry.priority, entry.want, entry.preempts)
        if entry.rests or like in seen:
            continue
        seen.add(like)
        for _, amounts in entry.want.ways(book.queues[entry.queue])[:1]:
            if book.possible(entry.queue, amounts):
                yield Claim(entry, amounts, book.within(entry.queue, amounts))


async def _soon(tx: Tx, cohorts: Sequence[Cohort], claim: Claim, book: Book, now: datetime) -> bool:
    """Whether it starts by itself before anybody's notice is over: then nobody need give way."""
    keys = next(c.keys for c in cohorts if c.book is book)
    ends = await entries.releases(tx, keys)
    start = starts_at(book, claim.entry.queue, claim.amounts, ends)
    return start is not None and start <= now + timedelta(seconds=entries.SOON)


def _victim(row: Record, taken: Mapping[str, Used]) -> Victim:
    return Victim(
        owner=row["owner"],
        queue=row["queue"],
        tenant=row["tenant"],
        subject=row["subject"],
        priority=row["priority"],
        preemptible=row["preemptible"],
        amounts=counted(row["millicores"], row["memory"], row["gpus"], row["model"]),
        takes=tuple(taken.items()),
        lost=row["lost"],
        notice=row["notice"],
    )


async def _placing(tx: Tx, resources: Resources, asker: Asker) -> Any:
    """Whether the market would place it if some had ended; None where it can't be asked."""
    try:
        owner = await resources.by_uid(tx, asker.entry.owner)
        last = await decisions.last_of(tx, owner.uid)
        made = resources.registry[owner.kind].ask
        assert made is not None
        ask = last.decision.ask if last else made(owner.typed(resources.registry[owner.kind].spec))
        assert isinstance(ask, Ask)
        if asker.full and (last is None or last.outcome != "unplaced"):
            return None
        blank = msgspec.structs.replace(ask, currency="", agreed=())
        found = await Market.of(resources).decide(tx, blank, owner.tenant, owner.workspace)
    except (NotFound, Problem) as error:
        _log.info("no room can be made", owner=str(asker.entry.owner), error=str(error))
        return None
    rows: dict[str, Row | None] = {}
    ending = await taken_by(tx, [row["lease"] for row in await tx.fetch(_sql.going)])
    going = [part for parts in ending.values() for part in parts.items()]

    async def places(some: Sequence[Victim]) -> bool:
        freed: dict[str, Used] = {}
        for offer, takes in (*going, *(t for v in some for t in v.takes)):
            freed[offer] = offers.more(freed.get(offer, Used()), takes)
        changed = []
        for offer, takes in freed.items():
            if offer not in rows:
                rows[offer] = await offers.read(tx, offer)
            if (row := rows[offer]) is not None:
                less = offers.less(row.used, takes)
                changed.append((msgspec.structs.replace(row, used=less), None))
        decision = found.decision
        later = found.snapshot.replaced(changed)
        return match(decision.ask, later, decision.policy, decision.at).chosen is not None

    return places


async def _write(tx: Tx, asker: Asker, chosen: Sequence[Victim]) -> None:
    """Write down who must give way, and for whom."""
    now, entry = await tx.now(), asker.entry
    owner = entry.subject
    tenant = _tenant(owner)
    await tx.execute(_sql.room_made, entry.owner, now)
    for victim in chosen:
        # Another tenant's work is nobody's business; that it took its share back is.
        by = owner if tenant == victim.tenant else "one of another tenant"
        if asker.full and victim.preemptible:
            why = f"It is preemptible, and its place was needed for {by}"
        elif victim.queue == entry.queue:
            why = f"It gave way to {by}, of a higher priority"
        else:
            why = f"Its queue had borrowed what {by} took back for its queue's own share"
        await tx.execute(_sql.evict, victim.owner, now, entry.owner, why)
        what = {"subject": victim.subject, "for": owner, "why": why, "notice": victim.notice}
        await record(tx, victim.queue, "preempted", now, {"preempted": what}, victim.tenant)


def _tenant(ref: str) -> str:
    """Whose resource it is, by its ref."""
    parts = ref.split("/")
    return parts[parts.index("tenants") + 1] if "tenants" in parts else ""


async def tell(db: Database, resources: Resources) -> list[uuid.UUID]:
    """Tell those who must give way, and drain their leases; whose flows are to be woken."""
    told = []
    for row in await db.fetch(_sql.to_tell):
        async with db.transaction() as tx:
            if await _tell(tx, resources, row["owner"]):
                told.append(row["owner"])
    return told


async def _tell(tx: Tx, resources: Resources, uid: uuid.UUID) -> bool:
    """In the order of locks that flows have: the owner, its flow, its lease."""
    owner = await resources.by_uid(tx, uid, lock=True)
    entry: Entry | None = await entries.find(tx, uid)
    if entry is None or entry.evicted_at is None or owner.deleted_at is not None:
        return False
    market = Market.of(resources)
    lease = await market.open_lease(tx, uid)
    if lease is None:
        return False
    await resources.intend(tx, uid, PREEMPT)
    await market.drain(tx, lease.id, entry.notice)
    await tx.execute(_sql.warned, uid)
    return True

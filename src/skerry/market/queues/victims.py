"""Who gives way.

For one that waits, those who may be ended are: of its own queue, those of lower priority; of other
queues of its cohort, those who use more than their share, if it stays within its own (as its
queue's ``reclaim`` says); and if only a place is missing, those who agreed to it for a lower price
(``preemptible``), of no higher priority than its own.

Of these the least harm is chosen: first the lowest priority, then the preemptible, then whose queue
borrows, then who loses least: what it has cost so far, since it is run again. No more are taken
than are needed, and none unless all of them together make room for sure: ``places`` is asked
whether the market would then place the one that waits, with all its tasks.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from skerry.market.ask import Used
from skerry.market.queues.order import Waiting
from skerry.market.queues.quota import Amounts, Book

MOST = 512
"""So many that might give way are looked at, the least harm first."""
PLACES = 32
"""And so many places are tried alone."""

Places = Callable[[Sequence["Victim"]], Awaitable[bool]]


@dataclass(frozen=True)
class Victim:
    """One that runs, and might give way."""

    owner: uuid.UUID
    queue: str
    tenant: str
    subject: str
    priority: int
    preemptible: bool
    amounts: Amounts
    takes: tuple[tuple[str, Used], ...]
    """What of which offers it has."""
    lost: int
    """What it has cost since it started, in nano: so much work is done again."""
    notice: int


@dataclass(frozen=True)
class Asker:
    """One that waits, and how its queue would count it. ``book`` is None of one without a queue;
    ``full`` if it has quota, and only a place is missing."""

    entry: Waiting
    amounts: Amounts
    book: Book | None
    preemptible: bool
    full: bool

    @property
    def within(self) -> bool:
        return self.book is None or self.book.within(self.entry.queue, self.amounts)


def may_end(asker: Asker, victim: Victim, book: Book | None) -> bool:
    """Whether one may be ended for the other, as things stand in ``book``."""
    entry = asker.entry
    agreed = victim.preemptible and not asker.preemptible
    if asker.full and agreed and victim.priority <= entry.priority:
        return True
    if book is None or victim.queue not in book.queues:
        return False
    queue = book.queues[entry.queue]
    if victim.queue == entry.queue:
        return queue.preempt == "lower-priority" and victim.priority < entry.priority
    if not asker.within or queue.reclaim == "never" or not _lends(book, victim, asker.amounts):
        return False
    return queue.reclaim == "any" or victim.priority < entry.priority


def _lends(book: Book, victim: Victim, amounts: Amounts) -> bool:
    """Whether its queue uses more than its share of what is needed."""
    used, lines = book.used[victim.queue], book.queues[victim.queue].lines
    return any(
        name in victim.amounts and used.get(name, 0) > lines[name].nominal
        for name in amounts
        if name in lines
    )


def harm(victim: Victim, book: Book | None) -> tuple[int, bool, bool, int, int]:
    """The least first."""
    borrows = book is not None and victim.queue in book.queues and book.share(victim.queue) > 0
    return (
        victim.priority,
        not victim.preemptible,
        not borrows,
        victim.lost,
        victim.owner.int,
    )


async def choose(asker: Asker, candidates: Sequence[Victim], places: Places) -> tuple[Victim, ...]:
    """Who is to give way; nobody if that would not help."""
    order = sorted(candidates, key=lambda v: harm(v, asker.book))[:MOST]
    found = await _least(asker, order, places)
    if not found or not asker.full or len(found) == 1:
        return found
    plans = [found]
    for offer in _offers(order):
        alone = [v for v in order if any(at == offer for at, _ in v.takes)]
        if plan := await _least(asker, alone, places):
            plans.append(plan)
    return min(plans, key=_total)


def _offers(order: Sequence[Victim]) -> list[str]:
    """Where those are that might give way, the least harm first."""
    return list(dict.fromkeys(offer for v in order for offer, _ in v.takes))[:PLACES]


def _total(plan: tuple[Victim, ...]) -> tuple[int, bool, int, int]:
    return (
        max(v.priority for v in plan),
        not all(v.preemptible for v in plan),
        sum(v.lost for v in plan),
        len(plan),
    )


async def _least(asker: Asker, order: Sequence[Victim], places: Places) -> tuple[Victim, ...]:
    """The first of them that make room, less those who are not needed."""

    async def enough(some: Sequence[Victim]) -> bool:
        return _quota(asker, some) and await places(some)

    able = allowed(asker, order)
    if not able or not await enough(able):
        return ()
    few, many = 1, len(able)
    while few < many:
        middle = (few + many) // 2
        if await enough(able[:middle]):
            many = middle
        else:
            few = middle + 1
    chosen = list(able[:many])
    for victim in reversed(chosen[:-1]):
        without = [v for v in chosen if v is not victim]
        if await enough(without):
            chosen = without
    return tuple(chosen)


def allowed(asker: Asker, order: Sequence[Victim]) -> list[Victim]:
    """Those who may be ended one after the other: a queue gives back what it borrowed, no more."""
    book = asker.book.copy() if asker.book is not None else None
    found = []
    for victim in order:
        if may_end(asker, victim, book):
            found.append(victim)
            if book is not None and victim.queue in book.queues:
                book.give(victim.queue, victim.amounts)
    return found


def _quota(asker: Asker, some: Sequence[Victim]) -> bool:
    """Whether the quota is there when those have ended."""
    if asker.book is None:
        return True
    book = asker.book.copy()
    for victim in some:
        if victim.queue in book.queues:
            book.give(victim.queue, victim.amounts)
    return book.fits(asker.entry.queue, asker.amounts)

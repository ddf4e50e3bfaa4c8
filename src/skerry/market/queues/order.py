"""Who is admitted now.

Of the first of each queue, the next is who

1. stays within its queue's nominal share, before who must borrow;
2. has the higher priority;
3. is of the queue that borrows least of the cohort (dominant share by weight);
4. has waited longest.

One that does not fit is passed over, and who comes after it goes on. So that it does not wait for
ever, what is free is *kept* for it: at once if it would stay within its nominal share, else when it
has waited its queue's ``patience`` (one such in each cohort). What is kept others may use only if
they end, by their time limit, before it can start. One that has quota but found no place for so
long holds back, in the same way, who would take what it needs.
"""

import heapq
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from skerry.market.queues.quota import Amounts, Book, Want

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Waiting:
    """An entry that waits, as far as its turn goes."""

    owner: uuid.UUID
    queue: str
    priority: int
    asked_at: datetime
    number: int
    """Grows with each entry: who was first of those that asked at once."""
    want: Want
    duration: int = 0
    """Seconds it may run at most; 0: no limit."""
    rests: bool = False
    """Found no place just now; it is tried again a little later."""
    unplaced_since: datetime | None = None
    preempts: bool = True
    subject: str = ""
    told: bool = False
    """Its admission stands in the log already."""


@dataclass(frozen=True)
class Release:
    """What an admitted entry gives back, and when at the latest; None: nobody knows."""

    queue: str
    amounts: Amounts
    at: datetime | None


@dataclass(frozen=True)
class Admission:
    """One that is admitted, and how it is counted."""

    entry: Waiting
    model: str
    amounts: Amounts
    borrows: bool
    early: bool = False
    """Before one that what is free is kept for, since it ends in time."""


@dataclass(frozen=True)
class Claim:
    """One that what is free is kept for."""

    entry: Waiting
    amounts: Amounts
    within: bool
    """Within its nominal share."""


@dataclass
class Round:
    """What came of one look at a cohort."""

    admitted: list[Admission] = field(default_factory=list)
    passed: list[Waiting] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    doors: list[Waiting] = field(default_factory=list)


Key = tuple[bool, int, int, datetime, int]


class _Look:
    """One look at a cohort."""

    def __init__(self, book: Book, releases: Iterable[Release], now: datetime) -> None:
        self.book = book
        self.kept = book.copy()
        """With what is kept counted as used."""
        self.releases = list(releases)
        self.now = now
        self.found = Round()
        self.borrower = False
        self._starts: datetime | None = None
        self.stale = True

    def key(self, entry: Waiting) -> tuple[Key, str, Amounts | None]:
        """Its place in the order, and the way it would be counted: the first that fits."""
        ways = entry.want.ways(self.book.queues[entry.queue])
        if not ways:
            return (True, -entry.priority, 0, entry.asked_at, entry.number), "", None
        model, amounts = next((w for w in ways if self.kept.fits(entry.queue, w[1])), ways[0])
        place = (
            not self.book.within(entry.queue, amounts),
            -entry.priority,
            self.book.share(entry.queue, amounts),
            entry.asked_at,
            entry.number,
        )
        return place, model, amounts

    def admit(self, entry: Waiting, model: str, amounts: Amounts, *, early: bool) -> None:
        borrows = not self.book.within(entry.queue, amounts)
        self.book.take(entry.queue, amounts)
        self.kept.take(entry.queue, amounts)
        at = self.now + timedelta(seconds=entry.duration) if entry.duration else None
        self.releases.append(Release(entry.queue, amounts, at))
        self.stale = True
        self.found.admitted.append(Admission(entry, model, amounts, borrows, early))

    def in_time(self, entry: Waiting) -> bool:
        """Whether it ends before the first of those can start that what is free is kept for."""
        if not entry.duration:
            return False
        if self.stale:
            self._starts, self.stale = self._first_start(), False
        end = self.now + timedelta(seconds=entry.duration)
        return self._starts is not None and end <= self._starts

    def _first_start(self) -> datetime | None:
        starts = [
            starts_at(self.book, c.entry.queue, c.amounts, self.releases) for c in self.found.claims
        ]
        if self.found.doors:
            # Where it will find its place is not known here: nothing is free before the next end.
            starts.append(min((r.at for r in self.releases if r.at is not None), default=None))
        known = [start for start in starts if start is not None]
        return min(known) if known and len(known) == len(starts) else None

    def pass_over(self, entry: Waiting, amounts: Amounts | None) -> None:
        self.found.passed.append(entry)
        if amounts is None or not self.book.possible(entry.queue, amounts):
            return
        within = self.book.within(entry.queue, amounts)
        waited = (self.now - entry.asked_at).total_seconds()
        patient = waited >= self.book.queues[entry.queue].patience
        if within or (patient and not self.borrower):
            self.borrower |= not within
            self.kept.take(entry.queue, amounts)
            self.found.claims.append(Claim(entry, amounts, within))
            self.stale = True

    def held_back(self, entry: Waiting) -> bool:
        """Whether one that has waited for a place comes first."""
        return any(
            bool(door.want.gpus) == bool(entry.want.gpus) and door.owner != entry.owner
            for door in self.found.doors
        )


def admit(
    book: Book,
    waiting: Mapping[str, Sequence[Waiting]],
    releases: Iterable[Release],
    now: datetime,
) -> Round:
    """Admit as many as there is quota for. ``waiting`` is each queue's, in the queue's order (by
    priority, then age), and may hold less than all of them; ``book`` is changed by what is
    admitted. Each queue's entries are looked at in their order, so a cohort's are merged."""
    look = _Look(book, releases, now)
    lines = {queue: deque(entries) for queue, entries in waiting.items() if entries}
    heap: list[tuple[Key, str]] = [(look.key(line[0])[0], queue) for queue, line in lines.items()]
    heapq.heapify(heap)
    failed: dict[str, set[tuple[Want, int]]] = {queue: set() for queue in lines}
    while heap:
        before, queue = heapq.heappop(heap)
        line = lines[queue]
        entry = line[0]
        place, model, amounts = look.key(entry)
        if place > before:
            # Others of its queue or cohort were admitted meanwhile.
            heapq.heappush(heap, (place, queue))
            continue
        line.popleft()
        like = (entry.want, entry.duration)
        if like in failed[queue]:
            look.found.passed.append(entry)
        elif not _try(look, entry, model, amounts):
            failed[queue].add(like)
        if line:
            heapq.heappush(heap, (look.key(line[0])[0], queue))
    return look.found


def _try(look: _Look, entry: Waiting, model: str, amounts: Amounts | None) -> bool:
    """Admit one if it may be; False: no other of its sort can be admitted after it, either."""
    if entry.rests:
        look.found.passed.append(entry)
        since = entry.unplaced_since
        patience = look.book.queues[entry.queue].patience
        if since is not None and (look.now - since).total_seconds() >= patience:
            look.found.doors.append(entry)
            look.stale = True
        return True
    if amounts is None:
        look.pass_over(entry, None)
        return False
    held = look.held_back(entry)
    if look.kept.fits(entry.queue, amounts) and not held:
        look.admit(entry, model, amounts, early=False)
        return True
    if look.book.fits(entry.queue, amounts) and look.in_time(entry):
        look.admit(entry, model, amounts, early=True)
        return True
    look.pass_over(entry, None if held else amounts)
    return False


def starts_at(
    book: Book, queue: str, amounts: Amounts, releases: Iterable[Release]
) -> datetime | None:
    """When a queue can admit so much, by the ends that are known; None: that is not known. If it
    fits now: the earliest of times."""
    later = book.copy()
    if later.fits(queue, amounts):
        return EARLIEST
    known = sorted((r for r in releases if r.at is not None), key=lambda r: r.at or EARLIEST)
    for release in known:
        later.give(release.queue, release.amounts)
        if later.fits(queue, amounts):
            return release.at
    return None


def forecast(
    book: Book,
    releases: Iterable[Release],
    ahead: Iterable[Waiting],
    entry: Waiting,
    now: datetime,
) -> datetime | None:
    """When one that waits starts at the earliest, if all before it in its queue go first and what
    is known of ends is true; None: that is not known."""
    later, ends, at = book.copy(), list(releases), now
    for one in (*ahead, entry):
        ways = one.want.ways(book.queues[one.queue])
        if not ways or not any(later.possible(one.queue, amounts) for _, amounts in ways):
            if one is entry:
                return None
            continue
        starts = [(starts_at(later, one.queue, amounts, ends), amounts) for _, amounts in ways]
        known = [(start, amounts) for start, amounts in starts if start is not None]
        if not known:
            return None
        start, amounts = min(known, key=lambda one: one[0])
        at = max(at, start)
        for end in [end for end in ends if end.at is not None and end.at <= at]:
            later.give(end.queue, end.amounts)
            ends.remove(end)
        later.take(one.queue, amounts)
        over = at + timedelta(seconds=one.duration) if one.duration else None
        ends.append(Release(one.queue, amounts, over))
    return at

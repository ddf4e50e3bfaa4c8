"""What people see of queues, computed when they look."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from skerry.kernel.rows import Resource
from skerry.market.failures import size_in_words
from skerry.market.queues import entries
from skerry.market.queues.entries import Cohort, Entry
from skerry.market.queues.order import Release, Waiting, forecast
from skerry.market.queues.quota import GPUS, Book, Short
from skerry.market.queues.specs import CohortStatus, QueueStatus, UseStatus, Waits
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")
AHEAD = 200
"""So many before one that waits are looked at for its estimate."""
FORECASTS = 20
"""For more than so many at once no estimates are made: in a list they are left out."""


def amount_in_words(resource: str, amount: int) -> str:
    """``8 H100``, ``1.5 cores``, ``16 GiB of memory``."""
    if resource == "millicores":
        return f"{amount / 1000:g} core{'' if amount == 1000 else 's'}"
    if resource == "memory":
        return f"{size_in_words(amount)} of memory"
    model = resource.partition(":")[2]
    return f"{amount} {model or ('GPU' if amount == 1 else 'GPUs')}"


def _use(book: Book, key: str) -> list[UseStatus]:
    queue, used, found = book.queues[key], book.used[key], []
    for name, line in queue.lines.items():
        now = used.get(name, 0)
        short = next(iter(book.short(key, {name: 1 << 60})), None)
        found.append(
            UseStatus(
                resource=name,
                nominal=line.nominal,
                used=now,
                borrowed=max(0, now - line.nominal),
                borrowable=short.borrowable if short is not None and queue.cohort else 0,
            )
        )
    return found


def _line(use: UseStatus) -> str:
    name = use.resource
    text = f"{amount_in_words(name, use.used)} of {amount_in_words(name, use.nominal)}"
    if use.borrowed:
        text += f", {amount_in_words(name, use.borrowed)} of it borrowed"
    if use.borrowable:
        text += f"; {amount_in_words(name, use.borrowable)} more could be borrowed"
    return text


async def queues(tx: Tx, page: Sequence[Resource]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
    """The status of queues."""
    found = {entries.key_of(one.tenant, one.name): one.uid for one in page}
    books = {key: c.book for c in await entries.cohorts(tx) for key in c.keys if key in found}
    numbers = {row["queue"]: row for row in await tx.fetch(_sql.numbers, list(found))}
    shown = {}
    for key, book in books.items():
        use, number = _use(book, key), numbers.get(key)
        status = QueueStatus(
            use=use,
            words="; ".join(_line(one) for one in use),
            admitted=number["admitted"] if number else 0,
            waiting=number["waiting"] if number else 0,
        )
        shown[found[key]] = msgspec.to_builtins(status)
    return shown


async def of_cohorts(tx: Tx, page: Sequence[Resource]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
    """The status of cohorts."""
    known = {one.name: one for one in await entries.cohorts(tx) if one.name}
    shown = {}
    for resource in page:
        if (cohort := known.get(resource.name)) is not None:
            book, used = cohort.book, dict[str, int]()
            for of_queue in book.used.values():
                for name, amount in of_queue.items():
                    used[name] = used.get(name, 0) + amount
            use = [
                UseStatus(resource=name, nominal=nominal, used=used.get(name, 0))
                for name, nominal in book.nominal.items()
            ]
            status = CohortStatus(queues=sorted(cohort.keys), use=use)
            shown[resource.uid] = msgspec.to_builtins(status)
    return shown


async def waits(tx: Tx, owners: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
    """Where those stand that wait for their queue, for their status."""
    rows = await tx.fetch(_sql.of_owners, list(owners)) if owners else []
    waiting = [row for row in rows if row["state"] == "waiting" and row["queue"]]
    if not waiting:
        return {}
    keys = sorted({row["queue"] for row in waiting})
    cohorts = {key: cohort for cohort in await entries.cohorts(tx) for key in cohort.keys}
    counts = {row["queue"]: row["waiting"] for row in await tx.fetch(_sql.numbers, keys)}
    line = await tx.fetch(_sql.line, keys, AHEAD, [row["owner"] for row in waiting])
    places = {row["owner"]: row["place"] for row in line}
    cohort_keys = {key for q in keys if q in cohorts for key in cohorts[q].keys}
    ends = await entries.releases(tx, cohort_keys)
    now, shown = await tx.now(), {}
    for row in waiting:
        queue, place = row["queue"], places[row["owner"]]
        if (cohort := cohorts.get(queue)) is not None:
            before = [one for one in line if one["queue"] == queue and one["place"] < place]
            status = Waits(queue=queue, position=place, waiting=counts[queue])
            ahead = [entries.waiting_of(one, now) for one in before[:AHEAD]]
            one = entries.waiting_of(row, now)
            _explain(status, cohort, entries.entry_of(row), one, ahead)
            if len(waiting) <= FORECASTS and status.position <= AHEAD:
                mine = [end for end in ends if end.queue in cohort.keys]
                _estimate(status, cohort.book, mine, ahead, one, now)
            shown[row["owner"]] = msgspec.to_builtins(status)
    return shown


def _explain(
    status: Waits,
    cohort: Cohort,
    entry: Entry,
    waiting: Waiting,
    ahead: list[Waiting],
) -> None:
    """Why it waits."""
    book = cohort.book
    ways = waiting.want.ways(book.queues[entry.queue])
    if not ways:
        models = ", ".join(entry.models)
        status.reason = f"Its queue has no share of {models}: it waits until it has."
        return
    if not any(book.possible(entry.queue, amounts) for _, amounts in ways):
        status.reason = "It needs more than its queue may ever use: see what the queue has."
        return
    short = book.short(entry.queue, ways[0][1])
    if short and not any(book.fits(entry.queue, amounts) for _, amounts in ways):
        status.reason = _lack(short, lends=bool(cohort.name))
    elif entry.unplaced_since is not None:
        status.reason = "It has its quota, but no place was free: it is tried again."
    elif ahead:
        status.reason = f"It is number {status.position}: those before it come first."
    else:
        status.reason = "It is the next."


def _estimate(
    status: Waits,
    book: Book,
    releases: list[Release],
    ahead: list[Waiting],
    waiting: Waiting,
    now: datetime,
) -> None:
    """Until when it waits."""
    ways = waiting.want.ways(book.queues[waiting.queue])
    if not any(book.possible(waiting.queue, amounts) for _, amounts in ways):
        return
    start = forecast(book, releases, ahead, waiting, now)
    status.starts_at = None if start is None else max(start, now)
    status.basis = _basis(start, now, sum(1 for release in releases if release.at is None))


def _lack(short: Sequence[Short], *, lends: bool) -> str:
    """``It waits for 8 H100: of the quota of 16 H100, 16 are used; 4 more could be borrowed.``"""
    wanted = ", ".join(amount_in_words(s.resource, s.needed) for s in short)
    first = max(short, key=lambda s: s.resource.startswith(GPUS))
    used = amount_in_words(first.resource, first.used)
    text = f"It waits for {wanted}: the quota is {amount_in_words(first.resource, first.nominal)}"
    text += f", {used} of it used" if first.used <= first.nominal else f", and {used} are used"
    if not lends:
        return f"{text}."
    more = amount_in_words(first.resource, first.borrowable)
    return f"{text}; {more if first.borrowable else 'nothing'} more could be borrowed."


def _basis(start: datetime | None, now: datetime, unknown: int) -> str:
    if start is None:
        return f"unknown: {unknown} that run have no time limit, and none like them has ended yet"
    if start <= now:
        return "nothing is in its way but its turn"
    return "by the time limits of what runs and of what comes before it, or how long such ran"

"""Time unseen, and that it is not billed.

A site is out of contact when it was silent for longer than ``PATIENCE`` while we were there to
hear it. The outage then began with the silence, but never before we began to watch: if the server
itself was down, the site has done nothing wrong and what ran there is billed as its host reports.

The rules are functions of their own, without database or clock.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from skerry.kernel import changes
from skerry.kernel.history import stamp
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.sites")
PATIENCE = timedelta(seconds=30)
KIND = "site-outage"

Span = tuple[datetime, datetime]
Outage = tuple[datetime, datetime | None]
"""From and until; None: it goes on."""


def outage_began(
    last_seen: datetime | None,
    watching_since: datetime,
    now: datetime,
    patience: timedelta = PATIENCE,
) -> datetime | None:
    """When the site's outage began; None while there is none. A site never seen has none."""
    if last_seen is None:
        return None
    silent_since = max(last_seen, watching_since)
    return silent_since if now - silent_since > patience else None


class Watchfulness:
    """Since when we watch without a break.

    A process that was stopped, or could not reach its database, did not watch meanwhile, and must
    call nobody silent for it.
    """

    def __init__(self, longest_break: timedelta) -> None:
        self._longest_break = longest_break
        self._last: datetime | None = None
        self.since: datetime | None = None

    def tick(self, now: datetime) -> datetime:
        """Say that we are here now; the answer is since when."""
        if self.since is None or self._last is None or now - self._last > self._longest_break:
            self.since = now
        self._last = now
        return self.since


def minus(start: datetime, end: datetime, outages: Iterable[Outage]) -> list[Span]:
    """[start, end) without the outages: spans in order that neither touch nor are empty."""
    spans: list[Span] = []
    position = start
    for began, ended in sorted(outages, key=lambda outage: outage[0]):
        if began >= end:
            break
        if ended is not None and ended <= max(began, position):
            continue
        if began > position:
            spans.append((position, began))
        position = max(position, end if ended is None else ended)
    if position < end:
        spans.append((position, end))
    return spans


async def billable(tx: Tx, at: str, start: datetime, end: datetime) -> list[Span]:
    """The parts of [start, end) in which the place was in contact, or nobody was watching."""
    rows = await tx.fetch(_sql.outages_between, at, start, end)
    return minus(start, end, [(row["began_at"], row["ended_at"]) for row in rows])


async def begin(tx: Tx, at: str, began: datetime) -> bool:
    """Open an outage unless one is open; whether it is new."""
    id = await tx.fetchval(_sql.open_outage, uuid.uuid4(), at, began)
    if id is None:
        return False
    await _record(tx, id, "begin", 1)
    return True


async def end(tx: Tx, at: str) -> bool:
    """Close the open outage, if there is one; whether there was."""
    id = await tx.fetchval(_sql.close_outage, at)
    if id is None:
        return False
    await _record(tx, id, "end", 2)
    return True


async def between(tx: Tx, at: str, start: datetime, end: datetime) -> Sequence[Outage]:
    """The outages that touch [start, end)."""
    rows = await tx.fetch(_sql.outages_between, at, start, end)
    return [(row["began_at"], row["ended_at"]) for row in rows]


async def open_at(tx: Tx, places: Iterable[str]) -> dict[str, datetime]:
    """Of these places, those that are out of contact now, and since when."""
    rows = await tx.fetch(_sql.open_outages, sorted(places))
    return {row["at"]: row["began_at"] for row in rows}


async def _record(tx: Tx, id: uuid.UUID, verb: str, version: int) -> None:
    body = await _body(tx, str(id))
    assert body is not None
    await changes.record(
        tx,
        kind=KIND,
        subject=str(id),
        verb=verb,
        tenant="",
        actor="system",
        body=body,
        version=version,
    )


@changes.witness(KIND)
async def _body(tx: Tx, subject: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.outage, uuid.UUID(subject))
    if row is None:
        return None
    ended = row["ended_at"]
    return {
        "site": row["at"],
        "from": stamp(row["began_at"]),
        "until": stamp(ended) if ended else None,
    }

"""How much of a stream is billed between two instants: pure arithmetic.

A stream runs from start to end at a rate. What it owes is computed from the time billed since its
start, never from a piece of it, so it does not matter into which windows a settlement cuts it, how
often it runs, or whether it was late. Gaps (time in which the site was not seen) are not billed.

Months are UTC. A window never reaches over the end of a month, so it stands on one invoice.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from skerry.ledger import money

Gap = tuple[datetime, datetime]
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stream:
    """One meter of one lease, as far as it is settled."""

    id: uuid.UUID
    meter: str
    source: str
    price: int
    per: int
    rate: int | None
    started_at: datetime
    ended_at: datetime | None
    settled_until: datetime
    billed_us: int = 0
    quantity: int = 0
    posted: int = 0
    unbilled: int = 0

    @property
    def due(self) -> int:
        """What the quantity so far costs, charged or not."""
        return self.posted + self.unbilled


@dataclass(frozen=True)
class Window:
    """A piece of a stream about to become a usage row, and the stream after it."""

    starts_at: datetime
    ends_at: datetime
    quantity: int
    amount: int
    after: Stream


def month_of(at: datetime) -> date:
    """The first day of the month, in UTC."""
    return at.astimezone(UTC).date().replace(day=1)


def month_start(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def micros(start: datetime, end: datetime, gaps: Sequence[Gap] = ()) -> int:
    """Microseconds between two instants outside the gaps, which do not overlap each other."""
    missing = sum(max((min(until, end) - max(since, start)) // _MICRO, 0) for since, until in gaps)
    return (end - start) // _MICRO - missing


def advance(stream: Stream, until: datetime, gaps: Sequence[Gap] = ()) -> Iterator[Window]:
    """Windows from where the stream is settled to ``until``, or to its end if that is earlier.

    If the stream turns out to have ended before it was settled to, one window runs backwards and
    takes back what was charged too much.
    """
    assert stream.rate is not None
    end = until if stream.ended_at is None else min(until, stream.ended_at)
    if stream.ended_at is not None and stream.ended_at < stream.settled_until:
        back = micros(stream.ended_at, stream.settled_until, gaps)
        yield _window(stream, stream.ended_at, stream.billed_us - back)
        return
    while stream.settled_until < end:
        cut = min(end, month_start(next_month(month_of(stream.settled_until))))
        window = _window(stream, cut, stream.billed_us + micros(stream.settled_until, cut, gaps))
        stream = window.after
        yield window


def _window(stream: Stream, until: datetime, billed_us: int) -> Window:
    assert stream.rate is not None
    quantity = stream.rate * billed_us // 1_000_000
    return counted(
        replace(stream, billed_us=billed_us),
        stream.settled_until,
        until,
        quantity - stream.quantity,
    )


def counted(stream: Stream, start: datetime, end: datetime, quantity: int) -> Window:
    """A window in which ``quantity`` was used, whether by time or by a reading."""
    total = stream.quantity + quantity
    amount = money.due(stream.price, stream.per, total) - stream.due
    after = replace(
        stream,
        settled_until=end if stream.rate is not None else max(end, stream.settled_until),
        quantity=total,
        posted=stream.posted + amount,
    )
    return Window(start, end, quantity, amount, after)


def cost_of(charges: Sequence[tuple[int, int, int]], seconds: int) -> int:
    """What (price, per, rate) streams cost for so many seconds together, each rounded up: enough
    to reserve."""
    return sum(-(-price * rate * seconds // per) for price, per, rate in charges)

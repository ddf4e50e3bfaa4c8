"""Metering: what runs, at which rate and price, since when, and how far it was seen.

Whoever runs a lease starts its streams when its process starts and stops them when it ends. The
ledger knows nothing of sites but a *source*: a name under which streams run, the instant up to
which all of them are known to have run (``seen``), and the gaps in which they were not seen. Only
time that was seen is billed.

Every function takes the caller's transaction and may be repeated: the same start is the same
stream, an end once set stays.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from skerry.kernel.errors import Conflict, NotFound
from skerry.ledger.ids import named
from skerry.ledger.meters import rate as rate_of
from skerry.ledger.prices import Price
from skerry.ledger.records import iso
from skerry.ledger.windows import Gap, Stream, cost_of
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "streams.sql")
_OF_DEVICES = "gpu-hour"


class Charge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One meter of a lease at its frozen price: ``price`` nano for ``per`` base units, of which
    ``rate`` are used each second (None: readings tell)."""

    meter: str
    sku: str = ""
    price: int
    per: int
    price_version: int
    rate: int | None = None

    @classmethod
    def running(cls, price: Price, amount: int) -> "Charge":
        """Of something that costs by time: ``amount`` thousandths of a thing, or bytes."""
        return cls(
            meter=price.meter,
            sku=price.sku,
            price=price.amount,
            per=price.per,
            price_version=price.version,
            rate=rate_of(price.meter, amount),
        )

    @classmethod
    def counted(cls, price: Price) -> "Charge":
        """Of something that is counted by readings."""
        return cls(
            meter=price.meter,
            sku=price.sku,
            price=price.amount,
            per=price.per,
            price_version=price.version,
        )


def cost(charges: Sequence[Charge], seconds: int) -> int:
    """What the running charges cost for so many seconds, in nano, each rounded up: what to
    reserve."""
    return cost_of([(c.price, c.per, c.rate) for c in charges if c.rate is not None], seconds)


def stream_id(lease: uuid.UUID, charge: Charge, at: datetime) -> uuid.UUID:
    return named("stream", lease, charge.meter, charge.sku, iso(at))


async def add(
    tx: Tx,
    lease: uuid.UUID,
    charges: Sequence[Charge],
    *,
    source: str,
    region: str,
    at: datetime,
    devices: Sequence[str] = (),
) -> None:
    """Begin metering a lease at an instant. Callers use ``holds.start``, which also opens its
    hold. ``devices`` are those that charges of GPUs are for: named once, before anything of them
    is billed, as bills never change."""
    await tx.execute(_sql.add_source, source, at)
    await tx.executemany(
        _sql.add,
        [
            (stream_id(lease, c, at), lease, c.meter, c.sku, source, region, c.price, c.per,
             c.price_version, c.rate, at, list(devices) if c.meter == _OF_DEVICES else [])
            for c in charges
        ],
    )  # fmt: skip


async def stop(tx: Tx, lease: uuid.UUID, at: datetime) -> None:
    """The lease's process ended. Only the first end counts; one before the start is the start."""
    await tx.execute(_sql.lock_lease, lease)
    await tx.execute(_sql.stop, lease, at)


async def seen(tx: Tx, source: str, until: datetime) -> None:
    """Everything at the source was seen up to an instant, and every end before it is recorded.

    Never goes back. Call it after the ends that were learned, in the same transaction.
    """
    await tx.execute(_sql.seen, source, until)


async def gap(tx: Tx, source: str, start: datetime, end: datetime) -> None:
    """The source was out of sight: this time is free for all that ran there.

    What was seen, or is a gap already, stays as it is. Also moves ``seen`` to the gap's end.
    """
    known = await tx.fetchval(_sql.seen_until, source)
    if known is None:
        raise NotFound(f"nothing was ever metered at {source}")
    if max(start, known) < end:
        await tx.execute(_sql.add_gap, source, max(start, known), end)
        await tx.execute(_sql.seen, source, end)


async def open_streams(tx: Tx, lease: uuid.UUID) -> list[Stream]:
    """Those with something left to settle. The caller holds the lease's lock."""
    return [stream_of(row) for row in await tx.fetch(_sql.open_of_lease, lease)]


async def counter(tx: Tx, lease: uuid.UUID, meter: str, sku: str, at: datetime) -> Stream:
    """The stream of a lease that takes readings of a meter from an instant: always the same one,
    also after the lease was resumed with new streams."""
    row = await tx.fetchrow(_sql.counter, lease, meter, sku, at)
    if row is None:
        raise Conflict(f"lease {lease} takes no readings of {meter} {sku}".rstrip())
    return stream_of(row)


async def sight(tx: Tx, sources: Sequence[str], since: datetime) -> dict[str, "Sight"]:
    """How far each source was seen, and its gaps that end after an instant."""
    rows = await tx.fetch(_sql.sources, list(sources))
    gaps: dict[str, list[Gap]] = {row["name"]: [] for row in rows}
    for row in await tx.fetch(_sql.gaps, list(sources), since):
        gaps[row["source"]].append((row["starts_at"], row["ends_at"]))
    return {row["name"]: Sight(row["seen_until"], tuple(gaps[row["name"]])) for row in rows}


class Sight(msgspec.Struct, frozen=True):
    seen_until: datetime
    gaps: tuple[Gap, ...] = ()


def stream_of(row: Row) -> Stream:
    return Stream(**{name: row[name] for name in Stream.__dataclass_fields__})

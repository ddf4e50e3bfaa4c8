"""Packing: ticks into samples of five minutes, samples into rollups of an hour, each once.

Both levels go forward from where ``packed`` stands, in one transaction for each window, under one
lock: whichever process comes first does it, and one that dies half way has done nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np

from skerry.series.columns import COLUMNS
from skerry.series.layout import Floats, Laid, known, lay_out, mean, peak
from skerry.series.retention import Retention
from skerry.series.ticks import REACH, STEP, slot
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.series")
SLOTS = 20
FINE = STEP * SLOTS
"""Seconds of a row in ``sample``, and of a point in ``rollup``."""
COARSE = 3600
SETTLED = timedelta(seconds=STEP)
"""A window is packed this long after its end: a tick is late by the time its source takes."""
BACK = timedelta(seconds=REACH * STEP)

KEEP_TICKS = timedelta(minutes=20)
_WIDTHS = {"sample": timedelta(hours=6), "rollup": timedelta(days=7)}
"""Of the partitions. One is dropped, not emptied row by row, when all in it is too old."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK = 500
"""Rows made between two moments in which others may use the event loop."""
_PEAKS = tuple(f"{name}_peak" for name in COLUMNS)

Row = tuple[object, ...]


async def pack(db: Database) -> int:
    """Pack every window that is over; the number of windows packed."""
    count = 0
    while await _samples(db):
        count += 1
    while await _rollups(db):
        count += 1
    return count


async def keep(db: Database, retention: Retention) -> None:
    """Drop what is too old: never a tick that is not packed, nor a sample that is not rolled up."""
    for table, keep in (("sample", retention.samples), ("rollup", retention.history)):
        async with db.transaction() as tx:
            now = await tx.now()
            oldest = now - keep
            if table == "sample":
                oldest = min(oldest, await _first_sample(tx) or oldest)
            # For a moment it locks the table. Where a reader is slow, others do not wait in line.
            await tx.execute(_sql.impatient)
            await tx.fetchval(_sql.keep_partitions, table, _WIDTHS[table], now, oldest)
            if table == "rollup":
                await tx.execute(_sql.forget_subjects, oldest - timedelta(days=1))


async def _ready(db: Database, table: str, start: datetime) -> None:
    """See to it that there is a partition, in a transaction of its own: it is over at once."""
    if await db.fetchval(_sql.has_partition, table, _WIDTHS[table], start):
        return
    async with db.transaction() as tx:
        await tx.fetchval(_sql.keep_partitions, table, _WIDTHS[table], start, _EVER)


async def _samples(db: Database) -> bool:
    """Pack the oldest five minutes that are over, if any."""
    due = await _due(db)
    if due is None:
        return False
    await _ready(db, "sample", due)
    async with db.transaction() as tx:
        now = await tx.now()
        if not await tx.fetchval(_sql.pack_lock) or await _begin(tx) != due:
            return False  # another is at it
        start, end = due, due + timedelta(seconds=FINE)
        ticks = await tx.fetch(_sql.ticks, start - BACK, end)
        for laid in lay_out(ticks, start, SLOTS):
            await _write(tx, "sample", ("subject", "start", *COLUMNS, "mean", "peak"),
                         _blocks(laid, start))  # fmt: skip
            await tx.execute(_sql.seen, laid.subjects.tolist(), end)
        await tx.execute(_sql.set_packed, "sample", end)
        await tx.execute(_sql.drop_ticks, min(end - BACK, now - KEEP_TICKS))
        return True


async def _due(db: Database) -> datetime | None:
    """The start of the window to be packed, if it is over."""
    async with db.transaction(readonly=True) as tx:
        start = await _begin(tx)
        over = await tx.now() - timedelta(seconds=FINE) - SETTLED
    return start if start is not None and start <= over else None


async def _begin(tx: Tx) -> datetime | None:
    """The start of the first window with ticks that is not packed; None if there is none. Those of
    a silence need no windows."""
    until = await tx.fetchval(_sql.packed, "sample")
    first = await tx.fetchval(_sql.first_tick, until or _EVER)
    return None if first is None else slot(first, FINE)


async def _write(tx: Tx, table: str, columns: Sequence[str], rows: Iterator[Row]) -> None:
    while chunk := list(islice(rows, _CHUNK)):
        await tx.copy(table, columns, chunk)
        await asyncio.sleep(0)


def _blocks(laid: Laid, start: datetime) -> Iterator[Row]:
    """Rows of ``sample``."""
    nothing = np.full(len(laid.subjects), np.nan)
    means = np.stack([mean(laid.points[n]) if n in laid.points else nothing for n in COLUMNS], 1)
    peaks = np.stack([peak(laid.points[n]) if n in laid.points else nothing for n in COLUMNS], 1)
    points = [laid.points.get(name) for name in COLUMNS]
    some = [None if p is None else known(p) for p in points]
    for i in np.flatnonzero(known(means)):
        arrays = [
            p[i].tolist() if p is not None and k is not None and k[i] else None
            for p, k in zip(points, some, strict=True)
        ]
        yield (int(laid.subjects[i]), start, *arrays, means[i].tolist(), peaks[i].tolist())


async def _rollups(db: Database) -> bool:
    """Pack the oldest hour that is over, if any."""
    async with db.transaction(readonly=True) as tx:
        start = await _hour_due(tx)
    if start is None:
        return False
    await _ready(db, "rollup", start)
    async with db.transaction() as tx:
        if not await tx.fetchval(_sql.pack_lock) or await _hour_due(tx) != start:
            return False
        end = start + timedelta(seconds=COARSE)
        rows: list[Row] = []
        async for row in _hours(tx, start, end):
            rows.append(row)
            if len(rows) == _CHUNK:
                await tx.copy("rollup", ("subject", "start", *COLUMNS, *_PEAKS), rows)
                rows = []
        await tx.copy("rollup", ("subject", "start", *COLUMNS, *_PEAKS), rows)
        await tx.execute(_sql.set_packed, "rollup", end)
        return True


async def _first_sample(tx: Tx) -> datetime | None:
    """The first that is not rolled up."""
    until = await tx.fetchval(_sql.packed, "rollup")
    found: datetime | None = await tx.fetchval(_sql.first_sample, until or _EVER)
    return found


async def _hour_due(tx: Tx) -> datetime | None:
    """The start of the hour to be packed: it is over when its last sample is packed, or when there
    can be none any more."""
    now = await tx.now()
    fine = await tx.fetchval(_sql.packed, "sample")
    first = await _first_sample(tx)
    if fine is None or first is None:
        return None
    start = slot(first, COARSE)
    end = start + timedelta(seconds=COARSE)
    over = fine >= end or now >= end + timedelta(seconds=FINE + STEP) + SETTLED
    return start if over else None


async def _hours(tx: Tx, start: datetime, end: datetime) -> AsyncIterator[Row]:
    """Rows of ``rollup``: the hour's means and peaks of each subject."""
    width = COARSE // FINE
    subject: int | None = None
    means = peaks = np.empty(0)
    async for row in tx.cursor(_sql.averages, start, end, prefetch=2000):
        if row["subject"] != subject:
            if subject is not None:
                yield _hour(subject, start, means, peaks)
            subject = row["subject"]
            means = np.full((len(COLUMNS), width), np.nan)
            peaks = np.full((len(COLUMNS), width), np.nan)
        place = int((row["start"] - start).total_seconds()) // FINE
        means[:, place], peaks[:, place] = row["mean"], row["peak"]
    if subject is not None:
        yield _hour(subject, start, means, peaks)


def _hour(subject: int, start: datetime, means: Floats, peaks: Floats) -> Row:
    some = known(means)
    return (
        subject,
        start,
        *(means[i].tolist() if some[i] else None for i in range(len(COLUMNS))),
        *(peaks[i].tolist() if some[i] else None for i in range(len(COLUMNS))),
    )

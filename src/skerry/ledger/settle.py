"""Settling one lease: from time and readings to usage rows and transfers.

``finish`` is what a product calls when a lease's process has ended, in the transaction in which it
notes that; ``count`` takes readings; ``settle`` brings a running lease up to date. The settler does
the last for all leases at once and calls this only for those that need a closer look.

A lease is charged from its hold. If that does not suffice, the missing is taken from the tenant's
funds, as far as its terms and budgets allow. What is due beyond that is never charged, then or
later: the usage row says how much it was (``unbilled``).

Usage counts in the month of its start. If that month's invoice is closed, the row stands on the
open month's as an adjustment.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from skerry.kernel.errors import Conflict
from skerry.ledger import budgets, chart, holds, streams
from skerry.ledger.holds import Hold
from skerry.ledger.ids import named
from skerry.ledger.journal import Draft
from skerry.ledger.purse import purse_of
from skerry.ledger.transfers import Transfer
from skerry.ledger.windows import Stream, Window, advance, cost_of, counted, month_of
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "settle.sql")
_accounts = load("skerry.ledger", "accounts.sql")


class Settled(msgspec.Struct, frozen=True):
    """What settling a lease came to, in nano."""

    charged: int = 0
    unbilled: int = 0
    released: int = 0
    batch: int | None = None
    seconds: int | None = None
    """How long what is still set aside covers what runs; None: that will do."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """So many base units of a meter between two instants, as a gateway or an engine counted them.

    A lease, meter, sort and start identify it: the same again does nothing.
    """

    lease: uuid.UUID
    meter: str
    sku: str = ""
    start: datetime
    end: datetime
    quantity: int


async def settle(tx: Tx, lease: uuid.UUID, until: datetime | None = None) -> Settled:
    """Charge a running lease up to ``until`` (now, if not given), as far as it was seen, and keep
    its horizon covered."""
    await open_month(tx)
    hold = await holds.lock(tx, lease)
    if hold.state != "open":
        return Settled()
    target = until or await tx.now()
    open_streams = await streams.open_streams(tx, lease)
    running = [
        (s.price, s.per, s.rate) for s in open_streams if s.rate is not None and s.ended_at is None
    ]
    ahead = cost_of(running, hold.horizon)
    done = await _charge(tx, hold, await _windows(tx, open_streams, target), ahead=ahead)
    after = await holds.get(tx, lease)
    if not running or after.ceiling == after.amount:
        return done
    seconds = after.remaining * 3600 // max(cost_of(running, 3600), 1)
    return msgspec.structs.replace(done, seconds=seconds)


async def finish(tx: Tx, lease: uuid.UUID, ended_at: datetime, *, actor: str = "system") -> Settled:
    """The lease's process ended: charge it to that instant, give back what is left, close it.

    A lease that never started is released; one that is closed stays as it is.
    """
    await open_month(tx)
    hold = await holds.lock(tx, lease)
    if hold.state == "reserved":
        await holds.release(tx, lease, actor=actor)
        return Settled(released=hold.amount)
    if hold.state == "closed":
        return Settled()
    await streams.stop(tx, lease, ended_at)
    open_streams = await streams.open_streams(tx, lease)
    windows = await _windows(tx, open_streams, None)
    return await _charge(tx, hold, windows, final=True, actor=actor)


async def count(tx: Tx, readings: Sequence[Reading]) -> Settled:
    """Charge readings, in any order and however late; those that are known already do nothing.

    The same reading with another quantity is a ``Conflict``, as is one of a meter that the lease
    does not count.
    """
    await open_month(tx)
    by_lease: dict[uuid.UUID, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_lease[reading.lease].append(reading)
    charged = unbilled = 0
    # All leases before any account: see ``journal``.
    locked = [await holds.lock(tx, lease) for lease in sorted(by_lease)]
    for hold in locked:
        lease = hold.lease
        if hold.state == "reserved":
            raise Conflict(f"lease {lease} has not started")
        done = await _charge(tx, hold, await _counted(tx, by_lease[lease]))
        charged += done.charged
        unbilled += done.unbilled
    return Settled(charged, unbilled)


async def _counted(tx: Tx, readings: Iterable[Reading]) -> list[tuple[Stream, Window]]:
    windows: list[tuple[Stream, Window]] = []
    latest: dict[uuid.UUID, Stream] = {}
    known: dict[tuple[uuid.UUID, datetime], int] = {}
    for reading in sorted(readings, key=lambda r: r.start):
        stream = await streams.counter(tx, reading.lease, reading.meter, reading.sku, reading.start)
        stream = latest.get(stream.id, stream)
        key = (stream.id, reading.start)
        if key not in known:
            known[key] = await tx.fetchval(_sql.quantity_of, *key)
        if known[key] is not None:
            if known[key] != reading.quantity:
                raise Conflict(
                    f"{reading.meter} of lease {reading.lease} from {reading.start} was counted "
                    f"as {known[key]}, not {reading.quantity}"
                )
            continue
        known[key] = reading.quantity
        window = counted(stream, reading.start, reading.end, reading.quantity)
        latest[stream.id] = window.after
        windows.append((stream, window))
    return windows


async def _windows(
    tx: Tx, open_streams: Sequence[Stream], until: datetime | None
) -> list[tuple[Stream, Window]]:
    """What is due. ``until`` None: to each stream's end."""
    running = [s for s in open_streams if s.rate is not None]
    if not running:
        return []
    since = min(min(s.settled_until, s.ended_at or s.settled_until) for s in running)
    sights = await streams.sight(tx, sorted({s.source for s in running}), since)
    found = []
    for stream in running:
        sight = sights[stream.source]
        if stream.ended_at is not None:
            target = stream.ended_at if until is None else min(until, stream.ended_at)
        else:
            assert until is not None
            target = min(until, sight.seen_until)
        found += [(stream, window) for window in advance(stream, target, sight.gaps)]
    return found


async def _charge(
    tx: Tx,
    hold: Hold,
    windows: Sequence[tuple[Stream, Window]],
    *,
    ahead: int = 0,
    final: bool = False,
    actor: str = "system",
) -> Settled:
    draft = await Draft.open(tx)
    await chart.ensure(tx, hold.accounts)
    missing = sum(window.amount for _, window in windows) - hold.remaining
    if missing > -ahead // 2:
        missing += ahead
    taken = await _top_up(tx, hold, missing)
    parts = cover(
        [(stream.id, window.amount) for stream, window in windows],
        hold.remaining + taken,
        {stream.id: stream.unbilled for stream, _ in reversed(windows)},
    )
    charged = sum(part for part, _ in parts)
    unbilled = sum(part for _, part in parts)
    spent = await _write(tx, draft, hold, windows, parts)
    returned = hold.remaining + taken - charged if final else 0
    await draft.post(_transfers(draft.id, hold, taken, charged, returned))
    await spend(tx, [(hold.tenant, hold.workspace, hold.currency, *one) for one in spent.items()])
    batch = await draft.seal(actor=actor)
    if taken:
        await holds.grow(tx, hold.lease, taken)
    if final:
        await holds.close(tx, hold.lease, returned)
        await tx.execute(_sql.close_streams, hold.lease)
    if charged:
        await budgets.warn(tx, [hold.tenant])
    return Settled(charged, unbilled, returned, batch)


def cover(
    dues: Sequence[tuple[uuid.UUID, int]], money: int, forgiven: dict[uuid.UUID, int]
) -> list[tuple[int, int]]:
    """Split each stream's due into what ``money`` covers and what stays unbilled, in order.

    A negative due takes back what its stream was ``forgiven`` before it gives money back.
    """
    forgiven = dict(forgiven)
    parts = []
    for stream, due in dues:
        least = min(due + forgiven[stream], 0)
        paid = least if due < 0 else min(due, max(money, 0))
        money -= paid
        forgiven[stream] += due - paid
        parts.append((paid, due - paid))
    return parts


async def _top_up(tx: Tx, hold: Hold, missing: int) -> int:
    """How much of what is missing can be taken from the tenant's funds, now locked."""
    if hold.ceiling is not None:
        missing = min(missing, hold.ceiling - hold.amount)
    if missing <= 0:
        return 0
    await tx.fetch(_accounts.accounts_locked, sorted([hold.funds, hold.held, hold.revenue]))
    return (await purse_of(tx, hold.tenant, hold.currency)).take(hold.workspace, missing)


def _transfers(batch: int, hold: Hold, taken: int, charged: int, returned: int) -> list[Transfer]:
    def move(code: str, debit: uuid.UUID, credit: uuid.UUID, amount: int) -> Transfer:
        return Transfer(
            id=named(code, batch, hold.lease),
            debit=debit,
            credit=credit,
            amount=amount,
            code=code,
            subject=str(hold.lease),
        )

    made = []
    if taken:
        made.append(move("hold", hold.funds, hold.held, taken))
    if charged > 0:
        made.append(move("usage", hold.held, hold.revenue, charged))
    if charged < 0:
        made.append(move("correction", hold.revenue, hold.held, -charged))
    if returned:
        made.append(move("release", hold.held, hold.funds, returned))
    return made


async def _write(
    tx: Tx,
    draft: Draft,
    hold: Hold,
    windows: Sequence[tuple[Stream, Window]],
    parts: Sequence[tuple[int, int]],
) -> dict[date, int]:
    """Usage rows and streams; what was charged on which month."""
    months = Months(await closed_months(tx, [hold.tenant]), month_of(await tx.now()))
    rows: list[tuple[Any, ...]] = []
    spent: dict[date, int] = defaultdict(int)
    for (stream, window), (charged, unbilled) in zip(windows, parts, strict=True):
        after = window.after
        await tx.execute(
            _sql.advance, stream.id, after.settled_until, after.billed_us, after.quantity,
            charged, unbilled,
        )  # fmt: skip
        if window.quantity or window.amount:
            period = months.period(hold.tenant, min(window.starts_at, window.ends_at))
            used = (window.quantity, charged, unbilled, period)
            rows.append((stream.id, window.starts_at, window.ends_at, *used))
            spent[period] += charged
    if rows:
        columns = zip(*rows, strict=True)
        await tx.execute(_sql.add_usage, draft.id, *map(list, columns))
        draft.with_usage()
    return spent


async def spend(tx: Tx, sums: Iterable[tuple[str, str, str, date, int]]) -> None:
    """Add to what workspaces spent: (tenant, workspace, currency, month, nano). Accounts are
    locked before these rows, never after."""
    columns = list(zip(*sums, strict=True))
    if columns:
        await tx.execute(_sql.spend, *map(list, columns))


class Months:
    """On which month's invoice usage stands."""

    def __init__(self, closed: set[tuple[str, date]], current: date) -> None:
        self._closed = closed
        self._current = current

    def period(self, tenant: str, at: datetime) -> date:
        month = month_of(at)
        return self._current if (tenant, month) in self._closed else month


async def open_month(tx: Tx) -> None:
    """Keep invoices from being closed until this transaction ends."""
    await tx.execute(_sql.share_months)


async def closed_months(tx: Tx, tenants: Sequence[str]) -> set[tuple[str, date]]:
    rows = await tx.fetch(_sql.closed_months, list(tenants))
    return {(row["tenant"], row["period"]) for row in rows}

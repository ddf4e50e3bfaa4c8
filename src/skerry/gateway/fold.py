"""Folding the spool into the ledger: what was used becomes usage, once.

A piece's name and a route are the key of a row that is written in the transaction that charges the
route: a piece that is folded again, after a crash at any moment, changes nothing. A route's money
has a lease of its own, made when it is first used, without anything put aside: what it costs is
taken as it is counted. It ends when the route is gone.

Prices are those of the list when the route is first used: ``gateway-request-million`` and
``egress-gib``, bytes sent to who asked. A meter without a price is counted and not billed. Time is
the database's; the gateway's clock only says how long a piece was.
"""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from skerry.gateway.spool import Piece, Spool, Used, read
from skerry.kernel import alerts
from skerry.kernel.errors import Problem
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.ledger import agreements, holds, price_lists, settle
from skerry.ledger.ids import named
from skerry.ledger.settle import Reading
from skerry.ledger.streams import Charge
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.gateway", "fold.sql")
_log = structlog.get_logger("gateway")

SOURCE = "gateway"
REQUESTS, EGRESS = "gateway-request-million", "egress-gib"
BATCH = 50
"""Routes that are charged in one transaction."""
_TICK = timedelta(microseconds=1)


def lease_of(route: uuid.UUID) -> uuid.UUID:
    """The lease that a route is billed by."""
    return named("gateway", route)


async def fold(db: Database, resources: Resources, spool: Spool) -> int:
    """Fold every closed piece; how many. A piece is removed once all of it is counted."""
    count = 0
    for path in list(spool.closed()):
        await fold_file(db, resources, path)
        count += 1
    return count


async def fold_file(db: Database, resources: Resources, path: Path) -> None:
    piece = await asyncio.to_thread(read, path)
    if piece is not None:
        for start in range(0, len(piece.used), BATCH):
            await _fold(db, resources, piece, piece.used[start : start + BATCH])
    await asyncio.to_thread(path.unlink, missing_ok=True)


async def _fold(db: Database, resources: Resources, piece: Piece, used: Sequence[Used]) -> None:
    """Together if that goes, else one by one: one that can't be charged keeps none from it."""
    try:
        async with db.transaction() as tx:
            for one in used:
                await _count(tx, resources, piece, one)
        return
    except Problem as problem:
        if len(used) == 1:
            await _uncharged(db, piece, used[0], problem)
            return
    for one in used:
        await _fold(db, resources, piece, [one])


async def _count(tx: Tx, resources: Resources, piece: Piece, used: Used) -> None:
    if not await _note(tx, piece, used):
        return
    row = await tx.fetchrow(_sql.route, used.route)
    if row is None:
        return
    route = await resources.by_uid(tx, used.route)
    lease, now = lease_of(route.uid), await tx.now()
    priced = await _leased(tx, resources, route, now)
    await holds.lock(tx, lease)
    # Readings follow each other: whose clock was wrong moves none of them into another.
    start = max(now - (piece.ends_at - piece.starts_at), await _last(tx, lease, now) + _TICK)
    quantities = {REQUESTS: used.requests, EGRESS: used.sent}
    readings = [
        Reading(
            lease=lease, meter=meter, start=start, end=max(now, start + _TICK), quantity=quantity
        )
        for meter, quantity in quantities.items()
        if quantity and meter in priced
    ]
    if readings:
        await settle.count(tx, readings)
    if route.deleted_at is not None:
        await settle.finish(tx, lease, now)


async def _note(tx: Tx, piece: Piece, used: Used) -> bool:
    """Whether this is new."""
    noted = await tx.fetchval(
        _sql.note, piece.id, used.route, piece.starts_at, piece.ends_at,
        used.requests, used.received, used.sent,
    )  # fmt: skip
    return noted is not None


async def _leased(tx: Tx, resources: Resources, route: Resource, now: datetime) -> frozenset[str]:
    """Give the route its lease, unless it has it; the meters that have a price."""
    lease = lease_of(route.uid)
    if await holds.find(tx, lease) is None:
        prices = await price_lists.at(tx)
        overlays = await agreements.prices(tx, route.tenant)
        found = [
            prices.price(meter, region=route.region, at=now, overlays=overlays)
            for meter in (REQUESTS, EGRESS)
        ]
        charges = [Charge.counted(price) for price in found if price is not None]
        made = holds.Lease(
            id=lease,
            tenant=route.tenant,
            workspace=route.workspace,
            product="gateway",
            resource=route.ref,
            resource_uid=route.uid,
            root_uid=route.root_uid,
        )
        await holds.reserve(tx, made, 0)
        await holds.start(
            tx, lease, charges, source=SOURCE, region=resources.region, at=route.created_at
        )
    return frozenset(row["meter"] for row in await tx.fetch(_sql.meters, lease))


async def _last(tx: Tx, lease: uuid.UUID, now: datetime) -> datetime:
    last: datetime | None = await tx.fetchval(_sql.settled_until, lease)
    return last or now - timedelta(days=1)


async def _uncharged(db: Database, piece: Piece, used: Used, problem: Problem) -> None:
    """What can't be charged is counted and told of, and keeps no other from being charged."""
    _log.error("route not charged", route=str(used.route), problem=problem.detail)
    async with db.transaction() as tx:
        await _note(tx, piece, used)
        await alerts.raise_alert(
            tx,
            subject=f"route {used.route}",
            reason="uncharged",
            message=f"{used.requests} requests of route {used.route} were counted and can't be "
            f"charged: {problem.detail}",
            remedy="See the table gateway_usage for what was used; correct it by hand.",
        )


async def finish(db: Database) -> None:
    """End the leases of routes that are gone, once nothing of them can be in a spool any more."""
    for row in await db.fetch(_sql.over):
        async with db.transaction() as tx:
            await settle.finish(tx, row["lease"], await tx.now())


async def sweep(db: Database) -> None:
    """Forget counts that are older than the longest that a spool may wait."""
    await db.execute(_sql.sweep)

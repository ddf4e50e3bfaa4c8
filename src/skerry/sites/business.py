"""What market and ledger must know of places: what they offer, and how far they were seen.

The observer writes down what it sees; this reads it and carries it over, at once when a place's
capacity changes and every few seconds otherwise. Both carry-overs may be repeated at will.

A place out of contact offers nothing new. Its time without contact is a gap for the ledger: free.
Time in which the server itself was away is no gap, so what ran then is billed as its host reports.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec
import structlog

from skerry.kernel.errors import Unavailable
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import price_lists, streams
from skerry.market.site_offers import (
    Devices,
    Pool,
    SiteFacts,
    suspend_offers,
    sync_offers,
)
from skerry.sites import outages, windows
from skerry.sites.ailing import note_sick
from skerry.sites.contract import Capacity, Gpu, Node
from skerry.sites.kinds import SiteSpec
from skerry.sites.places import at_of, declared, site_at, site_of
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("sites")
EVERY = 5.0


async def gaps(tx: Tx, at: str, until: datetime | None = None) -> datetime | None:
    """Tell the ledger the place's outages, as far as they are known now; the answer is when it
    was heard last, if anything was ever metered there.

    Whoever settles a lease for good calls it first, with the instant up to which it settles, so
    that no gap is missed.
    """
    now = await tx.now()
    sight = (await streams.sight(tx, [at], now)).get(at)
    if sight is None:
        return None
    heard: datetime = await tx.fetchval(_sql.last_seen, at) or sight.seen_until
    for began, ended in await outages.between(tx, at, sight.seen_until, now):
        if ended is not None:
            await streams.gap(tx, at, began, ended)
        elif until is not None and until > began:
            await streams.gap(tx, at, began, until)
        else:
            # Before it, the place was heard, or nobody was there to hear it.
            heard = min(heard, began)
    return heard


async def account(tx: Tx, at: str) -> None:
    """Tell the ledger how far the place was seen, and its gaps."""
    heard = await gaps(tx, at)
    if heard is not None:
        await streams.seen(tx, at, heard)


async def offer(tx: Tx, resources: Resources, place: Resource, capacity: Capacity) -> None:
    """Let the place's offers be what it has, at the prices of today."""
    spec = (await site_at(tx, resources, place)).typed(SiteSpec)
    try:
        prices = await price_lists.at(tx)
    except Unavailable:
        # Without a price list there is no price, and what has no price can't be offered.
        return
    facts = SiteFacts(
        site=site_of(place),
        host=place.name if place.kind == "host" else "",
        operator=spec.operator,
        region=spec.region,
        zone=spec.zone,
        jurisdiction=spec.jurisdiction,
        tier=spec.trust_tier,
        isolations=capacity.isolations,
    )
    await sync_offers(tx, resources, facts, pools_of(capacity), prices)


def pools_of(capacity: Capacity) -> list[Pool]:
    """What a place has, machine by machine. Of one with several the volumes are apart, since they
    are at none of them."""
    if not capacity.nodes:
        return [
            Pool(
                millicores=capacity.millicores,
                memory=capacity.memory,
                disk=capacity.disk,
                volumes=capacity.volumes,
                gpus=_devices(capacity.gpus, capacity.pins),
            )
        ]
    pools = [_node(node, capacity.pins) for node in capacity.nodes]
    if capacity.volumes:
        pools.append(Pool(millicores=0, memory=0, disk=capacity.disk, volumes=True))
    return pools


def _node(node: Node, pins: bool) -> Pool:
    ours = set(node.free_gpus)
    return Pool(
        name=node.name,
        zone=node.zone,
        rack=node.rack,
        link=node.link,
        spot=node.spot,
        closed=node.closed[:1000],
        millicores=node.free_millicores,
        memory=node.free_memory,
        disk=node.disk if node.free_disk is None else node.free_disk,
        gpus=_devices([gpu for gpu in node.gpus if gpu.uuid in ours], pins),
    )


def _devices(gpus: Sequence[Gpu], pins: bool) -> tuple[Devices, ...]:
    """By sort and size; what is sick is told of and not sold."""
    sorts: dict[tuple[str, int], list[Gpu]] = {}
    for gpu in gpus:
        sorts.setdefault((gpu.sku, gpu.memory), []).append(gpu)
    found = []
    for (sku, memory), some in sorted(sorts.items()):
        well = [gpu for gpu in some if not gpu.sick]
        sick = ", ".join(f"{gpu.uuid}: {gpu.sick}" for gpu in some if gpu.sick)
        found.append(
            Devices(
                model=sku,
                mark=some[0].mark,
                memory=memory or None,
                count=len(well),
                uuids=tuple(gpu.uuid for gpu in well) if pins else (),
                out=f"out of use: {sick}"[:500] if sick else "",
            )
        )
    return tuple(found)


class Business:
    """Does it for all places of the cloud."""

    def __init__(self, db: Database, resources: Resources) -> None:
        self._db = db
        self._resources = resources

    async def offered(self, tx: Tx, place: Resource, capacity: Capacity) -> None:
        """For the observer: what a place has is new."""
        await note_sick(tx, place, capacity)
        await self._offer(tx, place, capacity)

    async def _offer(self, tx: Tx, place: Resource, capacity: Capacity | None) -> None:
        """Offer what a place in contact has, unless nothing new is to be placed there."""
        if place.phase != "connected" or await windows.closed(tx, place):
            await suspend_offers(tx, self._resources, at_of(place))
        elif capacity is not None:
            await offer(tx, self._resources, place, capacity)

    async def run(self) -> None:
        """Carry over every few seconds until cancelled."""
        while True:
            try:
                await self.carry()
            except DATABASE_ERRORS as error:
                _log.warning("places not carried over", error=str(error))
            await asyncio.sleep(EVERY)

    async def carry(self) -> None:
        """Carry over once, for all places."""
        for place in await declared(self._db):
            await self._carry(place)

    async def _carry(self, place: Resource) -> None:
        at = at_of(place)
        # Two transactions, so that no settlement that waits for one waits for an offer.
        async with self._db.transaction() as tx:
            await account(tx, at)
        async with self._db.transaction() as tx:
            known = await tx.fetchval(_sql.known_capacity, at)
            capacity = None if known is None else msgspec.convert(known, Capacity)
            await self._offer(tx, place, capacity)

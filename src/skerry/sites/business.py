"""What the market and the ledger must know of sites: what they offer, and how far they were seen.

The observer writes down what it sees; this reads it and carries it over, at once when a site's
capacity changes and every few seconds otherwise. Both carry-overs may be repeated at will.

A site out of contact offers nothing new. Its time without contact is a gap for the ledger: free.
Time in which the server itself was away is no gap, so what ran then is billed as its host reports.
"""

import asyncio
from collections import Counter
from datetime import datetime

import msgspec
import structlog

from skerry.kernel.errors import Unavailable
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import from_row
from skerry.ledger import price_lists, streams
from skerry.market.site_offers import (
    Devices,
    Pool,
    SiteFacts,
    suspend_site_offers,
    sync_site_offers,
)
from skerry.sites import outages
from skerry.sites.contract import Capacity
from skerry.sites.kinds import SiteSpec
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("sites")
EVERY = 5.0


async def gaps(tx: Tx, site: str, until: datetime | None = None) -> datetime | None:
    """Tell the ledger the site's outages, as far as they are known now; the answer is when the
    site was heard last, if anything was ever metered there.

    Whoever settles a lease for good calls it first, with the instant up to which it settles, so
    that no gap is missed.
    """
    now = await tx.now()
    sight = (await streams.sight(tx, [site], now)).get(site)
    if sight is None:
        return None
    heard: datetime = await tx.fetchval(_sql.last_seen, site) or sight.seen_until
    for began, ended in await outages.between(tx, site, sight.seen_until, now):
        if ended is not None:
            await streams.gap(tx, site, began, ended)
        elif until is not None and until > began:
            await streams.gap(tx, site, began, until)
        else:
            # Before it, the site was heard, or nobody was there to hear it.
            heard = min(heard, began)
    return heard


async def account(tx: Tx, site: str) -> None:
    """Tell the ledger how far the site was seen, and its gaps."""
    heard = await gaps(tx, site)
    if heard is not None:
        await streams.seen(tx, site, heard)


async def offer(tx: Tx, resources: Resources, site: Resource, capacity: Capacity) -> None:
    """Let the site's offers be what it has, at the prices of today."""
    spec = site.typed(SiteSpec)
    try:
        prices = await price_lists.at(tx)
    except Unavailable:
        # Without a price list there is no price, and what has no price can't be offered.
        return
    models = Counter((gpu.model, gpu.memory) for gpu in capacity.gpus)
    pool = Pool(
        millicores=capacity.millicores,
        memory=capacity.memory,
        disk=capacity.disk,
        gpus=tuple(
            Devices(model=model, memory=memory or None, count=count)
            for (model, memory), count in sorted(models.items())
        ),
    )
    facts = SiteFacts(
        site=site.name,
        operator=spec.operator,
        region=spec.region,
        zone=spec.zone,
        jurisdiction=spec.jurisdiction,
        tier=spec.trust_tier,
        isolations=capacity.isolations,
    )
    await sync_site_offers(tx, resources, facts, [pool], prices)


class Business:
    """Does it for all sites of the cloud."""

    def __init__(self, db: Database, resources: Resources) -> None:
        self._db = db
        self._resources = resources

    async def offered(self, tx: Tx, site: Resource, capacity: Capacity) -> None:
        """For the observer: what a site has is new."""
        await offer(tx, self._resources, site, capacity)

    async def run(self) -> None:
        """Carry over every few seconds until cancelled."""
        while True:
            try:
                await self.carry()
            except DATABASE_ERRORS as error:
                _log.warning("sites not carried over", error=str(error))
            await asyncio.sleep(EVERY)

    async def carry(self) -> None:
        """Carry over once, for all sites."""
        for row in await self._db.fetch(_sql.sites):
            await self._carry(from_row(row))

    async def _carry(self, site: Resource) -> None:
        # Two transactions, so that no settlement that waits for one waits for an offer.
        async with self._db.transaction() as tx:
            await account(tx, site.name)
        async with self._db.transaction() as tx:
            if site.phase == "unreachable":
                await suspend_site_offers(tx, self._resources, site.name)
                return
            known = await tx.fetchval(_sql.known_capacity, site.name)
            if known is not None and site.phase == "connected":
                await offer(tx, self._resources, site, msgspec.convert(known, Capacity))

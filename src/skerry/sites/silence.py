"""A place that says nothing for some seconds: nothing new is placed there until it is heard again.

That is all that follows from it. What runs there may be well, and whether it is to be given up is
decided later, by an outage (``outages``) and by the patience of what runs.
"""

import uuid
from datetime import datetime

from skerry.kernel.resources import Resources
from skerry.market.site_offers import suspend_offers
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.sites")
NOTICE = 8.0
"""Seconds: with those between two looks, a loss is noticed within ten."""
SILENT = "silent"
"""The phase of such a place."""


async def fell_silent(
    db: Database, resources: Resources, uid: uuid.UUID, at: str, last: datetime
) -> None:
    """It has said nothing since ``last``. A transaction for each place, which locks its contact
    before its offers, as everybody does."""
    async with db.transaction() as tx:
        place = await resources.by_uid(tx, uid)
        if place.phase == "connected" and await tx.fetchval(_sql.hold_silent_contact, at, last):
            await resources.set_status(tx, uid, status={"phase": SILENT})
            await suspend_offers(tx, resources, at)

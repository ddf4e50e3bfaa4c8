"""Forgetting: what was told long ago leaves the list, and with it whom it was sent to.

A notice that is on its way is never forgotten. Of one that is, the history keeps that it was told,
as it keeps every change of a resource; its deliveries, with their addresses and tries, are gone.
"""

from datetime import timedelta

from skerry.kernel import alerts
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.resources import Resources
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.notices")

KEPT = timedelta(days=90)
"""Since something last happened to a notice."""
AT_ONCE = 100
"""So that what is to be told does not wait long."""
KEYS_KEPT = timedelta(days=400)
"""For how long nothing is told twice under one key. What is told under a key happens once, or is
looked at for its month or for ninety days (invoices overdue), so no cause comes back that late."""


async def sweep(db: Database, resources: Resources) -> bool:
    """Forget what is old enough, at most ``AT_ONCE`` notices, each in its own transaction; whether
    there may be more."""
    await db.execute(_sql.forget_keys, KEYS_KEPT)
    found = await db.fetch(_sql.old_notices, KEPT, AT_ONCE)
    for row in found:
        async with db.transaction() as tx:
            notice = await resources.by_uid(tx, row["uid"], lock=True)
            # Somebody may have had it sent again meanwhile.
            if not await tx.fetchval(_sql.is_old, notice.uid, KEPT):
                continue
            await alerts.clear(tx, notice.ref)
            await tx.execute(_sql.forget_deliveries, notice.uid)
            await resources.delete(tx, notice, SYSTEM)
    return len(found) == AT_ONCE

"""Alerts: what needs a person's eye, with what to do about it.

One open alert per subject and reason; raising it again is nothing new, clearing closes it.
"""

import uuid

from skerry.kernel import changes
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.kernel", "flows.sql")


async def raise_alert(
    tx: Tx, *, subject: str, reason: str, message: str, remedy: str, tenant: str = ""
) -> bool:
    """Raise unless it is open already; whether it is new."""
    id = uuid.uuid4()
    new = await tx.fetchval(_sql.raise_alert, id, subject, tenant, reason, message, remedy)
    if new is None:
        return False
    await changes.record(
        tx,
        kind="alert",
        subject=str(id),
        verb="raise",
        tenant=tenant,
        actor="system",
        body={"subject": subject, "reason": reason, "message": message, "remedy": remedy},
    )
    return True


async def clear(tx: Tx, subject: str, reason: str = "") -> None:
    """Close one alert of a subject, or all of them."""
    if reason:
        await tx.execute(_sql.clear_alert, subject, reason)
    else:
        await tx.execute(_sql.clear_alerts, subject)


async def open_alerts(db: Database, tenant: str = "") -> list[Row]:
    """The newest 500; an empty tenant means everyone's."""
    return await db.fetch(_sql.open_alerts, tenant)

"""Alerts: what needs a person's eye, with what to do about it.

One open alert per subject and reason; raising it again is nothing new, clearing closes it. Both are
changes, so whoever watches is told, and the log has when it began and when it was over.
"""

import uuid
from typing import Any

from skerry.kernel import changes
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.kernel", "flows.sql")


async def raise_alert(
    tx: Tx,
    *,
    subject: str,
    reason: str,
    message: str,
    remedy: str,
    tenant: str = "",
    quiet: bool = False,
) -> bool:
    """Raise unless it is open already; whether it is new. ``quiet``: no notice goes out about it,
    since people are told in another way, or it is about telling them."""
    id = uuid.uuid4()
    new = await tx.fetchval(_sql.raise_alert, id, subject, tenant, reason, message, remedy, quiet)
    if new is None:
        return False
    row = {"subject": subject, "reason": reason, "message": message, "remedy": remedy}
    await _record(tx, "raise", id, tenant, row)
    return True


async def clear(tx: Tx, subject: str, reason: str = "") -> None:
    """Close one alert of a subject, or all of them."""
    if reason:
        rows = await tx.fetch(_sql.clear_alert, subject, reason)
    else:
        rows = await tx.fetch(_sql.clear_alerts, subject)
    for row in rows:
        await _record(tx, "clear", row["id"], row["tenant"], _body(row))


async def _record(tx: Tx, verb: str, id: uuid.UUID, tenant: str, body: dict[str, Any]) -> None:
    await changes.record(
        tx, kind="alert", subject=str(id), verb=verb, tenant=tenant, actor="system", body=body
    )


def _body(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("subject", "reason", "message", "remedy")}


@changes.witness("alert")
async def _rebuild(tx: Tx, id: str) -> dict[str, Any] | None:
    """What it said, which is the same open and cleared: clouds of before recorded no clearing."""
    row = await tx.fetchrow(_sql.alert, uuid.UUID(id))
    return None if row is None else _body(row)


async def open_alerts(db: Database, tenant: str = "") -> list[Row]:
    """The newest 500; an empty tenant means everyone's."""
    return await db.fetch(_sql.open_alerts, tenant)

"""Telling of alerts: the operator of each, and the tenant that one is about.

What people were told last is kept beside what is: an alert that is open, and of which they don't
know, is told; one that they were told of, and that is over, is told to be over. Between two words
about the same alert lie at least ten minutes. So one that comes and goes brings few mails, and the
last word is always true.
"""

from collections.abc import Sequence
from datetime import timedelta

from skerry.kernel.paths import OPERATOR_TENANT, short
from skerry.notices.outbox import post
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.notices")
APART = timedelta(minutes=10)
SINGLY = 10
"""More than so many at once are told in one notice."""
LISTED = 50


async def tell_alerts(db: Database) -> int:
    """Tell what is new; says of how many alerts."""
    async with db.transaction() as tx:
        await tx.execute(_sql.tell_alone)
        await tx.execute(_sql.forget_told, APART)
        raised = await tx.fetch(_sql.to_raise, APART)
        cleared = await tx.fetch(_sql.to_clear, APART)
        for rows, phase in ((raised, "open"), (cleared, "cleared")):
            for row in rows:
                await tx.execute(_sql.told, row["subject"], row["reason"], row["tenant"], phase)
            for tenant in sorted(
                {OPERATOR_TENANT, *(row["tenant"] or OPERATOR_TENANT for row in rows)}
            ):
                await _tell(tx, tenant, phase, _of(rows, tenant))
    return len(raised) + len(cleared)


def _of(rows: Sequence[Row], tenant: str) -> list[Row]:
    return [row for row in rows if tenant in (OPERATOR_TENANT, row["tenant"])]


async def _tell(tx: Tx, tenant: str, phase: str, rows: Sequence[Row]) -> None:
    topic = "alert.raised" if phase == "open" else "alert.cleared"
    if len(rows) > SINGLY:
        lines = [f"{row['reason']}: {row['subject']}" for row in rows[:LISTED]]
        if len(rows) > LISTED:
            lines.append(f"and {len(rows) - LISTED} more")
        over = "raised" if phase == "open" else "over"
        await post(
            tx,
            topic=topic,
            tenant=tenant,
            subject=f"{len(rows)} alerts {over}",
            text="\n".join(lines) + "\n\nWhat to do about each: skerry alert list",
            facts={"alerts": len(rows)},
        )
        return
    for row in rows:
        await _one(tx, tenant, topic, row)


async def _one(tx: Tx, tenant: str, topic: str, row: Row) -> None:
    about = short(row["subject"])
    if topic == "alert.raised":
        subject = f"Alert: {row['reason']}, {about}"
        text = f"{row['message']}\n\nWhat to do: {row['remedy']}\n\nAbout: {row['subject']}"
    else:
        subject = f"Over: {row['reason']}, {about}"
        text = f"This alert is over.\n\n{row['message']}\n\nAbout: {row['subject']}"
    facts = {key: row[key] for key in ("subject", "reason", "message", "remedy")}
    facts["alert"] = str(row["id"])
    await post(tx, topic=topic, tenant=tenant, subject=subject, text=text, facts=facts)

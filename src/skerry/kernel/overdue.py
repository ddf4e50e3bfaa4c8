"""Nothing is stuck silently: an alert for each flow that stays in a step past its deadline."""

import asyncio
from collections.abc import Mapping

import structlog

from skerry.kernel import alerts
from skerry.kernel.flows import Flow
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.kernel", "flows.sql")
PAUSE = 10.0


async def watch(db: Database, flows: Mapping[str, Flow]) -> None:
    """Look every ten seconds until cancelled. ``flows`` is by noun."""
    log = structlog.get_logger("worker")
    while True:
        try:
            await check(db, flows)
        except DATABASE_ERRORS as error:
            log.warning("deadlines not checked", error=str(error))
        await asyncio.sleep(PAUSE)


async def check(db: Database, flows: Mapping[str, Flow]) -> int:
    """Raise an alert for each resource that stays in a step too long; says how many."""
    count = 0
    for row in await db.fetch(_sql.overdue):
        flow = flows.get(row["kind"])
        step = flow.steps.get(row["step"]) if flow else None
        async with db.transaction() as tx:
            count += await alerts.raise_alert(
                tx,
                subject=row["ref"],
                tenant=row["tenant"],
                reason="Overdue",
                message=f"{row['kind']} is in step {row['step']!r} since "
                f"{row['entered_at']:%Y-%m-%d %H:%M:%S} UTC"
                + (f"; last problem: {row['problem']}" if row["problem"] else ""),
                remedy=step.remedy if step and step.remedy else "Look at its log and its site.",
            )
    return count

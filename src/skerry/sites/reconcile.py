"""Reconciling: what a site has, against what the database made.

Three things can differ. What the site has and the table knows is written down. What the table
knows and the site no longer has is gone (if it had been seen before the list was asked for). What
the site has and the table does not know is an orphan: it is reported and left alone, since somebody
made it and it was not us. Only what we made and gave up is deleted (``sweep``).
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import structlog

from skerry.kernel import alerts
from skerry.kernel.rows import Resource
from skerry.sites import seen
from skerry.sites.contract import Refused, Workloads, WorkloadStatus
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("observer")
BATCH = 500
_NAMED = 5

Writing = Callable[[str], AbstractAsyncContextManager[Tx]]
"""Opens a transaction that only the site's watcher gets."""
Tell = Callable[[Tx, Sequence[Row]], Awaitable[None]]
"""Called in the transaction of the change, with the rows that changed."""


async def reconcile(
    db: Database, site: Resource, driver: Workloads, writing: Writing, tell: Tell
) -> tuple[int, list[Row]]:
    """List the site and bring the table up to it, then delete what was given up.

    The answer is the cursor to watch from, and the rows that changed.
    """
    asked_at = await db.fetchval("select skerry_now()")
    cursor, statuses = await driver.list()
    changed: list[Row] = []
    unknown: list[WorkloadStatus] = []
    for start in range(0, len(statuses), BATCH):
        batch = statuses[start : start + BATCH]
        async with writing(site.name) as tx:
            back = await _back(tx, site.name, [status.id for status in batch])
            sights = await seen.saw(tx, site.name, batch)
            await tell(tx, back + sights.changed)
            changed += back + sights.changed
            unknown += sights.unknown
    async with writing(site.name) as tx:
        ids = [status.id for status in statuses]
        missing = await tx.fetch(_sql.missing_workloads, site.name, asked_at, ids)
        gone = await seen.is_gone(tx, site.name, [row["id"] for row in missing])
        await tell(tx, gone)
        await tx.execute(_sql.drop_orphans, site.name, [status.id for status in unknown])
        await note_orphans(tx, site, unknown)
    await sweep(db, site.name, driver)
    return cursor, changed + gone


async def _back(tx: Tx, site: str, ids: list[str]) -> list[Row]:
    """What had gone and is there again, as after its host was restored from a copy."""
    rows = await tx.fetch(_sql.lock_workloads, site, ids)
    back = [row for row in rows if row["gone_at"] is not None]
    for row in back:
        _log.warning("a workload that was gone is back", site=site, id=row["id"])
        await tx.execute(_sql.workload_back, row["id"])
    return back


async def note_orphans(tx: Tx, site: Resource, orphans: Sequence[WorkloadStatus]) -> None:
    """Remember workloads that nobody made, and keep the alert about them as it should be."""
    texts = [msgspec.json.encode(status).decode() for status in orphans]
    await tx.execute(_sql.see_orphans, site.name, [status.id for status in orphans], texts)
    await _alert(tx, site)


async def drop_orphan(tx: Tx, site: Resource, id: str) -> None:
    """A workload is gone that may have been an orphan."""
    if await tx.fetchval(_sql.drop_orphan, site.name, id) is not None:
        await _alert(tx, site)


async def _alert(tx: Tx, site: Resource) -> None:
    ids = [row["id"] for row in await tx.fetch(_sql.orphans, site.name, _NAMED + 1)]
    if not ids:
        await alerts.clear(tx, site.ref, "UnknownWorkloads")
        return
    shown = ", ".join(ids[:_NAMED]) + (", …" if len(ids) > _NAMED else "")
    await alerts.raise_alert(
        tx,
        subject=site.ref,
        reason="UnknownWorkloads",
        message=f"site {site.name!r} has workloads that this cloud never made: {shown}",
        remedy="They are left alone. If the site belonged to another cloud, or the database was "
        "restored from an old copy, look at them and end them by hand.",
    )


async def sweep(db: Database, site: str, driver: Workloads) -> None:
    """Delete at the site what the database made and gave up: no flow will touch it again."""
    for row in await db.fetch(_sql.given_up_workloads, site):
        try:
            await driver.delete(row["id"], row["fence"])
        except Refused as refused:
            _log.warning("not deleted", site=site, id=row["id"], why=refused.message)

"""Reconciling: what a place has, against what the database made.

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
from skerry.sites.collector import drain
from skerry.sites.contract import Refused, Workloads, WorkloadStatus
from skerry.sites.places import at_of, called
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("observer")
BATCH = 500
_NAMED = 5

Writing = Callable[[str], AbstractAsyncContextManager[Tx]]
"""Opens a transaction that only the place's watcher gets."""
Tell = Callable[[Tx, Sequence[Row]], Awaitable[None]]
"""Called in the transaction of the change, with the rows that changed."""


async def reconcile(
    db: Database, place: Resource, driver: Workloads, writing: Writing, tell: Tell
) -> tuple[int, list[Row]]:
    """List the place and bring the table up to it, then delete what was given up.

    The answer is the cursor to watch from, and the rows that changed.
    """
    at = at_of(place)
    asked_at = await db.fetchval("select skerry_now()")
    cursor, statuses = await driver.list()
    changed: list[Row] = []
    unknown: list[WorkloadStatus] = []
    for start in range(0, len(statuses), BATCH):
        batch = statuses[start : start + BATCH]
        async with writing(at) as tx:
            back = await _back(tx, at, [status.id for status in batch])
            sights = await seen.saw(tx, at, batch)
            await tell(tx, back + sights.changed)
            changed += back + sights.changed
            unknown += sights.unknown
    async with writing(at) as tx:
        ids = [status.id for status in statuses]
        missing = await tx.fetch(_sql.missing_workloads, at, asked_at, ids)
        gone = await seen.is_gone(tx, at, [row["id"] for row in missing])
        await tell(tx, gone)
        await tx.execute(_sql.drop_orphans, at, [status.id for status in unknown])
        await note_orphans(tx, place, unknown)
    await sweep(db, at, driver)
    return cursor, changed + gone


async def _back(tx: Tx, at: str, ids: list[str]) -> list[Row]:
    """What had gone and is there again, as after its host was restored from a copy."""
    rows = await tx.fetch(_sql.lock_workloads, at, ids)
    back = [row for row in rows if row["gone_at"] is not None]
    for row in back:
        _log.warning("a workload that was gone is back", at=at, id=row["id"])
        await tx.execute(_sql.workload_back, row["id"])
    return back


async def note_orphans(tx: Tx, place: Resource, orphans: Sequence[WorkloadStatus]) -> None:
    """Remember workloads that nobody made, and keep the alert about them as it should be."""
    texts = [msgspec.json.encode(status).decode() for status in orphans]
    await tx.execute(_sql.see_orphans, at_of(place), [status.id for status in orphans], texts)
    await _alert(tx, place)


async def drop_orphan(tx: Tx, place: Resource, id: str) -> None:
    """A workload is gone that may have been an orphan."""
    if await tx.fetchval(_sql.drop_orphan, at_of(place), id) is not None:
        await _alert(tx, place)


async def _alert(tx: Tx, place: Resource) -> None:
    at = at_of(place)
    ids = [row["id"] for row in await tx.fetch(_sql.orphans_at, [at], _NAMED + 1)]
    if not ids:
        await alerts.clear(tx, place.ref, "UnknownWorkloads")
        return
    shown = ", ".join(ids[:_NAMED]) + (", …" if len(ids) > _NAMED else "")
    await alerts.raise_alert(
        tx,
        subject=place.ref,
        reason="UnknownWorkloads",
        message=f"{called(at)} has workloads that this cloud never made: {shown}",
        remedy="They are left alone. If it belonged to another cloud, or the database was "
        "restored from an old copy, look at them and end them by hand.",
    )


async def sweep(db: Database, at: str, driver: Workloads) -> None:
    """Delete at a place what the database made and gave up: no flow will touch it again."""
    for row in await db.fetch(_sql.given_up_workloads, at):
        try:
            await drain(db, driver, row["id"])
            await driver.delete(row["id"], row["fence"])
        except Refused as refused:
            _log.warning("not deleted", at=at, id=row["id"], why=refused.message)

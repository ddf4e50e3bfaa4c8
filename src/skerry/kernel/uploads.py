"""Uploads: blobs that workspaces brought, and when they may be forgotten.

A workspace uses only blobs that were put through it. Each use renews it; one that nobody used for
``KEPT`` and no resource names any more is forgotten, and its bytes go with the last workspace that
had it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import structlog

from skerry.store import DATABASE_ERRORS, Blobs, Database, Tx
from skerry.store.blobs import Collected
from skerry.store.queries import load

_sql = load("skerry.kernel", "uploads.sql")
_log = structlog.get_logger("uploads")

KEPT = timedelta(days=30)
GRACE = timedelta(hours=1)
"""A blob younger than this is never collected: its upload may not be noted yet."""
EVERY = 6 * 3600.0


async def note(db: Database, tenant: str, workspace: str, digest: str) -> None:
    """The workspace has this blob from now on."""
    await db.execute(_sql.note, tenant, workspace, digest)


async def has(db: Database, tenant: str, workspace: str, digest: str) -> bool:
    return bool(await db.fetchval(_sql.has, tenant, workspace, digest))


async def use(tx: Tx, tenant: str, workspace: str, digests: Iterable[str]) -> set[str]:
    """Renew them; the answer is those that the workspace has."""
    rows = await tx.fetch(_sql.use, tenant, workspace, list(digests))
    return {row["digest"] for row in rows}


async def collect(db: Database, blobs: Blobs, kept: timedelta = KEPT) -> Collected:
    """Forget what is unused for so long, and remove the bytes that nobody has."""
    await db.execute(_sql.forget, kept)

    async def live() -> AsyncIterator[str]:
        after = ""
        while rows := await db.fetch(_sql.live, after):
            for row in rows:
                yield row["digest"]
            after = rows[-1]["digest"]

    return await blobs.collect(live(), GRACE)


async def run(db: Database, blobs: Blobs) -> None:
    """Collect a few times a day until cancelled."""
    while True:
        try:
            done = await collect(db, blobs)
            if done.blobs:
                _log.info("collected", blobs=done.blobs, bytes=done.bytes)
        except DATABASE_ERRORS as error:
            _log.warning("not collected", error=str(error))
        await asyncio.sleep(EVERY)

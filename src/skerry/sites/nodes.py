"""Nodes: the server processes of one cloud, as they know of each other.

Each has a row in ``node`` that it renews every few seconds; one not renewed for ``GONE`` is taken
to be gone, whatever became of it. The row says where other nodes reach it and where hosts do. Who
has the contact with a place needs no table of its own: it is the place's watcher, by its lease.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from skerry import __version__
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites", "nodes.sql")
_log = structlog.get_logger("nodes")
CHANNEL = "nodes"
BEAT = 5.0
GONE = timedelta(seconds=30)


@dataclass
class Node:
    """This process among the servers of the cloud."""

    name: str = ""
    roles: Sequence[str] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    relay: str = ""
    """HOST:PORT where other nodes reach it; empty: they don't."""
    door: str = ""
    """HOST:PORT where hosts reach it; empty: they don't."""
    fingerprint: str = ""
    """Of the authority that vouches for the door."""

    async def beat(self, db: Database) -> None:
        """Be seen, with what is true now."""
        await db.execute(
            _sql.beat, self.id, self.name, list(self.roles), __version__, self.relay, self.door,
            self.fingerprint,
        )  # fmt: skip

    async def run(self, db: Database) -> None:
        """Be seen until cancelled."""
        try:
            await db.execute(_sql.sweep)
            while True:
                try:
                    await self.beat(db)
                except DATABASE_ERRORS as error:
                    _log.warning("node not seen", error=str(error))
                await asyncio.sleep(BEAT)
        finally:
            with contextlib.suppress(*DATABASE_ERRORS):  # then it is taken to be gone soon
                await db.execute(_sql.leave, self.id)


@dataclass(frozen=True)
class Doors:
    """Where hosts reach the cloud, and whom they trust there."""

    address: str
    """HOST:PORT, several of them with commas between."""
    fingerprint: str


async def doors(source: Database | Tx) -> Doors | None:
    """The doors that are open now; None if there is none."""
    rows = await source.fetch(_sql.doors, GONE)
    if not rows:
        return None
    same = [row["door"] for row in rows if row["fingerprint"] == rows[0]["fingerprint"]]
    return Doors(",".join(dict.fromkeys(same)), rows[0]["fingerprint"])

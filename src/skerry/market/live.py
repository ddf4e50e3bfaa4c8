"""The snapshot that follows the database.

Each look asks the database, in the looker's own transaction, for what changed since the last look:
one query on an index, so a committed offer is seen by the next ask, in whatever process. A row that
was not visible last time was written by a transaction at or above the oldest one running then (the
*horizon*), so nothing is missed, however late it commits.

What the looker's own transaction wrote is shown to it alone: should it roll back, nobody else has
seen it.
"""

import math
from dataclasses import replace

import msgspec

from skerry.market.ask import Row
from skerry.market.offers import row_of
from skerry.market.snapshot import Change, Snapshot
from skerry.store import Tx
from skerry.store.database import Row as Record
from skerry.store.queries import load

_sql = load("skerry.market", "offers.sql")

Fresh = list[tuple[Row, bytes]]


class LiveSnapshot:
    """One per process and database."""

    def __init__(self) -> None:
        self._snapshot = Snapshot.of(())
        self._versions: dict[str, int] = {}
        self._horizon = "0"
        self._kept = ""
        """The base that is known to be in the database."""

    async def current(self, tx: Tx) -> Snapshot:
        """All offers as the transaction sees them. What the snapshot is named by is in the database
        when the transaction commits."""
        records = await tx.fetch(_sql.follow, self._horizon)
        own, gone = self._apply(records)
        snapshot = await self._based(tx)
        return snapshot.replaced(own, gone) if own or gone else snapshot

    def _apply(self, records: list[Record]) -> tuple[Fresh, list[str]]:
        """Take over what others committed; what the own transaction wrote or withdrew."""
        fresh: Fresh = []
        own: Fresh = []
        gone: list[str] = []
        own_gone: list[str] = []
        horizon = records[0]["horizon"]
        for record in records:
            id = record["id"]
            if id is None or record["version"] <= self._versions.get(id, 0):
                continue
            if record["mine"]:
                known = id in self._versions
                if not record["retired"]:
                    own.append((row_of(record), record["digest"]))
                elif known:
                    own_gone.append(id)
                continue
            if not record["retired"]:
                fresh.append((row_of(record), record["digest"]))
            elif id in self._versions:
                gone.append(id)
            self._versions[id] = record["version"]
        if fresh or gone:
            first = not self._snapshot.base and not self._snapshot.lines
            self._snapshot = (
                Snapshot.gathered(fresh) if first else self._snapshot.replaced(fresh, gone)
            )
        # Looks overlap; one that began earlier must not turn the horizon back.
        if int(horizon) > int(self._horizon):
            self._horizon = horizon
        return own, own_gone

    async def _based(self, tx: Tx) -> Snapshot:
        """The shared snapshot, its base in the database: a new one when changes have piled up."""
        shared = self._snapshot
        changes = shared.changes or {}
        base = shared.base or shared.digest
        if base == self._kept and len(changes) <= max(64, math.isqrt(shared.lines)):
            return shared
        new = shared.as_base()
        members = [(c.offer, c.version) for c in new.members()]
        text = msgspec.json.encode(members).decode()
        await tx.execute(_sql.keep_snapshot, new.digest, text, await tx.now())
        tx.after_commit(lambda: self._adopt(shared, new))
        return new

    def _adopt(self, old: Snapshot, new: Snapshot) -> None:
        """Name the shared snapshot, which may have moved on meanwhile, by the new base."""
        now = self._snapshot
        if (now.base or now.digest) != (old.base or old.digest):
            return
        before = old.changes or {}
        since: dict[str, Change] = {
            id: change for id, change in (now.changes or {}).items() if before.get(id) != change
        }
        self._kept = new.digest
        self._snapshot = replace(now, base=new.digest, changes=since) if since else new

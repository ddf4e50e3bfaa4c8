"""The sequencer: gapless positions for changes, in one order for feed and log.

Transactions commit in any order, so a change can become visible after one that was written later.
The sequencer therefore takes only changes of transactions below ``pg_snapshot_xmin``: all of those
have ended, nothing can appear among them any more. A position, once given, is never given again,
and there is none without a change. One long writing transaction delays the feed, it never tears it.

Any number of sequencers may run: one at a time holds an advisory lock, the others find nothing to
do. The order is by transaction id, then version. It is not the order of commits: two changes of
one resource by two transactions may stand in either order, so a reader that wants the latest
state keeps the highest version it has seen.

Loading a dump into another cluster starts transaction ids anew; the sequencer notices (its cursor
is ahead of the cluster) and goes on without losing or repeating a position.
"""

import asyncio

import structlog

from skerry.kernel import alerts
from skerry.kernel.changes import CHANNEL
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.kernel", "sequencer.sql")
_log = structlog.get_logger(__name__)

FEED = "feed"
BATCH = 10_000
POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0
STALLED_SECONDS = 60.0


class Sequencer:
    """Gives positions to changes. ``batch`` bounds how many one transaction takes."""

    def __init__(self, db: Database, *, batch: int = BATCH) -> None:
        self._db = db
        self._batch = batch
        self._checked = False

    async def run_once(self) -> int:
        """Give positions to one batch; how many it took (0: none, or another one is at it)."""
        async with self._db.transaction() as tx:
            if not await tx.fetchval(_sql.lock):
                return 0
            if not self._checked:
                if await tx.fetchval(_sql.ahead):
                    await tx.execute(_sql.rebase_changes)
                    await tx.execute(_sql.rebase_cursor)
                self._checked = True
            taken = int(await tx.fetchval(_sql.sequence, self._batch))
        if taken:
            self._db.notify(FEED)
        return taken

    async def waiting(self) -> float:
        """How many seconds the oldest change has waited for its position; 0 if none waits."""
        return float(await self._db.fetchval(_sql.waiting) or 0)

    async def run(self) -> None:
        """Work until cancelled: woken by the notice of a change, and every half second."""
        woken = asyncio.Event()
        clock = asyncio.get_running_loop().time
        await self._db.listen(CHANNEL, woken.set)
        look_at = clock() + STALLED_SECONDS
        while True:
            try:
                taken = await self.run_once()
                if clock() > look_at:
                    look_at = clock() + STALLED_SECONDS
                    await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("sequencer.database_lost", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if taken < self._batch:
                await self._pause(woken)

    async def look(self) -> None:
        """Raise an alert while changes wait for longer than a minute; clear it when they do not."""
        seconds = await self.waiting()
        async with self._db.transaction() as tx:
            if seconds <= STALLED_SECONDS:
                await alerts.clear(tx, "sequencer", "stalled")
                return
            await alerts.raise_alert(
                tx,
                subject="sequencer",
                reason="stalled",
                message=f"a change has waited {seconds:.0f} s for its place in feed and log",
                remedy="A transaction that writes has been open for that long. Find it in "
                "pg_stat_activity (or pg_prepared_xacts) and end it.",
            )

    async def _pause(self, woken: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await woken.wait()
        except TimeoutError:
            return
        woken.clear()

"""Workers: they take due flows and run their steps.

Any number of workers, in any number of processes, share one table by ``FOR UPDATE SKIP LOCKED``. A
claim is a lease with a token; a heartbeat keeps it while the step runs, and a worker that lost it
(stalled, cut off) finds at commit that the token is no longer its own and drops what it did.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

import structlog

from skerry.kernel import overdue
from skerry.kernel.flows import Services
from skerry.kernel.resources import Resources
from skerry.kernel.stepping import CHANNEL, Probe, Stepper, no_probe, poke
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.database import Row
from skerry.store.queries import load

__all__ = ["CHANNEL", "Probe", "Worker", "poke"]

_sql = load("skerry.kernel", "flows.sql")
_LEAST = 0.002
"""Seconds: nothing is looked for more often without a word of it."""


class Worker:
    """Runs flows until cancelled.

    ``concurrency`` bounds the steps in progress, ``lease`` is how many seconds a silent worker
    keeps a flow, ``poll`` how long it sleeps when nothing wakes it. ``name`` is one that no two
    workers have at once: who comes back under it takes its flows up again without waiting. Should
    two have it all the same, the tokens still hold them apart.
    """

    def __init__(
        self,
        db: Database,
        resources: Resources,
        services: Services,
        *,
        name: str = "",
        concurrency: int = 16,
        lease: float = 30.0,
        poll: float = 1.0,
        probe: Probe = no_probe,
    ) -> None:
        self._db = db
        self._name = name
        self._concurrency = concurrency
        self._lease = timedelta(seconds=lease)
        self._poll = poll
        self._stepper = Stepper(
            db, resources, services, lease=self._lease, probe=probe, poked=self.wake
        )
        self._running: dict[int, asyncio.Task[float | None]] = {}
        self._news = asyncio.Event()
        self._look = True
        """Whether something may be due that nobody has claimed."""
        self._due = 0.0
        """When to look anyway, by the loop's clock."""
        self._log = structlog.get_logger("worker")

    def wake(self) -> None:
        """Look for due flows now."""
        self._look = True
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled; steps in progress are then abandoned, as by a kill."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            group.create_task(overdue.watch(self._db, self._stepper.flows))
            await self._db.listen(CHANNEL, self.wake)
            back = self._name != ""
            while True:
                try:
                    if back:
                        await self._db.execute(_sql.free, self._name)
                        back = False
                    await self._fill(group)
                except DATABASE_ERRORS as error:
                    self._log.warning("database away, trying again", error=str(error))
                    await asyncio.sleep(self._poll)

    async def _fill(self, group: asyncio.TaskGroup) -> None:
        self._look = False
        for row, found in await self._claim(self._concurrency - len(self._running)):
            task = group.create_task(self._stepper.work(row, found))
            self._running[row["token"]] = task
            task.add_done_callback(self._freed(row["token"]))
        self._due = self._now() + self._poll
        full = len(self._running) == self._concurrency
        if not full:
            due = await self._db.fetchval(_sql.next_wake)
            if due is not None:
                self._until(max(due, _LEAST))
        await self._sleep()
        if full:
            # What ends at about the same time is replaced by one claim.
            await asyncio.sleep(_LEAST)

    async def _claim(self, most: int) -> list[tuple[Row, Row]]:
        """Due flows and their resources. A put between the two statements is told by ``poke``."""
        if most <= 0:
            return []
        rows = await self._db.fetch(_sql.claim, most, self._lease, self._name)
        if not rows:
            return []
        found = await self._db.fetch(_sql.resources_of, [row["uid"] for row in rows])
        by_uid = {resource["uid"]: resource for resource in found}
        return [(row, by_uid[row["uid"]]) for row in rows if row["uid"] in by_uid]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _until(self, seconds: float) -> None:
        """Look again in so many seconds, if not before."""
        self._due = min(self._due, self._now() + seconds)
        self._news.set()

    async def _sleep(self) -> None:
        """Until something may be due."""
        while not self._look and (left := self._due - self._now()) > 0:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    def _freed(self, token: int) -> Callable[[asyncio.Task[float | None]], None]:
        def freed(task: asyncio.Task[float | None]) -> None:
            full = len(self._running) == self._concurrency
            del self._running[token]
            if full:
                self.wake()
            elif not task.cancelled() and not task.exception() and task.result() is not None:
                self._until(task.result() or 0.0)

        return freed

    async def drain(self, *, most: int = 1000) -> int:
        """Run everything that is due now, one after another. For tests; says how many steps."""
        count = 0
        while count < most:
            claimed = await self._claim(1)
            if not claimed:
                return count
            await self._stepper.work(*claimed[0])
            count += 1
        raise RuntimeError(f"still busy after {most} steps")

    async def check_deadlines(self) -> int:
        """Raise the alerts that are due now; says how many."""
        return await overdue.check(self._db, self._stepper.flows)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            if tokens := list(self._running):
                try:
                    await self._db.execute(_sql.heartbeat, tokens, self._lease)
                except DATABASE_ERRORS as error:
                    self._log.warning("heartbeat missed", error=str(error))

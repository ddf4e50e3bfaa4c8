"""The collector: reads the logs of tasks on from where it was, into the tables of ``series.logs``.

Of running tasks it reads those whose host says that they wrote; of each that has ended, the rest,
once. ``drain`` reads the rest of a workload that is about to be deleted. Where two of them read
the same log at once, the place that is kept with the lines lets only one of them write it.

A task that writes faster than ``MOST`` in each round falls behind, and only its own log does: what
its host has rotated away meanwhile is missing, and a line says how much. Readers wait for the
database, so a slow one makes collecting slow, not large.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import structlog

from skerry.series import logs
from skerry.series.logs import Read, Task
from skerry.sites.contract import LogChunk, Refused, TaskUsage, UnknownWorkload, Workloads
from skerry.sites.wire import PeerFault
from skerry.store import Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites")
_log = structlog.get_logger("collector")
MOST = 1 << 20
"""Bytes of one task's log in one round."""
MOST_LAST = 8 << 20
"""The same of a task that has ended: what it said last is what is looked for."""
_BATCH = 4 << 20
"""Bytes that are written in one transaction."""
_PACKER = ThreadPoolExecutor(1, "logs")
"""One for all hosts: however much is written, requests wait for one thread at most."""
_ENDED = 200
"""Ended workloads of a host in one round."""
PATIENCE = 10.0
"""Seconds one log may take."""
LAST_PATIENCE = 5.0
"""Seconds for which a deletion waits for the last lines."""


@dataclass
class _Job:
    """What is to be read of one task."""

    task: Task
    owner: UUID
    last: bool
    """It writes no more."""
    most: int


class Collector:
    """Collects the logs of the hosts that this process has contact with."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._read: dict[str, dict[Task, int]] = {}

    async def look(
        self, at: str, driver: Workloads, tasks: Sequence[TaskUsage], behind: timedelta
    ) -> None:
        """One round at a host. ``behind``: how far its clock is behind the database's."""
        read = self._read.get(at, {})
        grown = [t for t in tasks if t.log is None or t.log > read.get((t.id, t.rank), 0)]
        owners = {
            row["id"]: row["owner"]
            for row in await self._db.fetch(_sql.owners_of_workloads, at, [t.id for t in grown])
        }
        running = [_Job((t.id, t.rank), owners[t.id], False, MOST) for t in grown if t.id in owners]
        ended = await self._db.fetch(_sql.unread_workloads, at, _ENDED)
        jobs = [*running, *(job for row in ended for job in _ranks(row, MOST_LAST))]
        done = await _collect(self._db, driver, jobs, behind)
        whole = [row["id"] for row in ended if _whole(row, done)]
        if whole:
            await self._db.execute(_sql.log_read, whole)
        live = {(t.id, t.rank) for t in tasks}
        self._read[at] = {t: n for t, n in {**read, **done}.items() if t in live}


async def drain(db: Database, driver: Workloads, id: str) -> None:
    """Read what is left of the log of a workload that is about to be deleted, as far as that goes
    within a few seconds. Raises ``SiteUnreachable``."""
    row = await db.fetchrow(_sql.unread_workload, id)
    if row is None:
        return
    try:
        async with asyncio.timeout(LAST_PATIENCE):
            done = await _collect(db, driver, _ranks(row, MOST_LAST), timedelta())
            if _whole(row, done):
                await db.execute(_sql.log_read, [id])
    except TimeoutError:
        _log.info("deleted before its last lines were read", id=id)


def _ranks(row: Row, most: int = 0) -> list[_Job]:
    count = len(row["status"]["tasks"])
    return [_Job((row["id"], rank), row["owner"], True, most) for rank in range(count)]


def _whole(row: Row, done: Iterable[Task]) -> bool:
    known = set(done)
    return all(job.task in known for job in _ranks(row))


async def _collect(
    db: Database, driver: Workloads, jobs: Sequence[_Job], behind: timedelta
) -> dict[Task, int]:
    """Read and keep. The answer is how far those were read that were read to their present end."""
    done: dict[Task, int] = {}
    for start in range(0, len(jobs), 64):
        batch = jobs[start : start + 64]
        async with db.transaction() as tx:
            cutters = await logs.places(tx, [job.task for job in batch])
        reads: list[Read] = []
        size = 0
        for job in batch:
            read = Read(job.task, job.owner, cutters[job.task], [], behind)
            if await _one(driver, job, read):
                done[job.task] = read.cutter.next
            reads.append(read)
            size += read.cutter.next - read.cutter.place[0]
            if size > _BATCH:
                await _write(db, reads, done)
                reads, size = [], 0
        await _write(db, reads, done)
    return done


async def _write(db: Database, reads: Sequence[Read], done: dict[Task, int]) -> None:
    news = [read for read in reads if (read.cutter.next, read.cutter.begun) != read.cutter.place]
    if not news:
        return
    now = await db.fetchval("select skerry_now()")
    await asyncio.get_running_loop().run_in_executor(_PACKER, _pack, news, now)
    async with db.transaction() as tx:
        ours = await logs.add(tx, news)
    for read in news:
        if read.task not in ours:
            done.pop(read.task, None)  # another was faster; it is looked at again


def _pack(reads: Sequence[Read], now: datetime) -> None:
    for read in reads:
        read.pack(now)


def _generator(chunks: AsyncIterator[LogChunk]) -> AsyncGenerator[LogChunk, None]:
    """What drivers' streams are, and what has to be closed by who leaves one half way."""
    return cast("AsyncGenerator[LogChunk, None]", chunks)


async def _one(driver: Workloads, job: _Job, read: Read) -> bool:
    """Read on in one task's log; whether that was all there is of it now."""
    cutter, (id, rank) = read.cutter, job.task
    try:
        async with (
            asyncio.timeout(PATIENCE),
            aclosing(_generator(driver.logs(id, rank, cutter.next, False))) as chunks,
        ):
            async for chunk in chunks:
                read.lines += cutter.feed(chunk.offset, chunk.stream, chunk.at, chunk.data)
                if cutter.next - cutter.place[0] > job.most:
                    return False
    except UnknownWorkload:
        return True
    except (Refused, PeerFault, TimeoutError) as error:
        _log.info("log not read", id=id, rank=rank, error=f"{type(error).__name__}: {error}")
        # What its host refuses to show of an ended task it will refuse for ever.
        return job.last and isinstance(error, Refused)
    if job.last:
        read.lines += cutter.finish()
    return True

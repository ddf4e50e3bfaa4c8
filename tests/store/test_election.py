"""Duties: done by one process at a time, and taken over when that one is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from skerry.store import Database
from skerry.store.election import elected

HOLDER = """select pid from pg_locks where locktype = 'advisory' and granted
and database = (select oid from pg_database where datname = current_database())"""


class Candidate:
    """One that notes when it is at work."""

    def __init__(self, db: Database) -> None:
        self.working = asyncio.Event()
        self.stopped = asyncio.Event()
        self.task = asyncio.create_task(elected(db, "test", [self._work]))

    async def _work(self) -> None:
        self.working.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.working.clear()
            self.stopped.set()


@pytest.fixture
async def candidates(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[Candidate]]:
    monkeypatch.setattr("skerry.store.election.LOOK", 0.05)
    monkeypatch.setattr("skerry.store.election.BEAT", 0.1)
    made = [Candidate(db)]
    await _soon(made[0].working)
    made += [Candidate(db), Candidate(db)]
    yield made
    for candidate in made:
        candidate.task.cancel()
    await asyncio.gather(*(c.task for c in made), return_exceptions=True)


async def _soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(30):
        await event.wait()


async def _one(candidates: list[Candidate]) -> Candidate:
    """The one at work, as soon as there is one."""
    async with asyncio.timeout(30):
        while not (found := [c for c in candidates if c.working.is_set()]):
            await asyncio.sleep(0.01)
    assert len(found) == 1
    return found[0]


async def test_who_ends_is_followed_by_one_other(candidates: list[Candidate]) -> None:
    assert await _one(candidates) is candidates[0]
    candidates[0].task.cancel()
    await _soon(candidates[0].stopped)
    assert await _one(candidates) in candidates[1:]


async def test_who_loses_the_connection_stops(db: Database, candidates: list[Candidate]) -> None:
    for row in await db.fetch(HOLDER):
        await db.execute("select pg_terminate_backend($1)", row["pid"])
    await _soon(candidates[0].stopped)
    assert await _one(candidates)

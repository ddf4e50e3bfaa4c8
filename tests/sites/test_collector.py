"""What tasks of a simulated site write, as it is found later."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from skerry.series.search import Search, search
from skerry.series.words import parse
from skerry.sites import collector
from skerry.sites.collector import Collector
from skerry.sites.contract import TaskUsage
from skerry.store import Database
from tests.products.run.cloud import Cloud, driver, opened
from tests.sites.contract.script import Script


async def _all(owners: Collection[UUID]) -> Collection[UUID]:
    return owners


class Room:
    """A cloud whose logs are collected by hand."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.collector = Collector(cloud.db)

    async def collect(self) -> None:
        """One round at the site, with what its host would say of those that run."""
        world = self.cloud.sites["one"]
        tasks = [
            TaskUsage(id=status.id, rank=task.rank, at=task.started_at)
            for status in world.list()[1]
            for task in status.tasks
            if task.phase == "running" and task.started_at
        ]
        await self.collector.look("one", driver(world), tasks, timedelta())

    async def found(self, text: str = "") -> Sequence[str]:
        now = await self.cloud.db.fetchval("select skerry_now()")
        asked = Search("acme", "lab", parse(text), now - timedelta(days=7), now, limit=1000)
        page = await search(self.cloud.db, asked, _all)
        return [line.text for _, line in page.lines][::-1]


@pytest.fixture
async def room(db: Database, tmp_path: Path) -> Room:
    cloud = await opened(db, tmp_path)
    await cloud.site()
    return Room(cloud)


async def test_lines_are_kept_while_it_runs_and_the_rest_at_its_end(room: Room) -> None:
    script = Script().print("one").sleep(20).print("two").sleep(20).print("three")
    job = await room.cloud.job(script=script)
    await room.cloud.until(job, "running")
    await room.collect()
    assert await room.found() == ["one"]
    await room.cloud.let_pass(25)
    await room.collect()
    await room.collect()
    assert await room.found() == ["one", "two"]
    await room.cloud.until(job, "succeeded")
    await room.collect()
    await room.collect()
    assert await room.found() == ["one", "two", "three"]
    rows = "select count(*) from workload where log_read_at is not null"
    assert await room.cloud.db.fetchval(rows) == 1


async def test_a_job_too_short_to_be_sampled_is_read_whole(room: Room) -> None:
    job = await room.cloud.job(script=Script().print("quick").print("oops", "stderr"), count=3)
    await room.cloud.until(job, "succeeded")
    await room.collect()
    assert sorted(await room.found()) == ["oops"] * 3 + ["quick"] * 3


async def test_what_is_deleted_at_once_is_still_found(room: Room) -> None:
    job = await room.cloud.job(script=Script().print("famous last words"))
    await room.cloud.until(job, "succeeded")
    await room.cloud.delete(job)
    await room.cloud.turn()
    assert await room.cloud.gone(job)
    assert await room.found("famous") == ["famous last words"]


async def test_another_process_goes_on_where_one_stopped(room: Room) -> None:
    script = Script().print("one").sleep(20).print("two").stay()
    job = await room.cloud.job(script=script)
    await room.cloud.until(job, "running")
    await room.collect()
    await room.cloud.let_pass(25)
    room.collector = Collector(room.cloud.db)
    await room.collect()
    assert await room.found() == ["one", "two"]


async def test_who_writes_too_fast_falls_behind_and_is_read_in_the_end(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "MOST", 100_000)
    flood = Script().lines(4000, 100).sleep(20)
    job = await room.cloud.job("flood", script=flood)
    calm = await room.cloud.job("calm", script=Script().print("calm").sleep(20))
    for one in (job, calm):
        await room.cloud.until(one, "running")
    await room.collect()
    kept = "select sum(lines) from log_piece"
    assert await room.cloud.db.fetchval(kept) < 2000
    assert await room.found("calm") == ["calm"]
    await room.cloud.until(job, "succeeded")
    for _ in range(10):
        await room.collect()
    assert await room.cloud.db.fetchval(kept) == 4001

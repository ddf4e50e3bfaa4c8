"""Hundreds at once: none is stuck, none is lost."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from skerry.kernel.resources import Resource
from skerry.kernel.worker import Worker
from skerry.market.ask import GIB
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

WORKERS = 3


async def _work(cloud: Cloud) -> None:
    """All that runs in a cloud, until cancelled."""

    async def look() -> None:
        while True:
            await cloud.observer.tick()
            await cloud.observer.look("one")
            await cloud.business.carry()
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(Worker(cloud.db, cloud.resources, cloud.services).run())
        group.create_task(look())


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.long)])
async def test_made_and_deleted_at_once(cloud: Cloud, count: int) -> None:
    """A third is deleted as soon as it is made, a third while it runs, a third when it has ended;
    there is room for a quarter of them."""
    await cloud.site(millicores=count // 4 * 100, memory=count * GIB)
    ended: Counter[str] = Counter()

    async def until(job: Resource, *phases: str) -> None:
        while (now := (await cloud.read(job)).phase) not in phases:
            await asyncio.sleep(0.1)
        ended[now] += 1

    async def live(number: int) -> Resource:
        script = Script().sleep(0.2 if number % 3 else 3600).exit(0)
        job = await cloud.job(f"job-{number}", script, millicores=100, memory=GIB // 4)
        match number % 3:
            case 0:
                await cloud.delete(job)
            case 1:
                await until(job, "running", "succeeded")
                await cloud.delete(job)
            case 2:
                await until(job, "succeeded")
                await cloud.delete(job)
        return job

    async with AsyncExitStack() as stack:
        working = asyncio.create_task(_work(cloud))
        stack.callback(working.cancel)
        jobs = await asyncio.gather(*(live(number) for number in range(count)))
        while await cloud.db.fetchval("select count(*) from flow"):
            await asyncio.sleep(0.1)
            assert not working.done(), working.exception()
    await asyncio.gather(working, return_exceptions=True)
    assert all([await cloud.gone(job) for job in jobs])
    assert ended["succeeded"] >= count // 3
    assert await cloud.db.fetchval("select sum(used) from quota_use where kind = 'job'") == 0
    assert cloud.at_site() == []
    assert await cloud.alerts() == []
    await cloud.assert_books_closed()

"""What hosts say of their tasks, as it is found in the series: right, missing, wrong or late."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from skerry.series import STEP
from skerry.series.current import owners, told
from skerry.series.packing import pack
from skerry.sites.contract import (
    DeviceUsage,
    HostUsage,
    LogChunk,
    Refused,
    SiteUnreachable,
    TaskUsage,
)
from skerry.sites.hub import Contact, Hub
from skerry.sites.sampler import Sampler
from skerry.store import Database
from tests.series.test_samples import Cloud


class Host:
    """Says what it is told to say."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.tasks: tuple[TaskUsage, ...] = ()
        self.devices: tuple[DeviceUsage, ...] = ()
        self.clock = datetime(2026, 10, 5, tzinfo=UTC)
        self.trouble: BaseException | None = None
        self.stands_still = False
        self.asked = 0

    async def usage(self) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
        self.asked += 1
        if self.stands_still:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        host = HostUsage(at=self.clock, cpu_seconds=1.0, memory=1000, devices=self.devices, gpu=0.5)
        return host, self.tasks

    async def logs(self, id: str, rank: int, offset: int, follow: bool) -> AsyncIterator[LogChunk]:
        raise Refused("NoLog", "it keeps none")
        yield

    def says(self, *tasks: tuple[str, float, int]) -> None:
        """(workload, seconds of processor, memory) of each."""
        self.tasks = tuple(
            TaskUsage(id=id, rank=0, at=self.clock, cpu_seconds=cpu, memory=memory, log=0)
            for id, cpu, memory in tasks
        )


class Sites(Hub):
    """A hub in contact with these hosts."""

    def __init__(self, db: Database, hosts: Sequence[Host]) -> None:
        super().__init__(db)
        self.hosts = hosts

    def contacts(self) -> list[Contact]:
        return [cast(Contact, _Contact(host.at, host)) for host in self.hosts]


class _Contact:
    def __init__(self, at: str, driver: Host) -> None:
        self.at = at
        self.driver = driver


class World(Cloud):
    """Two hosts of a site, a workload of one job at each."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.one, self.two = Host("hall/one"), Host("hall/two")
        self.sampler = Sampler(db, Sites(db, (self.one, self.two)), self.recorder)

    async def begin(self) -> None:
        await super().begin()
        for id, host, owner in (("w-a", self.one, self.job), ("w-b", self.two, self.other)):
            await self.db.execute(
                "insert into workload (id, at, owner, tenant, made_at) values ($1, $2, $3, 'acme',"
                " skerry_now())", id, host.at, owner,
            )  # fmt: skip

    async def sample(self, *hosts: Host) -> None:
        for host in hosts:
            await self.sampler.sample(cast(Contact, _Contact(host.at, host)))
        await self.let_pass(STEP)

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        running = asyncio.ensure_future(self.sampler.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def world(db: Database) -> World:
    world = World(db)
    await world.begin()
    return world


async def test_a_host_speaks_only_for_what_runs_there(world: World) -> None:
    world.one.says(("w-a", 0.0, 10), ("w-b", 0.0, 10**12), ("nobody's", 0.0, 5))
    world.two.says(("w-b", 0.0, 20))
    await world.sample(world.one, world.two)
    assert (await world.values("memory", step="15"))[-2:] == [10.0, None]
    [memory, _] = (await world.ask(world.other, step="15"))["series"]
    assert memory["values"][-2:] == [20.0, None]
    async with world.db.transaction(readonly=True) as tx:
        said = {one.source: len(one.subjects) for one in await told(tx)}
    assert said == {"hall/one": 2, "hall/two": 2}


async def test_each_device_has_series_of_its_own(world: World) -> None:
    world.one.devices = (DeviceUsage(uuid="GPU-a", busy=0.25, memory=5), DeviceUsage(uuid="GPU-b"))
    await world.sample(world.one)
    async with world.db.transaction(readonly=True) as tx:
        [one] = await told(tx)
        names = {id: row["name"] for id, row in (await owners(tx, one.subjects)).items()}
    busy = dict(zip((names[id] for id in one.subjects), one.columns["gpu"], strict=True))
    assert (busy[""], busy["GPU-a"]) == (0.5, 0.25)
    assert math.isnan(busy["GPU-b"])


async def test_a_host_with_a_wrong_clock_is_written_at_the_right_time(world: World) -> None:
    world.one.clock = datetime(2031, 1, 1, tzinfo=UTC)
    for number in range(3):
        world.one.says(("w-a", number * 30.0, 10))
        _, behind = await world.sampler.sample(cast(Contact, _Contact(world.one.at, world.one)))
        assert behind < timedelta(days=-1500)
        await world.let_pass(STEP)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:00:45Z", "step": "15"}
    assert await world.values("cpu", **span) == [None, 2.0, 2.0]


async def test_what_is_not_told_is_a_gap_and_not_zero(world: World) -> None:
    for number in range(8):
        world.one.says(("w-a", number * 15.0, 10))
        world.one.trouble = SiteUnreachable("gone") if number in (3, 4) else None
        if world.one.trouble:
            with pytest.raises(SiteUnreachable):
                await world.sample(world.one)
            await world.let_pass(STEP)
        else:
            await world.sample(world.one)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:02:00Z", "step": "15"}
    assert await world.values("memory", **span) == [10, 10, 10, None, None, 10, 10, 10]
    assert await world.values("cpu", **span) == [None, 1, 1, None, None, 1, 1, 1]
    assert await world.values("tasks", **span) == [1, 1, 1, None, None, 1, 1, 1]


async def test_a_task_that_started_again_counts_from_zero(world: World) -> None:
    for cpu in (100.0, 115.0, 3.0, 18.0):
        world.one.says(("w-a", cpu, 10))
        await world.sample(world.one)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:01:00Z", "step": "15"}
    assert await world.values("cpu", **span) == [None, 1.0, 0.2, 1.0]


@pytest.mark.parametrize("step", [-600, -195, -45, 45, 3600])
async def test_a_step_of_the_databases_clock_invents_nothing(world: World, step: int) -> None:
    for number in range(60):
        if number == 24:
            await pack(world.db)
            await world.let_pass(step)
        world.one.says(("w-a", number * 15.0, 10))
        await world.sample(world.one)
    found = await world.values("cpu", step="15", **{"from": "-3h"})
    # Where the clock went forward, what was used seems to be spread over more time.
    least = 15 / (15 + step) if step == 45 else 1.0
    known = [value for value in found if value is not None]
    assert min(known) >= least * 0.99
    assert max(known) == 1.0
    assert len(known) >= 19


async def test_one_host_that_stands_still_holds_up_no_other(world: World) -> None:
    world.one.stands_still = True
    world.two.trouble = Refused("Broken", "no tools")
    async with world.sampling():
        async with asyncio.timeout(20):
            while world.two.asked < 1 or world.one.asked < 1:
                await asyncio.sleep(0.01)
        world.two.trouble = None
        world.two.says(("w-b", 0.0, 20))
        await world.sampler.sample(cast(Contact, _Contact(world.two.at, world.two)))
        async with world.db.transaction(readonly=True) as tx:
            assert [one.source for one in await told(tx)] == ["hall/two"]
    assert world.one.asked == 1


async def test_a_host_that_floods_with_tasks_fills_no_table(world: World) -> None:
    world.one.says(*((str(uuid.uuid4()), 0.0, 1) for _ in range(20_000)), ("w-a", 0.0, 10))
    await world.sample(world.one)
    assert await world.db.fetchval("select count(*) from subject") == 2
    assert await world.values("memory", step="15", **{"from": "-15s"}) == [10.0, None]

"""A host whose clock is wrong by an hour: it is told, and bills go right all the same."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skerry.sites import clocks, seen
from skerry.sites.contract import TaskStatus, WorkloadStatus
from skerry.sites.simulated.clock import HostClock
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.world import World
from tests.sites.cloud import Cloud
from tests.sites.contract.script import Script
from tests.sites.joined import Doorway, doorway
from tests.sites.simulated.sites import work

HOUR = timedelta(hours=1)


class WrongClock(HostClock):
    """Real time, but for a shift that can be put right."""

    shift = 0.0

    def now(self) -> float:
        return time.time() + self.shift


@pytest.fixture
async def door(cloud: Cloud, tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(cloud, tmp_path) as made:
        yield made


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_its_times_are_put_right_and_it_is_told(
    cloud: Cloud, door: Doorway, ahead: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = WrongClock()
    clock.shift = ahead.total_seconds()
    monkeypatch.setattr(clocks, "now", clock.now)
    world = World(Config(), clock=clock)
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", Simulated(world))
    place = await door.resource(host)
    began = datetime.now(UTC)
    async with cloud.observed():
        await host.connect()
        await cloud.phase(place, "connected")
        for id in ("short", "long"):
            await cloud.own(id, place)
        driver = cloud.hub.driver(host.at)
        await driver.apply(work("short", Script().exit(3)), 1)
        await driver.apply(work("long", Script().stay()), 1)
        short = await cloud.ended("short")
        over = datetime.now(UTC)
        assert short.started_at is not None
        assert short.ended_at is not None
        assert began <= short.started_at <= short.ended_at <= over
        assert (await door.shown(host))["clockAheadSeconds"] == pytest.approx(
            ahead.total_seconds(), abs=2
        )
        [alert] = await cloud.db.fetch("select * from alert where cleared_at is null")
        words = "60 minutes ahead of" if ahead > timedelta(0) else "60 minutes behind"
        assert (alert["subject"], alert["reason"]) == (place.ref, "ClockWrong")
        assert words in alert["message"]

        async def started() -> datetime | None:
            return (await cloud.find("long")).started_at

        first = await cloud.until(started)
        assert began <= first <= over

        # Somebody sets it right: what is known of the past stays as it is.
        clock.shift = 0.0

        async def cleared() -> bool:
            return not await cloud.db.fetch("select 1 from alert where cleared_at is null")

        await cloud.until(cleared)
        assert "clockAheadSeconds" not in await door.shown(host)
        await driver.delete("long", 2)
        gone = await cloud.gone("long")
        assert gone.started_at == first
        assert gone.ended_at is None or first <= gone.ended_at <= datetime.now(UTC)
    await Simulated(world).close()


async def _saw(cloud: Cloud, at: str, task: TaskStatus) -> seen.Seen:
    async with cloud.db.transaction() as tx:
        await seen.saw(tx, at, [WorkloadStatus(id="w", fence=1, tasks=(task,))])
    return await cloud.find("w")


async def test_nothing_began_before_it_was_made_or_happens_later_than_now(cloud: Cloud) -> None:
    site, _ = await cloud.site()
    made = await cloud.db.fetchval("select skerry_now()")
    await cloud.own("w", site)
    early = TaskStatus(rank=0, phase="running", started_at=made - HOUR)
    found = await _saw(cloud, site.name, early)
    assert found.started_at is not None
    assert made <= found.started_at
    late = TaskStatus(rank=0, phase="exited", started_at=made - HOUR, ended_at=made + HOUR)
    found = await _saw(cloud, site.name, late)
    now = await cloud.db.fetchval("select skerry_now()")
    assert found.started_at is not None
    assert found.ended_at is not None
    assert made <= found.started_at <= found.ended_at <= now


async def test_a_start_once_known_is_kept(cloud: Cloud) -> None:
    site, _ = await cloud.site()
    await cloud.own("w", site)
    first = await cloud.db.fetchval("select skerry_now()")
    await cloud.db.shift_clock(timedelta(hours=3))
    found = await _saw(cloud, site.name, TaskStatus(rank=0, phase="running", started_at=first))
    assert found.started_at is not None
    kept = found.started_at
    for moved in (first + HOUR, first - HOUR):
        again = TaskStatus(rank=0, phase="running", started_at=moved, restarts=1)
        assert (await _saw(cloud, site.name, again)).started_at == kept

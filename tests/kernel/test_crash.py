"""Killed at any moment of any step, a resource's life goes on as if nothing had been.

The moments are found by running the life once and noting every one that a kill could strike; then
it is run again for each, killed there, and finished by another worker.
"""

import asyncio

import pytest

from skerry.kernel.errors import NotFound
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.worker import Worker
from tests.kernel.conftest import Cloud
from tests.kernel.widgets import BOX, WIDGET, World


class Killed(BaseException):
    """Strikes like kill -9: nothing after it runs."""


class Reaper:
    """Notes moments, or kills at the n-th."""

    def __init__(self, at: int | None = None) -> None:
        self.moments: list[tuple[str, str, str]] = []
        self._at = at

    async def __call__(self, noun: str, step: str, moment: str) -> None:
        self.moments.append((noun, step, moment))
        if self._at == len(self.moments) - 1:
            raise Killed


async def settle(cloud: Cloud, world: World, reaper: Reaper) -> None:
    """Work until nothing is left to do; after a kill, another worker takes over."""
    worker = Worker(cloud.db, cloud.resources, Services(world), probe=reaper)
    for _ in range(40):
        try:
            await worker.drain()
        except Killed:
            worker = Worker(cloud.db, cloud.resources, Services(world))
        await cloud.db.execute(
            "update flow set lease_until = null,"
            " wake_at = least(wake_at, skerry_now()) where wake_at < skerry_now() + '1 hour'"
            " or lease_until is not null"
        )
        if await cloud.db.fetchval("select count(*) from flow where wake_at <= skerry_now()") == 0:
            return
    raise AssertionError("still busy")


async def life(cloud: Cloud, reaper: Reaper, prefix: str) -> World:
    """A widget made, changed, polished and removed; a box with two widgets, made and removed."""
    world = World()
    await cloud.put(WIDGET, f"{prefix}w", {"size": 1})
    await settle(cloud, world, reaper)
    await cloud.put(WIDGET, f"{prefix}w", {"size": 2})
    await cloud.put(BOX, f"{prefix}b")
    await settle(cloud, world, reaper)
    widget = await cloud.read(WIDGET, f"{prefix}w")
    assert widget.status == {"phase": "made", "weight": 2}
    assert (await cloud.read(BOX, f"{prefix}b")).phase == "filled"
    assert sorted(world.made.values()) == [1, 2, 2]
    async with cloud.db.transaction() as tx:
        await cloud.resources.act(tx, widget, "polish", None, SYSTEM)
    await settle(cloud, world, reaper)
    assert (await cloud.read(WIDGET, f"{prefix}w")).phase == "polished"
    await cloud.delete(WIDGET, f"{prefix}w")
    await cloud.delete(BOX, f"{prefix}b")
    await settle(cloud, world, reaper)
    return world


async def assert_gone(cloud: Cloud, prefix: str) -> None:
    for kind, name in ((WIDGET, "w"), (BOX, "b"), (WIDGET, "b-1"), (WIDGET, "b-2")):
        with pytest.raises(NotFound):
            await cloud.read(kind, prefix + name)
    assert await cloud.db.fetchval("select count(*) from flow") == 0
    assert await cloud.db.fetchval("select sum(used) from quota_use where kind = 'widget'") == 0


async def test_killed_at_every_moment(cloud: Cloud) -> None:
    watched = Reaper()
    await life(cloud, watched, "n")
    await assert_gone(cloud, "n")
    assert len(watched.moments) > 20
    for at, moment in enumerate(watched.moments):
        world = await life(cloud, Reaper(at), f"k{at}-")
        assert world.made == {}, moment
        await assert_gone(cloud, f"k{at}-")


async def test_a_worker_that_lost_its_claim_writes_nothing(cloud: Cloud) -> None:
    world = World()
    await cloud.put(WIDGET, "w", {"size": 1})

    async def steal(noun: str, step: str, moment: str) -> None:
        if (step, moment) == ("start", "ran"):
            await cloud.db.execute("update flow set token = nextval('flow_token')")

    slow = Worker(cloud.db, cloud.resources, Services(world), probe=steal)
    await slow.drain()
    assert (await cloud.read(WIDGET, "w")).state == "pending"
    await settle(cloud, world, Reaper())
    assert (await cloud.read(WIDGET, "w")).state == "active"


async def test_a_failing_step_is_tried_again_and_tells_someone(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1})
    worker = Worker(cloud.db, cloud.resources, Services())
    for _ in range(6):
        await worker.drain()
        await cloud.db.execute("update flow set wake_at = skerry_now()")
    row = await cloud.db.fetchrow("select tries, problem from flow")
    assert row["tries"] == 6
    assert "offers no World" in row["problem"]
    alerts = await cloud.db.fetch("select reason, message from alert where cleared_at is null")
    assert [a["reason"] for a in alerts] == ["StepFails"]
    world = World()
    await settle(cloud, world, Reaper())
    assert (await cloud.read(WIDGET, "w")).state == "active"


async def test_a_step_past_its_deadline_raises_one_alert(cloud: Cloud) -> None:
    await cloud.put(BOX, "b")
    worker = Worker(cloud.db, cloud.resources, Services())
    await worker.drain(most=10)
    await cloud.db.execute("update flow set deadline = skerry_now() - interval '1 s'")
    first, again = await worker.check_deadlines(), await worker.check_deadlines()
    assert first > 0
    assert again == 0
    await settle(cloud, World(), Reaper())
    box = await cloud.db.fetchval(
        "select count(*) from alert where subject like '%boxes/b' and cleared_at is null"
    )
    assert box == 0


async def test_workers_share_the_work_and_wake_at_once(cloud: Cloud) -> None:
    world = World()
    workers = [Worker(cloud.db, cloud.resources, Services(world), poll=5) for _ in range(3)]
    cloud.resources.woken = lambda: [w.wake() for w in workers]  # type: ignore[assignment]
    running = [asyncio.create_task(w.run()) for w in workers]
    for i in range(5):
        await cloud.put(WIDGET, f"w{i}", {"size": i})
    async with asyncio.timeout(20):
        while len(world.made) < 5 or await cloud.db.fetchval(
            "select count(*) from resource where kind = 'widget' and state <> 'active'"
        ):
            await asyncio.sleep(0.02)
    assert world.calls.count("make") == 5
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

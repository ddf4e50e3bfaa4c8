"""What the observer writes down, through everything a site can do to it."""

import pytest

from skerry.sites import seen
from skerry.sites.contract import SiteUnreachable, WorkloadStatus
from skerry.sites.reconcile import reconcile
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.faults import Fault
from skerry.sites.simulated.world import World
from tests.sites.cloud import Cloud
from tests.sites.contract.script import Script
from tests.sites.simulated.sites import work


async def apply(world: World, id: str, script: Script, fence: int = 1) -> WorkloadStatus:
    return await Simulated(world).apply(work(id, script), fence)


async def test_a_life_is_written_down(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    async with cloud.observed():
        await apply(world, "w", Script().sleep(0.2).exit(3))
        found = await cloud.ended("w")
        assert found.status is not None
        [task] = found.status.tasks
        assert task.exit_code == 3
        assert (found.started_at, found.ended_at) == (task.started_at, task.ended_at)
        assert "w" in cloud.told
        await Simulated(world).delete("w", 1)
        found = await cloud.gone("w")
        assert found.status is not None
        assert found.status.tasks[0].exit_code == 3


async def test_what_happened_before_is_found(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    await apply(world, "w", Script().exit(4))
    async with cloud.observed():
        assert (await cloud.ended("w")).status.tasks[0].exit_code == 4
    await cloud.own("meanwhile", site)
    await apply(world, "meanwhile", Script().exit(5))
    await Simulated(world).delete("w", 1)
    async with cloud.observed():
        assert (await cloud.ended("meanwhile")).status.tasks[0].exit_code == 5
        await cloud.gone("w")


async def test_an_intent_without_a_workload_is_not_gone(cloud: Cloud) -> None:
    site, _ = await cloud.site()
    await cloud.own("intended", site)
    async with cloud.observed():
        await cloud.phase(site, "connected")
    found = await cloud.find("intended")
    assert (found.status, found.gone_at) == (None, None)


async def test_an_answer_lost_after_apply_is_seen_all_the_same(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    async with cloud.observed():
        await cloud.phase(site, "connected")
        world.fail(Fault(kind="answer-lost", verbs=("apply",), times=1))
        with pytest.raises(SiteUnreachable):
            await apply(world, "w", Script().exit(6))
        assert (await cloud.ended("w")).status.tasks[0].exit_code == 6


async def test_events_doubled_and_late_change_nothing(cloud: Cloud) -> None:
    site, world = await cloud.site()
    world.fail(Fault(kind="doubled"))
    world.fail(Fault(kind="late", delay=0.05))
    ids = [f"w{n}" for n in range(5)]
    for id in ids:
        await cloud.own(id, site)
    async with cloud.observed():
        for n, id in enumerate(ids):
            await apply(world, id, Script().sleep(0.05).exit(n))
        for n, id in enumerate(ids):
            found = await cloud.ended(id)
            assert found.status.tasks[0].exit_code == n


async def test_an_expired_cursor_is_a_new_list(cloud: Cloud) -> None:
    site, world = await cloud.site(keepEvents=2)
    async with cloud.observed():
        await cloud.phase(site, "connected")
        world.fail(Fault(kind="unreachable"))
        ids = [f"w{n}" for n in range(10)]
        for id in ids:
            await cloud.own(id, site)
            world.apply(work(id, Script().exit(1)), 1)
        world.heal()
        for id in ids:
            assert (await cloud.ended(id)).status.tasks[0].exit_code == 1


async def test_unreachable_and_back(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    async with cloud.observed():
        await apply(world, "w", Script().sleep(0.3).exit(7))
        world.fail(Fault(kind="unreachable", seconds=0.6))
        assert (await cloud.ended("w")).status.tasks[0].exit_code == 7
        assert (await cloud.read(site)).phase == "connected"


async def test_a_site_is_shown_as_it_was_last_seen(cloud: Cloud) -> None:
    site, _ = await cloud.site(millicores=4000, gpus=[{"model": "H100", "count": 1}])
    async with cloud.observed():
        await cloud.phase(site, "connected")
        shown = await cloud.shown(site)
        assert shown["capacity"]["millicores"] == 4000
        assert shown["capacity"]["gpus"][0]["model"] == "H100"
        assert shown["engines"] == {"simulated": "1"}
        assert shown["lastSeenAt"]


async def test_new_capacity_is_told_once(cloud: Cloud) -> None:
    told: list[int] = []

    async def note(tx: object, site: object, capacity: object) -> None:
        told.append(capacity.millicores)

    site, world = await cloud.site(millicores=4000)
    async with cloud.observed(on_capacity=note):
        await cloud.phase(site, "connected")
        await apply(world, "w", Script().stay())
        before = (await cloud.shown(site))["lastSeenAt"]

        async def beaten() -> bool:
            return (await cloud.shown(site))["lastSeenAt"] > before

        await cloud.until(beaten)
    assert told == [4000]


async def test_an_orphan_is_reported_and_left_alone(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await apply(world, "stranger", Script().stay())
    async with cloud.observed():
        await cloud.phase(site, "connected")

        async def reported() -> list[str]:
            return (await cloud.shown(site)).get("unknownWorkloads", [])

        assert await cloud.until(reported) == ["stranger"]
        [alert] = await cloud.db.fetch(
            "select * from alert where reason = 'UnknownWorkloads' and cleared_at is null"
        )
        assert "stranger" in alert["message"]
        assert world.find("stranger").status.running
        await Simulated(world).delete("stranger", 1)

        async def forgotten() -> bool:
            return "unknownWorkloads" not in await cloud.shown(site)

        await cloud.until(forgotten)


async def test_what_was_given_up_is_deleted(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("old", site)
    await cloud.own("kept", site)
    await apply(world, "old", Script().stay(), fence=9)
    await apply(world, "kept", Script().stay())
    await cloud.give_up("old")
    async with cloud.observed():
        await cloud.gone("old")
        assert world.find("kept").status.running
        await cloud.give_up("kept")
        await cloud.gone("kept")


async def test_one_observer_at_a_time(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    async with cloud.observed():
        await cloud.phase(site, "connected")
        first = await cloud.db.fetchval("select watcher from site_contact")
        other = cloud.beside()
        other.hub.open(site.name, "simulated", site.spec["config"])
        async with other.observed():
            await apply(world, "w", Script().sleep(0.2).exit(2))
            await cloud.ended("w")
            assert other.told == []
            assert await cloud.db.fetchval("select watcher from site_contact") == first
        await other.hub.close_all()


async def test_the_next_observer_takes_over(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    async with cloud.observed():
        await cloud.phase(site, "connected")
    other = cloud.beside()
    other.hub.open(site.name, "simulated", site.spec["config"])
    async with other.observed():
        await apply(world, "w", Script().exit(2))
        await other.ended("w")
        assert "w" in other.told
    await other.hub.close_all()


async def test_declared_opened_changed_and_removed(cloud: Cloud) -> None:
    async with cloud.observed():
        site = await cloud.declare("late", driver="simulated", config={"millicores": 1000})
        await cloud.phase(site, "connected")
        assert (await cloud.hub.driver("late").capacity()).millicores == 1000
        await cloud.declare("late", driver="simulated", config={"millicores": 2000})

        async def grown() -> bool:
            return (await cloud.shown(site))["capacity"]["millicores"] == 2000

        await cloud.until(grown)
        await cloud.remove(site)

        async def closed() -> bool:
            return cloud.hub.contact("late") is None

        await cloud.until(closed)
        with pytest.raises(SiteUnreachable):
            cloud.hub.driver("late")


async def test_many_events_at_once(cloud: Cloud) -> None:
    site, world = await cloud.site(millicores=10**9, memory=1 << 60, disk=1 << 60)
    ids = [f"w{n}" for n in range(1200)]
    async with cloud.db.transaction() as tx:
        for id in ids:
            await seen.own(tx, id, at=site.name, owner=site.uid, tenant="acme")
    async with cloud.observed():
        await cloud.phase(site, "connected")
        for id in ids:
            await apply(world, id, Script().exit(1))

        async def all_over() -> bool:
            count = await cloud.db.fetchval("select count(ended_at) from workload")
            return count == len(ids)

        await cloud.until(all_over)


async def test_what_is_seen_while_the_list_is_under_way_is_not_gone(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("quick", site)
    driver = Simulated(world)

    class Slow(Simulated):
        """Between this site's answer and its arrival, a flow applies and writes what it saw."""

        async def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
            answer = await super().list()
            status = await driver.apply(work("quick", Script().stay()), 1)
            async with cloud.db.transaction() as tx:
                await seen.saw(tx, site.name, [status])
            return answer

    async with cloud.observed():
        await cloud.phase(site, "connected")
    observer = cloud.observer()
    async with cloud.db.transaction() as tx:
        await tx.execute("update site_contact set watcher = $1", observer._me)
    _, changed = await reconcile(cloud.db, site, Slow(world), observer._writing, observer._tell)
    assert changed == []
    assert (await cloud.find("quick")).gone_at is None


async def test_what_was_gone_and_is_listed_is_back(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    await apply(world, "w", Script().stay())
    async with cloud.db.transaction() as tx:
        await seen.is_gone(tx, site.name, ["w"])
    async with cloud.observed():

        async def back() -> bool:
            return (await cloud.find("w")).gone_at is None

        await cloud.until(back)
        assert "w" in cloud.told


async def test_a_site_that_will_not_delete_is_asked_again(cloud: Cloud) -> None:
    site, world = await cloud.site()
    await cloud.own("w", site)
    await apply(world, "w", Script().stay())
    world.fail(Fault(kind="refuse", verbs=("delete",), times=2))
    await cloud.give_up("w")
    async with cloud.observed():
        await cloud.gone("w")

"""The driver ends and comes back; what runs does not notice."""

import asyncio
from datetime import UTC, datetime

import pytest

from skerry.sites.contract import Refused, StaleFence, Workloads
from tests.sites.contract.rig import (
    Base,
    Rig,
    download,
    ended,
    find,
    log,
    printed,
    put,
    running,
    upload,
    workload,
)
from tests.sites.contract.script import Script


class Restarting(Base):
    async def test_what_runs_goes_on(self, rig: Rig, site: Workloads) -> None:
        work = workload(
            rig, Script().trap("USR1", 5).print("before").stay(), labels={"k": "v"}, tasks=2
        )
        await site.apply(work, 3)
        await printed(site, work.id, "before", 0)
        await printed(site, work.id, "before", 1)
        before = await running(site, work.id)
        room = await site.capacity()
        await rig.kill()
        site = await rig.open()
        assert await running(site, work.id) == before
        assert (await site.capacity()).free_millicores == room.free_millicores
        await site.signal(work.id, 10, 3)
        assert [task.exit_code for task in (await ended(site, work.id)).tasks] == [5, 5]
        assert await log(site, work.id, 1) == "before\n"

    async def test_an_end_nobody_watched_is_known(self, rig: Rig, site: Workloads) -> None:
        script = Script().print("start").sleep(1).write("result", "42").print("end").exit(7)
        work = workload(rig, script, artifacts=("result",))
        await site.apply(work, 1)
        await running(site, work.id)
        await rig.kill()
        await asyncio.sleep(3)
        back = datetime.now(UTC)
        site = await rig.open()
        [task] = (await ended(site, work.id)).tasks
        assert (task.exit_code, task.restarts) == (7, 0)
        assert task.started_at is not None
        assert task.ended_at is not None
        assert (task.ended_at - task.started_at).total_seconds() >= 1
        assert task.ended_at < back
        assert await log(site, work.id) == "start\nend\n"
        assert await download(site, work.id, "result") == b"42"

    async def test_the_log_has_no_gap(self, rig: Rig, site: Workloads) -> None:
        script = Script()
        for number in range(10):
            script = script.print(f"line {number}").sleep(0.2)
        work = workload(rig, script)
        await site.apply(work, 1)
        await printed(site, work.id, "line 1")
        for _ in range(2):
            await rig.kill()
            site = await rig.open()
        await ended(site, work.id)
        assert await log(site, work.id) == "".join(f"line {n}\n" for n in range(10))

    async def test_the_ended_stays_readable(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("kept").write("f", "x").exit(1), artifacts=("f",))
        await site.apply(work, 2)
        before = await ended(site, work.id)
        await rig.kill()
        site = await rig.open()
        assert await find(site, work.id) == before
        assert await log(site, work.id) == "kept\n"
        assert await download(site, work.id, "f") == b"x"

    async def test_fences_are_remembered(self, rig: Rig, site: Workloads) -> None:
        live, dead = workload(rig, Script().stay()), workload(rig, Script().stay())
        await site.apply(live, 5)
        await site.apply(dead, 5)
        await site.delete(dead.id, 6)
        await rig.kill()
        site = await rig.open()
        with pytest.raises(StaleFence):
            await site.delete(live.id, 4)
        with pytest.raises(StaleFence):
            await site.apply(dead, 5)
        with pytest.raises(Refused) as refused:
            await site.apply(dead, 6)
        assert refused.value.reason == "Deleted"

    async def test_an_apply_that_is_repeated_finds_its_work(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().print("once").exit(3))
        await site.apply(work, 1)
        await rig.kill()
        site = await rig.open()
        await site.apply(work, 2)
        assert (await ended(site, work.id)).tasks[0].exit_code == 3
        assert await log(site, work.id) == "once\n"

    async def test_the_time_limit_holds_meanwhile(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay(), time_limit=1, grace=1)
        await site.apply(work, 1)
        await running(site, work.id)
        await rig.kill()
        await asyncio.sleep(4)
        back = datetime.now(UTC)
        site = await rig.open()
        [task] = (await ended(site, work.id)).tasks
        assert task.reason == "TimeLimit"
        assert task.ended_at is not None
        assert task.ended_at < back

    async def test_blobs_stay(self, rig: Rig, site: Workloads) -> None:
        kept = await upload(site, b"kept over the restart")
        await rig.kill()
        site = await rig.open()
        assert await site.has_blobs((kept,)) == (kept,)
        work = workload(rig, Script().cat("f"), files=(await put(site, "f", b"in\n"),))
        await site.apply(work, 1)
        await ended(site, work.id)
        assert await log(site, work.id) == "in\n"

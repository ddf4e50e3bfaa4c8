"""``Usage``: what the host and its tasks use."""

import asyncio
from collections.abc import Callable

from skerry.sites.contract import HostUsage, TaskUsage, Usage, Workloads
from tests.sites.contract.rig import (
    MIB,
    PATIENCE,
    Base,
    Rig,
    chunks,
    ended,
    printed,
    run,
    running,
    workload,
)
from tests.sites.contract.script import Script


async def _used(site: Workloads) -> tuple[HostUsage, dict[tuple[str, int], TaskUsage]]:
    assert isinstance(site, Usage)
    host, tasks = await site.usage()
    assert len({(task.id, task.rank) for task in tasks}) == len(tasks)
    return host, {(task.id, task.rank): task for task in tasks}


async def _until(site: Workloads, id: str, wanted: Callable[[TaskUsage], bool]) -> TaskUsage:
    async with asyncio.timeout(PATIENCE):
        while True:
            _, tasks = await _used(site)
            if (id, 0) in tasks and wanted(tasks[id, 0]):
                return tasks[id, 0]
            await asyncio.sleep(0.1)


class Using(Base):
    async def test_what_a_task_uses_is_told(self, rig: Rig, site: Workloads) -> None:
        script = Script().fill("data", 3 * MIB).burn(0.5).print("é").print("x", "stderr").stay()
        work = workload(rig, script, millicores=1000)
        await site.apply(work, 1)
        await printed(site, work.id, "x")
        await _until(site, work.id, lambda task: (task.disk or 0) >= 3 * MIB)
        used = await _until(site, work.id, lambda task: task.log is not None and task.log >= 5)
        last = (await chunks(site, work.id))[-1]
        assert used.log == last.offset + len(last.data)
        assert 0.5 <= used.cpu_seconds < PATIENCE
        assert 0 < used.memory <= 64 * MIB
        assert used.at.utcoffset() is not None

    async def test_all_that_run_are_told_of_and_no_others(self, rig: Rig, site: Workloads) -> None:
        neighbour = await rig.neighbour()
        theirs = workload(rig, Script().stay())
        await neighbour.apply(theirs, 1)
        gang, over = workload(rig, Script().stay(), tasks=2), workload(rig, Script())
        await run(site, over)
        await site.apply(gang, 1)
        await running(site, gang.id)
        await running(neighbour, theirs.id)
        _, tasks = await _used(site)
        assert set(tasks) == {(gang.id, 0), (gang.id, 1)}
        await neighbour.delete(theirs.id, 1)

    async def test_counters_outlive_restarts_and_drivers(self, rig: Rig, site: Workloads) -> None:
        script = Script().burn(0.3).print("done").sleep(0.3).exit(1)
        work = workload(rig, script, millicores=1000, restart="always", max_restarts=1 << 30)
        await site.apply(work, 1)
        await printed(site, work.id, "done\ndone")
        before = await _until(site, work.id, lambda task: task.cpu_seconds > 0.5)
        await rig.kill()
        site = await rig.open()
        after = await _until(site, work.id, lambda task: True)
        assert after.cpu_seconds >= before.cpu_seconds
        assert (after.log or 0) >= (before.log or 0) >= 10

    async def test_the_host_is_told_of(self, rig: Rig, site: Workloads) -> None:
        first, _ = await _used(site)
        work = workload(rig, Script().burn(0.5).print("done").stay(), millicores=1000)
        await site.apply(work, 1)
        await printed(site, work.id, "done")
        second, tasks = await _used(site)
        assert second.at >= first.at
        assert second.cpu_seconds - first.cpu_seconds >= 0.4
        assert second.memory >= tasks[work.id, 0].memory
        await site.delete(work.id, 1)
        third, tasks = await _used(site)
        assert third.cpu_seconds >= second.cpu_seconds
        assert tasks == {}

    async def test_what_has_ended_uses_nothing(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("bye"))
        await site.apply(work, 1)
        await ended(site, work.id)
        _, tasks = await _used(site)
        assert tasks == {}

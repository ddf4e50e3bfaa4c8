"""Who may act: idempotence, fences, deletion."""

import asyncio
import signal

import pytest

from skerry.sites.contract import Refused, StaleFence, UnknownWorkload, Workloads, WorkloadStatus
from tests.sites.contract.rig import Base, Rig, ended, find, log, plain, run, running, workload
from tests.sites.contract.script import Script


class Fencing(Base):
    async def test_applied_twice_it_runs_once(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("once"))
        await run(site, work)
        again = await site.apply(work, 1)
        assert again.ended
        assert await ended(site, work.id) == again
        assert await log(site, work.id) == "once\n"

    async def test_ten_callers_at_once_make_one(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("one"))
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(site.apply(work, 1)) for _ in range(10)]
        assert {call.result().id for call in calls} == {work.id}
        await ended(site, work.id)
        assert await log(site, work.id) == "one\n"

    async def test_an_id_means_one_thing(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("first"))
        await run(site, work)
        other = workload(rig, Script().print("second"), id=work.id)
        with pytest.raises(Refused) as refused:
            await site.apply(other, 2)
        assert refused.value.reason == "Changed"
        plain(refused.value)
        assert await log(site, work.id) == "first\n"

    async def test_a_newer_fence_takes_over_what_runs(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 3)
        before = await running(site, work.id)
        after = await site.apply(work, 4)
        assert after.fence == 4
        assert after.tasks == before.tasks

    async def test_an_older_fence_can_do_nothing(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 4)
        before = await running(site, work.id)
        attempts = (
            site.apply(work, 3),
            site.signal(work.id, signal.SIGKILL, 3),
            site.delete(work.id, 3),
        )
        for attempt in attempts:
            with pytest.raises(StaleFence) as refused:
                await attempt
            plain(refused.value)
        assert await find(site, work.id) == before

    async def test_every_verb_moves_the_fence(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        await site.signal(work.id, signal.SIGWINCH, 6)
        found = await find(site, work.id)
        assert found is not None
        assert found.fence == 6
        with pytest.raises(StaleFence):
            await site.delete(work.id, 5)

    async def test_delete_ends_and_forgets(self, rig: Rig, site: Workloads) -> None:
        before = await site.capacity()
        work = workload(rig, Script().print("up").ignore("TERM").stay(), tasks=2)
        await site.apply(work, 1)
        await running(site, work.id)
        await site.delete(work.id, 1)
        assert await find(site, work.id) is None
        assert (await site.capacity()).free_millicores == before.free_millicores
        with pytest.raises(UnknownWorkload):
            await log(site, work.id)

    async def test_delete_twice_is_delete_once(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(site.delete(work.id, 1))
        await site.delete(work.id, 1)
        assert await find(site, work.id) is None

    async def test_delete_of_the_unknown_is_no_error(self, rig: Rig, site: Workloads) -> None:
        await site.delete(workload(rig, Script()).id, 1)

    async def test_the_dead_are_not_raised(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("alive"))
        await site.apply(work, 1)
        await site.delete(work.id, 2)
        with pytest.raises(StaleFence):
            await site.apply(work, 1)
        with pytest.raises(Refused) as refused:
            await site.apply(work, 2)
        assert refused.value.reason == "Deleted"
        plain(refused.value)
        assert await find(site, work.id) is None

    async def test_a_delete_that_overtakes_its_apply_wins(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("too late"))
        await site.delete(work.id, 2)
        with pytest.raises(StaleFence):
            await site.apply(work, 1)
        assert await find(site, work.id) is None

    async def test_apply_against_delete(self, rig: Rig, site: Workloads) -> None:
        works = [workload(rig, Script().stay(), millicores=20) for _ in range(10)]

        async def start(number: int) -> WorkloadStatus | None:
            try:
                return await site.apply(works[number], 1)
            except StaleFence:
                return None

        async with asyncio.TaskGroup() as group:
            for number, work in enumerate(works):
                pair = [start(number), site.delete(work.id, 2)]
                for call in reversed(pair) if number % 2 else pair:
                    group.create_task(call)
        _, left = await site.list()
        assert {work.id for work in works} & {status.id for status in left} == set()

    async def test_list_is_all_it_owns_and_nothing_else(self, rig: Rig, site: Workloads) -> None:
        neighbour = await rig.neighbour()
        theirs = workload(rig, Script().stay())
        await neighbour.apply(theirs, 1)
        done, live = workload(rig, Script()), workload(rig, Script().stay())
        await run(site, done)
        await site.apply(live, 1)
        _, mine = await site.list()
        assert {status.id for status in mine} == {done.id, live.id}
        await site.delete(theirs.id, 9)
        assert (await running(neighbour, theirs.id)).id == theirs.id
        await neighbour.delete(theirs.id, 9)

    async def test_the_unknown_is_called_unknown(self, rig: Rig, site: Workloads) -> None:
        id = workload(rig, Script()).id

        async def drain_log() -> None:
            async for _ in site.logs(id, 0):
                pass

        async def drain_file() -> None:
            async for _ in site.download(id, 0, "x"):
                pass

        verbs = {
            "signal": lambda: site.signal(id, signal.SIGTERM, 1),
            "stats": lambda: site.stats(id),
            "files": lambda: site.files(id, 0),
            "download": drain_file,
            "logs": drain_log,
            "exec": lambda: site.exec(id, 0, ("cat",), False),
            "connect": lambda: site.connect(id, 0, 80),
        }
        for verb, attempt in verbs.items():
            if verb in rig.manifest.lacks:
                continue
            with pytest.raises(UnknownWorkload) as refused:
                await attempt()
            plain(refused.value)

"""Starting: what an applied workload gets, and gangs."""

import asyncio
import signal

import pytest

from skerry.sites.contract import NoRoom, Refused, Workloads
from tests.sites.contract.rig import (
    MIB,
    Base,
    Rig,
    ended,
    find,
    lacks,
    log,
    plain,
    printed,
    run,
    running,
    workload,
)
from tests.sites.contract.script import Script


class Running(Base):
    async def test_it_does_what_it_was_asked(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("6 × 7 = 42"), labels={"job": "answer"})
        first = await site.apply(work, 7)
        assert (first.id, first.fence, first.labels) == (work.id, 7, {"job": "answer"})
        assert [task.rank for task in first.tasks] == [0]
        last = await ended(site, work.id)
        assert last.tasks[0].exit_code == 0
        assert await log(site, work.id) == "6 × 7 = 42\n"

    async def test_it_is_isolated_as_asked(self, rig: Rig, site: Workloads) -> None:
        status = await run(site, workload(rig, Script()))
        assert status.isolation == rig.isolation
        assert status.engine

    async def test_times_are_the_hosts_and_in_order(self, rig: Rig, site: Workloads) -> None:
        [task] = (await run(site, workload(rig, Script().sleep(0.5)))).tasks
        assert task.started_at is not None
        assert task.ended_at is not None
        assert task.started_at.utcoffset() is not None
        assert 0.5 <= (task.ended_at - task.started_at).total_seconds() < 60

    async def test_a_command_that_is_not_there_exits_127(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script(), command=("/no/such/program", "-x"))
        [task] = (await run(site, work)).tasks
        assert task.exit_code == 127
        assert "/no/such/program" in task.message

    async def test_variables_arrive_byte_by_byte(self, rig: Rig, site: Workloads) -> None:
        odd = "a 'b' \"c\" $HOME `d` \\ é\nsecond=line"
        work = workload(rig, Script().env("ODD").env("NOT_SET"), env={"ODD": odd})
        await run(site, work)
        assert await log(site, work.id) == f"{odd}\nunset\n"

    async def test_secrets_reach_the_task_and_nobody_else(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().env("KEY"), secret_env={"KEY": "hunter2-hunter2"})
        shown = [await site.apply(work, 1), await ended(site, work.id), await site.list()]
        assert await log(site, work.id) == "hunter2-hunter2\n"
        assert "hunter2" not in repr(shown)

    async def test_secret_files_reach_the_task_and_nobody_else(
        self, rig: Rig, site: Workloads
    ) -> None:
        files = {"/run/secrets/app/key": "hunter2-hunter2\n", "/work/own": "é\n"}
        script = Script().cat("/run/secrets/app/key").cat("/work/own")
        work = workload(rig, script, secret_files=files, tasks=2)
        if rig.isolation == "process":
            with pytest.raises(Refused) as refused:
                await site.apply(work, 1)
            assert refused.value.reason == "Unsupported"
            return
        shown = [await site.apply(work, 1), await ended(site, work.id), await site.list()]
        for rank in range(2):
            assert await log(site, work.id, rank) == "hunter2-hunter2\né\n"
        assert "hunter2" not in repr(shown)

    async def test_secret_files_stay_outside_of_what_others_see(
        self, rig: Rig, site: Workloads
    ) -> None:
        for path in ("key", "/", "/work", "/dev/null", "/a/../b", "/proc/1/environ"):
            with pytest.raises(Refused) as refused:
                await site.apply(workload(rig, Script(), secret_files={path: "x"}), 1)
            assert refused.value.reason == "BadPath"
            plain(refused.value)

    async def test_each_task_knows_its_rank(self, rig: Rig, site: Workloads) -> None:
        script = Script().env("SKERRY_RANK").env("SKERRY_TASKS")
        work = workload(rig, script, tasks=3)
        status = await run(site, work)
        assert [task.rank for task in status.tasks] == [0, 1, 2]
        assert [await log(site, work.id, rank) for rank in range(3)] == [
            "0\n3\n",
            "1\n3\n",
            "2\n3\n",
        ]

    async def test_the_tasks_of_a_gang_find_each_other(self, rig: Rig, site: Workloads) -> None:
        """As torch.distributed and torchrun look for each other."""
        script = Script().env("RANK").env("WORLD_SIZE").env("PET_NNODES").env("PET_NODE_RANK")
        work = workload(rig, script.meet() if rig.gangs else script, tasks=2)
        status = await run(site, work)
        assert [task.exit_code for task in status.tasks] == [0, 0]
        logs = [await log(site, work.id, rank) for rank in range(2)]
        if rig.gangs:
            assert logs == [f"{rank}\n2\n2\n{rank}\nmet 2\n" for rank in range(2)]
        else:
            assert logs == 2 * ["unset\nunset\nunset\nunset\n"]

    async def test_a_workload_of_one_task_is_no_gang(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().env("MASTER_ADDR").env("RANK"))
        await run(site, work)
        assert await log(site, work.id) == "unset\nunset\n"

    async def test_a_gangs_variables_give_way_to_its_own(self, rig: Rig, site: Workloads) -> None:
        env = {"MASTER_PORT": "1234", "SKERRY_TASKS": "9"}
        script = Script().env("MASTER_PORT").env("SKERRY_TASKS")
        work = workload(rig, script, tasks=2, env=env)
        await run(site, work)
        assert await log(site, work.id, 1) == "1234\n2\n"

    async def test_a_gang_starts_whole_or_not_at_all(self, rig: Rig, site: Workloads) -> None:
        before = await site.capacity()
        more_than_half = before.millicores // 2 + 1
        work = workload(rig, Script().stay(), tasks=2, millicores=more_than_half)
        with pytest.raises(NoRoom) as refused:
            await site.apply(work, 1)
        plain(refused.value)
        assert await find(site, work.id) is None
        assert (await site.capacity()).free_millicores == before.free_millicores

    async def test_room_is_held_until_the_end(self, rig: Rig, site: Workloads) -> None:
        before = await site.capacity()
        assert set(before.isolations) <= set(rig.manifest.isolations)
        assert before.free_millicores <= before.millicores
        assert before.free_memory <= before.memory
        work = workload(rig, Script().stay(), tasks=2, millicores=100, memory=64 * MIB)
        await site.apply(work, 1)
        held = await site.capacity()
        assert before.free_millicores - held.free_millicores == 200
        await running(site, work.id)
        await site.signal(work.id, signal.SIGKILL, 1)
        await ended(site, work.id)
        assert (await site.capacity()).free_millicores == before.free_millicores

    async def test_a_device_has_one_holder(self, rig: Rig, site: Workloads) -> None:
        devices = {gpu.uuid for gpu in (await site.capacity()).devices}
        held: list[str] = []
        for _ in devices:
            work = workload(rig, Script().stay(), gpus=1)
            await site.apply(work, 1)
            [task] = (await running(site, work.id)).tasks
            held += task.gpus
        assert sorted(held) == sorted(devices)
        assert (await site.capacity()).free_gpus == ()
        with pytest.raises(NoRoom) as refused:
            await site.apply(workload(rig, Script().stay(), gpus=1), 1)
        plain(refused.value)

    async def test_a_refused_start_can_be_tried_again(self, rig: Rig, site: Workloads) -> None:
        whole = (await site.capacity()).free_millicores
        first = workload(rig, Script().stay(), millicores=whole)
        second = workload(rig, Script().print("my turn"), millicores=whole)
        await site.apply(first, 1)
        with pytest.raises(NoRoom):
            await site.apply(second, 1)
        await site.delete(first.id, 1)
        await run(site, second)
        assert await log(site, second.id) == "my turn\n"

    async def test_fifty_at_once(self, rig: Rig, site: Workloads) -> None:
        works = [
            workload(rig, Script().print(f"number {n}"), millicores=20, memory=16 * MIB)
            for n in range(50)
        ]
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(site.apply(work, 1))
        for n, work in enumerate(works):
            assert (await ended(site, work.id)).tasks[0].exit_code == 0
            assert await log(site, work.id) == f"number {n}\n"

    async def test_stats_show_what_was_used(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().burn(0.2).print("warm").stay(), millicores=500)
        await site.apply(work, 1)
        if await lacks(rig, "stats", lambda: site.stats(work.id)):
            return
        await printed(site, work.id, "warm")
        [used] = await site.stats(work.id)
        assert used.rank == 0
        assert used.cpu_seconds >= 0.2
        assert 0 < used.memory <= 64 * MIB
        assert used.at.utcoffset() is not None

"""Ending: exit codes, signals, limits and restarts."""

import signal

import pytest

from skerry.sites.contract import Workloads
from tests.sites.contract.rig import MIB, Base, Rig, ended, log, printed, run, workload
from tests.sites.contract.script import Script


class Exiting(Base):
    @pytest.mark.parametrize("code", [0, 1, 3, 255])
    async def test_the_exit_code_is_the_commands(
        self, rig: Rig, site: Workloads, code: int
    ) -> None:
        [task] = (await run(site, workload(rig, Script().exit(code)))).tasks
        assert (task.phase, task.exit_code, task.restarts) == ("exited", code, 0)

    async def test_death_by_its_own_signal(self, rig: Rig, site: Workloads) -> None:
        [task] = (await run(site, workload(rig, Script().kill("KILL")))).tasks
        assert task.exit_code == 128 + signal.SIGKILL

    async def test_a_signal_ends_it(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("up").stay(), tasks=2)
        await site.apply(work, 1)
        for rank in range(2):
            await printed(site, work.id, "up", rank)
        await site.signal(work.id, signal.SIGTERM, 1)
        status = await ended(site, work.id)
        assert [task.exit_code for task in status.tasks] == [128 + signal.SIGTERM] * 2

    async def test_a_signal_can_be_handled(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().trap("TERM", 9).print("up").stay())
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await site.signal(work.id, signal.SIGTERM, 1)
        assert (await ended(site, work.id)).tasks[0].exit_code == 9

    async def test_a_signal_after_the_end_does_nothing(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().exit(4))
        before = await run(site, work)
        await site.signal(work.id, signal.SIGTERM, 1)
        assert await ended(site, work.id) == before

    async def test_a_child_left_behind_does_not_hold_the_end(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().leave(1000).print("done").exit(6))
        [task] = (await run(site, work)).tasks
        assert task.exit_code == 6
        assert await log(site, work.id) == "done\n"

    async def test_the_time_limit_ends_it(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("on and on").stay(), time_limit=1, grace=5)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.reason) == (128 + signal.SIGTERM, "TimeLimit")
        assert task.started_at is not None
        assert task.ended_at is not None
        assert (task.ended_at - task.started_at).total_seconds() >= 1
        assert await log(site, work.id) == "on and on\n"

    async def test_the_time_limit_has_the_last_word(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().ignore("TERM").stay(), time_limit=1, grace=1)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.reason) == (128 + signal.SIGKILL, "TimeLimit")

    async def test_what_tidies_up_in_its_grace_was_still_too_late(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().trap("TERM", 0).stay(), time_limit=1, grace=5)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.reason) == (0, "TimeLimit")

    async def test_more_memory_than_asked_for_ends_it(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().allocate(512 * MIB).print("got it"), memory=64 * MIB)
        [task] = (await run(site, work)).tasks
        assert task.exit_code != 0
        assert "got it" not in await log(site, work.id)
        if task.exit_code == 128 + signal.SIGKILL:
            assert task.reason == "OutOfMemory"

    async def test_failure_is_restarted_as_often_as_allowed(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().print("trying").exit(5), restart="on-failure", max_restarts=2)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.restarts) == (5, 2)
        assert await log(site, work.id) == "trying\n" * 3

    async def test_success_is_not_a_failure(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("fine"), restart="on-failure", max_restarts=2)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.restarts) == (0, 0)

    async def test_always_means_after_success_too(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("again"), restart="always", max_restarts=1)
        [task] = (await run(site, work)).tasks
        assert task.restarts == 1
        assert await log(site, work.id) == "again\n" * 2

    async def test_what_was_told_to_end_is_not_started_again(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(
            rig, Script().print("serving").stay(), restart="always", max_restarts=1 << 30
        )
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        await site.signal(work.id, signal.SIGTERM, 2)
        [task] = (await ended(site, work.id)).tasks
        assert (task.exit_code, task.restarts) == (128 + signal.SIGTERM, 0)

    async def test_failure_is_not_restarted_unasked(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("once").exit(5), max_restarts=2)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.restarts) == (5, 0)
        assert await log(site, work.id) == "once\n"

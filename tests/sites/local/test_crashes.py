"""Agent and shims are killed at every step; a workload runs once or not at all, and ends known."""

import asyncio
import json
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from skerry.sites.contract import SiteUnreachable, Workload, Workloads, WorkloadStatus
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.held import HeldTask
from skerry.sites.local.shim.plan import DIES_AT as SHIM_DIES_AT
from skerry.sites.local.steps import DIES_AT
from tests.sites.contract.rig import download, ended, find, log, printed, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import AgentEnd, LocalRig

APPLYING = ("fenced", "intent", "laid out", "all stand", "decided", "let go 0", "let go 1")
DECIDED = APPLYING[APPLYING.index("decided") :]


def tallying(rig: LocalRig, tally: Path, **changes: object) -> Workload:
    """Two bare processes, each of which adds a line to a file outside when it runs."""
    script = f"echo ran >> {tally}; echo once; exit 3"
    return workload(
        rig, Script(), command=("sh", "-c", script), isolation="process", tasks=2, **changes
    )


def ran(tally: Path) -> int:
    return len(tally.read_text().splitlines()) if tally.exists() else 0


async def dies(end: AgentEnd) -> None:
    assert end.process is not None
    async with asyncio.timeout(60):
        assert await end.process.wait() == -signal.SIGKILL


def alive(pid: int) -> bool:
    """Dead and waiting to be buried by whoever is the host's first process is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def task_of(site: Workloads, id: str, rank: int = 0) -> HeldTask:
    """The driver's own notes on a task; it must be in this process."""
    assert isinstance(site, LocalDriver)
    assert site._machine is not None
    return site._machine.held[id].tasks[rank]


async def nothing_left(site: Workloads, *except_for: str) -> None:
    """No control group, no runc container and no shim is there, but for the tasks named."""
    assert isinstance(site, LocalDriver)
    machine = site._machine
    assert machine is not None
    listed = ["runc", "--root", str(machine.data / "runc"), "list", "-q"]
    async with asyncio.timeout(60):
        while True:
            containers = subprocess.run(listed, capture_output=True, text=True).stdout.split()
            tasks = [t for h in machine.held.values() for t in h.tasks]
            shims = {t.name for t in tasks if t.directory.path.exists() and t.directory.has_shim}
            if machine.cgroups.names() | set(containers) | shims <= set(except_for):
                return
            await asyncio.sleep(0.05)


class TestAgentDiesInApply:
    @pytest.mark.parametrize("step", APPLYING)
    async def test_applied_again_it_has_run_once(
        self, agent: AgentEnd, bare: LocalRig, tmp_path: Path, step: str
    ) -> None:
        work = tallying(bare, tmp_path / "tally")
        site = await agent.start(**{DIES_AT: step})
        with pytest.raises(SiteUnreachable):
            await site.apply(work, 1)
        await dies(agent)
        site = await agent.start()
        await site.apply(work, 2)
        status = await ended(site, work.id)
        assert [task.exit_code for task in status.tasks] == [3, 3]
        assert [await log(site, work.id, rank) for rank in range(2)] == ["once\n"] * 2
        assert ran(tmp_path / "tally") == 2

    @pytest.mark.parametrize("step", APPLYING)
    async def test_left_alone_all_tasks_run_or_none(
        self, agent: AgentEnd, bare: LocalRig, tmp_path: Path, step: str
    ) -> None:
        work = tallying(bare, tmp_path / "tally")
        site = await agent.start(**{DIES_AT: step})
        with pytest.raises(SiteUnreachable):
            await site.apply(work, 1)
        await dies(agent)
        site = await agent.start()
        if step in DECIDED:
            await ended(site, work.id)
        else:
            await site.delete(work.id, 2)
            assert await find(site, work.id) is None
        assert ran(tmp_path / "tally") == (2 if step in DECIDED else 0)

    @pytest.mark.parametrize("step", ["intent", "all stand", "decided"])
    async def test_in_a_sandbox_too(self, agent: AgentEnd, bare: LocalRig, step: str) -> None:
        script = Script().print("once").write("out", "x")
        work = workload(bare, script, isolation="sandbox", artifacts=("*",), tasks=2)
        site = await agent.start(**{DIES_AT: step})
        with pytest.raises(SiteUnreachable):
            await site.apply(work, 1)
        await dies(agent)
        site = await agent.start()
        await site.apply(work, 2)
        await ended(site, work.id)
        for rank in range(2):
            assert await log(site, work.id, rank) == "once\n"
            assert await download(site, work.id, "out", rank) == b"x"

    async def test_what_is_undecided_is_shown_as_pending(
        self, agent: AgentEnd, bare: LocalRig, tmp_path: Path
    ) -> None:
        work = tallying(bare, tmp_path / "tally")
        site = await agent.start(**{DIES_AT: "all stand"})
        before = (await site.capacity()).free_millicores
        with pytest.raises(SiteUnreachable):
            await site.apply(work, 1)
        await dies(agent)
        site = await agent.start()
        found = await find(site, work.id)
        assert found is not None
        assert [task.phase for task in found.tasks] == ["pending", "pending"]
        assert (await site.capacity()).free_millicores == before


class TestAgentDiesInDelete:
    @pytest.mark.parametrize("step", ["deleting", "ended"])
    async def test_the_next_one_finishes_it(
        self, agent: AgentEnd, bare: LocalRig, step: str
    ) -> None:
        work = workload(bare, Script().print("up").ignore("TERM").stay(), isolation="sandbox")
        site = await agent.start(**{DIES_AT: step})
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        with pytest.raises(SiteUnreachable):
            await site.delete(work.id, 2)
        await dies(agent)
        site = await agent.start()
        assert (await site.list())[1] == ()
        capacity = await site.capacity()
        assert capacity.free_millicores == capacity.millicores
        await site.delete(work.id, 2)


class TestAgentDiesAnyTime:
    @pytest.mark.parametrize(
        "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))]
    )
    async def test_ten_workloads_and_five_deaths(
        self, agent: AgentEnd, bare: LocalRig, tmp_path: Path, seed: int
    ) -> None:
        dice = random.Random(seed)
        tally = tmp_path / "tally"
        works = [tallying(bare, tally, id=f"w-{seed}-{n}", millicores=20) for n in range(10)]
        site = await agent.start()

        async def apply(work: Workload) -> WorkloadStatus | None:
            try:
                return await site.apply(work, 1)
            except SiteUnreachable:
                return None

        for _ in range(5):
            applying = asyncio.gather(*(apply(work) for work in works))
            await asyncio.sleep(dice.uniform(0, 0.5))
            await agent.kill()
            await applying
            site = await agent.start()
        assert None not in await asyncio.gather(*(apply(work) for work in works))
        for work in works:
            status = await ended(site, work.id)
            assert [task.exit_code for task in status.tasks] == [3, 3]
            assert [await log(site, work.id, rank) for rank in range(2)] == ["once\n"] * 2
        assert ran(tally) == 2 * len(works)


class TestShimDies:
    @pytest.mark.parametrize("step", ["born", "ready"])
    async def test_before_the_decision_nothing_starts(
        self, rig: LocalRig, site: Workloads, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        await site.capacity()
        monkeypatch.setenv(SHIM_DIES_AT, step)
        work = workload(rig, Script().print("ran"), tasks=2)
        status = await site.apply(work, 1)
        assert status.ended
        assert {task.reason for task in status.tasks} == {"StartFailed"}
        assert await log(site, work.id) == ""
        await nothing_left(site)

    @pytest.mark.parametrize("step", ["told", "let go", "begun"])
    async def test_after_the_decision_its_task_is_lost(
        self, rig: LocalRig, site: Workloads, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        await site.capacity()
        monkeypatch.setenv(SHIM_DIES_AT, step)
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        [task] = (await ended(site, work.id)).tasks
        assert (task.phase, task.reason, task.exit_code) == ("lost", "ShimDied", None)
        assert task.message
        await nothing_left(site)
        monkeypatch.delenv(SHIM_DIES_AT)
        again = await site.apply(work, 2)
        assert again.tasks[0].phase == "lost"

    async def test_while_it_runs(self, rig: LocalRig, site: Workloads) -> None:
        doomed = workload(rig, Script().print("up").stay())
        other = workload(rig, Script().print("up").stay())
        for work in (doomed, other):
            await site.apply(work, 1)
            await printed(site, work.id, "up")
        record = task_of(site, doomed.id).record
        assert record is not None
        os.kill(record.shim, signal.SIGKILL)
        [task] = (await ended(site, doomed.id)).tasks
        assert (task.phase, task.reason) == ("lost", "ShimDied")
        assert task.started_at is not None
        assert task.ended_at is not None
        assert task.started_at <= task.ended_at
        assert await log(site, doomed.id) == "up\n"
        assert not alive(record.command)
        await nothing_left(site, f"{other.id}.0")
        await running(site, other.id)
        capacity = await site.capacity()
        assert capacity.millicores - capacity.free_millicores == other.resources.millicores

    async def test_while_no_driver_is_there(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().print("up").stay())
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        record = task_of(site, work.id).record
        assert record is not None
        await rig.kill()
        os.kill(record.shim, signal.SIGKILL)
        site = await rig.open()
        [task] = (await ended(site, work.id)).tasks
        assert (task.phase, task.reason) == ("lost", "ShimDied")
        assert not alive(record.command)
        await nothing_left(site)
        await rig.kill()
        site = await rig.open()
        assert (await ended(site, work.id)).tasks == (task,)

    async def test_a_restart_of_the_host_is_told_apart(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        work = workload(rig, Script().print("up").stay())
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        task = task_of(site, work.id)
        assert task.record is not None
        await rig.kill()
        os.kill(task.record.shim, signal.SIGKILL)
        state = task.directory.path / "state.json"
        state.write_text(json.dumps({**json.loads(state.read_text()), "bootId": "another"}))
        site = await rig.open()
        [status] = (await ended(site, work.id)).tasks
        assert (status.phase, status.reason) == ("lost", "HostRestarted")

    async def test_a_bare_process_is_ended_with_it(self, bare: LocalRig) -> None:
        site = await bare.open()
        script = "sleep 1000 & setsid sleep 1000 & echo up; wait"
        work = workload(bare, Script(), command=("sh", "-c", script))
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        task = task_of(site, work.id)
        assert task.record is not None
        group = site._machine.cgroups.group(task.name)
        pids = group.processes()
        assert len(pids) == 3
        os.kill(task.record.shim, signal.SIGKILL)
        await ended(site, work.id)
        assert not any(alive(pid) for pid in pids)


class TestPowerCut:
    """Files that were not yet on disk when the power went are missing."""

    @pytest.mark.parametrize("missing", ["state.json", "tasks", "decision.json"])
    async def test_what_is_missing_is_not_run_again(
        self, rig: LocalRig, site: Workloads, missing: str
    ) -> None:
        work = workload(rig, Script().print("up").stay())
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        task = task_of(site, work.id)
        assert task.record is not None
        await rig.kill()
        os.kill(task.record.shim, signal.SIGKILL)
        home = task.directory.path.parent.parent
        subprocess.run(["rm", "-r", *home.rglob(missing)], check=True)
        site = await rig.open()
        if missing == "decision.json":
            # It never was decided, as far as anybody knows: it may be started.
            found = await find(site, work.id)
            assert found is not None
            assert found.tasks[0].phase == "pending"
        else:
            [status] = (await ended(site, work.id)).tasks
            assert status.phase == "lost"
        await nothing_left(site)

    async def test_one_unreadable_workload_keeps_no_site_from_opening(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        works = [workload(rig, Script().stay()) for _ in range(2)]
        for work in works:
            await site.apply(work, 1)
        home = task_of(site, works[0].id).directory.path.parent.parent
        intent = (home / "intent.json").read_text()
        await rig.kill()
        (home / "intent.json").write_text(intent[:20])
        site = await rig.open()
        assert [status.id for status in (await site.list())[1]] == [works[1].id]
        await rig.kill()
        (home / "intent.json").write_text(intent)
        site = await rig.open()
        assert len((await site.list())[1]) == 2


class TestOneAtATime:
    async def test_two_drivers_on_one_directory(
        self, rig: LocalRig, site: Workloads, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await site.list()
        monkeypatch.setattr("skerry.sites.local.machine._LOCK_SECONDS", 0.2)
        second = await rig.open()
        with pytest.raises(SiteUnreachable):
            await second.list()


class TestGangs:
    async def test_one_that_can_not_stand_stops_all(self, rig: LocalRig, site: Workloads) -> None:
        """What is in the way is a directory of its control group that can't be joined."""
        work = workload(rig, Script().print("ran"), tasks=3)
        machine = await site._ready()
        real = machine.planner.plan

        def plan(engine, workload, rank, *args):
            made = real(engine, workload, rank, *args)
            if rank == 1:
                made.argv = ["/no/such/engine"]
            return made

        object.__setattr__(machine, "planner", _With(machine.planner, plan))
        status = await site.apply(work, 1)
        assert status.ended
        assert {task.reason for task in status.tasks} == {"StartFailed"}
        assert "/no/such/engine" in status.tasks[0].message
        assert {task.started_at for task in status.tasks} == {None}
        for rank in range(3):
            assert await log(site, work.id, rank) == ""
        await nothing_left(site)
        capacity = await site.capacity()
        assert capacity.free_millicores == capacity.millicores
        assert (await site.apply(work, 2)).ended


class _With:
    """A planner with one method replaced."""

    def __init__(self, planner, plan) -> None:
        self._planner, self.plan = planner, plan

    def __getattr__(self, name):
        return getattr(self._planner, name)

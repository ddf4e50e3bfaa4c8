"""Cases for an agent without root's rights; ``test_unprivileged`` runs them as such a user."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import Workloads
from tests.sites.contract.rig import MIB, Base, ended, log, printed, run, running, workload
from tests.sites.contract.suite import (
    Addressing,
    Exiting,
    Fencing,
    Healing,
    Reaching,
    Restarting,
    Running,
    Script,
    Using,
)
from tests.sites.local.rigs import LocalRig

assert os.geteuid() != 0


class _Bubblewrap:
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, engines=("bubblewrap",))
        yield rig
        await rig.end()


@pytest.mark.long
class TestWhole(_Bubblewrap, Running, Exiting, Fencing, Healing, Restarting, Using):
    pass


class TestBubblewrap(_Bubblewrap, Reaching, Addressing):
    async def test_how_limits_are_kept_is_said(self, site: Workloads) -> None:
        engines = (await site.capacity()).engines
        assert "root" in engines["runc"] or engines["runc"].startswith("left out")
        assert "no cgroups" in engines["bubblewrap"] or "watching" not in engines["bubblewrap"]

    async def test_memory_is_limited(self, rig: LocalRig, site: Workloads) -> None:
        program = "import time; b = b'x' * (200 << 20); time.sleep(60)"
        work = workload(rig, Script(), command=("python3", "-c", program), memory=64 * MIB)
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.reason) == (137, "OutOfMemory")

    async def test_processes_are_limited(self, rig: LocalRig, site: Workloads) -> None:
        script = "while :; do sleep 1000 & sleep 0.01; done"
        work = workload(rig, Script(), command=("sh", "-c", script), pids=20, memory=512 * MIB)
        [task] = (await run(site, work)).tasks
        assert task.exit_code != 0

    async def test_nothing_of_the_host_is_seen(self, rig: LocalRig, site: Workloads) -> None:
        script = f"ls {rig.directory} && exit 1; id -u; id -un; grep CapBnd /proc/self/status"
        work = workload(rig, Script(), command=("sh", "-c", script))
        [task] = (await run(site, work)).tasks
        assert task.exit_code == 0
        said = await log(site, work.id, stream="stdout")
        assert said.split() == ["1000", "skerry", "CapBnd:", "0" * 16]

    async def test_a_directory_that_its_owner_has_closed_can_be_deleted(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        script = "mkdir -p a/b; touch a/b/c; chmod 0 a/b a"
        work = workload(rig, Script(), command=("sh", "-c", script), artifacts=("**",))
        await run(site, work)
        assert await site.files(work.id, 0) == ()
        await site.delete(work.id, 1)
        assert (await site.list())[1] == ()

    async def test_a_killed_shim_leaves_nothing(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().print("up").stay())
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await running(site, work.id)
        record = site._machine.held[work.id].tasks[0].record
        os.kill(record.shim, 9)
        [task] = (await ended(site, work.id)).tasks
        assert (task.phase, task.reason) == ("lost", "ShimDied")
        assert not Path(f"/proc/{record.command}/exe").exists()


class TestProcess(Base):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[LocalRig]:
        rig = LocalRig(tmp_path, isolation="process")
        yield rig
        await rig.end()

    async def test_a_killed_shim_leaves_nothing(self, rig: LocalRig, site: Workloads) -> None:
        script = "setsid sleep 1000 & echo $!; echo up; sleep 1000"
        work = workload(rig, Script(), command=("sh", "-c", script))
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        left_behind = int((await log(site, work.id)).split()[0])
        record = site._machine.held[work.id].tasks[0].record
        os.kill(record.shim, 9)
        await ended(site, work.id)
        for pid in (left_behind, record.command):
            assert not Path(f"/proc/{pid}/exe").exists()

"""Limits are the kernel's, and what they do is said."""

import asyncio
import itertools
from pathlib import Path

import pytest

from skerry.sites.contract import Resources, Workloads
from skerry.sites.local.cgroups import mounts
from tests.sites.contract.rig import MIB, ended, log, printed, run, running, until, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import LocalRig

_TREE = "import os\nfor n in range(2000):\n os.makedirs('d'); os.chdir('d')\n"


async def python(
    rig: LocalRig, site: Workloads, program: str, **changes: object
) -> tuple[object, str]:
    work = workload(rig, Script(), command=("python3", "-c", program), **changes)
    [task] = (await run(site, work)).tasks
    return task, await log(site, work.id)


class TestMemory:
    async def test_too_much_is_told_as_such(self, rig: LocalRig, site: Workloads) -> None:
        task, _ = await python(rig, site, "b'x' * (200 << 20)", memory=64 * MIB)
        assert (task.exit_code, task.reason) == (137, "OutOfMemory")
        assert "64 MiB" in task.message

    async def test_files_in_memory_count(self, rig: LocalRig, site: Workloads) -> None:
        program = "open('/dev/shm/x', 'wb').write(b'x' * (60 << 20)); b'x' * (60 << 20)"
        task, _ = await python(rig, site, program, memory=64 * MIB)
        assert task.exit_code == 137

    async def test_a_child_that_needs_too_much_is_not_the_end(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        program = (
            "import subprocess as s, sys\n"
            "print(s.run([sys.executable, '-c', 'b\"x\" * (200 << 20)']).returncode)"
        )
        task, said = await python(rig, site, program, memory=64 * MIB)
        assert (task.exit_code, task.reason, said) == (0, "", "-9\n")

    async def test_almost_all_of_it_can_be_had(self, rig: LocalRig, site: Workloads) -> None:
        task, _ = await python(rig, site, "b'x' * (100 << 20)", memory=128 * MIB)
        assert task.exit_code == 0

    async def test_its_use_is_shown_after_its_end(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().burn(0.3), command=None or rig.render(Script().burn(0.3))[0])
        await run(site, work)
        [used] = await site.stats(work.id)
        assert 0.3 <= used.cpu_seconds < 3
        assert 1 * MIB < used.memory_peak <= 64 * MIB
        assert (used.memory, used.pids) == (0, 0)


class TestProcesses:
    async def test_a_fork_bomb_is_contained(self, rig: LocalRig, site: Workloads) -> None:
        program = (
            "import os, time\n"
            "made = 0\n"
            "try:\n"
            "  while True:\n"
            "    if os.fork() == 0: time.sleep(1000)\n"
            "    made += 1\n"
            "except BlockingIOError: print(made)"
        )
        task, said = await python(rig, site, program, pids=20)
        assert (task.exit_code, int(said)) == (0, 19)

    async def test_one_process_is_enough_for_one(self, rig: LocalRig, site: Workloads) -> None:
        task, said = await python(rig, site, "print('alone')", pids=1)
        assert (task.exit_code, said) == (0, "alone\n")

    async def test_nothing_is_left_of_a_daemon(self, rig: LocalRig, site: Workloads) -> None:
        program = "import os, time\nif os.fork() == 0:\n os.setsid(); time.sleep(1000)\n"
        task, _ = await python(rig, site, program)
        assert task.exit_code == 0


class TestCores:
    @pytest.mark.parametrize("millicores", [250, 1500])
    async def test_the_kernel_has_the_quota(
        self, rig: LocalRig, site: Workloads, millicores: int
    ) -> None:
        work = workload(rig, Script().stay(), millicores=millicores)
        await site.apply(work, 1)
        await running(site, work.id)
        assert quota(site, work.id) == millicores / 1000

    async def test_it_gets_no_more(self, rig: LocalRig, site: Workloads) -> None:
        """Judged by the kernel's own count of the times it was held back."""
        work = workload(rig, Script().burn(0.5).print("done").stay(), millicores=200)
        await site.apply(work, 1)
        await printed(site, work.id, "done")
        assert throttled(site, work.id) > 0


class TestDisk:
    async def test_a_file_too_large(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(
            rig,
            Script(),
            command=("sh", "-c", "head -c 20000000 /dev/zero > big; exit $?"),
            resources=Resources(millicores=500, memory=64 * MIB, disk=10 * MIB),
        )
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.reason) == (153, "DiskLimit")

    async def test_many_small_files(self, rig: LocalRig, site: Workloads) -> None:
        script = "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > f$i; sleep 0.02; done"
        work = workload(
            rig,
            Script(),
            command=("sh", "-c", script),
            resources=Resources(millicores=500, memory=64 * MIB, disk=10 * MIB),
        )
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, task.reason) == (137, "DiskLimit")
        assert "10 MiB" in task.message

    async def test_files_that_do_not_fit_are_not_even_laid_out(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        from skerry.sites.contract import Refused
        from tests.sites.contract.rig import put

        file = await put(site, "big", bytes(2 * MIB))
        work = workload(
            rig,
            Script(),
            files=(file,),
            resources=Resources(millicores=500, memory=64 * MIB, disk=1 * MIB),
        )
        with pytest.raises(Refused) as refused:
            await site.apply(work, 1)
        assert refused.value.reason == "DiskLimit"

    async def test_what_is_too_deep_to_be_counted_is_too_much(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        """And can be deleted all the same."""
        name = "n" * 50
        program = (
            "import os, time\n"
            f"for n in range(2000): os.mkdir('{name}'); os.chdir('{name}')\n"
            "print('deep', flush=True); time.sleep(1000)"
        )
        task, _said = await python(rig, site, program)
        assert task.reason == "DiskLimit"
        _, [status] = await site.list()
        await site.delete(status.id, 1)
        assert (await site.list())[1] == ()


class TestTime:
    async def test_a_restart_does_not_start_the_clock_anew(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        work = workload(
            rig,
            Script().sleep(0.4).exit(1),
            restart="on-failure",
            max_restarts=1000,
            time_limit=2,
            grace=1,
        )
        [task] = (await run(site, work)).tasks
        assert task.reason == "TimeLimit"
        assert task.restarts >= 1

    async def test_who_stops_it_does_not_want_it_back(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(
            rig, Script().print("up").stay(), restart="always", max_restarts=1000, grace=1
        )
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await site.signal(work.id, 15, 1)
        [task] = (await ended(site, work.id)).tasks
        assert (task.exit_code, task.restarts) == (143, 0)

    async def test_a_pause_before_a_restart_can_be_ended(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        work = workload(rig, Script().exit(1), restart="on-failure", max_restarts=1000)
        await site.apply(work, 1)
        async with asyncio.timeout(60):
            cursor, _ = await site.list()
            async for event in site.watch(cursor - 1):
                if event.status is not None and event.status.tasks[0].restarts >= 3:
                    break
        await site.signal(work.id, 15, 1)
        [task] = (await ended(site, work.id)).tasks
        assert task.exit_code in (1, 143)

    @pytest.mark.long
    async def test_the_pauses_before_restarts_grow(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().print("up").exit(1), restart="always", max_restarts=1 << 30)
        await site.apply(work, 1)
        seen = []
        async with asyncio.timeout(60):
            async for chunk in site.logs(work.id, 0, 0, True):
                seen.append(chunk.at)
                if len(seen) == 9:
                    break
        pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(seen)]
        assert all(pause >= 0.1 * 2**n for n, pause in enumerate(pauses))

    async def test_a_start_that_fails_is_tried_again(self, tmp_path: Path) -> None:
        """What keeps a sandbox from standing is often over in a while."""
        rig = LocalRig(tmp_path, engines=("runc",))
        site = await rig.open()
        try:
            work = workload(rig, Script().exit(1), restart="on-failure", max_restarts=1 << 30)
            await site.apply(work, 1)
            config = tmp_path / "site/workloads" / work.id / "tasks/0/bundle/config.json"
            config.rename(config.with_name("elsewhere"))
            failed = await until(site, work.id, lambda s: "can't be started" in s.tasks[0].message)
            [task] = failed.tasks
            assert (task.phase, task.reason, task.unready) == ("running", "StartFailed", True)
            config.with_name("elsewhere").rename(config)
            await until(site, work.id, lambda s: s.tasks[0].message == "it ended with 1")
        finally:
            await rig.end()


def _group(site: Workloads, id: str, controller: str) -> Path:
    machine = site._machine
    name = next(name for name in machine.cgroups.names() if name == f"{id}.0")
    directories = machine.cgroups.directories(name)
    return Path(directories.get(controller, directories.get("", "")))


def quota(site: Workloads, id: str) -> float:
    """Cores, as the kernel has them."""
    group = _group(site, id, "cpu")
    if (group / "cpu.max").exists():
        amount, period = (group / "cpu.max").read_text().split()
    else:
        amount = (group / "cpu.cfs_quota_us").read_text()
        period = (group / "cpu.cfs_period_us").read_text()
    return int(amount) / int(period)


def throttled(site: Workloads, id: str) -> int:
    lines = (_group(site, id, "cpu") / "cpu.stat").read_text().splitlines()
    return int(dict(line.split() for line in lines)["nr_throttled"])


def test_the_host_has_some_version_of_cgroups() -> None:
    assert mounts(Path("/proc/self/mountinfo").read_text())

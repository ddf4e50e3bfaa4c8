"""Health checks: who takes requests, and what is done about who does not."""

import os

import pytest

from skerry.sites.contract import Health, Port, Refused, Workload, Workloads, WorkloadStatus
from tests.sites.contract.rig import Base, Rig, ended, find, plain, running, until, workload
from tests.sites.contract.script import Script

TCP, HTTP = (20000 + os.getpid() % 5000 * 2 + n for n in range(2))
"""Tasks in the host's own network must not meet."""


def _checked(rig: Rig, script: Script, check: Health, port: int = 0, **more: object) -> Workload:
    ports = (Port(name="http", port=port),) if port else ()
    return workload(rig, script, health=check, ports=ports, **more)


def _ready(status: WorkloadStatus) -> bool:
    return status.running and not any(task.unready for task in status.tasks)


def _unready(status: WorkloadStatus) -> bool:
    return status.running and all(task.unready for task in status.tasks)


async def _do(site: Workloads, id: str, *command: str) -> None:
    session = await site.exec(id, 0, command, False)
    assert await session.wait() == 0
    await session.close()


class Healing(Base):
    async def test_it_is_ready_once_it_listens(self, rig: Rig, site: Workloads) -> None:
        port = TCP
        work = _checked(rig, Script().sleep(0.5).serve(port), Health(port=port), port)
        await site.apply(work, 1)
        [task] = (await until(site, work.id, _unready)).tasks
        assert task.phase == "running"
        [task] = (await until(site, work.id, _ready)).tasks
        assert (task.message, task.restarts) == ("", 0)

    async def test_it_is_ready_while_it_answers_well(self, rig: Rig, site: Workloads) -> None:
        port = HTTP
        check = Health(port=port, path="/healthz?deep=1", every=0.1, failures=2)
        work = _checked(rig, Script().http(port).stay(), check, port)
        await site.apply(work, 1)
        [task] = (await until(site, work.id, lambda s: _unready(s) and "503" in repr(s))).tasks
        assert "/healthz?deep=1" in task.message
        await _do(site, work.id, "touch", "well")
        await until(site, work.id, _ready)
        await _do(site, work.id, "rm", "well")
        [task] = (await until(site, work.id, _unready)).tasks
        assert (task.phase, task.restarts) == ("running", 0)
        assert "503" in task.message

    async def test_a_command_tells_it(self, rig: Rig, site: Workloads) -> None:
        check = Health(command=("test", "-e", "well"), every=0.1, failures=1)
        work = _checked(rig, Script().stay(), check)
        await site.apply(work, 1)
        await until(site, work.id, _unready)
        await _do(site, work.id, "touch", "well")
        await until(site, work.id, _ready)
        await _do(site, work.id, "rm", "well")
        [task] = (await until(site, work.id, _unready)).tasks
        assert task.message == "its check ended with 1"

    async def test_each_task_is_checked(self, rig: Rig, site: Workloads) -> None:
        check = Health(command=("true",), every=0.1)
        work = _checked(rig, Script().stay(), check, tasks=2)
        await site.apply(work, 1)
        await until(site, work.id, _ready)

    async def test_who_stays_ill_is_started_anew(self, rig: Rig, site: Workloads) -> None:
        script = Script().trap("TERM", 0).write("well", "").stay()
        check = Health(
            command=("test", "-e", "well"), every=0.1, failures=2, restart=True, start=0.5
        )
        more = {"restart": "on-failure", "max_restarts": 1, "grace": 5}
        work = _checked(rig, script, check, **more)
        await site.apply(work, 1)
        for restarts in range(2):
            await until(site, work.id, lambda s, n=restarts: _ready(s) and s.tasks[0].restarts == n)
            await _do(site, work.id, "rm", "well")
        [task] = (await ended(site, work.id)).tasks
        assert (task.reason, task.exit_code, task.restarts) == ("Unhealthy", 0, 1)
        assert "its check ended with 1" in task.message
        assert not task.unready

    async def test_a_slow_start_is_no_illness(self, rig: Rig, site: Workloads) -> None:
        script = Script().sleep(1.5).write("well", "").stay()
        check = Health(
            command=("test", "-e", "well"), every=0.1, failures=1, restart=True, start=60
        )
        work = _checked(rig, script, check, restart="always", max_restarts=9)
        await site.apply(work, 1)
        [task] = (await until(site, work.id, _ready)).tasks
        assert task.restarts == 0

    async def test_between_two_runs_it_is_not_ready(self, rig: Rig, site: Workloads) -> None:
        """Whether it has a health check or not."""
        work = workload(rig, Script().exit(5), restart="always", max_restarts=1 << 30)
        await site.apply(work, 1)
        [task] = (await until(site, work.id, lambda s: s.tasks[0].unready)).tasks
        assert task.message == "it ended with 5"

    async def test_a_new_driver_knows_who_was_ready(self, rig: Rig, site: Workloads) -> None:
        check = Health(command=("test", "-e", "well"), every=0.1, failures=1)
        work = _checked(rig, Script().write("well", "").stay(), check)
        await site.apply(work, 1)
        await until(site, work.id, _ready)
        await rig.kill()
        site = await rig.open()
        found = await find(site, work.id)
        assert found is not None
        assert _ready(found)
        await _do(site, work.id, "rm", "well")
        await until(site, work.id, _unready)

    async def test_without_a_check_it_is_ready(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        assert not (await running(site, work.id)).tasks[0].unready

    async def test_nonsense_is_refused(self, rig: Rig, site: Workloads) -> None:
        for check in (
            Health(),
            Health(port=80, command=("true",)),
            Health(port=80, path="/a b"),
            Health(port=80, path="/a\r\nX: y"),
            Health(port=70000),
            Health(port=80, every=0),
            Health(port=80, failures=0),
            Health(port=80, timeout=float("nan")),
        ):
            work = _checked(rig, Script(), check)
            with pytest.raises(Refused) as refused:
                await site.apply(work, 1)
            assert refused.value.reason == "BadWorkload"
            plain(refused.value)
            assert await find(site, work.id) is None

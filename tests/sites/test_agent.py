"""The agent as a process: it comes back, it is told no, it leaves without ending anything."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import Session, SiteUnreachable, Workload, Workloads
from tests.sites.contract.rig import ended, log, printed, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import AgentEnd, LocalRig, clean

PATIENCE = 60


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[AgentEnd]:
    (tmp_path / "agent").mkdir()
    end = AgentEnd(tmp_path / "agent", {"engines": ["runc"]})
    yield end
    if end.process is not None:
        await end.kill()
    await clean(end.data)


def work(tmp_path: Path, script: Script, **changes: object) -> Workload:
    return workload(LocalRig(tmp_path), script, **changes)


def command(agent: AgentEnd, *more: str) -> list[str]:
    (agent.directory / "token").write_text("open sesame\n")
    return [
        *(sys.executable, "-m", "skerry.sites.agent", "--data", str(agent.data)),
        *("--server", f"unix:{agent.directory / 'socket'}"),
        *("--token-file", str(agent.directory / "token")),
        *more,
    ]


async def read_all(session: Session) -> None:
    while await session.read():
        pass


async def unreachable(site: Workloads) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await site.capacity()
            except SiteUnreachable:
                return
            await asyncio.sleep(0.05)


class TestConnection:
    async def test_it_comes_back_to_a_server_that_was_away(
        self, agent: AgentEnd, tmp_path: Path
    ) -> None:
        site = await agent.start()
        job = work(tmp_path, Script().print("up").stay())
        await site.apply(job, 1)
        await printed(site, job.id, "up")
        before = await running(site, job.id)
        await agent.stop_listening()
        await site.close()
        await unreachable(site)
        await asyncio.sleep(1)
        await agent.listen()
        site = await agent.connected()
        assert await running(site, job.id) == before
        assert len(agent.hellos) == 2

    async def test_it_waits_for_a_server_that_is_not_there_yet(self, agent: AgentEnd) -> None:
        agent.process = await asyncio.create_subprocess_exec(*command(agent))
        await asyncio.sleep(2)
        await agent.listen()
        site = await agent.connected()
        assert (await site.capacity()).millicores > 0

    async def test_a_wrong_token_is_told_and_tried_again(self, agent: AgentEnd) -> None:
        await agent.listen()
        line = command(agent)
        (agent.directory / "token").write_text("wrong")
        agent.process = await asyncio.create_subprocess_exec(*line, stderr=subprocess.PIPE)
        assert agent.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            async for said in agent.process.stderr:
                told = json.loads(said)
                if told["event"] == "denied":
                    break
        assert told["why"] == "the token is not the site's"
        assert told["level"] == "error"
        assert "wrong" not in repr(told)

    async def test_it_says_who_it_is(self, agent: AgentEnd) -> None:
        await agent.start()
        [hello] = agent.hellos
        assert (hello.site, hello.token) == ("local", "open sesame")
        assert hello.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class TestEnding:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_a_signal_leaves_everything_running(
        self, agent: AgentEnd, tmp_path: Path, number: int
    ) -> None:
        site = await agent.start()
        script = Script().print("up").trap("USR1", 5).print("ready").stay()
        job = work(tmp_path, script)
        await site.apply(job, 1)
        await printed(site, job.id, "ready")
        before = await running(site, job.id)
        assert await agent.kill(number) == 0
        site = await agent.start()
        assert await running(site, job.id) == before
        await site.signal(job.id, signal.SIGUSR1, 1)
        assert (await ended(site, job.id)).tasks[0].exit_code == 5
        assert await log(site, job.id) == "up\nready\n"

    async def test_calls_under_way_are_told_that_the_site_is_gone(
        self, agent: AgentEnd, tmp_path: Path
    ) -> None:
        site = await agent.start()
        job = work(tmp_path, Script().print("up").stay())
        await site.apply(job, 1)
        await printed(site, job.id, "up")
        session = await site.exec(job.id, 0, ("cat",), False)

        async def follow() -> None:
            async for _ in site.logs(job.id, 0, 0, True):
                pass

        following = asyncio.create_task(follow())
        await asyncio.sleep(0.2)
        await agent.kill()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(SiteUnreachable):
                await following
            with pytest.raises(SiteUnreachable):
                await read_all(session)

    async def test_with_its_parent_if_told_so(self, agent: AgentEnd, tmp_path: Path) -> None:
        """A parent that dies without a word."""
        await agent.listen()
        line = command(agent)
        program = (
            "import os, subprocess, sys;"
            "p = subprocess.Popen([*sys.argv[1:], '--with-parent', str(os.getpid())]);"
            "print(p.pid); p.wait()"
        )
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", "-c", program, *line), stdout=subprocess.PIPE
        )
        assert parent.stdout is not None
        child = int(await parent.stdout.readline())
        site = await agent.connected()
        parent.kill()
        await parent.wait()
        await unreachable(site)
        async with asyncio.timeout(PATIENCE):
            while Path(f"/proc/{child}/exe").exists():
                await asyncio.sleep(0.05)

    async def test_at_once_if_its_parent_died_before_it_could_look(self, agent: AgentEnd) -> None:
        gone = await asyncio.create_subprocess_exec("true")
        await gone.wait()
        orphan = await asyncio.create_subprocess_exec(
            *command(agent, "--with-parent", str(gone.pid))
        )
        async with asyncio.timeout(PATIENCE):
            assert await orphan.wait() == 0


class TestMistakes:
    @pytest.mark.parametrize(
        ("more", "why"),
        [
            (["--server", "tcp:1.2.3.4"], "unix:PATH"),
            (["--token-file", "/no/such/file"], "No such file"),
            (["--config", "bad"], "truncated"),
            (["--config", "odd"], "unknown field `colour`"),
            (["--config", "wrong"], "Expected `int` >= 0"),
        ],
    )
    async def test_they_are_told_in_a_line(
        self, agent: AgentEnd, more: list[str], why: str
    ) -> None:
        (agent.directory / "bad").write_text("{")
        (agent.directory / "odd").write_text('{"colour": "red"}')
        (agent.directory / "wrong").write_text('{"reserveMillicores": -5}')
        line = [*command(agent), *more]
        done = subprocess.run(
            line, capture_output=True, text=True, cwd=agent.directory, timeout=PATIENCE
        )
        assert done.returncode == 1
        [said] = done.stderr.splitlines()
        assert why in json.loads(said)["why"]

    async def test_a_second_agent_on_the_same_data(self, agent: AgentEnd) -> None:
        await agent.start()
        env = {**os.environ}
        done = await asyncio.create_subprocess_exec(
            *command(agent), stderr=subprocess.PIPE, env=env
        )
        async with asyncio.timeout(PATIENCE):
            _, said = await done.communicate()
        assert done.returncode == 1
        assert "another driver works on" in json.loads(said.splitlines()[-1])["why"]

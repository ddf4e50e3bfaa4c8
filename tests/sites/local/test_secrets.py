"""Secrets are in the task and in its shim's memory, and nowhere else."""

import os
import subprocess
from pathlib import Path

import pytest

from skerry.sites.contract import Refused, Workloads
from tests.sites.contract.rig import ended, log, printed, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import AgentEnd, LocalRig

SECRET = "correct-horse-battery-staple"


def on_disk(directory: Path) -> list[str]:
    found = subprocess.run(
        ["grep", "-rlaF", "--devices=skip", SECRET, str(directory)], capture_output=True, text=True
    )
    return found.stdout.split()


def in_ps() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if SECRET.encode() in path.read_bytes():
                found.append(str(path))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


async def check(site: Workloads, rig: LocalRig, **changes: object) -> None:
    hidden = 'test -n "$KEY" && echo "${#KEY}"; echo up; while :; do sleep 1000 & wait $!; done'
    work = workload(
        rig, Script(), command=("sh", "-c", hidden), secret_env={"KEY": SECRET}, **changes
    )
    await site.apply(work, 1)
    await printed(site, work.id, "up")
    assert await log(site, work.id) == f"{len(SECRET)}\nup\n"
    assert on_disk(rig.directory) == []
    assert in_ps() == []
    await site.signal(work.id, 15, 1)
    await ended(site, work.id)
    assert on_disk(rig.directory) == []
    assert SECRET not in repr(await site.list())


async def test_in_a_sandbox(rig: LocalRig, site: Workloads) -> None:
    await check(site, rig)


async def test_in_a_bare_process(bare: LocalRig) -> None:
    await check(await bare.open(), bare)


async def test_through_an_agent(agent: AgentEnd, bare: LocalRig) -> None:
    site = await agent.start()
    await check(site, bare, isolation="sandbox")
    assert on_disk(agent.directory) == []
    assert SECRET not in repr(agent.hellos)
    assert "open sesame" not in repr(agent.hellos)


async def test_after_a_restart_too(rig: LocalRig, site: Workloads) -> None:
    """The shim keeps them for the next try."""
    script = 'test "$KEY" = "' + SECRET[::-1] + '" || echo ${#KEY}; exit 1'
    work = workload(
        rig,
        Script(),
        command=("sh", "-c", script),
        secret_env={"KEY": SECRET},
        restart="on-failure",
        max_restarts=1,
    )
    await site.apply(work, 1)
    await ended(site, work.id)
    assert await log(site, work.id) == f"{len(SECRET)}\n" * 2
    assert on_disk(rig.directory) == []


async def test_in_a_command_beside_it(rig: LocalRig, site: Workloads) -> None:
    work = workload(rig, Script().stay(), secret_env={"KEY": SECRET})
    await site.apply(work, 1)
    await running(site, work.id)
    session = await site.exec(work.id, 0, ("sh", "-c", "echo ${#KEY}"), False)
    assert await session.read() == f"{len(SECRET)}\n".encode()
    await session.close()


async def test_no_other_user_of_the_host_can_read_them(rig: LocalRig, site: Workloads) -> None:
    work = workload(rig, Script().stay(), secret_env={"KEY": SECRET})
    await site.apply(work, 1)
    await running(site, work.id)
    look = "cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c KEY=; ls -R " + str(
        rig.directory / "site"
    )
    seen = subprocess.run(
        ["sh", "-c", look], capture_output=True, text=True, user=65534, group=65534, cwd="/"
    )
    assert seen.stdout.startswith("0\n")
    assert work.id not in seen.stdout
    assert os.stat(rig.directory / "site").st_mode & 0o077 == 0


class TestFiles:
    PATH = "/etc/app/key.pem"

    def held(self, rig: LocalRig) -> list[Path]:
        """Where it is in the host's memory file system."""
        instance = (rig.directory / "site/instance").read_text().strip()
        return sorted(Path(f"/dev/shm/skerry-{instance}").glob("*/*"))

    async def test_they_are_in_memory_and_the_tasks_alone(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        script = (
            f"stat -c '%a %U' {self.PATH} /tmp/key; tail -c 7 {self.PATH}; echo; cmp {self.PATH} "
            f"/tmp/key; echo x 2>/dev/null >>{self.PATH} && echo written; echo up; exec sleep 1000"
        )
        files = {self.PATH: SECRET, "/tmp/key": SECRET}
        work = workload(rig, Script(), command=("sh", "-c", script), secret_files=files)
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        said = (await log(site, work.id)).splitlines()
        assert [line.split()[0] for line in said[:2]] == ["400", "400"]
        assert said[2:] == [SECRET[-7:], "up"]
        assert on_disk(rig.directory) == []
        assert in_ps() == []
        [first, second] = self.held(rig)
        assert first.parent == second.parent
        assert first.parent.parent.stat().st_mode & 0o077 == 0
        await rig.kill()
        site = await rig.open()
        session = await site.exec(work.id, 0, ("tail", "-c", "7", self.PATH), False)
        assert await session.read() == SECRET[-7:].encode()
        await session.close()
        await site.signal(work.id, 9, 1)
        await ended(site, work.id)
        assert self.held(rig) == []

    async def test_they_are_there_after_a_restart(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(
            rig, Script().cat(self.PATH).exit(1), secret_files={self.PATH: "again\n"},
            restart="on-failure", max_restarts=1,
        )  # fmt: skip
        await site.apply(work, 1)
        await ended(site, work.id)
        assert await log(site, work.id) == "again\n" * 2

    async def test_the_hosts_own_files_are_not_replaced(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        for path in ("/etc/passwd", "/usr/bin/env", "/bin/sh/key"):
            with pytest.raises(Refused) as refused:
                await site.apply(workload(rig, Script(), secret_files={path: SECRET}), 1)
            assert refused.value.reason == "BadPath"
        assert self.held(rig) == []

"""Secrets are in the task and in its shim's memory, and nowhere else."""

import os
import subprocess
from pathlib import Path

from skerry.sites.contract import Workloads
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

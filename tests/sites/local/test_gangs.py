"""Networks of gangs: their tasks reach each other, also from a network of their own, and nobody
else reaches them."""

import os
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import Workloads
from tests.sites.contract.rig import log, printed, run, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import LocalRig

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="networks are made by root")

_TRY = """
import os, socket
address = os.environ.get("THERE") or os.environ["MASTER_ADDR"]
try:
    socket.create_connection((address, 29500), 1)
    print("reached", flush=True)
except OSError:
    print("closed", flush=True)
"""
TRY = "python3 -c " + shlex.quote(_TRY)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[LocalRig]:
    rig = LocalRig(tmp_path, engines=("runc",))
    yield rig
    await rig.end()


@pytest.fixture
async def site(rig: LocalRig) -> Workloads:
    return await rig.open()


@pytest.mark.parametrize("engine", ["runc", "bubblewrap"])
async def test_they_meet_with_each_engine(tmp_path: Path, engine: str) -> None:
    rig = LocalRig(tmp_path, engines=(engine,))
    site = await rig.open()
    try:
        work = workload(rig, Script().meet(), tasks=3, millicores=100)
        status = await run(site, work)
        assert status.engine == engine
        assert [await log(site, work.id, rank) for rank in range(3)] == 3 * ["met 3\n"]
    finally:
        await rig.end()


async def test_they_know_each_other_by_name(rig: LocalRig, site: Workloads) -> None:
    """Which torchrun relies on: it tells the others its host's name."""
    script = "hostname; getent hosts $(hostname | sed 's/-[01]$/-0/') | cut -d' ' -f1"
    work = workload(rig, Script(), command=("sh", "-c", script), tasks=2)
    await run(site, work)
    assert await log(site, work.id, 1) == f"{work.id}-1\n198.18.0.1\n"


async def test_others_do_not_reach_them(rig: LocalRig, site: Workloads) -> None:
    gang = workload(rig, Script().serve(29500), tasks=2, millicores=100)
    await site.apply(gang, 1)
    await running(site, gang.id)
    await printed(site, gang.id, "serving")
    session = await site.exec(gang.id, 1, ("sh", "-c", TRY), tty=False)
    assert await session.read() == b"reached\n"
    await session.close()
    alone = workload(rig, Script(), command=("sh", "-c", TRY), env={"THERE": "198.18.0.1"})
    await run(site, alone)
    assert await log(site, alone.id) == "closed\n"
    other = workload(rig, Script(), command=("sh", "-c", TRY), tasks=2, millicores=100)
    await run(site, other)  # nobody of its own listens there
    assert await log(site, other.id, 1) == "closed\n"


async def test_a_gang_outlives_its_agent(rig: LocalRig, site: Workloads) -> None:
    gang = workload(rig, Script().serve(29500), tasks=2, millicores=100)
    await site.apply(gang, 1)
    await running(site, gang.id)
    await rig.kill()
    site = await rig.open()
    await printed(site, gang.id, "serving")
    session = await site.exec(gang.id, 1, ("sh", "-c", TRY), tty=False)
    assert await session.read() == b"reached\n"
    await session.close()

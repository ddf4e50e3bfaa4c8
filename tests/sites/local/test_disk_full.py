"""A full disk loses no exit code, leaves nothing half-made, and is told in words."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import Refused, Workloads
from tests.sites.contract.rig import chunks, ended, find, put, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import LocalRig

MIB = 1 << 20


@pytest.fixture(params=["runc", "bubblewrap"])
async def small(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalRig]:
    """A site whose data directory is a file system of 16 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], check=True)
    rig = LocalRig(disk, engines=(request.param,))
    try:
        yield rig
        await rig.end()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
async def site(small: LocalRig) -> Workloads:
    return await small.open()


def filling(rig: LocalRig, last: str) -> object:
    """Fills the disk to the last block, says so, does ``last``."""
    fill = "cat /dev/zero > rest 2>/dev/null; cat /dev/zero >> rest 2>/dev/null; echo full; "
    return workload(rig, Script(), command=("sh", "-c", fill + last))


async def test_the_end_is_known_all_the_same(small: LocalRig, site: Workloads) -> None:
    work = filling(small, "exit 7")
    await site.apply(work, 1)
    [task] = (await ended(site, work.id)).tasks
    assert (task.exit_code, task.reason) == (7, "")
    assert task.ended_at is not None
    await small.kill()
    site = await small.open()
    assert (await ended(site, work.id)).tasks == (task,)
    await site.delete(work.id, 1)
    assert (await site.list())[1] == ()


async def test_a_log_with_a_gap_says_so(small: LocalRig, site: Workloads) -> None:
    script = (
        "exec 2>/dev/null; echo before; sleep 0.3; cat /dev/zero > rest; cat /dev/zero >> rest;"
        "sleep 0.3; head -c 300000 /dev/zero; sleep 0.3; rm rest; echo after"
    )
    work = workload(small, Script(), command=("sh", "-c", script))
    await site.apply(work, 1)
    [task] = (await ended(site, work.id)).tasks
    assert task.exit_code == 0
    found = await chunks(site, work.id)
    assert found[0].data == b"before\n"
    assert found[-1].data.endswith(b"after\n")
    assert found[-1].offset + len(found[-1].data) == len(b"before\n") + 300_000 + len(b"after\n")
    assert any(c.stream == "stderr" and b"not kept" in c.data for c in found)


async def test_what_can_not_be_laid_out_is_not_there(small: LocalRig, site: Workloads) -> None:
    file = await put(site, "f", bytes(3 * MIB))
    hog = filling(small, "sleep 1000")
    await site.apply(hog, 1)
    await asyncio.sleep(0.5)
    work = workload(small, Script().print("ran"), files=(file,), tasks=2)
    with pytest.raises(Refused) as refused:
        await site.apply(work, 1)
    assert "No space left" in refused.value.message
    assert await find(site, work.id) is None
    await site.delete(hog.id, 1)
    await site.apply(work, 2)
    assert [t.exit_code for t in (await ended(site, work.id)).tasks] == [0, 0]


async def test_an_upload_that_does_not_fit_leaves_nothing(small: LocalRig, site: Workloads) -> None:
    with pytest.raises(Refused) as refused:
        await put(site, "f", bytes(40 * MIB))
    assert refused.value.reason == "DiskFull"
    assert (await site.capacity()).free_disk > 10 * MIB


async def test_it_can_be_ended_and_deleted(small: LocalRig, site: Workloads) -> None:
    hog = filling(small, "sleep 1000")
    await site.apply(hog, 1)
    await asyncio.sleep(0.5)
    await site.delete(hog.id, 2)
    assert (await site.list())[1] == ()
    assert (await site.capacity()).free_disk > 10 * MIB

"""Volumes of this machine: killed at every step, on file systems of their own, in full."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import (
    Mount,
    NoRoom,
    Refused,
    SiteUnreachable,
    Volume,
    Workload,
    Workloads,
)
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.steps import DIES_AT
from skerry.sites.local.volumes import calls
from tests.sites.contract.keeping import SIZE, Keeping, a_volume, found, keeper, refused
from tests.sites.contract.rig import MIB, ended, log, plain, printed, run, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import AgentEnd, LocalRig
from tests.sites.local.test_crashes import dies

FREE = 640 * MIB


def using(script: str, volume: Volume, **changes: object) -> Workload:
    mount = Mount(volume=volume.id, path="/data")
    return workload(
        LocalRig(Path("/tmp")), Script(), command=("sh", "-c", script), mounts=(mount,), **changes
    )


@pytest.fixture
async def xfs(tmp_path: Path) -> AsyncIterator[LocalRig]:
    """A site on a small file system whose copies share their blocks."""
    image, disk = tmp_path / "disk.img", tmp_path / "disk"
    disk.mkdir()
    image.touch()
    os.truncate(image, FREE)
    subprocess.run(["mkfs.xfs", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, disk], check=True)
    rig = LocalRig(disk, engines=("runc",))
    try:
        yield rig
        await rig.end()
    finally:
        for data in disk.iterdir():
            await until_no_loops(data)
        subprocess.run(["umount", disk], check=True)


class TestSharedBlocks:
    """Where copies share blocks, there are snapshots, and no block is promised twice."""

    @pytest.fixture
    async def rig(self, xfs: LocalRig) -> LocalRig:
        assert calls.shares_blocks(xfs.directory)
        return xfs

    test_a_snapshot_is_of_its_moment = Keeping.test_a_snapshot_is_of_its_moment

    @pytest.fixture
    async def site(self, rig: LocalRig) -> Workloads:
        return await rig.open()

    async def test_space_is_set_aside(self, rig: LocalRig) -> None:
        site = await rig.open()
        before = await site.capacity()
        volume = a_volume(128 * MIB)
        await keeper(site).create_volume(volume, 1)
        made = await site.capacity()
        assert made.free_disk <= before.free_disk - volume.size
        assert made.disk == before.disk
        await keeper(site).snapshot_volume(volume.id, "s-1", 1)
        assert (await site.capacity()).free_disk <= made.free_disk - volume.size
        copy = a_volume(volume.size, "s-1")
        await keeper(site).create_volume(copy, 1)
        assert (await site.capacity()).free_disk <= made.free_disk - 2 * volume.size
        for size in (256 * MIB, 1 << 40):
            with pytest.raises(NoRoom) as refusal:
                await keeper(site).create_volume(a_volume(size), 1)
            plain(refusal.value)
        larger = Volume(id=volume.id, tenant=volume.tenant, size=512 * MIB)
        with pytest.raises(NoRoom):
            await keeper(site).create_volume(larger, 2)
        # Each of the three is written full, and finds its space.
        await keeper(site).create_volume(volume, 3)
        for each in (volume, copy):
            work = using(
                "head -c 200000000 /dev/zero > /data/big; ls /data; df /data | tail -1", each
            )
            await run(site, work)
            assert "No space left on device" in await log(site, work.id)
        assert (await site.capacity()).free_disk < FREE

    async def test_a_snapshot_of_what_is_being_written(self, rig: LocalRig) -> None:
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        writing = "i=0; while :; do i=$((i+1)); echo $i > /data/new; sync /data/new; "
        work = using(writing + "mv /data/new /data/count; echo at $i; done", volume)
        await site.apply(work, 1)
        await printed(site, work.id, "at 20")
        await keeper(site).snapshot_volume(volume.id, "s-live", 1)
        await printed(site, work.id, f"at {(await _last(site, work.id)) + 20}")
        copy = a_volume(SIZE, "s-live")
        await keeper(site).create_volume(copy, 1)
        reader = using("cat /data/count", copy)
        await run(site, reader)
        assert int(await log(site, reader.id)) >= 20


class TestWholeCopies:
    """Where copies share nothing, a snapshot is made while nobody writes."""

    async def test_it_waits_for_the_writer(self, rig: LocalRig) -> None:
        site = await rig.open()
        if calls.shares_blocks(rig.directory):
            pytest.skip("copies share their blocks here")
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        script = "trap exit USR1; echo kept > /data/a; echo up; while :; do sleep 0.1; done"
        work = using(script, volume)
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await refused(keeper(site).snapshot_volume(volume.id, "s-1", 1), "VolumeInUse")
        await site.signal(work.id, signal.SIGUSR1, 1)
        await ended(site, work.id)
        await keeper(site).snapshot_volume(volume.id, "s-1", 2)
        kept = rig.directory / "site/volumes" / volume.id / "snapshots/s-1"
        assert kept.stat().st_blocks * 512 >= volume.size
        copy = a_volume(2 * SIZE, "s-1")
        await keeper(site).create_volume(copy, 1)
        reader = using("cat /data/a", copy)
        await run(site, reader)
        assert await log(site, reader.id) == "kept\n"


async def _last(site: object, id: str) -> int:
    return int((await log(site, id, stream="stdout")).split()[-1])  # type: ignore[arg-type]


def no_loops(data: Path) -> bool:
    """Whether nothing of the data directory is mounted or attached."""
    return not calls.mounts_below(data) and not any(
        calls.loop_of(image) for image in (data / "volumes").glob("*/image")
    )


async def until_no_loops(data: Path) -> None:
    async with asyncio.timeout(30):
        while not no_loops(data):
            await asyncio.sleep(0.05)


class TestAgentDies:
    @pytest.mark.parametrize(
        "step", ["volume made", pytest.param("volume intent", marks=pytest.mark.long)]
    )
    async def test_while_it_makes_one(self, agent: AgentEnd, step: str) -> None:
        volume = a_volume()
        site = await agent.start(**{DIES_AT: step})
        with pytest.raises(SiteUnreachable):
            await keeper(site).create_volume(volume, 1)
        await dies(agent)
        site = await agent.start()
        await keeper(site).create_volume(volume, 2)
        work = using("echo fine > /data/a; cat /data/a", volume)
        await run(site, work)
        assert await log(site, work.id) == "fine\n"
        await keeper(site).delete_volume(volume.id, 3)
        await until_no_loops(agent.data)

    @pytest.mark.parametrize(
        "step",
        [
            "volume mounted",
            pytest.param("volumes attached", marks=pytest.mark.long),
            pytest.param("intent", marks=pytest.mark.long),
            "decided",
        ],
    )
    async def test_while_it_mounts_one(self, agent: AgentEnd, step: str) -> None:
        volume = a_volume()
        site = await agent.start()
        await keeper(site).create_volume(volume, 1)
        await agent.kill()
        work = using("echo ran >> /data/a; cat /data/a", volume)
        site = await agent.start(**{DIES_AT: step})
        with pytest.raises(SiteUnreachable):
            await site.apply(work, 1)
        await dies(agent)
        site = await agent.start()
        await site.apply(work, 2)
        await ended(site, work.id)
        assert await log(site, work.id) == "ran\n"
        await site.delete(work.id, 3)
        await until_no_loops(agent.data)

    async def test_while_one_is_written_to(self, agent: AgentEnd) -> None:
        volume = a_volume()
        site = await agent.start()
        await keeper(site).create_volume(volume, 1)
        script = "trap 'echo kept > /data/a; exit' USR1; echo up; while :; do sleep 0.1; done"
        work = using(script, volume)
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await agent.kill()
        site = await agent.start()
        status = await found(site, volume.id)
        assert status is not None
        assert status.writer == work.id
        await refused(site.apply(using("true", volume), 1), "VolumeInUse")
        await site.signal(work.id, signal.SIGUSR1, 1)
        await ended(site, work.id)
        await until_no_loops(agent.data)
        reader = using("cat /data/a", volume)
        await run(site, reader)
        assert await log(site, reader.id) == "kept\n"

    async def test_while_it_copies_one(self, agent: AgentEnd) -> None:
        """Its file system is frozen at that moment, and mounted by nobody who uses it."""
        volume = a_volume()
        site = await agent.start()
        await keeper(site).create_volume(volume, 1)
        await run(site, using("echo then > /data/a", volume))
        await agent.kill()
        site = await agent.start(**{DIES_AT: "volume copied"})
        with pytest.raises(SiteUnreachable):
            await keeper(site).snapshot_volume(volume.id, "s-1", 1)
        await dies(agent)
        site = await agent.start()
        status = await found(site, volume.id)
        assert status is not None
        assert status.snapshots == ()
        await run(site, using("echo now > /data/a", volume))
        await keeper(site).snapshot_volume(volume.id, "s-1", 2)
        reader = using("cat /data/a", volume)
        await run(site, reader)
        assert await log(site, reader.id) == "now\n"
        await keeper(site).delete_volume(volume.id, 2)
        await until_no_loops(agent.data)
        assert not (agent.data / "volumes" / volume.id).exists()

    async def test_while_it_removes_one(self, agent: AgentEnd) -> None:
        volume = a_volume()
        site = await agent.start()
        await keeper(site).create_volume(volume, 1)
        await agent.kill()
        site = await agent.start(**{DIES_AT: "volume deleting"})
        with pytest.raises(SiteUnreachable):
            await keeper(site).delete_volume(volume.id, 2)
        await dies(agent)
        site = await agent.start()
        assert await found(site, volume.id) is None
        assert not (agent.data / "volumes" / volume.id).exists()


class TestPowerCut:
    async def test_its_journal_brings_it_back(self, rig: LocalRig, tmp_path: Path) -> None:
        """A copy of the image while it is written to is what a power cut would have left."""
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        script = "echo safe > /data/a; sync; echo up; while :; do echo more >> /data/b; done"
        work = using(script, volume)
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        image = rig.directory / "site/volumes" / volume.id / "image"
        cut = tmp_path / "cut"
        cut.write_bytes(image.read_bytes())
        await site.delete(work.id, 1)
        await until_no_loops(rig.directory / "site")
        await rig.kill()
        image.write_bytes(cut.read_bytes())
        site = await rig.open()
        reader = using("cat /data/a", volume)
        await run(site, reader)
        assert await log(site, reader.id) == "safe\n"

    async def test_what_can_not_be_mended_is_told(self, rig: LocalRig) -> None:
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        image = rig.directory / "site/volumes" / volume.id / "image"
        image.write_bytes(b"\0" * volume.size)
        await refused(site.apply(using("true", volume), 1), "VolumeDamaged")
        await until_no_loops(rig.directory / "site")


class TestTasks:
    async def test_each_owns_what_another_wrote(self, rig: LocalRig) -> None:
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        beside = workload(rig, Script().stay())
        await site.apply(beside, 1)
        write = "umask 077; mkdir /data/own; echo a > /data/own/a; id -u"
        first, second = using(write, volume), using("echo b >> /data/own/a; id -u", volume)
        await run(site, first)
        await site.delete(beside.id, 1)  # so that the next has another number
        await run(site, second)
        assert [t.exit_code for t in (await ended(site, second.id)).tasks] == [0]
        assert await log(site, first.id) != await log(site, second.id)

    async def test_all_tasks_of_one_share_it(self, rig: LocalRig) -> None:
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        wait = "while [ ! -e /data/$((1-SKERRY_RANK)) ]; do sleep .1; done"
        script = f"echo x > /data/$SKERRY_RANK; {wait}"
        work = using(script, volume, tasks=2)
        await run(site, work)
        assert [t.exit_code for t in (await ended(site, work.id)).tasks] == [0, 0]

    async def test_it_can_do_no_harm(self, rig: LocalRig) -> None:
        """No device, no program with another's rights, no way out of it."""
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        script = (
            "mknod /data/disk b 7 0 && echo made; cp /bin/true /data/t; chmod 4755 /data/t;"
            "ls /data/..  | grep -c image; grep ' /data ' /proc/self/mountinfo"
        )
        work = using(script, volume)
        await run(site, work)
        said = await log(site, work.id)
        assert "made" not in said
        assert "nosuid" in said
        assert "nodev" in said

    async def test_places_of_the_host_are_refused(self, rig: LocalRig) -> None:
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        for path in ("/usr/x", "/etc/ssl", "/bin", "/lib/x"):
            mount = Mount(volume=volume.id, path=path)
            work = workload(rig, Script(), mounts=(mount,))
            await refused(site.apply(work, 1), "BadPath")

    async def test_a_bare_process_has_none(self, rig: LocalRig) -> None:
        site = await rig.open()
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        await refused(site.apply(using("true", volume, isolation="process"), 1), "Unsupported")


async def test_a_host_may_keep_none(tmp_path: Path) -> None:
    from skerry.sites.local.config import read

    driver = LocalDriver(read({"data": str(tmp_path / "data"), "volumes": "none"}))
    with pytest.raises(Refused) as refusal:
        await driver.create_volume(a_volume(), 1)
    assert refusal.value.reason == "Unsupported"
    assert not (await driver.capacity()).volumes
    await driver.close()

"""Volumes: what is in them stays, their size holds, and two never write to one."""

import asyncio
import uuid

import pytest

from skerry.sites.contract import (
    Mount,
    NoRoom,
    Refused,
    StaleFence,
    Volume,
    Volumes,
    VolumeStatus,
    Workload,
    Workloads,
)
from tests.sites.contract.rig import (
    MIB,
    Base,
    Rig,
    ended,
    log,
    plain,
    printed,
    run,
    running,
    workload,
)
from tests.sites.contract.script import Script

SIZE = 32 * MIB


def a_volume(size: int = SIZE, source: str = "", tenant: str = "acme") -> Volume:
    return Volume(id=f"v-{uuid.uuid4().hex[:12]}", tenant=tenant, size=size, source=source)


def keeper(site: Workloads) -> Volumes:
    assert isinstance(site, Volumes)
    return site


async def found(site: Workloads, id: str) -> VolumeStatus | None:
    return next((v for v in await keeper(site).list_volumes() if v.id == id), None)


def using(
    rig: Rig, script: Script, volume: Volume, *, read_only: bool = False, path: str = "/data"
) -> Workload:
    mount = Mount(volume=volume.id, path=path, read_only=read_only)
    return workload(rig, script, mounts=(mount,))


async def refused(attempt: object, reason: str) -> None:
    with pytest.raises(Refused) as why:
        await attempt  # type: ignore[misc]
    assert why.value.reason == reason
    plain(why.value)


class Keeping(Base):
    """Rules of ``skerry.sites.contract.Volumes``."""

    async def test_what_is_written_stays(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        made = await keeper(site).create_volume(volume, 1)
        assert (made.size, made.writer, made.readers) == (SIZE, "", ())
        await run(site, using(rig, Script().write("/data/deep/a", "kept"), volume))
        # As another user of the host, maybe, and at another place.
        script = Script().cat("/vol/deep/a").write("/vol/deep/a", "again").cat("/vol/deep/a")
        second = using(rig, script, volume, path="/vol")
        await run(site, second)
        assert await log(site, second.id) == "keptagain"
        await keeper(site).delete_volume(volume.id, 2)
        assert await found(site, volume.id) is None

    async def test_below_the_working_directory(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        script = Script().write("/work/sub/data/a", "here").cat("/work/sub/data/a")
        work = using(rig, script, volume, path="/work/sub/data")
        await run(site, work)
        assert await log(site, work.id) == "here"

    async def test_one_writes_or_several_read(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        writer = using(rig, Script().write("/data/a", "x").print("up").stay(), volume)
        await site.apply(writer, 1)
        await printed(site, writer.id, "up")
        status = await found(site, volume.id)
        assert status is not None
        assert status.writer == writer.id
        for read_only in (False, True):
            other = using(rig, Script(), volume, read_only=read_only)
            await refused(site.apply(other, 1), "VolumeInUse")
        await site.delete(writer.id, 1)
        readers = [using(rig, Script().cat("/data/a").stay(), volume, read_only=True) for _ in "ab"]
        for reader in readers:
            await site.apply(reader, 1)
            await printed(site, reader.id, "x")
        status = await found(site, volume.id)
        assert status is not None
        assert status.readers == tuple(sorted(reader.id for reader in readers))
        await refused(site.apply(using(rig, Script(), volume), 1), "VolumeInUse")

    async def test_of_many_writers_at_once_one_gets_it(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        works = [using(rig, Script().stay(), volume) for _ in range(5)]
        answers = await asyncio.gather(
            *(site.apply(work, 1) for work in works), return_exceptions=True
        )
        assert sum(isinstance(answer, Refused) for answer in answers) == len(works) - 1
        status = await found(site, volume.id)
        assert status is not None
        assert status.writer in {work.id for work in works}

    async def test_readers_can_not_write(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        reader = using(rig, Script().write("/data/a", "x").print("done"), volume, read_only=True)
        await run(site, reader)
        assert "Read-only file system" in await log(site, reader.id)

    async def test_its_end_frees_it(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        for _ in range(3):
            await run(site, using(rig, Script().write("/data/a", "x"), volume))
        status = await found(site, volume.id)
        assert status is not None
        assert (status.writer, status.readers) == ("", ())

    async def test_a_full_volume_hurts_its_writer_alone(self, rig: Rig, site: Workloads) -> None:
        small, other = a_volume(), a_volume()
        await keeper(site).create_volume(small, 1)
        await keeper(site).create_volume(other, 1)
        script = Script().fill("/data/big", 2 * SIZE).write("/data/more", "x").print("went on")
        work = using(rig, script, small)
        await run(site, work)
        said = await log(site, work.id)
        assert "No space left on device" in said
        assert "went on" in said
        status = await found(site, small.id)
        assert status is not None
        assert SIZE // 2 < status.used <= status.size
        beside = using(rig, Script().write("/data/a", "fine").cat("/data/a"), other)
        await run(site, beside)
        assert await log(site, beside.id) == "fine"

    async def test_it_grows_and_never_shrinks(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        await run(site, using(rig, Script().write("/data/a", "kept"), volume))
        larger = Volume(id=volume.id, tenant=volume.tenant, size=3 * SIZE)
        # What a sandbox that has just ended still holds grows when it is mounted again.
        assert (await keeper(site).create_volume(larger, 2)).size in (SIZE, 3 * SIZE)
        script = Script().cat("/data/a").fill("/data/big", 2 * SIZE).print("all")
        work = using(rig, script, volume)
        await run(site, work)
        assert await log(site, work.id) == "keptall\n"
        assert (await keeper(site).create_volume(larger, 3)).size == 3 * SIZE
        await refused(keeper(site).create_volume(volume, 4), "Smaller")

    async def test_made_twice_it_is_made_once(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await asyncio.gather(*(keeper(site).create_volume(volume, 1) for _ in range(5)))
        await run(site, using(rig, Script().write("/data/a", "kept"), volume))
        assert (await keeper(site).create_volume(volume, 1)).size == SIZE
        work = using(rig, Script().cat("/data/a"), volume)
        await run(site, work)
        assert await log(site, work.id) == "kept"
        theirs = Volume(id=volume.id, tenant="globex", size=SIZE)
        await refused(keeper(site).create_volume(theirs, 2), "Changed")

    async def test_its_fence_only_grows(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 5)
        with pytest.raises(StaleFence):
            await keeper(site).create_volume(volume, 4)
        with pytest.raises(StaleFence):
            await keeper(site).delete_volume(volume.id, 4)
        await keeper(site).delete_volume(volume.id, 6)
        with pytest.raises(StaleFence):
            await keeper(site).create_volume(volume, 5)
        await refused(keeper(site).create_volume(volume, 7), "Deleted")
        await keeper(site).delete_volume(volume.id, 7)

    async def test_in_use_it_can_not_be_deleted(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        work = using(rig, Script().stay(), volume)
        await site.apply(work, 1)
        await running(site, work.id)
        await refused(keeper(site).delete_volume(volume.id, 2), "VolumeInUse")
        await site.delete(work.id, 1)
        await keeper(site).delete_volume(volume.id, 2)

    async def test_the_unknown_is_refused(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await refused(site.apply(using(rig, Script(), volume), 1), "UnknownVolume")
        await keeper(site).delete_volume(volume.id, 1)
        await refused(keeper(site).snapshot_volume(volume.id, "s-none", 1), "UnknownVolume")
        await refused(keeper(site).create_volume(a_volume(source="s-none"), 1), "UnknownSnapshot")

    async def test_paths_that_can_not_be(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        for path in ("data", "/", "/proc/x", "/data/../etc", "/work", "/a//b"):
            await refused(site.apply(using(rig, Script(), volume, path=path), 1), "BadPath")

    async def test_more_than_there_is(self, rig: Rig, site: Workloads) -> None:
        free = (await site.capacity()).free_disk
        with pytest.raises(NoRoom):
            await keeper(site).create_volume(a_volume(free + (1 << 40)), 1)

    async def test_a_killed_driver_leaves_it(self, rig: Rig, site: Workloads) -> None:
        volume = a_volume()
        await keeper(site).create_volume(volume, 1)
        script = Script().write("/data/a", "before").print("up").sleep(1).write("/data/b", "after")
        work = using(rig, script, volume)
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await rig.kill()
        site = await rig.open()
        status = await found(site, volume.id)
        assert status is not None
        await ended(site, work.id)
        reader = using(rig, Script().cat("/data/a").cat("/data/b"), volume, read_only=True)
        await run(site, reader)
        assert await log(site, reader.id) == "beforeafter"

    async def test_a_snapshot_is_of_its_moment(self, rig: Rig, site: Workloads) -> None:
        volume, snapshot = a_volume(), f"s-{uuid.uuid4().hex[:12]}"
        await keeper(site).create_volume(volume, 1)
        await run(site, using(rig, Script().write("/data/a", "then"), volume))
        if not rig.snapshots:
            refusal = keeper(site).snapshot_volume(volume.id, snapshot, 1)
            await refused(refusal, "Unsupported")
            status = await found(site, volume.id)
            assert status is not None
            assert status.snapshots == ()
            return
        await keeper(site).snapshot_volume(volume.id, snapshot, 1)
        await keeper(site).snapshot_volume(volume.id, snapshot, 1)
        await run(site, using(rig, Script().write("/data/a", "now"), volume))
        copy = a_volume(2 * SIZE, snapshot)
        await keeper(site).create_volume(copy, 1)
        await refused(keeper(site).create_volume(a_volume(SIZE // 2, snapshot), 1), "Smaller")
        theirs = a_volume(SIZE, snapshot, tenant="globex")
        await refused(keeper(site).create_volume(theirs, 1), "UnknownSnapshot")
        with pytest.raises(StaleFence):
            await keeper(site).delete_snapshot(volume.id, snapshot, 0)
        await keeper(site).delete_snapshot(volume.id, snapshot, 2)
        await keeper(site).delete_snapshot(volume.id, snapshot, 2)
        await refused(keeper(site).snapshot_volume(volume.id, snapshot, 3), "Deleted")
        for mounted, said in ((volume, "now"), (copy, "then")):
            work = using(rig, Script().cat("/data/a"), mounted)
            await run(site, work)
            assert await log(site, work.id) == said

"""Logs: whole, by offset, followed, rotated."""

import asyncio

import pytest

from skerry.sites.contract import Refused, Workloads
from tests.sites.contract.rig import (
    PATIENCE,
    Base,
    Rig,
    chunks,
    ended,
    log,
    plain,
    printed,
    run,
    workload,
)
from tests.sites.contract.script import Script


class Reading(Base):
    async def test_the_streams_are_told_apart(self, rig: Rig, site: Workloads) -> None:
        script = Script().print("out 1").print("err", "stderr").print("out 2")
        work = workload(rig, script)
        await run(site, work)
        assert await log(site, work.id, stream="stdout") == "out 1\nout 2\n"
        assert await log(site, work.id, stream="stderr") == "err\n"
        assert {c.at.utcoffset() is None for c in await chunks(site, work.id)} == {False}

    async def test_offsets_count_every_byte(self, rig: Rig, site: Workloads) -> None:
        script = Script().print("é" * 50).print("two", "stderr").lines(100, 64)
        work = workload(rig, script)
        await run(site, work)
        position = 0
        for chunk in await chunks(site, work.id):
            assert chunk.offset == position
            assert chunk.rank == 0
            position += len(chunk.data)
        assert position == 101 + 4 + 6400

    async def test_any_offset_is_a_place_to_resume(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().lines(100, 64))
        await run(site, work)
        whole = b"".join(c.data for c in await chunks(site, work.id))
        for offset in (0, 1, 63, 64, 65, 6399):
            rest = await chunks(site, work.id, offset=offset)
            assert rest[0].offset == offset
            assert b"".join(c.data for c in rest) == whole[offset:]
        assert await chunks(site, work.id, offset=6400) == []
        assert await chunks(site, work.id, offset=10_000) == []

    async def test_following_shows_it_live_and_ends_with_it(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().trap("USR1", 3).print("first").stay())
        await site.apply(work, 1)
        seen: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            async for chunk in site.logs(work.id, 0, 0, True):
                seen.append(chunk.data)
                if b"".join(seen) == b"first\n":
                    await site.signal(work.id, 10, 1)
        assert b"".join(seen) == b"first\n"
        assert (await ended(site, work.id)).tasks[0].exit_code == 3

    async def test_without_following_it_ends_at_the_present(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().print("so far").stay())
        await site.apply(work, 1)
        await printed(site, work.id, "so far")
        assert await log(site, work.id) == "so far\n"

    async def test_following_starts_before_the_first_word(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().sleep(0.5).print("at last"))
        await site.apply(work, 1)
        followed = await chunks(site, work.id, follow=True)
        assert b"".join(c.data for c in followed) == b"at last\n"

    async def test_each_task_has_its_own(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().print("I am").env("SKERRY_RANK"), tasks=2)
        await run(site, work)
        assert await log(site, work.id, 0) == "I am\n0\n"
        assert await log(site, work.id, 1) == "I am\n1\n"
        with pytest.raises(Refused) as refused:
            await log(site, work.id, 2)
        plain(refused.value)

    async def test_the_oldest_goes_and_that_is_said(self, rig: Rig, site: Workloads) -> None:
        limit, total = 65536, 10_000 * 100
        work = workload(rig, Script().lines(10_000, 100), log_bytes=limit)
        await run(site, work)
        notice, *kept = await chunks(site, work.id)
        dropped = kept[0].offset
        assert notice.offset + len(notice.data) == dropped
        assert f"{dropped} bytes" in notice.data.decode()
        assert total - dropped <= limit
        text = b"".join(c.data for c in kept)
        assert dropped + len(text) == total
        assert text.endswith(b"%099d\n" % 9_999)
        assert len(text) >= limit // 4
        again = await chunks(site, work.id, offset=dropped)
        assert b"".join(c.data for c in again) == text

    async def test_a_reader_that_leaves_early_is_no_trouble(
        self, rig: Rig, site: Workloads
    ) -> None:
        work = workload(rig, Script().lines(1000, 100).stay())
        await site.apply(work, 1)
        for _ in range(5):
            await printed(site, work.id, f"{0:099}")
        assert len(await log(site, work.id)) >= 100

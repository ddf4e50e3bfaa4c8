"""The log: on disk as pieces came, read by offset, whatever is in it and however much."""

import asyncio
import hashlib
import itertools
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.sites.contract import LogChunk, Workloads
from skerry.sites.local import logs
from skerry.sites.local.shim.log import HEADER, LogWriter
from tests.sites.contract.rig import MIB, chunks, log, printed, run, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import LocalRig


async def whole(directory: Path, offset: int = 0) -> list[LogChunk]:
    return [c async for c in logs.read(directory, 0, offset, False, lambda: True)]


def text(found: list[LogChunk]) -> bytes:
    return b"".join(chunk.data for chunk in found)


class TestOnDisk:
    @given(
        pieces=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=300))),
        offset=st.integers(0, 4000),
    )
    def test_what_is_written_is_read_from_any_offset(
        self, tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, bytes]], offset: int
    ) -> None:
        directory = tmp_path_factory.mktemp("log")
        writer = LogWriter(str(directory), 1 << 20)
        for stream, data in pieces:
            writer.write(stream, data)
        writer.close()
        everything = b"".join(data for _, data in pieces)
        found = asyncio.run(whole(directory, offset))
        assert text(found) == everything[offset:]
        assert all(
            before.offset + len(before.data) == after.offset
            for before, after in itertools.pairwise(found)
        )

    @given(
        limit=st.integers(1, 2000),
        pieces=st.lists(st.binary(min_size=1, max_size=500), min_size=1, max_size=40),
    )
    def test_the_last_is_kept_and_the_rest_is_said(
        self, tmp_path_factory: pytest.TempPathFactory, limit: int, pieces: list[bytes]
    ) -> None:
        directory = tmp_path_factory.mktemp("log")
        writer = LogWriter(str(directory), limit)
        for data in pieces:
            writer.write(1, data)
        writer.close()
        everything = b"".join(pieces)
        found = asyncio.run(whole(directory))
        assert found[-1].offset + len(found[-1].data) == len(everything)
        kept = [chunk for chunk in found if chunk.stream == "stdout"]
        assert everything.endswith(text(kept))
        assert len(text(kept)) <= limit
        if len(everything) > limit:
            assert found[0].stream == "stderr"
            assert found[0].offset + len(found[0].data) == kept[0].offset
        on_disk = sum(path.stat().st_size for path in directory.iterdir())
        assert on_disk <= 3 * max(limit, 8) + 9 * (HEADER.size + 8)

    async def test_short_pieces_take_no_more_room(self, tmp_path: Path) -> None:
        writer = LogWriter(str(tmp_path), 2000)
        for _ in range(5000):
            writer.write(1, b".")
        writer.close()
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * 2000

    async def test_a_record_cut_off_is_the_end(self, tmp_path: Path) -> None:
        writer = LogWriter(str(tmp_path), 1 << 20)
        writer.write(1, b"whole\n")
        writer.write(1, b"cut off\n")
        writer.close()
        [segment] = tmp_path.iterdir()
        os.truncate(segment, segment.stat().st_size - 3)
        assert text(await whole(tmp_path)) == b"whole\n"

    async def test_what_could_not_be_written_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        writer = LogWriter(str(tmp_path), 1 << 20)
        writer.write(1, b"before\n")
        real = os.writev
        monkeypatch.setattr(os, "writev", lambda file, parts: real(file, [b"half"]))
        writer.write(1, b"x" * 200)
        monkeypatch.setattr(os, "writev", real)
        writer.write(1, b"after\n")
        writer.close()
        before, notice, after = await whole(tmp_path)
        assert (before.data, after.data) == (b"before\n", b"after\n")
        assert b"200 bytes" in notice.data
        assert notice.stream == "stderr"
        assert after.offset == len(b"before\n") + 200


class TestARealOne:
    async def test_binary_garbage(self, rig: LocalRig, site: Workloads) -> None:
        program = (
            "import os, random\n"
            "data = random.Random(1).randbytes(3 << 20)\n"
            "while data: data = data[os.write(1, data):]"
        )
        work = workload(rig, Script(), command=("python3", "-c", program))
        await run(site, work)
        assert text(await chunks(site, work.id)) == random.Random(1).randbytes(3 << 20)

    async def test_a_hundred_megabytes(self, rig: LocalRig, site: Workloads) -> None:
        """All of it came by: the last byte's offset says so; the last 64 MiB are kept."""
        total = 100_000_000
        program = (
            "import os\n"
            "line = b'%099d\\n'\n"
            f"for n in range({total} // 100_000):\n"
            "    data = b''.join(line % (n * 1000 + m) for m in range(1000))\n"
            "    while data: data = data[os.write(1, data):]"
        )
        work = workload(
            rig, Script(), command=("python3", "-c", program), millicores=2000, memory=256 * MIB
        )
        [task] = (await run(site, work)).tasks
        assert task.exit_code == 0
        position, digest, kept = 0, hashlib.sha256(), 0
        async for chunk in site.logs(work.id, 0):
            position = chunk.offset + len(chunk.data)
            if chunk.stream == "stdout":
                digest.update(chunk.data)
                kept += len(chunk.data)
        assert position == total
        assert 48 * MIB <= kept <= 64 * MIB
        first = (total - kept) // 100
        lead = (total - kept) % 100
        expected = b"".join(b"%099d\n" % n for n in range(first, total // 100))[lead:]
        assert digest.hexdigest() == hashlib.sha256(expected).hexdigest()

    async def test_a_reader_that_stands_still_holds_nothing_up(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        work = workload(rig, Script().print("first").lines(20_000, 100).print("last"))
        await site.apply(work, 1)
        reader = site.logs(work.id, 0, 0, True)
        async for chunk in reader:
            assert chunk.data.startswith(b"first")
            break
        await printed(site, work.id, "last")
        await reader.aclose()

    async def test_one_byte_at_a_time(self, rig: LocalRig, site: Workloads) -> None:
        program = "import os\nfor n in range(20000): os.write(1, b'%d' % (n % 10))"
        work = workload(
            rig, Script(), command=("python3", "-c", program), log_bytes=8192, millicores=1000
        )
        await run(site, work)
        found = await chunks(site, work.id)
        assert found[-1].offset + len(found[-1].data) == 20000
        kept = text([chunk for chunk in found if chunk.stream == "stdout"])
        assert (b"0123456789" * 2000).endswith(kept)
        assert kept

    async def test_followed_over_a_restart_of_the_task(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        work = workload(rig, Script().print("again").exit(1), restart="on-failure", max_restarts=2)
        await site.apply(work, 1)
        assert text(await chunks(site, work.id, follow=True)) == b"again\n" * 3

    async def test_deleted_under_a_follower(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().print("up").stay())
        await site.apply(work, 1)
        following = asyncio.create_task(chunks(site, work.id, follow=True))
        await printed(site, work.id, "up")
        await site.delete(work.id, 1)
        assert text(await following) in (b"", b"up\n")

    async def test_the_log_is_whole_whoever_reads_it_how(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        work = workload(rig, Script().lines(500, 20))
        await run(site, work)
        expected = "".join(f"{n:019}\n" for n in range(500))
        for offset in (0, 1, 19, 20, 5000, 9999, 10_000, 10_001):
            found = text(await chunks(site, work.id, offset=offset)).decode()
            assert found == expected[offset:]
        assert await log(site, work.id) == expected

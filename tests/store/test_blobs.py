"""Blobs: what goes in comes out, whole or not at all, and stays while it is needed."""

import asyncio
import os
import resource
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.store import Blobs, Digest, StoreError
from skerry.store.blobs import BlobCorrupt, BlobMissing, digest_of, parse_digest

HOUR = timedelta(hours=1)
NOBODY = digest_of(b"nobody ever put this")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(blobs: Blobs, digest: Digest) -> bytes:
    return b"".join([chunk async for chunk in blobs.open(digest)])


def incoming(blobs: Blobs) -> list[Path]:
    return list((blobs.root / "incoming").iterdir())


def make_old(blobs: Blobs, digest: Digest) -> None:
    long_ago = time.time() - 7200
    os.utime(blobs.path(digest), (long_ago, long_ago))


async def test_bytes_and_streams_come_out_as_they_went_in(blobs: Blobs) -> None:
    whole = os.urandom(3_000_001)
    pieces = [whole[start : start + 70_000] for start in range(0, len(whole), 70_000)]
    digest = await blobs.put(chunks(*pieces))
    assert digest == digest_of(whole) == await blobs.put(whole)
    assert await read(blobs, digest) == whole
    assert await blobs.size(digest) == len(whole)
    assert await blobs.has(digest)
    assert await blobs.digests() == [digest]
    await blobs.verify(digest)
    assert incoming(blobs) == []


async def test_nothing_is_a_blob_too(blobs: Blobs) -> None:
    assert await blobs.put(chunks()) == await blobs.put(b"") == digest_of(b"")
    assert await read(blobs, digest_of(b"")) == b""


async def test_other_bytes_than_expected_are_refused(blobs: Blobs) -> None:
    with pytest.raises(BlobCorrupt, match="not sha256:"):
        await blobs.put(b"other", expected=NOBODY)
    assert await blobs.digests() == []
    assert incoming(blobs) == []
    assert await blobs.put(b"right", expected=digest_of(b"right")) == digest_of(b"right")


async def test_what_is_not_there_is_said_to_be_missing(blobs: Blobs) -> None:
    assert not await blobs.has(NOBODY)
    assert not await blobs.touch(NOBODY)
    await blobs.delete(NOBODY)
    for work in (blobs.size(NOBODY), blobs.verify(NOBODY), read(blobs, NOBODY)):
        with pytest.raises(BlobMissing, match=NOBODY):
            await work


async def test_a_changed_blob_is_noticed_and_mended(blobs: Blobs) -> None:
    digest = await blobs.put(b"exactly this")
    blobs.path(digest).chmod(0o600)
    blobs.path(digest).write_bytes(b"exactly thus")
    with pytest.raises(BlobCorrupt, match="has changed on the disk"):
        await blobs.verify(digest)
    await blobs.put(chunks(b"exactly this"))
    await blobs.verify(digest)


async def test_a_stream_that_breaks_off_leaves_nothing(blobs: Blobs) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError):
        await blobs.put(broken())
    assert incoming(blobs) == []
    assert await blobs.digests() == []


async def test_a_cancelled_put_leaves_nothing(blobs: Blobs) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000_000
            await asyncio.sleep(0)

    putting = asyncio.create_task(blobs.put(endless()))
    while not incoming(blobs) or incoming(blobs)[0].stat().st_size < 3_000_000:
        await asyncio.sleep(0.001)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert incoming(blobs) == []


@contextmanager
def file_size_limit(path: Path) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(path: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize(
    "full", [file_size_limit, small_disk] if os.geteuid() == 0 else [file_size_limit]
)
async def test_a_full_disk_is_said_and_leaves_nothing_half_made(tmp_path: Path, full) -> None:
    with full(tmp_path):
        blobs = Blobs(tmp_path / "blobs")
        small = await blobs.put(b"small")
        for content in (b"x" * 4_000_000, chunks(*[b"y" * 100_000] * 40)):
            with pytest.raises(StoreError, match=r"The disk of .* is full\. Free some space"):
                await blobs.put(content)
        assert incoming(blobs) == []
        assert await blobs.digests() == [small]


async def test_collection_removes_what_is_old_and_unused(blobs: Blobs) -> None:
    used, unused, young = [await blobs.put(data) for data in (b"used", b"unused", b"young")]
    make_old(blobs, used)
    make_old(blobs, unused)

    async def live() -> AsyncIterator[str]:
        yield used
        yield NOBODY

    collected = await blobs.collect(live(), HOUR)
    assert (collected.blobs, collected.bytes) == (1, len(b"unused"))
    assert set(await blobs.digests()) == {used, young}


async def test_collection_removes_abandoned_writes(blobs: Blobs) -> None:
    old, new = blobs.root / "incoming" / "old", blobs.root / "incoming" / "new"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    await blobs.collect(chunks(), HOUR)  # type: ignore[arg-type]
    assert incoming(blobs) == [new]


@pytest.mark.parametrize("again", ["put", "stream", "touch"])
async def test_a_blob_wanted_again_during_a_collection_stays(blobs: Blobs, again: str) -> None:
    digest = await blobs.put(b"wanted again")
    make_old(blobs, digest)

    async def live() -> AsyncIterator[str]:
        if again == "put":
            await blobs.put(b"wanted again")
        elif again == "stream":
            await blobs.put(chunks(b"wanted", b" again"))
        else:
            assert await blobs.touch(digest)
        return
        yield

    assert (await blobs.collect(live(), HOUR)).blobs == 0
    assert await read(blobs, digest) == b"wanted again"


async def test_puts_and_collections_at_once_lose_nothing(blobs: Blobs) -> None:
    async def nothing() -> AsyncIterator[str]:
        return
        yield

    for _ in range(30):
        digest = await blobs.put(b"contended")
        make_old(blobs, digest)
        await asyncio.gather(
            blobs.collect(nothing(), HOUR),
            blobs.put(b"contended"),
            blobs.collect(nothing(), HOUR),
            blobs.put(chunks(b"contended")),
        )
        await blobs.verify(digest)


async def test_a_blob_deleted_during_a_collection_is_no_error(blobs: Blobs) -> None:
    digest = await blobs.put(b"going")
    make_old(blobs, digest)

    async def live() -> AsyncIterator[str]:
        await blobs.delete(digest)
        return
        yield

    assert (await blobs.collect(live(), HOUR)).blobs == 0


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:../../etc/passwd", "SHA256:" + "0" * 64, NOBODY + "\n"]
)
def test_no_name_leads_elsewhere(blobs: Blobs, text: str) -> None:
    with pytest.raises(ValueError, match="is not a digest"):
        parse_digest(text)
    with pytest.raises(ValueError, match="is not a digest"):
        blobs.path(Digest(text))


@given(st.binary())
def test_a_digest_is_read_back_as_itself(data: bytes) -> None:
    assert parse_digest(digest_of(data)) == digest_of(data)


async def test_other_errors_of_the_disk_are_not_called_full(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    blobs.root.joinpath("incoming").rmdir()
    with pytest.raises(FileNotFoundError):
        await blobs.put(b"nowhere to go")

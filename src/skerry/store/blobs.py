"""Blobs: bytes of any size, named by their own SHA-256, kept in files.

A blob is written beside its place, synced, and renamed into it, so a name that exists holds all
of its bytes. Writing the same bytes twice changes nothing but the age. What nothing refers to is
removed by ``collect``, and only once it has been unused for a while: whoever is about to refer to
a blob puts or touches it, which makes it young again, and a young blob is never removed.

    root/lock             shared while a blob takes its place, exclusive while one is removed
    root/incoming/        being written
    root/sha256/ab/cdef…  the blobs
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NewType, ParamSpec, TypeVar

from skerry.durable import flush
from skerry.store.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")

CHUNK = 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


Digest = NewType("Digest", str)
"""``sha256:`` and 64 hexadecimal digits. A plain string at run time, so JSON and SQL take it."""


def parse_digest(text: str) -> Digest:
    """Check what came from outside. ValueError if it is no digest."""
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"{text[:100]!r} is not a digest: sha256: and 64 hex digits")
    return Digest(text)


def digest_of(data: bytes) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


class BlobMissing(StoreError):
    """No blob has this digest."""


class BlobCorrupt(StoreError):
    """The bytes are not those of the digest."""


@dataclass(frozen=True)
class Collected:
    """What a collection removed."""

    blobs: int
    bytes: int


class Blobs:
    """The blobs under one directory, which several processes may share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._blobs = root / "sha256"
        for directory in (root, self._incoming, self._blobs):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, digest: Digest) -> Path:
        """Where the blob is if it is there. Read it, never write it.

        ValueError if the digest is none, so no name from outside leads elsewhere.
        """
        name = parse_digest(digest).removeprefix("sha256:")
        return self._blobs / name[:2] / name[2:]

    async def put(
        self, content: bytes | AsyncIterable[bytes], *, expected: Digest | None = None
    ) -> Digest:
        """Keep these bytes; returns their digest once they are safe on the disk.

        Raises BlobCorrupt if they are not the ``expected`` ones, StoreError if the disk is full.
        Either way nothing of them stays.
        """
        if isinstance(content, bytes) and expected is None:
            digest = await asyncio.to_thread(digest_of, content)
            if await self.touch(digest):
                return digest
        try:
            return await self._write(content, expected)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise StoreError(
                f"The disk of {self.root} is full.", "Free some space, then try again."
            ) from error

    async def _write(
        self, content: bytes | AsyncIterable[bytes], expected: Digest | None
    ) -> Digest:
        writing = _Writing(self._incoming)
        try:
            async for piece in _pieces(content):
                await _to_its_end(writing.write, piece)
            digest = await _to_its_end(writing.finish)
            if expected is not None and digest != expected:
                raise BlobCorrupt(f"The bytes have digest {digest}, not {expected}.")
            await _to_its_end(self._place, writing.path, digest)
        finally:
            writing.discard()
        return digest

    async def open(self, digest: Digest) -> AsyncIterator[bytes]:
        """Its bytes in chunks of at most 1 MiB. BlobMissing if it is not there."""
        try:
            file = await asyncio.to_thread(self.path(digest).open, "rb")
        except FileNotFoundError:
            raise BlobMissing(f"There is no blob {digest}.") from None
        with file:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                yield chunk

    async def size(self, digest: Digest) -> int:
        """Its length in bytes. BlobMissing if it is not there."""
        try:
            facts = await asyncio.to_thread(self.path(digest).stat)
        except FileNotFoundError:
            raise BlobMissing(f"There is no blob {digest}.") from None
        return facts.st_size

    async def has(self, digest: Digest) -> bool:
        return await asyncio.to_thread(self.path(digest).exists)

    async def touch(self, digest: Digest) -> bool:
        """Is it there? If so it is young again: do this before you refer to one already kept."""
        return await asyncio.to_thread(self._touch, digest)

    async def verify(self, digest: Digest) -> None:
        """Read it all. BlobCorrupt if its bytes have changed, BlobMissing if it is not there."""
        try:
            found = await asyncio.to_thread(_digest_of_file, self.path(digest))
        except FileNotFoundError:
            raise BlobMissing(f"There is no blob {digest}.") from None
        if found != digest:
            raise BlobCorrupt(f"The blob {digest} has changed on the disk: it is now {found}.")

    async def delete(self, digest: Digest) -> None:
        """Remove it, whoever may refer to it; nothing happens if it is not there."""
        await asyncio.to_thread(self.path(digest).unlink, missing_ok=True)

    async def digests(self) -> list[Digest]:
        """Every blob there is."""
        return await asyncio.to_thread(lambda: [digest for digest, _ in self._walk()])

    async def collect(self, live: AsyncIterable[str], older_than: timedelta) -> Collected:
        """Remove what ``live`` does not name and nobody put or touched for ``older_than``.

        ``live`` is read after the candidates are listed, so it must not begin before it is
        iterated: an async generator over a query is right.
        """
        before = time.time() - older_than.total_seconds()
        candidates = await asyncio.to_thread(self._older, before)
        async for digest in live:
            candidates.discard(parse_digest(digest))
        sizes = [await asyncio.to_thread(self._remove, digest, before) for digest in candidates]
        await asyncio.to_thread(self._remove_abandoned, before)
        removed = [size for size in sizes if size is not None]
        return Collected(blobs=len(removed), bytes=sum(removed))

    # What follows runs in threads.

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self.root / "lock").open("wb") as lock:
            fcntl.flock(lock, how)
            yield

    def _touch(self, digest: Digest) -> bool:
        with self._locked(fcntl.LOCK_SH):
            try:
                os.utime(self.path(digest))
            except FileNotFoundError:
                return False
            return True

    def _place(self, temporary: Path, digest: Digest) -> None:
        place = self.path(digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with self._locked(fcntl.LOCK_SH):
            # Replacing what is there with the same bytes mends it, should it have been damaged.
            temporary.replace(place)
        for directory in (place.parent, self._blobs):
            flush(directory)

    def _walk(self) -> Iterator[tuple[Digest, Path]]:
        for path in self._blobs.glob("??/*"):
            yield Digest(f"sha256:{path.parent.name}{path.name}"), path

    def _older(self, before: float) -> set[Digest]:
        return {digest for digest, path in self._walk() if _age_mark(path) < before}

    def _remove(self, digest: Digest, before: float) -> int | None:
        """Its size, if it could go: it may have been touched since it was listed."""
        path = self.path(digest)
        with self._locked(fcntl.LOCK_EX):
            if _age_mark(path) >= before:
                return None
            size = path.stat().st_size
            path.unlink()
            return size

    def _remove_abandoned(self, before: float) -> None:
        for path in self._incoming.iterdir():
            if _age_mark(path) < before:
                path.unlink(missing_ok=True)


class _Writing:
    """A file on its way in."""

    def __init__(self, directory: Path) -> None:
        self._descriptor, name = tempfile.mkstemp(dir=directory)
        self.path = Path(name)
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self._hash.update(piece)
        left = memoryview(piece)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def finish(self) -> Digest:
        os.fsync(self._descriptor)
        return Digest(f"sha256:{self._hash.hexdigest()}")

    def discard(self) -> None:
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


async def _to_its_end(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in a thread, and on cancellation wait for it: it still uses the file."""
    thread = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


async def _pieces(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Gather small chunks, so that each trip to a thread is worth it."""
    if isinstance(content, bytes):
        yield content
        return
    gathered = bytearray()
    async for chunk in content:
        gathered += chunk
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _digest_of_file(path: Path) -> Digest:
    with path.open("rb") as file:
        return Digest(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")


def _age_mark(path: Path) -> float:
    """When it was last put or touched, in seconds since 1970; infinity once it has gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")

"""What a run has left at its site, by digests: each copy's log and artifacts.

The digests are made where the files are, by the host's agent, so nothing but they travels. They go
into the transparency log when a job ends; whoever gets a file later, from anybody, can tell whether
it is the one that was there.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from skerry.sites.contract import FileInfo, Refused, Workloads

OUTPUT = "output"
"""The kind of change that tells of it."""
MOST_FILES = 1000
"""Of one run; how many more there are is told."""
MOST_NAMES = 256 << 10
"""Bytes of their names."""
MOST_BYTES = 16 << 30
"""That are read of one run's artifacts; what is beyond has a size and no digest."""


class Left(Struct, frozen=True):
    """What one copy has left. Digests are ``sha256:`` and hex digits."""

    rank: int
    log_size: int
    """Bytes of its log as it is read from its beginning, both outputs in their order."""
    log_digest: str
    files: tuple[FileInfo, ...] = ()
    more: int = 0
    """Artifacts that are not listed."""


@runtime_checkable
class Digests(Protocol):
    """A driver that has them made elsewhere."""

    async def digests(self, id: str, copies: int) -> tuple[Left, ...]: ...


async def left(driver: Workloads, id: str, copies: int) -> tuple[Left, ...]:
    """What each copy of an ended run has left. Raises ``Refused`` and ``SiteUnreachable``."""
    if isinstance(driver, Digests):
        return await driver.digests(id, copies)
    room = _Room()
    return tuple([await _of_one(driver, id, rank, room) for rank in range(copies)])


class _Room:
    """What may still be told of a run."""

    def __init__(self) -> None:
        self.files, self.names, self.size = MOST_FILES, MOST_NAMES, MOST_BYTES

    def lists(self, file: FileInfo) -> bool:
        name = len(file.path.encode())
        if self.files < 1 or self.names < name:
            return False
        self.files, self.names = self.files - 1, self.names - name
        return True

    def reads(self, file: FileInfo) -> bool:
        if self.size < file.size:
            return False
        self.size -= file.size
        return True


async def _of_one(driver: Workloads, id: str, rank: int, room: _Room) -> Left:
    found = await driver.files(id, rank)
    listed = [file for file in found if room.lists(file)]
    files = [await _read(driver, id, rank, file) if room.reads(file) else file for file in listed]
    size, digest = await _digest(_log(driver, id, rank))
    return Left(rank, size, digest, tuple(files), len(found) - len(listed))


async def _read(driver: Workloads, id: str, rank: int, file: FileInfo) -> FileInfo:
    try:
        size, digest = await _digest(driver.download(id, rank, file.path))
    except Refused:
        return replace(file, digest="")  # it went away, or can't be read
    return replace(file, size=size, digest=digest)


async def _log(driver: Workloads, id: str, rank: int) -> AsyncIterator[bytes]:
    async for chunk in driver.logs(id, rank):
        yield chunk.data


async def _digest(pieces: AsyncIterator[bytes]) -> tuple[int, str]:
    made, size = hashlib.sha256(), 0
    async for piece in pieces:
        made.update(piece)
        size += len(piece)
    return size, f"sha256:{made.hexdigest()}"

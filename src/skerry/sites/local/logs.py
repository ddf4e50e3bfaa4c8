"""Read a task's log while its shim writes it; see ``shim.log`` for what is on disk."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from skerry.sites.contract import LogChunk
from skerry.sites.local.shim.log import HEADER

_BATCH = 1 << 20
"""Bytes read from disk at a time."""
_PAUSE = 0.05
_LONGEST_PAUSE = 0.25
"""Seconds between two looks for more."""


class _Reader:
    """A place in the log that moves on. Used in one thread at a time."""

    def __init__(self, directory: Path, rank: int, offset: int) -> None:
        self._directory, self._rank = directory, rank
        self._offset = max(offset, 0)
        self._segment = -1
        """Start of the segment that is being read."""
        self._position = 0
        """In its file, after the last whole record."""

    def more(self) -> list[LogChunk]:
        """What follows, about a megabyte at most; nothing if there is nothing yet."""
        while True:
            # Asked before reading: the writer is done with a segment once there is a next one.
            following = self._next_segment()
            if self._segment >= 0:
                before = self._position
                found = list(self._read(self._segment))
                if found:
                    return found
                if self._position > before:
                    continue
            if following is None:
                return []
            self._segment, self._position = following, 0

    def _next_segment(self) -> int | None:
        """The segment to go on with after the present one; at first, that of the offset."""
        try:
            starts = sorted(int(path.name) for path in self._directory.iterdir())
        except FileNotFoundError:
            return None  # the workload was deleted meanwhile
        if self._segment < 0:
            before = [start for start in starts if start <= self._offset]
            return before[-1] if before else next(iter(starts), None)
        return next((start for start in starts if start > self._segment), None)

    def _read(self, segment: int) -> Iterator[LogChunk]:
        try:
            with open(self._directory / f"{segment:020d}", "rb") as file:
                file.seek(self._position)
                batch = file.read(_BATCH)
        except FileNotFoundError:
            return  # rotated away meanwhile
        place = 0
        while place + HEADER.size <= len(batch):
            stream, at, offset, length = HEADER.unpack_from(batch, place)
            end = place + HEADER.size + length
            if end > len(batch):
                break
            data = batch[place + HEADER.size : end]
            place = end
            yield from self._chunks(stream, at, offset, data)
        self._position += place

    def _chunks(self, stream: int, at: int, offset: int, data: bytes) -> Iterator[LogChunk]:
        """The record from our offset on; before it, a word on what is missing."""
        moment = datetime.fromtimestamp(at / 1e9, UTC)
        if offset > self._offset:
            missing = offset - self._offset
            words = f"[skerry: {missing} bytes of the log are not kept]\n".encode()[-missing:]
            yield LogChunk(
                rank=self._rank,
                offset=offset - len(words),
                stream="stderr",
                at=moment,
                data=words,
            )
            self._offset = offset
        rest = data[self._offset - offset :]
        if rest:
            yield LogChunk(
                rank=self._rank,
                offset=self._offset,
                stream="stdout" if stream == 1 else "stderr",
                at=moment,
                data=rest,
            )
            self._offset += len(rest)


async def read(
    directory: Path, rank: int, offset: int, follow: bool, ended: Callable[[], bool]
) -> AsyncIterator[LogChunk]:
    """The log from ``offset`` on; with ``follow``, until ``ended`` says that no more comes.

    Each chunk ends where the next one begins, save before a word on missing bytes.
    """
    reader = _Reader(directory, rank, offset)
    pause = _PAUSE
    while True:
        last = ended() or not follow
        found = await asyncio.to_thread(reader.more)
        for chunk in found:
            yield chunk
        if found:
            pause = _PAUSE
        elif last:
            return
        else:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

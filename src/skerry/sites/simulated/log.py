"""A task's log, kept in memory up to its limit."""

from bisect import bisect_right
from datetime import datetime

import msgspec

from skerry.sites.contract import LogChunk
from skerry.sites.simulated.script import PIECE, Stream

_ROOM_FOR_NOTICE = 128


class Log:
    """Chunks in the order they were written; the oldest go when there are too many bytes."""

    def __init__(self, rank: int, limit: int) -> None:
        self._rank = rank
        self._limit = limit
        self._chunks: list[LogChunk] = []
        self._end = 0

    @property
    def end(self) -> int:
        return self._end

    def append(self, data: bytes, stream: Stream, at: datetime) -> None:
        for first in range(0, len(data), PIECE):
            piece = data[first : first + PIECE]
            self._chunks.append(
                LogChunk(rank=self._rank, offset=self._end, stream=stream, at=at, data=piece)
            )
            self._end += len(piece)
        if self._end - self._chunks[0].offset > self._limit:
            self._rotate()

    def _rotate(self) -> None:
        """Drop whole chunks, and never so few bytes that the notice has no room in their place."""
        floor = max(self._end - self._limit, _ROOM_FOR_NOTICE)
        dropped = bisect_right(self._chunks, floor - 1, key=lambda c: c.offset + len(c.data) - 1)
        del self._chunks[: max(1, min(dropped + 1, len(self._chunks) - 1))]

    def after(self, offset: int) -> list[LogChunk]:
        """What is kept from ``offset`` on, with a notice first if older bytes are gone."""
        if offset >= self._end:
            return []
        start = self._chunks[0].offset
        if offset < start:
            return [self._notice(start), *self._chunks]
        first = bisect_right(self._chunks, offset, key=lambda c: c.offset) - 1
        found = self._chunks[first]
        skip = offset - found.offset
        cut = msgspec.structs.replace(found, offset=offset, data=found.data[skip:])
        return [cut, *self._chunks[first + 1 :]]

    def _notice(self, start: int) -> LogChunk:
        text = f"[skerry] the oldest {start} bytes of this log were dropped\n".encode()
        at = self._chunks[0].at
        return LogChunk(
            rank=self._rank, offset=start - len(text), stream="stderr", at=at, data=text
        )

"""Logs, as a keeper shows them: frames with their place in the task's whole log."""

import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from skerry.sites.contract import LogChunk
from skerry.sites.kubernetes.sessions import ExecSession

FRAME = struct.Struct("<QQII")


async def frames(session: ExecSession) -> AsyncIterator[tuple[int, datetime, int, bytes]]:
    """Offset, time, stream and bytes of each piece, to the end."""
    have = b""
    while True:
        stream, data = await session.take(1 << 20)
        if not data:
            return
        if stream == "stderr":
            continue
        have += data
        place = 0
        while place + FRAME.size <= len(have):
            offset, micros, size, output = FRAME.unpack_from(have, place)
            end = place + FRAME.size + size
            if end > len(have):
                break
            at = datetime.fromtimestamp(micros / 1e6, UTC)
            yield offset, at, output, have[place + FRAME.size : end]
            place = end
        have = have[place:]


class Reader:
    """Where somebody has read to."""

    def __init__(self, rank: int, offset: int) -> None:
        self._rank = rank
        self.offset = offset

    def chunks(self, offset: int, at: datetime, stream: int, data: bytes) -> list[LogChunk]:
        """A piece as chunks; before it, a word on what is no longer kept."""
        found = []
        if offset > self.offset:
            missing = offset - self.offset
            words = f"[skerry: {missing} bytes of the log are not kept]\n".encode()[-missing:]
            found.append(self._chunk(offset - len(words), at, 2, words))
            self.offset = offset
        rest = data[self.offset - offset :]
        if rest:
            found.append(self._chunk(self.offset, at, stream, rest))
            self.offset += len(rest)
        return found

    def _chunk(self, offset: int, at: datetime, stream: int, data: bytes) -> LogChunk:
        return LogChunk(
            rank=self._rank,
            offset=offset,
            stream="stdout" if stream == 1 else "stderr",
            at=at,
            data=data,
        )

"""A task's log on disk: segments of records, each a piece of output as it came.

A segment's name is the offset of its first byte in the whole log. A record is a header (stream,
time, offset, length) and the bytes. A record cut off by a crash is the end of its segment; an
offset that jumps tells a reader that something is missing there (rotated away, or the disk was
full).
"""

import contextlib
import os
import struct
import time

HEADER = struct.Struct("<BQQI")
"""Stream (1 output, 2 errors), nanoseconds since 1970, offset, length."""
SEGMENTS = 8
"""How many segments share the log's space: what is rotated away goes by such a share."""
LONGEST = 65536


class LogWriter:
    """Appends output; keeps the last ``limit`` bytes of it, by whole segments.

    Beside them it uses at most as much again for headers, however short the pieces are.
    """

    def __init__(self, directory: str, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self._share = max(limit // SEGMENTS, 1)
        self._segments: list[list[int]] = []
        """Start, bytes held, and bytes counted of each, oldest first. Counted is what is held, or
        half of what it takes on disk, if that is more: short pieces are mostly headers."""
        self._file = -1
        self._size = 0
        self.offset = 0

    def write(self, stream: int, data: bytes) -> None:
        """Append; if the disk is full, skip, which leaves a gap in the offsets."""
        view = memoryview(data)
        while view:
            try:
                piece = view[: min(self._room(), LONGEST)]
                self._append(stream, piece)
            except OSError:
                self.offset += len(view)
                self._close()
                return
            view = view[len(piece) :]

    def close(self) -> None:
        """Bring it all to disk."""
        if self._file >= 0:
            with contextlib.suppress(OSError):  # a full disk: what could be kept is kept
                os.fsync(self._file)
            self._close()

    def _room(self) -> int:
        """Bytes that fit into the segment; begins a new one if none do."""
        if self._file < 0 or self._segments[-1][2] >= self._share:
            self._rotate()
        return self._share - self._segments[-1][1]

    def _append(self, stream: int, piece: memoryview) -> None:
        header = HEADER.pack(stream, time.time_ns(), self.offset, len(piece))
        wanted = len(header) + len(piece)
        written = os.writev(self._file, (header, piece))
        if written < wanted:
            # Half a record would hide those after it.
            os.ftruncate(self._file, self._size)
            raise OSError(f"{written} of {wanted} bytes written")
        self._size += wanted
        segment = self._segments[-1]
        segment[1] += len(piece)
        segment[2] = max(segment[1], self._size // 2)
        self.offset += len(piece)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _rotate(self) -> None:
        self._close()
        while self._segments and self._kept() + self._share > self._limit:
            start, *_ = self._segments.pop(0)
            os.unlink(f"{self._directory}/{start:020d}")
        self._file = os.open(
            f"{self._directory}/{self.offset:020d}",
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC,
            0o600,
        )
        self._segments.append([self.offset, 0, 0])
        self._size = 0

    def _kept(self) -> int:
        return sum(counted for *_, counted in self._segments)

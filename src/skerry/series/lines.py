"""Lines: what a task wrote, cut at line ends, and packed into pieces. Pure.

A log comes as chunks of bytes of two streams, cut anywhere. ``Cutter`` gives whole lines and keeps
what has begun of the next ones; its state is small and is kept with the place in the log, so the
next reader, perhaps another process, goes on exactly there.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

LONGEST_LINE = 16 << 10
"""Bytes; a longer line is cut."""
PIECE_BYTES = 64 << 10
"""Text of a piece, at most."""
PIECE_SECONDS = 300
"""From a piece's first line to its last, at most."""

Stream = Literal["stdout", "stderr"]


class Line(NamedTuple):
    offset: int
    """Of its first byte in the task's log."""
    at: int
    """Milliseconds since 1970, of its first byte."""
    error: bool
    """It came on stderr."""
    text: str


class Begun(NamedTuple):
    """A line that waits for its end."""

    offset: int
    at: int
    data: bytes


class Cutter:
    """Cuts one task's log into lines."""

    def __init__(self, next: int = 0, begun: bytes = b"") -> None:
        self.next = next
        """Where in the log to go on."""
        self.place = next, begun
        """Where it began."""
        self._begun: dict[bool, Begun] = (
            msgspec.msgpack.decode(begun, type=dict[bool, Begun]) if begun else {}
        )

    @property
    def begun(self) -> bytes:
        return msgspec.msgpack.encode(self._begun) if self._begun else b""

    def feed(self, offset: int, stream: Stream, at: datetime, data: bytes) -> Iterator[Line]:
        """The lines that end in this chunk. A chunk that was fed before gives none."""
        if offset < self.next:
            data = data[self.next - offset :]
            offset = self.next
        if not data:
            return
        self.next = offset + len(data)
        error, moment = stream == "stderr", round(at.timestamp() * 1000)
        *whole, rest = data.split(b"\n")
        for part in whole:
            begun = self._begun.pop(error, Begun(offset, moment, b""))
            yield from _cut(begun.offset, begun.at, error, begun.data + part)
            offset += len(part) + 1
        begun = self._begun.pop(error, Begun(offset, moment, b""))
        grown = begun.data + rest
        while len(grown) > LONGEST_LINE:
            yield _line(begun.offset, begun.at, error, grown[:LONGEST_LINE])
            begun = Begun(begun.offset + LONGEST_LINE, begun.at, b"")
            grown = grown[LONGEST_LINE:]
        if grown:
            self._begun[error] = begun._replace(data=grown)

    def finish(self) -> Iterator[Line]:
        """What has begun and will never end."""
        for error, begun in sorted(self._begun.items()):
            yield from _cut(begun.offset, begun.at, error, begun.data)
        self._begun.clear()


def _cut(offset: int, at: int, error: bool, data: bytes) -> Iterator[Line]:
    if len(data) <= LONGEST_LINE:
        yield _line(offset, at, error, data)
        return
    for start in range(0, len(data), LONGEST_LINE):
        yield _line(offset + start, at, error, data[start : start + LONGEST_LINE])


def _line(offset: int, at: int, error: bool, data: bytes) -> Line:
    return Line(offset, at, error, data.decode("utf-8", "replace").removesuffix("\r"))


def pieces(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines in the order of the log, in runs that make a row each."""
    run: list[Line] = []
    size = 0
    for line in lines:
        apart = run and abs(line.at - run[0].at) > PIECE_SECONDS * 1000
        if run and (apart or size + len(line.text) > PIECE_BYTES):
            yield run
            run, size = [], 0
        run.append(line)
        size += len(line.text) + 1
    if run:
        yield run


def pack(lines: Sequence[Line]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(lines), 1)


def inflated(body: bytes) -> bytes:
    """A packed piece, before it is lines again; their texts stand in it as they are."""
    return zlib.decompress(body)


def unpacked(data: bytes) -> list[Line]:
    return msgspec.msgpack.decode(data, type=list[Line])

"""Where the body of an HTTP/1 message ends. Pure: bytes in, payload out.

A reader takes what it is given and says how much of it was its own; ``done`` tells that the body
has ended. Chunks are taken apart here and written anew where they go on, so that nothing a client
hides in a chunk's extension reaches a backend.
"""

import re

from skerry.gateway.proxy.errors import Refusal
from skerry.gateway.proxy.head import Field, fields_of

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_LINE_LIMIT = 1024
_TRAILER_LIMIT = 16 << 10


class Fixed:
    """A body of known length."""

    __slots__ = ("done", "left", "trailers")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0
        self.trailers: list[Field] = []

    def feed(self, data: bytes, at: int) -> tuple[bytes, int]:
        """The payload in ``data`` from ``at`` on, and where it ends."""
        size = len(data) - at
        if size < self.left:
            self.left -= size
            return (data[at:] if at else data), len(data)
        end = at + self.left
        self.left = 0
        self.done = True
        return data[at:end], end


class UntilClose:
    """A body that ends with its connection."""

    __slots__ = ("done", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.trailers: list[Field] = []

    def feed(self, data: bytes, at: int) -> tuple[bytes, int]:
        return data[at:], len(data)


class Chunked:
    """A body in chunks, with its trailers. Raises Refusal when it is malformed."""

    __slots__ = ("_held", "_left", "done", "trailers")

    _SIZE, _END, _TRAILERS = 0, -1, -2

    def __init__(self) -> None:
        self.done = False
        self.trailers: list[Field] = []
        self._left = self._SIZE
        """Payload left of this chunk, or what is to be read next: the line of a size, the end of
        a chunk, the trailers."""
        self._held = b""
        """The beginning of what is to be read next, where the rest has not come yet."""

    def feed(self, data: bytes, at: int) -> tuple[bytes, int]:
        if self._held:
            data, at, before = self._held + data[at:], 0, at - len(self._held)
            self._held = b""
        else:
            before = 0
        pieces = []
        size = len(data)
        while at < size and not self.done:
            if self._left > 0:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left = self._left - len(piece) or self._END
            elif (following := self._framing(data, at)) is None:
                self._held = data[at:]
                at = size
            else:
                at = following
        return (pieces[0] if len(pieces) == 1 else b"".join(pieces)), at + before

    def _framing(self, data: bytes, at: int) -> int | None:
        """Read what stands between payloads; where it ends, or None until the rest comes."""
        if self._left == self._END:
            if data.startswith(b"\r\n", at):
                self._left = self._SIZE
                return at + 2
            if data[at:] == b"\r":
                return None
            raise Refusal(400, "A chunk does not end where it said.")
        if self._left == self._SIZE:
            line = _SIZE.match(data, at)
            if line is not None:
                self._left = int(line[1], 16) or self._TRAILERS
                return line.end()
            if len(data) - at > _LINE_LIMIT or b"\n" in data[at:]:
                raise Refusal(400, "The size of a chunk is malformed.")
            return None
        return self._trailers(data, at)

    def _trailers(self, data: bytes, at: int) -> int | None:
        if data.startswith(b"\r\n", at):
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            if len(data) - at > _TRAILER_LIMIT:
                raise Refusal(431, f"The trailers are longer than {_TRAILER_LIMIT} bytes.")
            return None
        self.trailers = fields_of(b"\n" + data[at : end + 2], 1, end + 3 - at)
        self.done = True
        return end + 4


Reader = Fixed | UntilClose | Chunked


def chunk(data: bytes) -> bytes:
    """A chunk that holds ``data``, which is not empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: list[Field]) -> bytes:
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n" + b"".join([b"%b: %b\r\n" % field for field in trailers]) + b"\r\n"

"""Files in and out of a pod, as the keeper takes and gives them (``keeper/files.c``)."""

import struct
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

from skerry.sites.contract import FileInfo
from skerry.sites.kubernetes.sessions import ExecSession

HEAD = struct.Struct("<IIQ")
PIECE = 256 << 10


async def sent(files: Iterable[tuple[str, int, Path]]) -> AsyncIterator[bytes]:
    """Path, mode and content of each, and the end."""
    for path, mode, source in files:
        name = path.encode()
        with source.open("rb") as file:
            yield HEAD.pack(len(name), mode, source.stat().st_size) + name
            while piece := file.read(PIECE):
                yield piece
    yield HEAD.pack(0, 0, 0)


async def received(session: ExecSession) -> AsyncIterator[bytes]:
    """The content of the one file that was asked for. Raises ``LookupError`` if there is none."""
    have = b""

    async def more() -> bool:
        nonlocal have
        while True:
            stream, data = await session.take(1 << 20)
            if not data:
                return False
            if stream == "stdout":
                have += data
                return True

    while len(have) < HEAD.size:
        if not await more():
            raise LookupError
    length, _, left = HEAD.unpack_from(have)
    if not length:
        raise LookupError
    while len(have) < HEAD.size + length:
        if not await more():
            raise LookupError
    have = have[HEAD.size + length :]
    while left > 0:
        if not have and not await more():
            raise ConnectionError("the file's end did not come")
        piece, have = have[:left], have[left:]
        left -= len(piece)
        if piece:
            yield piece


def listed(text: bytes) -> list[FileInfo]:
    """``path NUL "size mode time" NUL`` of each."""
    words = text.split(b"\0")
    found = []
    for path, facts in zip(words[0::2], words[1::2], strict=False):
        size, mode, at = facts.decode().split()
        found.append(
            FileInfo(
                path=path.decode("utf-8", "surrogateescape"),
                size=int(size),
                mode=int(mode, 8),
                modified_at=datetime.fromtimestamp(float(at), UTC),
            )
        )
    return sorted(found, key=lambda info: info.path)

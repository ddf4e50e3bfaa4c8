"""The spool: what was used of each route, on disk before it is counted.

Requests and bytes are summed in memory, by route. Once a second the sums are appended to a file, a
*piece*, as one line with a checksum, and brought to the disk: a gateway that is killed loses at
most that second. A piece is closed after a while and folded into the ledger (``fold``); only then
is it removed. Its name, made up once, is what keeps it from being counted twice.

A disk that is full costs no request: the sums stay in memory, are appended when there is room
again, and meanwhile ``problem`` says so. A line that a crash or a full disk has torn is cut off.
"""

import asyncio
import os
import time
import uuid
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from skerry.durable import flush
from skerry.gateway.seams import Entry

PIECE_SECONDS = 15.0
PIECE_BYTES = 4 << 20
_SUFFIX = ".piece"


class Used(msgspec.Struct, array_like=True):
    """What was used of one route between two instants."""

    route: uuid.UUID
    requests: int = 0
    received: int = 0
    sent: int = 0

    def add(self, other: "Used") -> None:
        self.requests += other.requests
        self.received += other.received
        self.sent += other.sent


class Sums(msgspec.Struct, array_like=True):
    """One line: everything between two instants, in seconds of the epoch."""

    since: float
    until: float
    used: list[Used]


class Piece(msgspec.Struct, frozen=True):
    """A closed file, read."""

    id: uuid.UUID
    path: Path
    starts_at: datetime
    ends_at: datetime
    used: tuple[Used, ...]


class Spool:
    """One gateway's; nobody else writes in its folder."""

    def __init__(
        self, folder: Path, *, seconds: float = PIECE_SECONDS, size: int = PIECE_BYTES
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._size = size
        self._sums: dict[uuid.UUID, Used] = {}
        self._since = time.time()
        self._open: Path | None = None
        self._began = 0.0
        self._writing = asyncio.Lock()
        self.problem = ""
        """Why nothing can be written just now; empty: all is well."""

    def add(self, entry: Entry) -> None:
        """Count a finished request, if a workload answered it: what the gateway says itself is
        free. Never waits, never fails."""
        if not entry.backend:
            return
        used = self._sums.get(entry.route.uid)
        if used is None:
            used = self._sums[entry.route.uid] = Used(entry.route.uid)
        used.requests += 1
        used.received += entry.received
        used.sent += entry.sent

    async def write(self, *, close: bool = False) -> None:
        """Bring the sums to the disk; ``close``, or a piece's time being over, ends the piece."""
        async with self._writing:
            sums, self._sums = self._sums, {}
            now = max(time.time(), self._since + 1e-6)
            try:
                if sums:
                    line = Sums(self._since, now, list(sums.values()))
                    await asyncio.to_thread(self._append, line)
                    self._since = now
                self._turn(close)
                self.problem = ""
            except OSError as error:
                self.problem = error.strerror or str(error)
                for used in sums.values():
                    self._sums.setdefault(used.route, Used(used.route)).add(used)

    def _append(self, sums: Sums) -> None:
        if self._open is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open = self._folder / f"{uuid.uuid4()}.open"
            self._began = time.monotonic()
        text = msgspec.json.encode(sums)
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        new = not self._open.exists()
        descriptor = os.open(self._open, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            before = os.fstat(descriptor).st_size
            try:
                if os.write(descriptor, line) < len(line):
                    raise OSError(28, os.strerror(28))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        if new:
            flush(self._folder)

    def _turn(self, close: bool) -> None:
        """Close the piece if it is time."""
        if self._open is None or not self._open.exists():
            self._open = None
            return
        old = time.monotonic() - self._began >= self._seconds
        if close or old or self._open.stat().st_size >= self._size:
            self._open.rename(self._open.with_suffix(_SUFFIX))
            self._open = None

    def recover(self) -> None:
        """At the start: what an earlier life left open is closed."""
        for left in self._folder.glob("*.open") if self._folder.is_dir() else ():
            left.rename(left.with_suffix(_SUFFIX))

    def closed(self) -> Iterator[Path]:
        """Pieces to be folded, oldest first."""
        if self._folder.is_dir():
            files = list(self._folder.glob(f"*{_SUFFIX}"))
            yield from sorted(files, key=lambda file: (file.stat().st_mtime, file.name))


def read(path: Path) -> Piece | None:
    """A closed piece, summed by route; None if nothing in it is whole."""
    used: dict[uuid.UUID, Used] = {}
    since, until = float("inf"), 0.0
    for line in path.read_bytes().split(b"\n"):
        sums = _sums(line)
        if sums is None:
            continue
        since, until = min(since, sums.since), max(until, sums.until)
        for one in sums.used:
            used.setdefault(one.route, Used(one.route)).add(one)
    if not used:
        return None
    return Piece(
        uuid.UUID(path.stem),
        path,
        datetime.fromtimestamp(since, UTC),
        datetime.fromtimestamp(until, UTC),
        tuple(used[route] for route in sorted(used)),
    )


def _sums(line: bytes) -> Sums | None:
    """A whole line; None for one that was torn."""
    check, _, text = line.partition(b" ")
    if len(check) != 8 or b"%08x" % zlib.crc32(text) != check:
        return None
    return msgspec.json.decode(text, type=Sums)

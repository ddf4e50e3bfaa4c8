"""The access log: one line of JSON for each request, in files of each route.

Lines are gathered in memory and written once a second, by a thread. A route's log is kept for
``DAYS`` days and at most ``KEPT + 1`` files of ``LIMIT`` bytes. Query strings are left out: people
put secrets there. Where the disk takes no more, lines are dropped and counted, and requests go on.
"""

import asyncio
import os
import time
import uuid
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from skerry.gateway.seams import Entry
from skerry.kernel.history import stamp
from skerry.kernel.views import Answer, Asked, Stream
from skerry.logfile import turn

LIMIT = 8 << 20
KEPT = 2
DAYS = 7
MOST = 50_000
"""Lines that wait to be written."""
_TAIL = 1000


class Line(msgspec.Struct, rename="camel", omit_defaults=True):
    """A request, as it is read."""

    at: str
    client: str
    method: str
    path: str
    status: int
    received: int
    sent: int
    ms: float
    backend: str = ""


class AccessLog:
    """Writes below a folder; reads from there for the view ``access-log``."""

    def __init__(self, folder: Path, *, limit: int = LIMIT, kept: int = KEPT) -> None:
        self._folder = folder
        self._limit = limit
        self._kept = kept
        self._waiting: list[tuple[float, Entry]] = []
        self.dropped = 0
        """Lines that were not kept, since the start."""

    def add(self, entry: Entry) -> None:
        """Note a finished request. Never waits."""
        if len(self._waiting) >= MOST:
            self.dropped += 1
            return
        self._waiting.append((time.time(), entry))

    async def write(self) -> None:
        """Write what has gathered. What the disk does not take is dropped."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.dropped += await asyncio.to_thread(self._write, waiting)

    def _write(self, waiting: Iterable[tuple[float, Entry]]) -> int:
        lines: dict[uuid.UUID, list[bytes]] = defaultdict(list)
        for at, entry in waiting:
            lines[entry.route.uid].append(msgspec.json.encode(_line(at, entry)) + b"\n")
        dropped = 0
        for route, texts in lines.items():
            try:
                self._append(self._folder / f"{route}.jsonl", b"".join(texts))
            except OSError:
                dropped += len(texts)
        return dropped

    def _append(self, file: Path, text: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, text) < len(text):
                # A full disk took a part: half a line is none.
                os.ftruncate(descriptor, before)
                raise OSError("the disk is full")
        finally:
            os.close(descriptor)
        if before + len(text) >= self._limit:
            turn(file, self._kept)

    async def sweep(self) -> None:
        """Remove what is older than ``DAYS`` days."""
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        oldest = time.time() - DAYS * 86_400
        for file in self._folder.glob("*.jsonl*") if self._folder.is_dir() else ():
            if file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)

    def read(self, route: uuid.UUID, tail: int) -> list[bytes]:
        """The last lines of a route, oldest first."""
        found: deque[bytes] = deque(maxlen=tail)
        base = self._folder / f"{route}.jsonl"
        older = [base.with_name(f"{base.name}.{n}") for n in range(self._kept, 0, -1)]
        oldest = stamp(datetime.fromtimestamp(time.time() - DAYS * 86_400, UTC)).encode()
        for file in (*older, base):
            try:
                with file.open("rb") as lines:
                    found.extend(line for line in lines if _at(line) >= oldest)
            except FileNotFoundError:
                continue
        return list(found)


def _at(line: bytes) -> bytes:
    return line[7:].partition(b'"')[0]


def _line(at: float, entry: Entry) -> Line:
    return Line(
        at=stamp(datetime.fromtimestamp(at, UTC)),
        client=entry.client,
        method=entry.method,
        path=entry.path.partition("?")[0],
        status=entry.status,
        received=entry.received,
        sent=entry.sent,
        ms=round(entry.seconds * 1000, 2),
        backend=entry.backend,
    )


async def access_log(asked: Asked) -> Answer:
    """Lines of NDJSON."""
    tail = asked.integer("tail", _TAIL, 100_000)
    try:
        log = asked.services[AccessLog]
    except LookupError:
        return Stream("application/x-ndjson", _chunks([]))
    lines = await asyncio.to_thread(log.read, asked.resource.uid, tail) if tail else []
    return Stream("application/x-ndjson", _chunks(lines))


async def _chunks(lines: list[bytes]) -> AsyncIterator[bytes]:
    for start in range(0, len(lines), 500):
        yield b"".join(lines[start : start + 500])

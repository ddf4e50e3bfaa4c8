"""What was asked of a world, in a file: one JSON record a line.

The first line is the world's clock. A record is written before it takes effect, by one write, so
that a killed process loses nothing it had answered. A last line without its end was never
answered and is cut off. The file is locked: one process has one world.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from skerry.sites.contract import SiteUnreachable, Volume, Workload


class Head(msgspec.Struct, rename="camel"):
    since: float
    speed: float


class Record(msgspec.Struct, rename="camel", omit_defaults=True):
    at: float
    verb: Literal[
        "apply",
        "delete",
        "signal",
        "volume",
        "volume-delete",
        "snapshot",
        "snapshot-delete",
        "close",
        "sicken",
        "lose",
    ]
    fence: int
    id: str = ""
    workload: Workload | None = None
    signal: int = 0
    volume: Volume | None = None
    snapshot: str = ""
    words: str = ""
    """Why a node or a device, ``id``, is out of use."""


class Journal:
    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "journal.jsonl"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise SiteUnreachable(f"another process has the simulated site {directory}") from error
        text = path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.ftruncate(self._file, whole)
        self._lines = text[:whole].splitlines()

    def head(self, fresh: Head) -> Head:
        """The clock that the world was made with; ``fresh`` if it is made now."""
        if self._lines:
            return msgspec.json.decode(self._lines[0], type=Head)
        self._append(fresh)
        return fresh

    def records(self) -> Iterator[Record]:
        """What was there when the file was opened. To be read once."""
        decoder = msgspec.json.Decoder(Record)
        lines, self._lines = self._lines[1:], []
        return map(decoder.decode, lines)

    def write(self, record: Record) -> None:
        self._append(record)

    def _append(self, value: msgspec.Struct) -> None:
        os.write(self._file, msgspec.json.encode(value) + b"\n")

    def close(self) -> None:
        os.close(self._file)

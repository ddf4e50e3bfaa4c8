"""The server's log file: lines appended, and the oldest forgotten.

A file that has grown to its limit becomes ``NAME.1`` and so on; only a few are kept, so that a log
never fills a disk.
"""

import os
from pathlib import Path
from typing import TextIO

LIMIT = 20 << 20
KEPT = 3


class LogFile:
    """A text stream for ``structlog``. ``limit`` is in bytes, ``kept`` counts older files."""

    def __init__(self, path: Path, *, limit: int = LIMIT, kept: int = KEPT) -> None:
        self._path = path
        self._limit = limit
        self._kept = kept
        self._stream = self._open()

    def _open(self) -> TextIO:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        stream = os.fdopen(descriptor, "a", buffering=1, encoding="utf-8", errors="replace")
        self._size = stream.tell()
        return stream

    def write(self, text: str) -> int:
        if self._size >= self._limit:
            self._turn()
        self._size += len(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()

    def _turn(self) -> None:
        self._stream.close()
        turn(self._path, self._kept)
        self._stream = self._open()


def turn(path: Path, kept: int = KEPT) -> None:
    """Move a log file out of the way, and the older ones along."""
    for number in range(kept, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))

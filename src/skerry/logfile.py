"""The server's log file: lines appended, and the oldest forgotten.

A file that has grown to its limit becomes ``NAME.1`` and so on; only a few are kept, so that a log
never fills a disk.
"""

import asyncio
import atexit
import os
from pathlib import Path
from threading import Lock
from typing import TextIO

LIMIT = 20 << 20
KEPT = 3
SOON = 0.1
"""Seconds that a line may wait for others."""
_INFO = '"level":"info"'


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class LogFile:
    """A text stream for ``structlog``. ``limit`` is in bytes, ``kept`` counts older files."""

    def __init__(self, path: Path, *, limit: int = LIMIT, kept: int = KEPT) -> None:
        self._path = path
        self._limit = limit
        self._kept = kept
        self._stream = self._open()
        self._lines: list[str] = []
        self._waiting = False
        self._lock = Lock()
        atexit.register(self._write)

    def _open(self) -> TextIO:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        stream = os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")
        self._size = stream.tell()
        return stream

    def write(self, text: str) -> int:
        """Keep lines that tell of nothing wrong for a moment, so that many are one write."""
        with self._lock:
            self._lines.append(text)
            if _INFO in text and (loop := _loop()) is not None:
                if not self._waiting:
                    self._waiting = True
                    loop.call_later(SOON, self._write)
                return len(text)
        self._write()
        return len(text)

    def _write(self) -> None:
        with self._lock:
            self._waiting = False
            text = "".join(self._lines)
            self._lines.clear()
            if self._stream.closed:
                return
            if self._size >= self._limit:
                self._turn()
            self._size += len(text)
            self._stream.write(text)
            self._stream.flush()

    def flush(self) -> None:
        """For those who write; ``write`` sees to it by itself."""

    def close(self) -> None:
        self._write()
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

"""What only the shim knows of its task's use, for whoever asks: kept in a small file, never synced.

A figure that is not known, or that a full disk kept from being written, is not there.
"""

import contextlib
import os
import struct

_LAYOUT = struct.Struct("<QQ")
_UNKNOWN = (1 << 64) - 1


class Figures:
    """Overwrites what it has told before; the file's blocks are taken once, at the start."""

    def __init__(self, path: str) -> None:
        self._file = -1
        with contextlib.suppress(OSError):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._told = (_UNKNOWN, _UNKNOWN)

    def tell(self, disk: int, log: int) -> None:
        """Bytes that it has written in its directories (below zero: not known), and where its log
        ends."""
        told = (disk if disk >= 0 else _UNKNOWN, log)
        if told != self._told and self._file >= 0:
            self._told = told
            with contextlib.suppress(OSError):
                os.pwrite(self._file, _LAYOUT.pack(*told), 0)


def read(path: str) -> "tuple[int | None, int | None]":
    """``disk`` and ``log`` as last told."""
    try:
        with open(path, "rb") as file:
            disk, log = _LAYOUT.unpack(file.read())
    except (OSError, struct.error):
        return None, None
    return None if disk == _UNKNOWN else disk, None if log == _UNKNOWN else log

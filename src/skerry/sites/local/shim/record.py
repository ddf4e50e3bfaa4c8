"""Small files that are whole or not there, whatever happens meanwhile."""

import contextlib
import errno
import json
import os
import time

_RESERVED = 16384
"""Bytes; more than any record has."""


def write(path: str, value: object) -> None:
    """Replace the file by ``value`` as JSON; on disk when this returns. Raises ``OSError``."""
    directory = os.path.dirname(path) or "."
    scratch = f"{path}.{os.getpid()}.new"
    try:
        with open(scratch, "w", opener=_private) as file:
            json.dump(value, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        os.rename(scratch, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch)
        raise
    sync_directory(directory)


def write_surely(path: str, value: object, reserve: str) -> None:
    """Like ``write``, but on a full disk uses the reserve, and without one waits until it works.

    For what exists nowhere else: as long as the caller lives, it is not lost. Only if somebody
    has removed the directory, there is nobody left to tell.
    """
    while True:
        try:
            return write_or_use(path, value, reserve)
        except FileNotFoundError:
            return None
        except OSError:
            time.sleep(1)


def write_or_use(path: str, value: object, reserve: str) -> None:
    """Like ``write``, but on a full disk the reserve becomes the file. Raises ``OSError``."""
    try:
        write(path, value)
    except OSError as error:
        if error.errno != errno.ENOSPC or not os.path.exists(reserve):
            raise
        _fill(reserve, json.dumps(value, separators=(",", ":")).encode())
        os.rename(reserve, path)
        sync_directory(os.path.dirname(path) or ".")
    if not os.path.exists(reserve):
        with contextlib.suppress(OSError):  # the disk is still full; another time, then
            make_reserve(reserve)


def make_reserve(path: str) -> None:
    """Take some blocks of the disk, for a record when there are no more. Raises ``OSError``."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(descriptor, b"\0" * _RESERVED) < _RESERVED:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def _fill(reserve: str, data: bytes) -> None:
    """Overwrite the blocks that it has. A file that was first removed would leave them to others,
    such as the task that has filled the disk."""
    if len(data) > _RESERVED:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    descriptor = os.open(reserve, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, data)
        os.ftruncate(descriptor, len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: str) -> None:
    """Make the directory's entries last."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

"""Small files that are whole or not there, whatever happens meanwhile."""

import contextlib
import json
import os
import time


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
    """Like ``write``, but gives up ``reserve`` if the disk is full, and waits until it works.

    For what exists nowhere else: as long as the caller lives, it is not lost. Only if somebody
    has removed the directory, there is nobody left to tell.
    """
    while True:
        try:
            return write(path, value)
        except FileNotFoundError:
            return None
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(reserve)
                continue
            time.sleep(1)


def make_reserve(path: str) -> None:
    """Take some blocks of the disk to give up later."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, b"\0" * 16384)
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

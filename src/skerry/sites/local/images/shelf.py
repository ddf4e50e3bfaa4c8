"""What is kept by digest: whole or not there, and removed when it has long been of no use."""

import contextlib
import ctypes
import os
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from skerry.sites.contract import Refused
from skerry.sites.local.sweep import remove_tree

GRACE = 600.0
"""Seconds in which what was asked for is not removed: its workload is on its way."""
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Item:
    path: Path
    size: int
    used: float
    """When it was last asked for, seconds since 1970."""


class Shelf:
    """Directories (or files) named by the hex digits of a digest. Their time is their last use."""

    def __init__(self, directory: Path, scratch: Path) -> None:
        self.directory, self.scratch = directory, scratch
        for path in (directory, scratch):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        return self.directory / digest.removeprefix("sha256:")

    def has(self, digest: str) -> bool:
        """Whether it is there; marks it as used now."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.path(digest))
            return True
        return False

    def work(self) -> Path:
        """A new directory to make something in."""
        path = self.scratch / uuid.uuid4().hex
        path.mkdir(mode=0o700)
        return path

    def keep(self, made: Path, digest: str, size: int) -> None:
        """Move what was made into its place, to disk. One that is there already stays."""
        (made / "size").write_text(str(size))
        _sync(made)
        with contextlib.suppress(OSError):
            made.rename(self.path(digest))
        if not self.has(digest):
            raise OSError(f"{digest} can't be kept")
        _sync(self.directory)

    def items(self) -> list[Item]:
        found = []
        for path in self.directory.iterdir():
            with contextlib.suppress(FileNotFoundError):
                facts = path.stat()
                size = facts.st_size if path.is_file() else int((path / "size").read_text())
                found.append(Item(path, size, facts.st_mtime))
        return found

    def remove(self, item: Item) -> None:
        """Out of sight first: what is half removed is not there."""
        if item.path.is_file():
            item.path.unlink(missing_ok=True)
            return
        grave = self.scratch / uuid.uuid4().hex
        with contextlib.suppress(FileNotFoundError):
            item.path.rename(grave)
            remove_tree(grave)

    def empty_scratch(self) -> None:
        for path in self.scratch.iterdir():
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink()


class Tidier:
    """Keeps some shelves together within a size and an age."""

    def __init__(
        self,
        shelves: Iterable[Shelf],
        used: Callable[[], set[str]],
        limit: int,
        age: float,
        keep_free: int,
    ) -> None:
        """``used``: names of what must stay. ``limit`` and ``keep_free`` in bytes, the latter of
        the disk; ``age`` in seconds."""
        self._shelves, self._used = tuple(shelves), used
        self.limit, self._age, self._keep_free = limit, age, keep_free

    def tidy(self, *, hard: bool = False) -> None:
        """Remove what is too old, and the oldest of what is too much; ``hard``: all that no
        workload uses, as the disk is full."""
        now, used = time.time(), self._used()
        found = [(item, shelf) for shelf in self._shelves for item in shelf.items()]
        found.sort(key=lambda pair: pair[0].used)
        total = sum(item.size for item, _ in found)
        for item, shelf in found:
            fresh = now - item.used < GRACE
            if item.path.name in used or fresh:
                continue
            old = now - item.used > self._age
            if hard or old or total > self.limit or not self.room():
                shelf.remove(item)
                total -= item.size

    def room(self) -> bool:
        """Whether as much of the disk is free as is to be kept free."""
        disk = os.statvfs(self._shelves[0].directory)
        return disk.f_bavail * disk.f_frsize >= self._keep_free

    def check(self) -> None:
        """Raises ``Refused`` if there is not."""
        if not self.room():
            free = self._keep_free >> 20
            raise Refused("DiskFull", f"less than {free} MiB of the host's disk would stay free")


def _sync(path: Path) -> None:
    """Bring the file system that it is on to disk: what is renamed after is whole."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)

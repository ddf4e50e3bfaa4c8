"""The archive: written from front to back, read only once it is known to be whole.

Nothing but plain files is in it, by names of four forms; anything else is refused, so a name leads
nowhere it should not.
"""

import errno
import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from skerry.durable import flush
from skerry.store.errors import StoreError

FORMAT = 1
ABOUT, DUMP, SUMS = "about.json", "database.dump", "sums.json"
_NAME = re.compile(
    r"about\.json|database\.dump|sums\.json|blobs/[0-9a-f]{64}"
    r"|keys/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*|agent\.json"
)
_CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Sum(msgspec.Struct, frozen=True):
    """What a member must be."""

    size: int
    sha256: str
    damaged: bool = False
    """A blob that was not what its name says when the backup was taken: it is left out."""


class About(msgspec.Struct, frozen=True, rename="camel"):
    """What the backup is of."""

    format: int
    skerry: str
    operator: str
    at: datetime
    """The database's instant that everything is of."""
    migration: int
    """The newest that the database has."""
    postgres: int
    """The major version that dumped it."""
    resources: int
    transfers: int
    changes: int
    checkpoint: str
    """The log's newest signed checkpoint then; empty: there was none yet."""
    blobs: int
    missing: list[str] = []
    """Blobs that a workspace has and that were not there."""


class Damaged(StoreError):
    """This is no backup, or no longer a whole one."""


class Writer:
    """Adds members to an archive that is being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sums: dict[str, Sum] = {}

    def add(self, name: str, data: bytes) -> None:
        with self.member(name) as write:
            write(data)

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """A member of any length, which need not be known before."""
        header = tarfile.TarInfo(name)
        header.mode = 0o600
        at = self._file.tell()
        self._file.write(header.tobuf(tarfile.GNU_FORMAT))
        digest, size = hashlib.sha256(), 0

        def write(data: bytes) -> None:
            nonlocal size
            self._file.write(data)
            digest.update(data)
            size += len(data)

        yield write
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))
        end, header.size = self._file.tell(), size
        head = header.tobuf(tarfile.GNU_FORMAT)
        self._file.seek(at)
        self._file.write(head)
        self._file.seek(end)
        self.sums[name] = Sum(size, digest.hexdigest())

    def damaged(self, name: str) -> None:
        """Say of a member that it is not what it should be."""
        self.sums[name] = msgspec.structs.replace(self.sums[name], damaged=True)

    def end(self) -> None:
        self.add(SUMS, msgspec.json.encode(self.sums))
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new archive, readable by its owner alone: there under its name whole, or not at all.

    Raises ``StoreError`` where the name is taken or the disk is full.
    """
    if path.exists():
        raise StoreError(f"{path} is there already.", "Name a file that is not, or a directory.")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            writer = Writer(file)
            yield writer
            writer.end()
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        flush(path.parent)
    except OSError as error:
        if (words := full(path.parent, error)) is not None:
            raise words from error
        raise
    finally:
        draft.unlink(missing_ok=True)


def full(place: Path, error: OSError) -> StoreError | None:
    """The error in words, if it is that of a disk without room."""
    if error.errno not in _FULL:
        return None
    return StoreError(f"The disk of {place} is full; nothing was left there.", "Make room.")


class Reader:
    """A whole archive: every member was read, and is what the sums say."""

    def __init__(self, path: Path) -> None:
        """Raises ``Damaged`` for anything that is not a whole backup."""
        self.path = path
        try:
            self._members = _members(path)
            self.sums = self._checked()
            self.about = msgspec.json.decode(self.read(ABOUT), type=About)
        except (tarfile.TarError, EOFError, msgspec.MsgspecError) as error:
            raise Damaged(f"{path} is no whole backup: {error}.", _HINT) from error
        if self.about.format > FORMAT:
            raise Damaged(
                f"{path} was made by Skerry {self.about.skerry}, in a form this one can't read.",
                "Restore it with that version.",
            )

    def names(self, below: str) -> list[str]:
        """Members in a folder, without those that were damaged when the backup was taken."""
        return [n for n in self._members if n.startswith(below) and not self.sums[n].damaged]

    def chunks(self, name: str) -> Iterator[bytes]:
        start, left = self._members[name]
        with self.path.open("rb") as file:
            file.seek(start)
            while left:
                data = file.read(min(left, _CHUNK))
                if not data:
                    raise Damaged(f"{self.path} ends in the middle of {name}.", _HINT)
                left -= len(data)
                yield data

    def read(self, name: str) -> bytes:
        return b"".join(self.chunks(name))

    def _checked(self) -> dict[str, Sum]:
        if list(self._members)[-1:] != [SUMS]:
            raise Damaged(f"{self.path} was cut off: its sums are not there.", _HINT)
        sums = msgspec.json.decode(self.read(SUMS), type=dict[str, Sum])
        if set(sums) != set(self._members) - {SUMS} or not {ABOUT, DUMP} <= set(sums):
            raise Damaged(f"{self.path} has not the members that it says.", _HINT)
        for name, due in sums.items():
            digest = hashlib.sha256()
            for data in self.chunks(name):
                digest.update(data)
            if self._members[name][1] != due.size or digest.hexdigest() != due.sha256:
                raise Damaged(f"{name} in {self.path} is damaged.", _HINT)
        return sums


_HINT = "Nothing was restored. Use another backup, or copy this one again from where it is whole."


def _members(path: Path) -> dict[str, tuple[int, int]]:
    """Where each member begins, and its length."""
    found: dict[str, tuple[int, int]] = {}
    length = path.stat().st_size
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            if not member.isreg() or not _NAME.fullmatch(member.name) or member.name in found:
                raise Damaged(f"{path} holds {member.name!r}, which no backup does.", _HINT)
            if member.offset_data + member.size > length:
                raise Damaged(f"{path} was cut off in {member.name}.", _HINT)
            found[member.name] = member.offset_data, member.size
    return found

"""A task's working directory: files in, artifacts out, past whatever the task has put there.

The directory belongs to the task, which may fill it with links to anywhere. So nothing in it is
opened by its path: one opens each name from the directory that holds it, and never follows a link.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from skerry.sites.checks import check_path, matcher
from skerry.sites.contract import File, FileInfo, Refused
from skerry.sites.local.blobs import Blobs

LONGEST_PATH = 1024
"""Bytes, as in ``checks.check_path``."""


def fill(work: Path, files: Sequence[File], blobs: Blobs, uid: int | None) -> None:
    """Copy ``files`` into the empty directory; all belongs to ``uid``, if one is given.

    Copies and not links: the task may do with them as it likes. Raises ``Refused``, ``OSError``.
    """
    sources = [blobs.use(file.digest) for file in files]
    for file, source in zip(files, sources, strict=True):
        target = work / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(file.mode & 0o777)
    work.chmod(0o755)
    if uid is not None:
        for directory, names, members in os.walk(work):
            for name in (*names, *members, "."):
                os.chown(os.path.join(directory, name), uid, uid, follow_symlinks=False)


def artifacts(work: Path, globs: Sequence[str]) -> tuple[FileInfo, ...]:
    """The regular files that match, by path. Links are not followed and don't count, nor do names
    that are not UTF-8."""
    wanted = matcher(globs)
    root = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return tuple(sorted(_matching(root, "", wanted), key=lambda info: info.path))
    finally:
        os.close(root)


def _matching(directory: int, prefix: str, wanted: Callable[[str], bool]) -> Iterator[FileInfo]:
    with os.scandir(directory) as entries:
        for entry in entries:
            path = prefix + entry.name
            if not _nameable(path):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    below = _open(directory, entry.name, os.O_DIRECTORY)
                    try:
                        yield from _matching(below, f"{path}/", wanted)
                    finally:
                        os.close(below)
                elif entry.is_file(follow_symlinks=False) and wanted(path):
                    yield _info(path, entry.stat(follow_symlinks=False))
            except (FileNotFoundError, PermissionError):
                continue  # gone since the directory was read, or closed by its owner


def _nameable(path: str) -> bool:
    """Whether ``download`` could be asked for it: short enough, and text."""
    try:
        return len(path.encode()) <= LONGEST_PATH
    except UnicodeEncodeError:
        return False


def _info(path: str, found: os.stat_result) -> FileInfo:
    return FileInfo(
        path=path,
        size=found.st_size,
        mode=stat.S_IMODE(found.st_mode),
        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
    )


def open_file(work: Path, path: str) -> int:
    """A regular file of the directory, for reading. Raises ``Refused``."""
    names = check_path(path).split("/")
    directory = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names[:-1]:
            below = _open(directory, name, os.O_DIRECTORY)
            os.close(directory)
            directory = below
        file = _open(directory, names[-1], os.O_NONBLOCK)
    except OSError as error:
        raise Refused("NoSuchFile", f"there is no file {path!r} to be read") from error
    finally:
        os.close(directory)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Refused("NoSuchFile", f"{path!r} is no regular file")
    return file


def _open(directory: int, name: str, flags: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=directory)

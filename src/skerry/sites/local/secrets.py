"""Secret files: in memory only, each readable by its task alone.

They lie in the host's own memory file system, in a directory that is this driver's alone, and are
bound into the sandbox; what keeps them is neither the data directory nor any engine's
configuration. They go with their task's end.
"""

import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from skerry.sites.contract import Refused
from skerry.sites.local.sweep import remove_tree
from skerry.sites.local.view import Bind

_MEMORY = Path("/dev/shm")  # noqa: S108 - what the kernel offers, in a directory of our own


class SecretFiles:
    """Those of the tasks of one data directory."""

    def __init__(self, instance: str) -> None:
        self._root = _MEMORY / f"skerry-{instance}"

    def put(self, name: str, files: Mapping[str, str], uid: int | None) -> tuple[Bind, ...]:
        """Keep a task's files, for the user ``uid`` if one is given, ready to be bound. Raises
        ``Refused``, ``OSError``."""
        if not files:
            return ()
        if not _in_memory():
            raise Refused("Unsupported", f"this host keeps no files in memory: {_MEMORY} is none")
        self._own()
        self.drop(name)
        directory = self._root / name
        directory.mkdir(mode=0o700)
        binds = []
        for number, (path, content) in enumerate(sorted(files.items())):
            file = directory / str(number)
            file.touch(0o600)
            file.write_text(content)
            if uid is not None:
                os.chown(file, uid, uid)
            file.chmod(0o400)
            binds.append(Bind(str(file), path))
        return tuple(binds)

    def _own(self) -> None:
        """The directory above, if it is truly ours: anybody may make one there."""
        self._root.mkdir(mode=0o700, exist_ok=True)
        found = self._root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError(f"{self._root} is somebody else's")
        self._root.chmod(0o700)

    def drop(self, name: str) -> None:
        """Forget those of a task."""
        remove_tree(self._root / name)

    def keep(self, names: Collection[str]) -> None:
        """Forget those of all others."""
        for path in self._root.iterdir() if self._root.is_dir() else ():
            if path.name not in names:
                remove_tree(path)

    def leave(self) -> None:
        """Remove the directory, if nothing is in it."""
        if self._root.is_dir() and not any(self._root.iterdir()):
            self._root.rmdir()


def _in_memory() -> bool:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if left.split(" ")[4] == str(_MEMORY):
            return right.split(" ")[0] == "tmpfs"
    return False

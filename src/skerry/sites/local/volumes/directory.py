"""A volume that is a plain directory, for an agent without root's rights.

Nothing keeps its size but a look at it now and then; so the operator has to ask for it.
"""

import os
from pathlib import Path

from skerry.sites.contract import Refused
from skerry.sites.local.shim.watch import used
from skerry.sites.local.sweep import remove_tree


class Directory:
    """The same as ``image.Image``, as far as a directory can."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._data = directory / "data"

    @property
    def made(self) -> bool:
        return self._data.exists()

    def make(self, size: int, source: Path | None, *, shared: bool) -> None:
        self._data.mkdir(mode=0o755, exist_ok=True)

    def grow(self, size: int) -> None:
        """It has no size of its own."""

    def size(self) -> int | None:
        return None

    def mount(self) -> None:
        """It always is."""

    def mount_for(self, task: str, user: tuple[int, int], *, read_only: bool) -> Path:
        return self._data

    def place(self, task: str) -> Path:
        return self._data

    def tasks(self) -> list[str]:
        return []

    def leave(self, task: str) -> None:
        """Nothing was mounted for it."""

    def unmount(self) -> None:
        """Nothing was mounted."""

    def thaw(self) -> None:
        """Nothing was frozen."""

    def used(self) -> int | None:
        found = used(str(self._data))
        return None if found == float("inf") else int(found)

    def take(self, snapshot: str, *, shared: bool) -> None:
        raise Refused("Unsupported", "volumes that are plain directories have no snapshots")

    def kept(self) -> dict[str, int]:
        return {}

    def snapshot(self, snapshot: str) -> Path:
        return self.directory / "snapshots" / snapshot

    def drop(self, snapshot: str) -> None:
        """There are none."""

    def remove(self) -> None:
        remove_tree(self.directory)


def why_not() -> str:
    """Why volumes can't be directories; empty if they can."""
    if os.geteuid() == 0:
        return "volumes are plain directories only for an agent without root's rights"
    return ""

"""The volumes of this host: which there are, who uses them, and the verbs on them.

Who uses a volume is not written down anywhere: it follows from the workloads that are held, so it
is right after any crash. A workload is looked at in the same breath as it takes its room, so two
never have a volume at once that they may not share.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

import msgspec
import structlog

from skerry.sites.contract import NoRoom, Refused, Volume, VolumeStatus, Workload
from skerry.sites.local.held import Held
from skerry.sites.local.shim.record import sync_directory
from skerry.sites.local.state import Fences, load, save
from skerry.sites.local.steps import step
from skerry.sites.local.sweep import remove_tree
from skerry.sites.local.view import Bind
from skerry.sites.local.volumes import calls, directory, image
from skerry.sites.local.volumes.directory import Directory
from skerry.sites.local.volumes.image import Image

_ID = re.compile(r"[a-z0-9-]{1,63}\Z")
_RECORD = "volume.json"
_WHOLE = "the file system here makes whole copies, which it does while nobody writes"
_log = structlog.get_logger("local")

Mode = Literal["image", "directory", "none"]


class Kept(msgspec.Struct, frozen=True, rename="camel"):
    """A volume as it is on disk."""

    volume: Volume
    used: int = 0
    """Bytes taken when it was last unmounted."""


def _why_not(mode: Mode) -> str:
    if mode == "none":
        return "the operator of this host keeps no volumes on it"
    return image.why_not() if mode == "image" else directory.why_not()


class Keeper:
    """``why`` is why there can be no volumes here; empty if there can."""

    def __init__(self, data: Path, mode: Mode, held: Mapping[str, Held]) -> None:
        self._root, self._mode, self._held = data / "volumes", mode, held
        self._fences = Fences(data / "volume-fences", data / "reserve")
        self._kept: dict[str, Kept] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.why = _why_not(mode)
        self._shared = False
        """Whether copies share their blocks. Others have their own from the start."""

    def _space(self, id: str) -> Image | Directory:
        return Directory(self._root / id) if self._mode == "directory" else Image(self._root / id)

    def _turn(self, id: str) -> asyncio.Lock:
        return self._locks.setdefault(id, asyncio.Lock())

    def adopt(self) -> None:
        """Find again what there is, and let go of what nobody uses any more."""
        for name in ("volumes", "volume-fences"):
            (self._root.parent / name).mkdir(mode=0o700, exist_ok=True)
        self._shared = calls.shares_blocks(self._root)
        for path in sorted(self._root.iterdir()):
            kept, space = load(path / _RECORD, Kept), self._space(path.name)
            if kept is None and (path / _RECORD).exists():
                continue  # it can't be read, as the log tells: nothing of it is touched
            if kept is None or not space.made or self._fences.get(path.name).deleted:
                with contextlib.suppress(FileNotFoundError):
                    space.remove()
                continue
            space.thaw()
            self._kept[path.name] = kept
            for part in (*path.glob("*.part"), *path.glob("snapshots/*.part")):
                part.unlink()
            self._let_go(path.name)
        self._fences.drop_old({*self._kept, *(s for id in self._kept for s in self._snapshots(id))})

    def _snapshots(self, id: str) -> dict[str, int]:
        return self._space(id).kept()

    def users(self, id: str) -> tuple[str, tuple[str, ...]]:
        """The workload that writes to a volume, and those that read it."""
        writer, readers = "", []
        for held in self._held.values():
            for use in held.workload.mounts if held.going else ():
                if use.volume == id and use.read_only:
                    readers.append(held.workload.id)
                elif use.volume == id:
                    writer = held.workload.id
        return writer, tuple(sorted(readers))

    def check(self, workload: Workload) -> None:
        """Refuse a workload whose volumes it can't have just now."""
        for use in workload.mounts:
            if use.volume not in self._kept:
                raise Refused("UnknownVolume", f"there is no volume {use.volume!r} here")
            writer, readers = self.users(use.volume)
            if writer or (readers and not use.read_only):
                by = writer or ", ".join(readers)
                raise Refused("VolumeInUse", f"volume {use.volume} is in use by {by}")

    async def attach(self, held: Held) -> None:
        """Mount its volumes for each of its tasks. Raises ``OSError``, ``Refused``."""
        for use in held.workload.mounts:
            async with self._turn(use.volume):
                space = self._space(use.volume)
                await asyncio.to_thread(space.mount)
                step("volume mounted")
                for task, user in zip(held.tasks, held.users(), strict=True):
                    await asyncio.to_thread(
                        space.mount_for, task.name, user, read_only=use.read_only
                    )
        step("volumes attached")

    def binds(self, workload: Workload, task: str) -> tuple[Bind, ...]:
        """What its engine is to bind into the task's sandbox."""
        return tuple(
            Bind(str(self._space(use.volume).place(task)), use.path, writable=not use.read_only)
            for use in workload.mounts
        )

    def watched(self, workload: Workload) -> list[tuple[str, int]]:
        """Directories that its shims have to keep to a size, as nobody else does."""
        if self._mode != "directory":
            return []
        return [
            (str(self._space(use.volume).place("")), self._kept[use.volume].volume.size)
            for use in workload.mounts
            if not use.read_only
        ]

    async def release(self, held: Held) -> None:
        """Its tasks have all ended."""
        for use in held.workload.mounts:
            async with self._turn(use.volume):
                if use.volume in self._kept:
                    await asyncio.to_thread(self._let_go, use.volume)

    def _let_go(self, id: str) -> None:
        """Remove the mounts of tasks that are over, and with the last the volume's own."""
        space = self._space(id)
        going = {t.name for h in self._held.values() if h.going for t in h.tasks}
        try:
            for task in set(space.tasks()) - going:
                space.leave(task)
            if self.users(id) == ("", ()):
                used, kept = space.used(), self._kept[id]
                if used not in (None, kept.used):
                    self._keep(msgspec.structs.replace(kept, used=used))
                space.unmount()
        except OSError as error:
            # It stays mounted, for the next who uses it or lets go of it.
            _log.warning("volume not let go", volume=id, why=str(error))

    def _keep(self, kept: Kept) -> None:
        save(self._root / kept.volume.id / _RECORD, kept)
        self._kept[kept.volume.id] = kept

    def free(self) -> int:
        """Bytes of the disk that are promised to nobody.

        Copies share their blocks until one of them is written to, and then need blocks of their
        own: as many as they may come to need stay free.
        """
        disk = os.statvfs(self._root.parent)
        return max(disk.f_bavail * disk.f_frsize - self._promised(), 0)

    def _promised(self) -> int:
        if not self._shared:
            return 0
        return sum(
            (kept.volume.size if kept.volume.source else 0) + sum(self._snapshots(id).values())
            for id, kept in self._kept.items()
        )

    def taken(self) -> int:
        """Bytes of the disk that volumes and snapshots hold."""
        own = sum(kept.volume.size for kept in self._kept.values())
        return own + sum(size for id in self._kept for size in self._snapshots(id).values())

    async def create(self, volume: Volume, fence: int) -> VolumeStatus:
        """See ``contract.Volumes``."""
        if self.why:
            raise Refused("Unsupported", self.why)
        if not _ID.match(volume.id) or volume.size < image.LEAST:
            raise Refused(
                "BadVolume",
                f"a volume has an id of a-z, 0-9, - and {image.LEAST >> 20} MiB or more",
            )
        async with self._turn(volume.id):
            if self._fences.raise_to(volume.id, fence).deleted:
                raise Refused("Deleted", f"{volume.id} was deleted; an id means one thing for ever")
            return await asyncio.to_thread(self._create, volume)

    def _create(self, volume: Volume) -> VolumeStatus:
        kept = self._kept.get(volume.id)
        if kept is None:
            self._make(volume)
        elif kept.volume.source != volume.source or kept.volume.tenant != volume.tenant:
            raise Refused("Changed", f"{volume.id} is another volume here")
        elif volume.size < kept.volume.size:
            raise Refused("Smaller", f"{volume.id} has {kept.volume.size} bytes: it only grows")
        elif volume.size > kept.volume.size:
            self._need(volume.size - kept.volume.size)
            try:
                self._grow(kept, volume)
            except OSError as error:
                raise Refused("VolumeFailed", f"it can't grow: {error}") from error
        return self._status(volume.id)

    def _need(self, size: int) -> None:
        if size > self.free():
            raise NoRoom("NoRoom", f"{size} bytes of disk wanted, {self.free()} are free")

    def _make(self, volume: Volume) -> None:
        source = self._source(volume)
        self._need(volume.size)
        space, path = self._space(volume.id), self._root / volume.id
        path.mkdir(mode=0o700, exist_ok=True)
        try:
            save(path / _RECORD, Kept(volume))
            sync_directory(str(self._root))
            step("volume intent")
            space.make(volume.size, source, shared=self._shared)
            step("volume made")
            # To be sure that it can be used, and to let a copy fill its size.
            space.mount()
            space.unmount()
        except (OSError, Refused) as error:
            space.remove()
            if isinstance(error, Refused):
                raise
            raise Refused("VolumeFailed", f"it can't be made: {error}") from error
        self._kept[volume.id] = Kept(volume)

    def _grow(self, kept: Kept, volume: Volume) -> None:
        space = self._space(volume.id)
        space.grow(volume.size)
        step("volume grown")
        self._keep(msgspec.structs.replace(kept, volume=volume))
        if self.users(volume.id) == ("", ()):
            space.mount()
            space.unmount()

    def _source(self, volume: Volume) -> Path | None:
        if not volume.source:
            return None
        for id, kept in self._kept.items():
            size = self._snapshots(id).get(volume.source)
            if size is not None and kept.volume.tenant == volume.tenant:
                if size > volume.size:
                    raise Refused("Smaller", f"snapshot {volume.source} has {size} bytes")
                return self._space(id).snapshot(volume.source)
        raise Refused("UnknownSnapshot", f"there is no snapshot {volume.source!r} here")

    def _status(self, id: str) -> VolumeStatus:
        kept, space = self._kept[id], self._space(id)
        used, size = space.used(), space.size()
        writer, readers = self.users(id)
        return VolumeStatus(
            id=id,
            size=kept.volume.size if size is None else min(size, kept.volume.size),
            used=kept.used if used is None else used,
            writer=writer,
            readers=readers,
            snapshots=tuple(sorted(space.kept())),
        )

    async def list(self) -> tuple[VolumeStatus, ...]:
        return await asyncio.to_thread(lambda: tuple(self._statuses()))

    def _statuses(self) -> Iterator[VolumeStatus]:
        for id in sorted(self._kept):
            with contextlib.suppress(KeyError, FileNotFoundError):  # deleted just now
                yield self._status(id)

    async def delete(self, id: str, fence: int) -> None:
        """See ``contract.Volumes``."""
        if not _ID.match(id):
            return
        async with self._turn(id):
            writer, readers = self.users(id)
            if writer or readers:
                raise Refused("VolumeInUse", f"volume {id} is in use by {writer or readers[0]}")
            self._fences.raise_to(id, fence, deleted=True)
            if self._kept.pop(id, None) is not None:
                step("volume deleting")
                await asyncio.to_thread(self._remove, id)

    def _remove(self, id: str) -> None:
        try:
            self._space(id).remove()
        except OSError as error:
            # Its deletion is written down: the next agent goes on with it.
            raise Refused("VolumeFailed", f"it can't be removed now: {error}") from error
        remove_tree(self._root / id)

    async def snapshot(self, id: str, snapshot: str, fence: int) -> None:
        """See ``contract.Volumes``."""
        if not _ID.match(snapshot):
            raise Refused("BadVolume", "a snapshot has an id of 1 to 63 of a-z, 0-9 and -")
        async with self._turn(id):
            kept = self._known(id)
            if self._fences.raise_to(snapshot, fence).deleted:
                raise Refused("Deleted", f"{snapshot} was deleted; an id means one thing for ever")
            if snapshot not in self._snapshots(id):
                if not self._shared and (writer := self.users(id)[0]):
                    raise Refused("VolumeInUse", f"volume {id} is written to by {writer}: {_WHOLE}")
                self._need(kept.volume.size)
                take = self._space(id).take
                try:
                    await asyncio.to_thread(take, snapshot, shared=self._shared)
                except OSError as error:
                    raise Refused("VolumeFailed", f"it can't be copied: {error}") from error
                step("snapshot taken")

    async def delete_snapshot(self, id: str, snapshot: str, fence: int) -> None:
        """See ``contract.Volumes``."""
        if _ID.match(snapshot):
            async with self._turn(id):
                self._fences.raise_to(snapshot, fence, deleted=True)
                if id in self._kept:
                    await asyncio.to_thread(self._space(id).drop, snapshot)

    def _known(self, id: str) -> Kept:
        if id not in self._kept:
            raise Refused("UnknownVolume", f"there is no volume {id!r} here")
        return self._kept[id]

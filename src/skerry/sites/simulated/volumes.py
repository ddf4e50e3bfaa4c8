"""The volumes of a simulated site: names, sizes, and files in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from skerry.sites.contract import (
    NoRoom,
    Refused,
    StaleFence,
    Volume,
    VolumeStatus,
    Workload,
    WorkloadStatus,
)
from skerry.sites.simulated.room import Room

Files = dict[str, bytes]


class Full(Exception):
    """No space is left on the volume."""


@dataclass
class Kept:
    volume: Volume
    files: Files = field(default_factory=dict)
    """Path below the mount point to content."""
    snapshots: dict[str, tuple[int, Files]] = field(default_factory=dict)
    """Size and content of each."""

    @property
    def used(self) -> int:
        return sum(len(data) for data in self.files.values())

    def write(self, path: str, data: bytes) -> None:
        """What fits is written. Raises ``Full`` if that is not all."""
        left = self.volume.size - self.used + len(self.files.get(path, b""))
        self.files[path] = data[: max(left, 0)]
        if left < len(data):
            raise Full


class Volumes:
    """Each verb in two halves: ``check_…`` refuses, the other does what was written down."""

    def __init__(self, room: Room) -> None:
        self.kept: dict[str, Kept] = {}
        self._room = room
        self._fences: dict[str, int] = {}
        self._dead: set[str] = set()

    def _check_fence(self, id: str, fence: int) -> None:
        last = self._fences.get(id, -1)
        if fence < last:
            raise StaleFence("StaleFence", f"{id} was taken over: {fence} is older than {last}")

    def _check_alive(self, id: str, fence: int) -> None:
        self._check_fence(id, fence)
        if id in self._dead:
            raise Refused("Deleted", f"{id} was deleted, and an id is used once only")

    def find(self, id: str) -> Kept:
        if id not in self.kept:
            raise Refused("UnknownVolume", f"there is no volume {id!r} here")
        return self.kept[id]

    def check_create(self, volume: Volume, fence: int) -> None:
        self._check_alive(volume.id, fence)
        if volume.size < 1:
            raise Refused("BadVolume", "a volume needs some space")
        known = self.kept.get(volume.id)
        more = volume.size
        if known is not None:
            if (known.volume.tenant, known.volume.source) != (volume.tenant, volume.source):
                raise Refused("Changed", f"{volume.id} is another volume here")
            if volume.size < known.volume.size:
                raise Refused(
                    "Smaller", f"{volume.id} has {known.volume.size} bytes: it grows only"
                )
            more -= known.volume.size
        elif volume.source and self._source(volume)[0] > volume.size:
            raise Refused("Smaller", f"snapshot {volume.source} has more than {volume.size} bytes")
        self._need(more)

    def _need(self, size: int) -> None:
        if size > self._room.free_disk:
            raise NoRoom("NoRoom", f"{size} bytes were asked for, {self._room.free_disk} are free")

    def _source(self, volume: Volume) -> tuple[int, Files]:
        for kept in self.kept.values():
            if volume.source in kept.snapshots and kept.volume.tenant == volume.tenant:
                return kept.snapshots[volume.source]
        raise Refused("UnknownSnapshot", f"there is no snapshot {volume.source!r} here")

    def create(self, volume: Volume, fence: int) -> None:
        self._fences[volume.id] = fence
        known = self.kept.get(volume.id)
        if known is None:
            files = dict(self._source(volume)[1]) if volume.source else {}
            self.kept[volume.id] = Kept(volume, files)
        self._room.keep(volume.size - (known.volume.size if known else 0))
        self.kept[volume.id].volume = volume

    def check_delete(self, id: str, fence: int, users: Iterable[str]) -> None:
        self._check_fence(id, fence)
        for user in users:
            raise Refused("VolumeInUse", f"volume {id} is in use by {user}")

    def delete(self, id: str, fence: int) -> None:
        self._fences[id] = fence
        self._dead.add(id)
        kept = self.kept.pop(id, None)
        if kept is not None:
            self._room.keep(-kept.volume.size - sum(size for size, _ in kept.snapshots.values()))

    def check_snapshot(self, id: str, snapshot: str, fence: int) -> None:
        kept = self.find(id)
        self._check_alive(snapshot, fence)
        if snapshot not in kept.snapshots:
            self._need(kept.volume.size)

    def snapshot(self, id: str, snapshot: str, fence: int) -> None:
        self._fences[snapshot] = fence
        kept = self.find(id)
        if snapshot not in kept.snapshots:
            kept.snapshots[snapshot] = (kept.volume.size, dict(kept.files))
            self._room.keep(kept.volume.size)

    def check_drop(self, snapshot: str, fence: int) -> None:
        self._check_fence(snapshot, fence)

    def drop(self, id: str, snapshot: str, fence: int) -> None:
        self._fences[snapshot] = fence
        self._dead.add(snapshot)
        kept = self.kept.get(id)
        if kept is not None and snapshot in kept.snapshots:
            self._room.keep(-kept.snapshots.pop(snapshot)[0])

    def users(
        self, id: str, live: Iterable[tuple[Workload, WorkloadStatus]]
    ) -> tuple[str, tuple[str, ...]]:
        """The workload that writes to it, and those that read it."""
        uses = [
            (use.read_only, work.id)
            for work, status in live
            if not status.ended
            for use in work.mounts
            if use.volume == id
        ]
        writer = next((user for read_only, user in uses if not read_only), "")
        return writer, tuple(sorted(user for read_only, user in uses if read_only))

    def check_mounts(self, work: Workload, live: list[tuple[Workload, WorkloadStatus]]) -> None:
        """Refuse a workload whose volumes it can't have just now."""
        for use in work.mounts:
            self.find(use.volume)
            writer, readers = self.users(use.volume, live)
            if writer or (readers and not use.read_only):
                by = writer or ", ".join(readers)
                raise Refused("VolumeInUse", f"volume {use.volume} is in use by {by}")

    def statuses(self, live: list[tuple[Workload, WorkloadStatus]]) -> tuple[VolumeStatus, ...]:
        return tuple(self.status(id, live) for id in sorted(self.kept))

    def status(self, id: str, live: list[tuple[Workload, WorkloadStatus]]) -> VolumeStatus:
        kept = self.kept[id]
        writer, readers = self.users(id, live)
        return VolumeStatus(
            id=id,
            size=kept.volume.size,
            used=kept.used,
            writer=writer,
            readers=readers,
            snapshots=tuple(sorted(kept.snapshots)),
        )

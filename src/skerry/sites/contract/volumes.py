"""``Volumes``: space that outlives the workloads that mount it.

A volume is at one host and has a size that its writers can't exceed: who writes more is told that
it is full, and nobody else notices. Its space is set aside when it is made. An id means one volume,
or one snapshot, for ever. Fences are those of ``Workloads``, of the volume's id or, for a snapshot,
of the snapshot's: they only grow, and an older one is refused.
"""

from typing import Protocol, runtime_checkable

from skerry.sites.contract.workloads import Struct


class Volume(Struct, frozen=True):
    id: str
    """``[a-z0-9-]{1,63}``, unique for ever."""
    tenant: str
    size: int
    """Bytes."""
    source: str = ""
    """Id of the snapshot that it begins as a copy of."""


class VolumeStatus(Struct, frozen=True):
    id: str
    size: int
    """Bytes that it has now."""
    used: int = 0
    """Bytes taken, as far as is known."""
    writer: str = ""
    """Id of the workload that may write to it just now."""
    readers: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()


@runtime_checkable
class Volumes(Protocol):
    """The capability to keep volumes.

    One workload may write to a volume, or several may read it: any other is refused
    (``VolumeInUse``), and so is one that mounts a volume that is not there (``UnknownVolume``).
    Those of a workload are taken from its ``apply`` until all its tasks have ended. Its tasks own
    what is in the volume, whoever wrote it before.
    """

    async def create_volume(self, volume: Volume, fence: int) -> VolumeStatus:
        """Make it, or make it larger; it is never made smaller (``Refused``). Repeatable.

        Where it can't grow while it is mounted, its status tells the old size until it is mounted
        again. A copy of a snapshot is as large as that or larger.
        """

    async def list_volumes(self) -> tuple[VolumeStatus, ...]: ...

    async def delete_volume(self, id: str, fence: int) -> None:
        """Forget it with all its data. Refused (``VolumeInUse``) while it is mounted. Unknown ids
        are no error."""

    async def snapshot_volume(self, id: str, snapshot: str, fence: int) -> None:
        """Keep a copy of what is in it now. Refused where the file system can't (``Unsupported``),
        or can't while somebody writes to it (``VolumeInUse``)."""

    async def delete_snapshot(self, id: str, snapshot: str, fence: int) -> None: ...

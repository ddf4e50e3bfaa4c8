"""The volumes of one that runs: whether it may have them now, where they lie, and how its workload
mounts them."""

from collections.abc import Sequence

from skerry.kernel.errors import NotFound
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.volumes import uses
from skerry.products.run.work import VolumeUse, WorkSpec
from skerry.sites.contract import Mount
from skerry.store import Tx

MOUNTABLE = ("ready", "growing")


class VolumeBusy(Exception):
    """It can't mount a volume just now: ``reason`` and ``message`` say why, for its status."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


async def volume_sites(
    tx: Tx, resources: Resources, owner: Resource, spec: WorkSpec
) -> tuple[str, ...]:
    """Where the volumes lie that it mounts: it must run at each of them.

    Until the transaction ends nobody else can take them. Raises ``NotFound``, and ``VolumeBusy``
    if another run has one, or one is not there yet.
    """
    if not spec.volumes:
        return ()
    found = await _volumes(tx, resources, owner, spec, lock=True)
    taken = await uses.of(tx, [volume.uid for _, volume in found])
    for use, volume in found:
        if volume.phase not in MOUNTABLE:
            why = volume.status.get("message") or f"It is {volume.phase}."
            raise VolumeBusy("VolumeNotReady", f"Volume {use.name} can't be mounted yet. {why}")
        others = (other for other in taken[volume.uid] if other.uid != owner.uid)
        if other := uses.in_the_way(others, read_only=use.read_only):
            how = "is read" if other.read_only else "is in use"
            raise VolumeBusy("VolumeInUse", f"Volume {use.name} {how} by {other.words}.")
    return tuple(str(volume.status["at"]) for _, volume in found)


async def take(
    tx: Tx, resources: Resources, owner: Resource, spec: WorkSpec, workload: str
) -> None:
    """A run is given its place, in the transaction of ``volume_sites``: it has them from now on."""
    if not spec.volumes:
        return
    found = await _volumes(tx, resources, owner, spec)
    await uses.add(tx, workload, [(volume.uid, use.read_only) for use, volume in found])


async def mounts(
    tx: Tx, resources: Resources, owner: Resource, spec: WorkSpec
) -> tuple[Mount, ...]:
    """How its workload mounts them. Raises ``NotFound``."""
    found = await _volumes(tx, resources, owner, spec)
    return tuple(
        Mount(volume=str(volume.status.get("id", "")), path=use.path, read_only=use.read_only)
        for use, volume in found
    )


async def _volumes(
    tx: Tx, resources: Resources, owner: Resource, spec: WorkSpec, *, lock: bool = False
) -> Sequence[tuple[VolumeUse, Resource]]:
    kind = resources.registry["volume"]
    found: list[tuple[VolumeUse, Resource]] = []
    for use in spec.volumes:
        path = Path(owner.tenant, owner.workspace, (), use.name)
        volume = await resources.find(tx, ref_of(kind, path))
        if volume is None or volume.state == "deleting":
            hint = "Create it, or mount another."
            raise NotFound(f"volume {use.name!r} does not exist", hint=hint)
        found.append((use, volume))
    if not lock:
        return found
    # In the order of their ids, so that no two wait for each other.
    uids = sorted(volume.uid for _, volume in found)
    fresh = {uid: await resources.by_uid(tx, uid, lock=True) for uid in uids}
    return [(use, fresh[volume.uid]) for use, volume in found]

"""The volumes of one that runs: where they lie, and how its workload mounts them.

A volume tells both in its status: ``at``, who keeps it (a site, or a host at a site), and ``id``,
its name there.
"""

from skerry.kernel.errors import NotFound
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.work import WorkSpec
from skerry.sites.contract import Mount
from skerry.store import Tx


async def volume_sites(
    tx: Tx, resources: Resources, owner: Resource, spec: WorkSpec
) -> tuple[str, ...]:
    """Where the volumes lie that it mounts: it must run at each of them. Raises ``NotFound``."""
    found = [await _volume(tx, resources, owner, use.name) for use in spec.volumes]
    return tuple(str(volume.status["at"]) for volume in found if volume.status.get("at"))


async def mounts(
    tx: Tx, resources: Resources, owner: Resource, spec: WorkSpec
) -> tuple[Mount, ...]:
    """How its workload mounts them. Raises ``NotFound``."""
    found = [(use, await _volume(tx, resources, owner, use.name)) for use in spec.volumes]
    return tuple(
        Mount(volume=str(volume.status["id"]), path=use.path, read_only=use.read_only)
        for use, volume in found
    )


async def _volume(tx: Tx, resources: Resources, owner: Resource, name: str) -> Resource:
    kind = resources.registry["volume"]
    path = Path(owner.tenant, owner.workspace, (), name)
    volume = await resources.find(tx, ref_of(kind, path))
    if volume is None or volume.state == "deleting":
        raise NotFound(f"volume {name!r} does not exist", hint="Create it, or mount another.")
    return volume

"""What is refused of a volume in its own request, and what is shown of it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.bill import spent_of
from skerry.products.run.volumes import uses
from skerry.products.run.volumes.specs import VolumeSpec
from skerry.store import Tx


class KeptHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        return Admitted({"phase": "queued"} if old is None else {})

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return await spent_of(tx, [one for one in page if one.status.get("lease")])


class VolumeHooks(KeptHooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(VolumeSpec)
        has = int(old.status.get("size") or 0) if old is not None else 0
        if spec.size < has:
            raise ValidationError(
                f"size: volume {new.name!r} has {has} bytes: it can grow, not shrink",
                hint="Create a smaller one and let a job copy what is to stay.",
                sources=[Source(pointer="/spec/size")],
            )
        if spec.source and old is None:
            await _check_source(tx, resources, new, spec)
        return await super().admit(tx, resources, new, old, by)

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        for use in (await uses.of(tx, [resource.uid]))[resource.uid]:
            raise Conflict(
                f"volume {resource.name!r} is in use by {use.words}",
                hint=f"Wait for its end, or: skerry {use.kind} "
                + (f"cancel {use.name}" if use.kind == "job" else f"stop {use.name}"),
            )

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        cost = await super().shown_of(tx, resources, page)
        users = await uses.of(tx, [one.uid for one in page])
        return {
            uid: {
                **cost.get(uid, {}),
                "writer": next((use.words for use in found if not use.read_only), ""),
                "readers": [use.words for use in found if use.read_only],
            }
            for uid, found in users.items()
        }


async def _check_source(tx: Tx, resources: Resources, new: Resource, spec: VolumeSpec) -> None:
    volume, slash, name = spec.source.partition("/")
    path = Path(new.tenant, new.workspace, (volume,), name)
    found = await resources.find(tx, ref_of(resources.registry["snapshot"], path))
    if not slash or found is None or found.state == "deleting":
        raise ValidationError(
            f"from: there is no snapshot {spec.source[:200]!r} in workspace {new.workspace!r}",
            hint="Name it as VOLUME/SNAPSHOT.",
            sources=[Source(pointer="/spec/from")],
        )
    size = int(found.status.get("size") or 0)
    if size > spec.size:
        raise ValidationError(
            f"size: snapshot {spec.source!r} has {size} bytes: it does not fit",
            sources=[Source(pointer="/spec/size")],
        )

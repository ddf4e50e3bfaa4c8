"""What is refused of a job in its own request, and what an action may do to it."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.market.queues import turns
from skerry.products.run import scratch
from skerry.products.run.checks import check_work
from skerry.products.run.shown import now_shown_of
from skerry.products.run.specs import ENDED, JobSpec
from skerry.store import Tx


class JobHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(JobSpec)
        mounted = [("/spec/scratch/path", spec.scratch.path)] if spec.scratch else []
        await check_work(tx, resources, new, old, spec, by, mounted=mounted)
        _check_artifacts(spec)
        if old is None or old.spec.get("priorityClass") != new.spec.get("priorityClass"):
            await turns.check_class(tx, new.tenant, spec.priority_class)
        if spec.scratch and old is None:
            await _check_scratch(tx, resources, new)
        return Admitted({"phase": "queued"} if old is None else {})

    async def act(
        self,
        tx: Tx,
        resources: Resources,
        resource: Resource,
        action: str,
        body: Any,
        by: Caller,
    ) -> Mapping[str, Any] | None:
        if resource.phase in ENDED:
            raise Conflict(f"job {resource.name!r} has ended already, as {resource.phase}")
        return None

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return await now_shown_of(tx, page)


async def _check_scratch(tx: Tx, resources: Resources, new: Resource) -> None:
    if len(new.name) > scratch.LONGEST:
        raise ValidationError(
            f"the name of a job with scratch has at most {scratch.LONGEST} letters",
            sources=[Source(pointer="/metadata/name")],
        )
    if await scratch.find(tx, resources, new) is not None:
        raise Conflict(
            f"there is a volume {scratch.volume_name(new.name)!r} already, and the job's scratch "
            "has that name",
            hint="Delete that volume, or use another name.",
        )


def _check_artifacts(spec: JobSpec) -> None:
    for index, glob in enumerate(spec.artifacts):
        if glob.startswith("/") or ".." in PurePosixPath(glob).parts:
            raise ValidationError(
                f"artifacts: {glob[:100]!r} leads out of the job's directory",
                sources=[Source(pointer=f"/spec/artifacts/{index}")],
            )

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
from skerry.products.run.checks import check_work
from skerry.products.run.shown import now_shown_of
from skerry.products.run.specs import ENDED, JobSpec
from skerry.store import Tx


class JobHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(JobSpec)
        await check_work(tx, resources, new, old, spec, by)
        _check_artifacts(spec)
        if old is None or old.spec.get("priorityClass") != new.spec.get("priorityClass"):
            await turns.check_class(tx, new.tenant, spec.priority_class)
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


def _check_artifacts(spec: JobSpec) -> None:
    for index, glob in enumerate(spec.artifacts):
        if glob.startswith("/") or ".." in PurePosixPath(glob).parts:
            raise ValidationError(
                f"artifacts: {glob[:100]!r} leads out of the job's directory",
                sources=[Source(pointer=f"/spec/artifacts/{index}")],
            )

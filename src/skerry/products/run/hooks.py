"""What is refused of a job in its own request, and what an action may do to it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from skerry.kernel import uploads
from skerry.kernel.errors import Conflict, Forbidden, Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.bill import spent
from skerry.products.run.outcome import sentences
from skerry.products.run.specs import ENDED, JobSpec
from skerry.sites import outages
from skerry.store import Tx


class JobHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(JobSpec)
        if spec.isolation == "process" and not by.operator:
            raise Forbidden(
                "isolation 'process' is the host's own process, for the operator only",
                hint="Leave isolation out: a sandbox is the default.",
            )
        _check_paths(spec)
        if old is None and spec.inputs:
            await _check_blobs(tx, new, spec)
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

    async def shown(self, tx: Tx, resources: Resources, resource: Resource) -> Mapping[str, Any]:
        """What it costs up to now, while it runs, and whether its site is out of contact.

        Neither is stored: both change without anybody doing anything.
        """
        if resource.phase not in ("starting", "running"):
            return {}
        shown = await spent(tx, resource)
        site, now = resource.status["place"]["site"], await tx.now()
        for began, _ in await outages.between(tx, site, now, now):
            shown["reason"] = "SiteUnreachable"
            shown["message"] = sentences(
                f"Site {site!r} is out of contact since {began:%Y-%m-%d %H:%M:%S} UTC",
                "What runs there goes on, and this time is not billed",
            )
        return shown


def _check_paths(spec: JobSpec) -> None:
    seen: set[str] = set()
    for index, given in enumerate(spec.inputs):
        pointer = f"/spec/inputs/{index}/path"
        path = PurePosixPath(given.path)
        if path.is_absolute() or ".." in path.parts or str(path) in (".", ""):
            raise ValidationError(
                f"inputs: {given.path[:100]!r} leads out of the job's directory",
                hint="Give a path below it, without '..'.",
                sources=[Source(pointer=pointer)],
            )
        if str(path) in seen:
            raise ValidationError(
                f"inputs: {given.path[:100]!r} is given twice", sources=[Source(pointer=pointer)]
            )
        seen.add(str(path))
    for index, glob in enumerate(spec.artifacts):
        if glob.startswith("/") or ".." in PurePosixPath(glob).parts:
            raise ValidationError(
                f"artifacts: {glob[:100]!r} leads out of the job's directory",
                sources=[Source(pointer=f"/spec/artifacts/{index}")],
            )


async def _check_blobs(tx: Tx, new: Resource, spec: JobSpec) -> None:
    digests = list({given.digest for given in spec.inputs})
    missing = set(digests) - await uploads.use(tx, new.tenant, new.workspace, digests)
    if missing:
        index = next(i for i, given in enumerate(spec.inputs) if given.digest in missing)
        raise ValidationError(
            f"inputs: {spec.inputs[index].path[:100]!r} has not been uploaded",
            hint="PUT its bytes to the workspace's blobs first; `skerry run --dir` does.",
            sources=[Source(pointer=f"/spec/inputs/{index}/digest")],
        )

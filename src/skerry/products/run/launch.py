"""From a job to a workload at a site: its files, its secrets, its start."""

from collections.abc import Mapping
from typing import Any

from skerry.kernel.flows import Context
from skerry.products.run.specs import JobSpec
from skerry.sites.contract import (
    File,
    NoRoom,
    Refused,
    Resources,
    StaleFence,
    Workload,
    Workloads,
    WorkloadStatus,
)
from skerry.sites.hub import Hub
from skerry.store import Blobs
from skerry.store.blobs import BlobMissing, parse_digest


class NotStarted(Exception):
    """The site did not take it. ``again``: another try may do better."""

    def __init__(self, reason: str, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again


async def launch(ctx: Context, id: str) -> WorkloadStatus:
    """Bring the job's files to its site and start it there as the workload ``id``.

    Repeating it is safe: the site knows the id. Raises ``NotStarted``, or ``SiteUnreachable``.
    """
    spec = ctx.spec(JobSpec)
    driver = ctx.services[Hub].driver(ctx.resource.status["place"]["site"])
    try:
        await _bring(ctx, driver, spec)
        return await driver.apply(await _workload(ctx, id, spec), ctx.fence)
    except NoRoom as full:
        raise NotStarted(full.reason, full.message, again=True) from None
    except StaleFence:
        raise
    except Refused as refused:
        raise NotStarted(refused.reason, refused.message, again=False) from None
    except BlobMissing as missing:
        raise NotStarted("InputMissing", str(missing), again=False) from None


async def _bring(ctx: Context, driver: Workloads, spec: JobSpec) -> None:
    """Upload what the site does not have yet."""
    wanted = tuple(dict.fromkeys(given.digest for given in spec.inputs))
    if not wanted:
        return
    there = set(await driver.has_blobs(wanted))
    blobs = ctx.services[Blobs]
    for digest in wanted:
        if digest not in there:
            await driver.upload(digest, blobs.open(parse_digest(digest)))


async def _workload(ctx: Context, id: str, spec: JobSpec) -> Workload:
    job = ctx.resource
    secret: Mapping[str, Any] = await ctx.secret("secretEnv") or {}
    return Workload(
        id=id,
        tenant=job.tenant,
        command=tuple(spec.command),
        resources=Resources(
            millicores=spec.millicores,
            memory=spec.memory,
            gpus=spec.gpus,
            gpu_model=spec.gpu_model,
            disk=spec.disk,
        ),
        tasks=spec.count,
        env={**spec.env, "SKERRY_JOB": job.name, "SKERRY_WORKSPACE": job.workspace},
        secret_env=dict(secret),
        files=tuple(
            File(path=f.path, digest=f.digest, size=f.size, mode=f.mode) for f in spec.inputs
        ),
        artifacts=tuple(spec.artifacts),
        isolation=spec.isolation,
        network=spec.network,
        time_limit=spec.time_limit,
        labels={"job": job.ref},
    )

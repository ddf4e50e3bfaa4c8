"""What a job's flow asks of the site where it was placed. No other part of it talks to a site.

Every call may be repeated: the site knows a workload's id, and a newer fence overrules an older
one. A site that does not answer in time is a site out of contact.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from skerry.kernel.flows import Context
from skerry.kernel.rows import Resource
from skerry.market.decision import Choice
from skerry.products.run.specs import GRACE, JobSpec
from skerry.sites.contract import (
    File,
    Isolation,
    NoRoom,
    Refused,
    Resources,
    SiteUnreachable,
    StaleFence,
    UnknownWorkload,
    Workload,
    Workloads,
    WorkloadStatus,
)
from skerry.sites.hub import Hub
from skerry.store import Blobs
from skerry.store.blobs import BlobMissing, parse_digest

PATIENCE = 60.0
"""Seconds a site may take to answer."""
UPLOAD_PATIENCE = 3600.0
"""Seconds it may take to be given one file."""


class Run(msgspec.Struct, frozen=True):
    """One run of a job: a workload of its own, at one site. Kept in the flow's notes."""

    id: str
    """Used once, as the contract of sites demands."""
    site: str
    isolation: Isolation
    gpu_model: str
    """These two as the market chose them, since that is what is billed and what policies allow."""

    @classmethod
    def numbered(cls, number: int, job: Resource, choice: Choice) -> "Run":
        """The job's run of that number, counted from one."""
        id = f"job-{job.uid.hex}-{number}"
        return cls(id, choice.place.site, choice.isolation, choice.gpu_model)


def run_of(ctx: Context) -> Run:
    """The run that the job is in."""
    return msgspec.convert(ctx.data["run"], Run)


class NotStarted(Exception):
    """The site did not take it. ``again``: another try, perhaps elsewhere, may do better."""

    def __init__(self, reason: str, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again


@asynccontextmanager
async def _driver(ctx: Context, site: str, patience: float) -> AsyncIterator[Workloads]:
    """The site's driver, for calls that it answers in time. Raises ``SiteUnreachable``."""
    try:
        async with asyncio.timeout(patience):
            yield ctx.services[Hub].driver(site)
    except TimeoutError:
        raise SiteUnreachable(f"site {site!r} did not answer in {patience:.0f} seconds") from None


async def bring(ctx: Context, run: Run) -> None:
    """Bring what the site does not have yet of the job's files.

    Raises ``SiteUnreachable``, and ``NotStarted`` if a file can't be had or is not taken.
    """
    wanted = tuple(dict.fromkeys(given.digest for given in ctx.spec(JobSpec).inputs))
    try:
        async with _driver(ctx, run.site, PATIENCE) as driver:
            there = set(await driver.has_blobs(wanted)) if wanted else set()
        for digest in wanted:
            if digest not in there:
                content = ctx.services[Blobs].open(parse_digest(digest))
                async with _driver(ctx, run.site, UPLOAD_PATIENCE) as driver:
                    await driver.upload(digest, content)
    except BlobMissing as missing:
        raise NotStarted("InputMissing", str(missing), again=False) from None
    except Refused as refused:
        raise NotStarted(refused.reason, refused.message, again=_passes(refused)) from None


async def start(ctx: Context, run: Run) -> WorkloadStatus | None:
    """Start it; None: it is there already, as will be seen.

    Raises ``SiteUnreachable``, after which it may have been started or not, and ``NotStarted``.
    """
    workload = await _workload(ctx, run)
    try:
        async with _driver(ctx, run.site, PATIENCE) as driver:
            return await driver.apply(workload, ctx.fence)
    except StaleFence:
        raise
    except Refused as refused:
        if refused.reason == "Changed":
            # An earlier try has started it, before its secrets were put anew.
            return None
        raise NotStarted(refused.reason, refused.message, again=_passes(refused)) from None


def _passes(refused: Refused) -> bool:
    """Whether it is refused only for now."""
    return isinstance(refused, NoRoom) or refused.reason in ("Busy", "MissingBlob")


async def signal(ctx: Context, run: Run, number: int) -> bool:
    """Send a signal to its processes. False: the site does not have it. Raises
    ``SiteUnreachable``."""
    try:
        async with _driver(ctx, run.site, PATIENCE) as driver:
            await driver.signal(run.id, number, ctx.fence)
    except UnknownWorkload:
        return False
    return True


async def erase(ctx: Context, site: str, id: str) -> None:
    """End whatever there is of it and forget it, and refuse to start it from now on. Raises
    ``SiteUnreachable``."""
    async with _driver(ctx, site, PATIENCE) as driver:
        await driver.delete(id, ctx.fence)


async def _workload(ctx: Context, run: Run) -> Workload:
    job, spec = ctx.resource, ctx.spec(JobSpec)
    secret: Mapping[str, Any] = await ctx.secret("secretEnv") or {}
    return Workload(
        id=run.id,
        tenant=job.tenant,
        command=tuple(spec.command),
        resources=Resources(
            millicores=spec.millicores,
            memory=spec.memory,
            gpus=spec.gpus,
            gpu_model=run.gpu_model,
            disk=spec.disk,
        ),
        tasks=spec.count,
        env={**spec.env, "SKERRY_JOB": job.name, "SKERRY_WORKSPACE": job.workspace},
        secret_env=dict(secret),
        files=tuple(
            File(path=f.path, digest=f.digest, size=f.size, mode=f.mode) for f in spec.inputs
        ),
        artifacts=tuple(spec.artifacts),
        isolation=run.isolation,
        network=spec.network,
        time_limit=spec.time_limit,
        grace=GRACE,
        labels={"job": job.ref},
    )

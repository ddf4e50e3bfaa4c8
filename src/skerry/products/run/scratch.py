"""A job's scratch: a volume of its own that outlives its runs, so that one can go on where the one
before it stopped.

It is made where the market places the job's first run, belongs to the job, and is deleted with it.
From then on it is a volume like any other that the job mounts: later runs go where it lies.
"""

from skerry.kernel.flows import Context, Write
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.mounts import MOUNTABLE
from skerry.products.run.specs import JobSpec
from skerry.products.run.work import VolumeUse
from skerry.store import Tx

LONGEST = 100
"""Letters of the name of a job that has one."""
MADE = "scratch"
"""The flow's note that the volume was put."""
NONE = "NoScratch"
"""The reason of a run whose place has no room for it."""
PATIENCE = 120.0
"""Seconds that its place has to make it."""


def volume_name(job: str) -> str:
    return f"{job}-scratch"


def variables(spec: JobSpec) -> dict[str, str]:
    return {"SKERRY_CHECKPOINT": spec.scratch.path} if spec.scratch else {}


def use(spec: JobSpec, job: str) -> VolumeUse:
    """How the job mounts it."""
    assert spec.scratch is not None
    return VolumeUse(name=volume_name(job), path=spec.scratch.path)


def make(ctx: Context, at: str) -> Write:
    """For the transaction that places the job's first run: its scratch is to lie there."""
    scratch = ctx.spec(JobSpec).scratch
    assert scratch is not None
    ctx.data[MADE] = True
    return ctx.put_child(
        "volume", volume_name(ctx.resource.name), {"size": scratch.size, "site": at}
    )


async def find(tx: Tx, resources: Resources, job: Resource) -> Resource | None:
    path = Path(job.tenant, job.workspace, (), volume_name(job.name))
    return await resources.find(tx, ref_of(resources.registry["volume"], path))


async def waits(ctx: Context) -> str:
    """Why it can't be mounted yet, in words; empty if it can."""
    async with ctx.db.reading() as tx:
        found = await find(tx, ctx.resources, ctx.resource)
    if found is None or found.phase in MOUNTABLE:
        return ""  # one that somebody has deleted is missed when it is to be mounted
    why = str(found.status.get("message") or "")
    return f"Its scratch can't be made yet: {why}" if why else "Making its scratch."


def drop(ctx: Context) -> Write:
    """Nothing was ever written to it: another place may have room."""

    async def write(tx: Tx, job: Resource) -> None:
        found = await find(tx, ctx.resources, job)
        if found is not None and found.owner_uid == job.uid and found.state != "deleting":
            await ctx.drop_child(found)(tx, job)

    return write

"""The words of a job: its spec and its status."""

from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec
from skerry.market.ask import Topology
from skerry.products.run.volumes.specs import LEAST
from skerry.products.run.work import GRACE, MountPath, WorkSpec, WorkStatus

Phase = Literal["queued", "starting", "running", "succeeded", "failed", "cancelled"]
ENDED = ("succeeded", "failed", "cancelled")
Glob = Annotated[str, Meta(min_length=1, max_length=1024)]


class Scratch(Spec):
    """Space that all its runs share."""

    size: Annotated[int, Meta(ge=LEAST, le=1 << 44, description="Its size in bytes")]
    path: Annotated[MountPath, Meta(description="Where it is mounted, an absolute path")]


class JobSpec(WorkSpec):
    """A command, what it needs, and what is kept of it."""

    count: Annotated[
        int, Meta(ge=1, le=4096, description="Copies, started together or not at all")
    ] = 1
    topology: Annotated[
        Topology,
        Meta(description="How near together its copies go: host, link (NVLink), rack or zone"),
    ] = ""
    topology_required: Annotated[
        bool, Meta(description="Whether it waits for such a place; else it is only preferred")
    ] = False
    retries: Annotated[
        int, Meta(ge=0, le=100, description="How often it is run again if it fails")
    ] = 0
    time_limit: Annotated[
        int, Meta(ge=0, le=366 * 86400, description="Seconds it may run; 0 is no limit")
    ] = 0
    priority_class: Annotated[
        str, Meta(max_length=128, description="How urgent it is; the class decides its turn")
    ] = ""
    preemptible: Annotated[
        bool, Meta(description="It may be ended for others, at a lower price, and is run again")
    ] = False
    grace: Annotated[
        int,
        Meta(ge=1, le=86400, description="Seconds between asking it to end and ending it"),
    ] = GRACE
    scratch: Annotated[
        Scratch | None,
        Meta(description="A volume of its own for checkpoints, kept until the job is deleted"),
    ] = None
    artifacts: Annotated[
        list[Glob], Meta(max_length=1000, description="Files kept of it, as globs")
    ] = []


class JobStatus(WorkStatus):
    phase: Annotated[Phase, Meta(description="How far it is")] = "queued"
    exit_code: Annotated[int | None, Meta(description="Exit code of its command")] = None
    attempt: Annotated[int, Meta(description="Which run this is, from 1")] = 0

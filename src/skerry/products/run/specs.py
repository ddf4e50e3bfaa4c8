"""The words of a job: its spec and its status."""

from typing import Annotated, Literal

from msgspec import Meta

from skerry.products.run.work import WorkSpec, WorkStatus

Phase = Literal["queued", "starting", "running", "succeeded", "failed", "cancelled"]
ENDED = ("succeeded", "failed", "cancelled")
Glob = Annotated[str, Meta(min_length=1, max_length=1024)]


class JobSpec(WorkSpec):
    """A command, what it needs, and what is kept of it."""

    count: Annotated[
        int, Meta(ge=1, le=4096, description="Copies, started together or not at all")
    ] = 1
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
    artifacts: Annotated[
        list[Glob], Meta(max_length=1000, description="Files kept of it, as globs")
    ] = []


class JobStatus(WorkStatus):
    phase: Annotated[Phase, Meta(description="How far it is")] = "queued"
    exit_code: Annotated[int | None, Meta(description="Exit code of its command")] = None
    attempt: Annotated[int, Meta(description="Which run this is, from 1")] = 0

"""The words of a schedule."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.products.run.specs import JobSpec

NAME = 100
"""Characters of its name: the jobs' names add the time."""


class ScheduleSpec(Spec):
    """When to start which job."""

    cron: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="When: minute, hour, day of month, month, day of week, such as "
            "'30 2 * * 1-5'; or @hourly, @daily, @weekly, @monthly, @yearly",
        ),
    ]
    job: Annotated[JobSpec, Meta(description="The job to start each time")]
    time_zone: Annotated[
        str, Meta(max_length=64, description="Whose clock: a name such as Europe/Berlin")
    ] = "UTC"
    missed: Annotated[
        Literal["skip", "once", "all"],
        Meta(
            description="What of the times that passed while nothing could start: none, one job "
            "for all of them, or one for each (at most the last hundred)"
        ),
    ] = "once"
    overlap: Annotated[
        Literal["skip", "allow", "replace"],
        Meta(
            description="If the last job has not ended: leave this one out, start it beside it, "
            "or cancel the last one first"
        ),
    ] = "skip"
    suspended: Annotated[bool, Meta(description="Start nothing until told otherwise")] = False
    keep: Annotated[int, Meta(ge=0, le=1000, description="How many jobs that ended are kept")] = 10


class ScheduleStatus(Status):
    phase: Annotated[
        Literal["waiting", "suspended", "over"],
        Meta(description="over: its expression has no further time"),
    ] = "waiting"
    next_at: Annotated[datetime | None, Meta(description="When it is due next")] = None
    last_at: Annotated[datetime | None, Meta(description="The last time it was due")] = None
    last_job: Annotated[str, Meta(description="The job it started last")] = ""
    started: Annotated[int, Meta(description="Jobs started so far")] = 0
    left_out: Annotated[
        int, Meta(description="Times it was due and started nothing, by its policies")
    ] = 0
    message: Annotated[str, Meta(description="What it did last, in words")] = ""

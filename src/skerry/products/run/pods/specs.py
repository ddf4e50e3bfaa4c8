"""The words of a pod."""

from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec
from skerry.products.run.work import GRACE, WorkSpec, WorkStatus

Phase = Literal["queued", "starting", "running", "stopped", "failed"]
AT_REST = ("stopped", "failed")
Seconds = Annotated[float, Meta(ge=0.1, le=3600)]


class Health(Spec):
    """How its host finds out whether it takes requests."""

    port: Annotated[
        int, Meta(ge=0, le=65535, description="Connect there; 0: run the command instead")
    ] = 0
    path: Annotated[
        str, Meta(max_length=1024, description="Ask for it by HTTP, and expect a status below 400")
    ] = ""
    command: Annotated[
        list[Annotated[str, Meta(max_length=32768)]],
        Meta(max_length=256, description="Run in it, and expected to exit with 0"),
    ] = []
    every: Annotated[Seconds, Meta(description="Seconds between two checks")] = 2.0
    timeout: Annotated[Seconds, Meta(description="Seconds that a check may take")] = 2.0
    failures: Annotated[
        int, Meta(ge=1, le=100, description="Failed checks in a row that make it unready")
    ] = 3
    restart: Annotated[bool, Meta(description="Whether it is then started anew")] = False
    start: Annotated[
        float, Meta(ge=0, le=86400, description="Seconds after its start without such restarts")
    ] = 60.0


class PodSpec(WorkSpec):
    """What runs, and how it is kept running."""

    health: Annotated[
        Health | None, Meta(description="When it takes requests; none: as soon as it runs")
    ] = None
    grace: Annotated[
        int, Meta(ge=0, le=3600, description="Seconds between SIGTERM and SIGKILL")
    ] = GRACE
    patience: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86400,
            description="Seconds without word of its host until it is started elsewhere; 0: never",
        ),
    ] = 120


class PodStatus(WorkStatus):
    phase: Annotated[Phase, Meta(description="How far it is")] = "queued"
    ready: Annotated[bool, Meta(description="Whether it takes requests")] = False
    restarts: Annotated[int, Meta(description="How often its host started it anew")] = 0
    leaving: Annotated[
        bool, Meta(description="Whether it must leave its place, and its service replaces it")
    ] = False
    workload: Annotated[str, Meta(description="Id of the workload at its site")] = ""

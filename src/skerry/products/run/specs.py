"""The words of a job: its spec and its status."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status

MIB = 1 << 20
GRACE = 10
"""Seconds between asking a process to end and ending it."""

Phase = Literal["queued", "starting", "running", "succeeded", "failed", "cancelled"]
ENDED = ("succeeded", "failed", "cancelled")
EnvName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]
EnvValue = Annotated[str, Meta(max_length=32768)]
Glob = Annotated[str, Meta(min_length=1, max_length=1024)]


class Input(Spec):
    """A file that is there when the job starts."""

    path: Annotated[
        str,
        Meta(min_length=1, max_length=1024, description="Below the working directory, no '..'"),
    ]
    digest: Annotated[
        str, Meta(pattern="^sha256:[0-9a-f]{64}$", description="A blob put into the workspace")
    ]
    size: Annotated[int, Meta(ge=0)] = 0
    mode: Annotated[int, Meta(ge=0, le=0o777)] = 0o644


class JobSpec(Spec):
    """A command, what it needs, and what is kept of it."""

    command: Annotated[
        list[Annotated[str, Meta(max_length=131072)]],
        Meta(min_length=1, max_length=4096, description="Program and arguments, no shell"),
    ]
    millicores: Annotated[
        int, Meta(ge=10, le=1 << 20, description="CPU of each copy in thousandths of a core")
    ] = 1000
    memory: Annotated[
        int, Meta(ge=4 * MIB, le=1 << 44, description="Memory of each copy in bytes")
    ] = 512 * MIB
    disk: Annotated[
        int, Meta(ge=0, le=1 << 44, description="Writable space of each copy in bytes")
    ] = 0
    gpus: Annotated[int, Meta(ge=0, le=1024, description="GPUs of each copy")] = 0
    gpu_model: Annotated[str, Meta(max_length=64, description="Only this model")] = ""
    count: Annotated[
        int, Meta(ge=1, le=4096, description="Copies, started together or not at all")
    ] = 1
    retries: Annotated[
        int, Meta(ge=0, le=100, description="How often it is run again if it fails")
    ] = 0
    time_limit: Annotated[
        int, Meta(ge=0, le=366 * 86400, description="Seconds it may run; 0 is no limit")
    ] = 0
    env: Annotated[
        dict[EnvName, EnvValue], Meta(max_length=1000, description="Environment variables")
    ] = {}
    secret_env: (
        Annotated[
            dict[EnvName, EnvValue],
            Meta(max_length=1000, description="Environment variables never shown again"),
        ]
        | None
    ) = None
    inputs: Annotated[
        list[Input], Meta(max_length=20000, description="Files put into its directory")
    ] = []
    artifacts: Annotated[
        list[Glob], Meta(max_length=1000, description="Files kept of it, as globs")
    ] = []
    isolation: Annotated[
        Literal["process", "sandbox", "vm"], Meta(description="What separates it from others")
    ] = "sandbox"
    network: Annotated[bool, Meta(description="Whether it may reach the outside")] = False
    region: Annotated[str, Meta(max_length=64, description="Only in this region")] = ""
    site: Annotated[str, Meta(max_length=64, description="Only at this site")] = ""


class Place(Status):
    """Where it runs, and on whose word."""

    site: str
    region: str = ""
    zone: str = ""
    jurisdiction: str = ""
    operator: str = ""


class Task(Status):
    """One copy."""

    rank: int
    phase: str
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    gpus: list[str] = []


class Cost(Status):
    """So far; settled each minute and at the end."""

    currency: str
    amount_nano: int


class JobStatus(Status):
    phase: Phase = "queued"
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    attempt: int = 0
    tasks: list[Task] = []
    place: Place | None = None
    engine: str = ""
    isolation: str = ""
    lease: str = ""
    decision: str = ""
    price_per_hour_nano: int | None = None
    cost: Cost | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

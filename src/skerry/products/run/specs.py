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
    size: Annotated[int, Meta(ge=0, description="Its size in bytes")] = 0
    mode: Annotated[int, Meta(ge=0, le=0o777, description="Its permissions")] = 0o644


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
    secret_env: Annotated[
        Annotated[dict[EnvName, EnvValue], Meta(max_length=1000)] | None,
        Meta(description="Environment variables never shown again"),
    ] = None
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

    site: Annotated[str, Meta(description="The site")]
    region: Annotated[str, Meta(description="Its region")] = ""
    zone: Annotated[str, Meta(description="Its zone")] = ""
    jurisdiction: Annotated[str, Meta(description="Whose law holds there, ISO 3166-1 alpha-2")] = ""
    operator: Annotated[str, Meta(description="Who runs the site")] = ""


class Task(Status):
    """One copy."""

    rank: Annotated[int, Meta(description="Which copy, from 0")]
    phase: Annotated[str, Meta(description="What its site says of it")]
    exit_code: Annotated[int | None, Meta(description="Exit code of its command")] = None
    reason: Annotated[str, Meta(description="Why it ended, in a word")] = ""
    message: Annotated[str, Meta(description="Why it ended, in words")] = ""
    started_at: Annotated[datetime | None, Meta(description="When its process started")] = None
    ended_at: Annotated[datetime | None, Meta(description="When its process ended")] = None
    gpus: Annotated[list[str], Meta(description="The devices it has")] = []


class Cost(Status):
    """So far; settled each minute and at the end."""

    currency: Annotated[str, Meta(description="ISO 4217")]
    amount_nano: Annotated[int, Meta(description="In 10^-9 of the currency unit")]


class JobStatus(Status):
    phase: Annotated[Phase, Meta(description="How far it is")] = "queued"
    exit_code: Annotated[int | None, Meta(description="Exit code of its command")] = None
    reason: Annotated[str, Meta(description="Why it is so, in a word")] = ""
    message: Annotated[str, Meta(description="Why it is so, in words")] = ""
    attempt: Annotated[int, Meta(description="Which run this is, from 1")] = 0
    tasks: Annotated[list[Task], Meta(description="Its copies")] = []
    place: Annotated[Place | None, Meta(description="Where it runs or ran")] = None
    engine: Annotated[str, Meta(description="What runs its processes there")] = ""
    isolation: Annotated[str, Meta(description="What separates it from others")] = ""
    lease: Annotated[str, Meta(description="Id of its lease")] = ""
    decision: Annotated[str, Meta(description="Id of the decision that placed it")] = ""
    price_per_hour_nano: Annotated[
        int | None, Meta(description="Price of an hour, in 10^-9 of the currency unit")
    ] = None
    cost: Annotated[Cost | None, Meta(description="What it cost so far")] = None
    started_at: Annotated[datetime | None, Meta(description="When its first process started")] = (
        None
    )
    ended_at: Annotated[datetime | None, Meta(description="When its last process ended")] = None

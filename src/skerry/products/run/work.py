"""The words that everything that runs has in common: jobs, pods and services ask in them.

A kind that runs something extends ``WorkSpec`` with what is its own, and ``WorkStatus`` with its
phases. ``checks`` refuses what its schema can't; ``asks`` says what it needs of the market and
``place`` makes of it the workload that a site runs. Nothing else reads these fields.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.market.queues.specs import Waits
from skerry.products.run.secrets.specs import SecretRef

MIB = 1 << 20
GRACE = 10
"""Seconds between asking a process to end and ending it."""
UPLOADED = "blob:"
"""How the name of an image begins that was uploaded as an archive."""

EnvName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]
EnvValue = Annotated[str, Meta(max_length=32768)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
MountPath = Annotated[
    str, Meta(min_length=2, max_length=1024, description="Absolute, in its file system")
]
PortNumber = Annotated[int, Meta(ge=1, le=65535)]


class Input(Spec):
    """A file that is there when it starts."""

    path: Annotated[
        str,
        Meta(min_length=1, max_length=1024, description="Below the working directory, no '..'"),
    ]
    digest: Annotated[
        str, Meta(pattern="^sha256:[0-9a-f]{64}$", description="A blob put into the workspace")
    ]
    size: Annotated[int, Meta(ge=0, description="Its size in bytes")] = 0
    mode: Annotated[int, Meta(ge=0, le=0o777, description="Its permissions")] = 0o644


class VolumeUse(Spec):
    """A volume in its file system."""

    name: Annotated[Name, Meta(description="Name of the volume")]
    path: Annotated[MountPath, Meta(description="Where it is mounted, an absolute path")]
    read_only: Annotated[bool, Meta(description="Whether it can only be read there")] = False


class WorkSpec(Spec):
    """What runs, what it needs, and what it is given."""

    command: Annotated[
        list[Annotated[str, Meta(max_length=131072)]],
        Meta(max_length=4096, description="Program and arguments, no shell; empty: the image's"),
    ] = []
    image: Annotated[
        str,
        Meta(
            max_length=1024,
            description="Image of a registry, or blob:sha256:… of an archive; empty: the host's",
        ),
    ] = ""
    image_secret: Annotated[
        str,
        Meta(max_length=128, description="Secret with username and password for the registry"),
    ] = ""
    requirements: Annotated[
        str,
        Meta(max_length=1 << 18, description="Python packages it needs, as pip's requirements"),
    ] = ""
    millicores: Annotated[
        int, Meta(ge=10, le=1 << 20, description="CPU of each copy in thousandths of a core")
    ] = 1000
    memory: Annotated[
        int, Meta(ge=4 * MIB, le=1 << 44, description="Memory of each copy in bytes")
    ] = 512 * MIB
    disk: Annotated[
        int, Meta(ge=MIB, le=1 << 44, description="Writable space of each copy in bytes")
    ] = 1024 * MIB
    gpus: Annotated[int, Meta(ge=0, le=1024, description="GPUs of each copy")] = 0
    gpu_model: Annotated[str, Meta(max_length=64, description="Only this model")] = ""
    env: Annotated[
        dict[EnvName, EnvValue], Meta(max_length=1000, description="Environment variables")
    ] = {}
    secret_env: Annotated[
        Annotated[dict[EnvName, EnvValue], Meta(max_length=1000)] | None,
        Meta(description="Environment variables never shown again"),
    ] = None
    secrets: Annotated[
        list[SecretRef], Meta(max_length=200, description="Secrets that it is given")
    ] = []
    inputs: Annotated[
        list[Input], Meta(max_length=20000, description="Files put into its directory")
    ] = []
    volumes: Annotated[
        list[VolumeUse], Meta(max_length=32, description="Volumes that it mounts")
    ] = []
    ports: Annotated[
        list[PortNumber], Meta(max_length=64, description="Ports that it listens on")
    ] = []
    isolation: Annotated[
        Literal["process", "sandbox", "vm"], Meta(description="What separates it from others")
    ] = "sandbox"
    network: Annotated[bool, Meta(description="Whether it may reach the outside")] = False
    region: Annotated[str, Meta(max_length=64, description="Only in this region")] = ""
    site: Annotated[
        str, Meta(max_length=512, description="Only at this site, host or node: SITE/NODE")
    ] = ""


class Place(Status):
    """Where it runs, and on whose word."""

    site: Annotated[str, Meta(description="The site")]
    host: Annotated[str, Meta(description="The host, at a site that has several")] = ""
    node: Annotated[str, Meta(description="The machine, where all copies are at one")] = ""
    near: Annotated[
        str, Meta(description="Of copies on several machines: what these share, such as rack r7")
    ] = ""
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
    restarts: Annotated[int, Meta(description="How often its host started it anew")] = 0
    gpus: Annotated[list[str], Meta(description="The devices it has")] = []
    node: Annotated[str, Meta(description="The machine it runs at, of a site with several")] = ""


class Cost(Status):
    """So far; settled each minute and at the end."""

    currency: Annotated[str, Meta(description="ISO 4217")]
    amount_nano: Annotated[int, Meta(description="In 10^-9 of the currency unit")]


class WorkStatus(Status):
    """What is known of one that runs; its ``phase`` is the kind's own."""

    reason: Annotated[str, Meta(description="Why it is so, in a word")] = ""
    message: Annotated[str, Meta(description="Why it is so, in words")] = ""
    tasks: Annotated[list[Task], Meta(description="Its copies")] = []
    queue: Annotated[Waits | None, Meta(description="Where it stands in its queue")] = None
    place: Annotated[Place | None, Meta(description="Where it runs or ran")] = None
    engine: Annotated[str, Meta(description="What runs its processes there")] = ""
    isolation: Annotated[str, Meta(description="What separates it from others")] = ""
    image: Annotated[str, Meta(description="Digest of the image it runs in")] = ""
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

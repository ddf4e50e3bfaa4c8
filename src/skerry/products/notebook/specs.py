"""The words of a notebook. What its pod takes has the pod's names here."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status

GIB = 1 << 30
Phase = Literal["starting", "running", "stopping", "stopped", "failed"]
EnvName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]
EnvValue = Annotated[str, Meta(max_length=32768)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]


class NotebookVolume(Spec):
    """A volume beside its own."""

    name: Annotated[Name, Meta(description="Name of the volume")]
    path: Annotated[
        str, Meta(min_length=2, max_length=1024, description="Where it is mounted, absolute")
    ]
    read_only: Annotated[bool, Meta(description="Whether it can only be read there")] = False


class NotebookSecret(Spec):
    """One value of a secret, as a variable or as a file."""

    secret: Annotated[Name, Meta(description="The secret, in the same workspace")]
    key: Annotated[str, Meta(min_length=1, max_length=253, description="Which of its values")]
    env: Annotated[str, Meta(max_length=256, description="Variable to set")] = ""
    path: Annotated[str, Meta(max_length=1024, description="File to put it in, absolute")] = ""
    version: Annotated[int, Meta(ge=0, description="Which version; 0: the current one")] = 0


class NotebookSpec(Spec):
    """What JupyterLab runs on, and what it is given."""

    volume: Annotated[
        str,
        Meta(max_length=128, description="Volume that keeps its files; none: they go at each stop"),
    ] = ""
    millicores: Annotated[
        int, Meta(ge=10, le=1 << 20, description="CPU in thousandths of a core")
    ] = 1000
    memory: Annotated[
        int, Meta(ge=256 << 20, le=1 << 44, description="Memory in bytes, kernels included")
    ] = GIB
    disk: Annotated[
        int, Meta(ge=0, le=1 << 44, description="Writable space in bytes, beside its volumes")
    ] = 0
    gpus: Annotated[int, Meta(ge=0, le=1024, description="GPUs")] = 0
    gpu_model: Annotated[str, Meta(max_length=64, description="Only this model")] = ""
    idle: Annotated[
        int,
        Meta(ge=0, le=30 * 86400, description="Seconds without use until it stops; 0: never"),
    ] = 1800
    requirements: Annotated[
        str,
        Meta(max_length=1 << 17, description="Python packages beside JupyterLab's, as for pip"),
    ] = ""
    image: Annotated[
        str,
        Meta(max_length=1024, description="Image that has JupyterLab 4; empty: Skerry brings it"),
    ] = ""
    image_secret: Annotated[
        str,
        Meta(max_length=128, description="Secret with username and password for the registry"),
    ] = ""
    env: Annotated[
        dict[EnvName, EnvValue], Meta(max_length=1000, description="Environment variables")
    ] = {}
    secret_env: Annotated[
        Annotated[dict[EnvName, EnvValue], Meta(max_length=1000)] | None,
        Meta(description="Environment variables never shown again"),
    ] = None
    secrets: Annotated[
        list[NotebookSecret], Meta(max_length=200, description="Secrets that it is given")
    ] = []
    volumes: Annotated[
        list[NotebookVolume], Meta(max_length=31, description="Volumes beside its own")
    ] = []
    isolation: Annotated[
        Literal["sandbox", "vm"], Meta(description="What separates it from others")
    ] = "sandbox"
    network: Annotated[bool, Meta(description="Whether it may reach the outside")] = False
    region: Annotated[str, Meta(max_length=64, description="Only in this region")] = ""
    site: Annotated[
        str, Meta(max_length=128, description="Only at this site, or at this host: SITE/HOST")
    ] = ""


class Opening(Spec):
    """The body of ``open``."""

    path: Annotated[
        str, Meta(max_length=2048, pattern="^/", description="Where to go in JupyterLab")
    ] = "/lab"


class NotebookCost(Status):
    """What it costs, with all that it owns."""

    currency: Annotated[str, Meta(description="ISO 4217")]
    amount_nano: Annotated[int, Meta(description="So far, in 10^-9 of the currency unit")]
    per_hour_nano: Annotated[int, Meta(description="An hour as it is now; 0 while it is stopped")]


class NotebookStatus(Status):
    phase: Annotated[Phase, Meta(description="How it is")] = "starting"
    reason: Annotated[str, Meta(description="Why it is so, in a word")] = ""
    message: Annotated[str, Meta(description="Why it is so, in words")] = ""
    url: Annotated[str, Meta(description="Where it is, for whoever may enter")] = ""
    site: Annotated[str, Meta(description="Where it runs")] = ""
    started_at: Annotated[datetime | None, Meta(description="When it started last")] = None
    cost: Annotated[NotebookCost | None, Meta(description="What it costs")] = None

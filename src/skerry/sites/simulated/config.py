"""What a simulated site is told: its ``spec.config``."""

from typing import Annotated

import msgspec

from skerry.sites.contract import Isolation, Refused
from skerry.sites.simulated.faults import Fault

Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Devices(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """GPUs of one model; any name will do."""

    model: str
    count: Positive
    memory: Positive = 80 << 30
    vendor: str = "nvidia"
    profile: str = ""
    """They are slices of a device, of this profile."""
    shared: bool = False
    """They are turns on a device."""
    sick: str = ""
    """Why none of them is to be used."""


class Nodes(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Machines alike."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?$")]
    """Of more than one: with ``-0``, ``-1``, … behind it."""
    count: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    millicores: Positive = 64_000
    memory: Positive = 256 << 30
    disk: Positive = 1 << 40
    gpus: list[Devices] = []
    zone: str = ""
    rack: str = ""
    per_rack: Annotated[int, msgspec.Meta(ge=0)] = 0
    """So many of them share a rack, named like the nodes; 0: all share ``rack``."""
    link: str = ""
    per_link: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Likewise of NVLink domains."""
    spot: bool = False
    closed: str = ""
    """Why nothing new may be placed there."""


class Config(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """All of it has a default: a small host without GPUs."""

    millicores: Positive = 64_000
    memory: Positive = 256 << 30
    disk: Positive = 1 << 40
    gpus: list[Devices] = []
    nodes: list[Nodes] = []
    """The site is these machines; of the amounts above only ``disk`` counts, for its volumes."""
    isolations: tuple[Isolation, ...] = ("process", "sandbox", "vm")
    architecture: str = "x86_64"
    start_seconds: Seconds = 0.0
    """From ``apply`` to the start of the tasks."""
    start_jitter: Seconds = 0.0
    """Up to so much more, different for each workload and always the same for one."""
    pull_seconds: Seconds = 0.0
    """How long it takes to bring an image or an environment, each time."""
    run_seconds: Seconds = 1.0
    """How long a command without a script is pretended to run."""
    exit_code: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    """And how it ends."""
    programs: tuple[str, ...] = ("*",)
    """Globs of the commands that the pretended userland has; others exit 127."""
    keep_events: Positive = 100_000
    speed: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 1.0
    """How much faster than the host's clock its time runs."""
    name: str = ""
    """Sites of one name in one process share one world, which outlives the driver."""
    directory: str = ""
    """Where to keep the world's journal and blobs, so that it outlives the process."""
    faults: list[Fault] = []


def read(config: object) -> Config:
    """Refuse (``BadConfig``) what is not a configuration, naming the field."""
    try:
        return msgspec.convert(config, Config)
    except msgspec.ValidationError as error:
        raise Refused("BadConfig", f"the simulated site's config is wrong: {error}") from error

"""What an operator can say about this machine as a site."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Config(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The ``config`` of a site with the driver ``local``."""

    data: Annotated[str, Meta(description="Directory for everything the driver keeps.")]
    reserve_millicores: Annotated[
        int, Meta(ge=0, description="Thousandths of a core kept for the host itself.")
    ] = 0
    reserve_memory: Annotated[
        int,
        Meta(
            ge=-1,
            description="Bytes of memory kept for the host itself; -1 = 1/16, at least 256 MiB.",
        ),
    ] = -1
    engines: Annotated[
        tuple[Literal["runc", "bubblewrap"], ...],
        Meta(description="Engines for sandboxes, the most wanted first."),
    ] = ("runc", "bubblewrap")
    binds: Annotated[
        tuple[str, ...],
        Meta(description="More places of the host that tasks may read, each at its own path."),
    ] = ()
    network: Annotated[
        Literal["none", "host"],
        Meta(
            description="What a task that asks for the network gets: nothing (it is refused), or "
            "the host's own network, with all that can be reached from the host itself."
        ),
    ] = "none"
    disk: Annotated[
        int, Meta(ge=1, description="Bytes of disk space for tasks that don't say how much.")
    ] = 10 << 30
    first_uid: Annotated[
        int, Meta(ge=1000, description="Tasks get user numbers from here on, if the agent is root.")
    ] = 1_900_000_000
    events: Annotated[
        int, Meta(ge=1, description="Events kept for those who watch and were away.")
    ] = 10_000


def read(config: Mapping[str, Any]) -> Config:
    """Raises ``msgspec.ValidationError`` with the field that is wrong."""
    return msgspec.convert(dict(config), Config)

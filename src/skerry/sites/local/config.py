"""What an operator can say about this machine as a site."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Network
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
    cdi: Annotated[
        tuple[str, ...],
        Meta(
            description="More directories with CDI specifications, beside /etc/cdi and "
            "/var/run/cdi; the last is the strongest."
        ),
    ] = ()
    trusted_gpus: Annotated[
        tuple[str, ...],
        Meta(
            description="UUIDs of GPUs that are used again whatever was reported of them before "
            "this start of the agent."
        ),
    ] = ()
    network: Annotated[
        Literal["own", "none", "host"],
        Meta(
            description="What a sandboxed task that asks for the network gets: a network of its "
            "own, from which it reaches the Internet and nothing of the host (an agent must be "
            "root for that), nothing (it is refused), or the host's own network, with all that "
            "can be reached from the host itself."
        ),
    ] = "own"
    pool: Annotated[
        str,
        Meta(
            description="The addresses of tasks, as a private IPv4 network such as 10.83.0.0/16; "
            "empty: one that the host has no route to."
        ),
    ] = ""
    reach: Annotated[
        tuple[str, ...],
        Meta(description="Private IPv4 networks that tasks may reach all the same."),
    ] = ()
    name_servers: Annotated[
        tuple[str, ...],
        Meta(description="IPv4 addresses of name servers for tasks; empty: the host's own."),
    ] = ()
    disk: Annotated[
        int, Meta(ge=1, description="Bytes of disk space for tasks that don't say how much.")
    ] = 1 << 30
    volumes: Annotated[
        Literal["image", "directory", "none"],
        Meta(
            description="How volumes are kept: as images whose size the kernel enforces; as plain "
            "directories whose size is only looked at, for an agent without root's rights; or not."
        ),
    ] = "image"
    first_uid: Annotated[
        int, Meta(ge=1000, description="Tasks get user numbers from here on, if the agent is root.")
    ] = 1_900_000_000
    cache_bytes: Annotated[
        int, Meta(ge=1, description="Bytes of images and Python environments kept for the next.")
    ] = 50 << 30
    cache_days: Annotated[
        float, Meta(gt=0, description="Days after which what nobody has used is not kept.")
    ] = 14.0
    keep_free: Annotated[
        int, Meta(ge=0, description="Bytes of disk space that bringing images must leave free.")
    ] = 1 << 30
    stall: Annotated[
        float, Meta(gt=0, description="Seconds without a byte after which a pull is given up.")
    ] = 60.0
    plain_registries: Annotated[
        tuple[str, ...], Meta(description="Registries (host:port) that are reached without TLS.")
    ] = ()
    index: Annotated[
        str, Meta(description="Address of the index of Python packages; empty: PyPI.")
    ] = ""
    events: Annotated[
        int, Meta(ge=1, description="Events kept for those who watch and were away.")
    ] = 10_000


def read(config: Mapping[str, Any]) -> Config:
    """Raises ``msgspec.ValidationError`` with the field that is wrong."""
    found = msgspec.convert(dict(config), Config)
    for network in (*found.reach, *((found.pool,) if found.pool else ())):
        _check("network", IPv4Network, network)
    for server in found.name_servers:
        _check("address", IPv4Address, server)
    return found


def _check(what: str, type: Callable[[str], object], text: str) -> None:
    try:
        type(text)
    except ValueError as error:
        raise msgspec.ValidationError(f"{text!r} is no IPv4 {what}: {error}") from error

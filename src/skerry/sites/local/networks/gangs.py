"""The network of a gang: its tasks reach each other there, and nobody else reaches it.

It is a bridge in a network namespace of its own, without a name and without a way out; each task
has one end of a veth pair to it, as ``gang0``, beside whatever else it has. Neither the host nor
other workloads are connected to it, so it needs no rules and clashes with no address. The shims of
all tasks hold it open, so it ends with the last of them.

The address of a task follows from its rank, and its host name (``name``) is known to all others,
by the ``/etc/hosts`` that they share.
"""

import ipaddress
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.sites.contract import Refused, Workload
from skerry.sites.contract.gang import PORT, variables
from skerry.sites.local.networks import links
from skerry.sites.local.view import Bind

NETWORK = ipaddress.IPv4Network("198.18.0.0/16")
"""Set aside for measuring networks (RFC 2544), so nothing that a task could want to reach."""
INTERFACE = "gang0"
_BRIDGE = "gang"
_LOOPBACK_PORTS = range(20000, 30000)
"""Below those that the kernel gives out by itself."""


@dataclass(frozen=True)
class Made:
    """Descriptors of the namespaces."""

    hub: int
    spaces: tuple[int, ...]
    """By rank."""

    def close(self) -> None:
        for descriptor in (self.hub, *self.spaces):
            os.close(descriptor)


def make(tasks: int, spaces: Sequence[int]) -> Made:
    """``spaces`` are the tasks' own networks, if they have any yet; they are the caller's to close
    only if this raises ``Refused``."""
    made = list(spaces)
    hub = -1
    try:
        hub = links.new_space()
        while len(made) < tasks:
            made.append(links.new_space())
        links.make_hub(hub, _BRIDGE)
        for rank, space in enumerate(made):
            place = f"{_address(rank)}/{NETWORK.prefixlen}"
            links.attach_to_hub(hub, _BRIDGE, f"r{rank}", space, INTERFACE, place)
    except OSError as error:
        for descriptor in (*made[len(spaces) :], *([hub] if hub >= 0 else [])):
            os.close(descriptor)
        raise Refused("Network", f"the gang's network can't be made: {error}") from error
    return Made(hub, tuple(made))


def name(workload: Workload, rank: int) -> str:
    """The host name of a task."""
    return f"{workload.id[:50]}-{rank}"


def hosts(workload: Workload, directory: Path) -> Bind:
    """The ``/etc/hosts`` of a task, kept in ``directory``."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"{_address(rank)} {name(workload, rank)}" for rank in range(workload.tasks)]
    path = directory / "hosts"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o644)
    return Bind(str(path), "/etc/hosts")


def told(workload: Workload, rank: int, kind: str) -> dict[str, str]:
    """The gang's variables. ``kind`` is ``own``, ``host`` (all share the host's network, and so
    its loopback) or empty (they don't reach each other)."""
    if kind == "own":
        local = _address(rank)
        return variables(
            workload, rank, master=_address(0), local=local, port=PORT, interface=INTERFACE
        )
    if kind == "host":
        # Gangs share the loopback, so each has a port of its own, as far as that goes.
        place = zlib.crc32(workload.id.encode()) % len(_LOOPBACK_PORTS)
        here, port = "127.0.0.1", _LOOPBACK_PORTS[place]
        return variables(workload, rank, master=here, local=here, port=port, interface="lo")
    return {} if workload.tasks > 1 else variables(workload, rank, master="", local="")


def _address(rank: int) -> str:
    return str(NETWORK[rank + 1])

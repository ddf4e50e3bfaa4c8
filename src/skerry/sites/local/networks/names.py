"""Which name servers tasks ask."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

HOSTS = Path("/etc/resolv.conf")
UPSTREAM = Path("/run/systemd/resolve/resolv.conf")
"""Where systemd's resolver, which itself listens on the loopback only, says whom it asks."""


def servers(places: Sequence[Path] = (HOSTS, UPSTREAM)) -> tuple[str, ...]:
    """The host's own, as far as others can ask them: IPv4 and not on its loopback."""
    for place in places:
        found = tuple(server for server in _listed(place) if _reachable(server))
        if found:
            return found
    return ()


def text(servers: Sequence[str]) -> str:
    """As ``/etc/resolv.conf``."""
    return "".join(f"nameserver {server}\n" for server in servers)


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]


def _reachable(server: str) -> bool:
    try:
        address = ipaddress.IPv4Address(server)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)

"""Interfaces, addresses and routes, through netlink.

Blocking, and for threads: each call opens a connection to the kernel of its own. The library is
loaded at the first call, as it is large and most hosts' agents may never need it.
"""

import contextlib
import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.sites.local.spaces import inside

if TYPE_CHECKING:
    from pyroute2 import IPRoute

_CLONE_NEWNET = 0x40000000
_SIOCGIFMTU = 0x8921
_USUAL_MTU = 1500
_LOOPBACK = 1
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def _kernel(space: int | None = None) -> Iterator["IPRoute"]:
    """To this network or another one. Raises ``OSError`` for what the kernel refuses, in the
    block as well."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    with contextlib.nullcontext() if space is None else inside(space):
        kernel = IPRoute()
    try:
        with kernel:
            yield kernel
    except NetlinkError as error:
        raise OSError(error.code, os.strerror(error.code)) from error


def exists(name: str) -> bool:
    try:
        socket.if_nametoindex(name)
    except OSError:
        return False
    return True


def new_space() -> int:
    """A new network namespace, empty but for its loopback. Raises ``OSError``."""
    with open("/proc/thread-self/ns/net") as here, inside(here.fileno()):
        if _libc.unshare(_CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"no network can be made: {os.strerror(error)}")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def make_bridge(name: str, address: str, alias: str, mtu: int) -> None:
    """``address`` with the length of its prefix. Repeatable; raises ``OSError``."""
    with _kernel() as kernel:
        if not exists(name):
            kernel.link("add", ifname=name, kind="bridge")
        index = socket.if_nametoindex(name)
        _write(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1", needed=False)
        kernel.link("set", index=index, ifalias=alias, mtu=mtu, state="up")
        kernel.addr("replace", index=index, **_parts(address))


def attach(space: int, name: str, bridge: str, address: str, mtu: int) -> None:
    """Give the namespace an interface ``eth0`` with ``address``, whose other end is ``name`` at
    the bridge. Raises ``OSError``."""
    gateway = str(ipaddress.IPv4Interface(address).network[1])
    with _kernel() as kernel:
        if exists(name):  # of a task that has just ended; the kernel is about to remove it
            kernel.link("del", ifname=name)
        peer = {"ifname": "eth0", "net_ns_fd": space, "mtu": mtu}
        kernel.link("add", ifname=name, kind="veth", mtu=mtu, peer=peer)
        _join(kernel, name, bridge)
    with inside(space):
        _write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1", needed=False)
        _write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", needed=False)
    with _kernel(space) as kernel:
        [index] = kernel.link_lookup(ifname="eth0")
        kernel.link("set", index=_LOOPBACK, state="up")
        kernel.link("set", index=index, state="up")
        kernel.addr("add", index=index, **_parts(address))
        kernel.route("add", dst="default", gateway=gateway)


def make_hub(space: int, bridge: str) -> None:
    """A bridge in an empty namespace, which joins what hangs on it. Raises ``OSError``."""
    with _kernel(space) as kernel:
        kernel.link("add", ifname=bridge, kind="bridge")
        [index] = kernel.link_lookup(ifname=bridge)
        kernel.link("set", index=index, state="up")


def attach_to_hub(
    hub: int, bridge: str, name: str, space: int, interface: str, address: str
) -> None:
    """Give the namespace an ``interface`` with ``address``, whose other end is ``name`` at the
    hub's bridge. Raises ``OSError``."""
    with _kernel(hub) as kernel:
        peer = {"ifname": interface, "net_ns_fd": space}
        kernel.link("add", ifname=name, kind="veth", peer=peer)
        [index], [master] = kernel.link_lookup(ifname=name), kernel.link_lookup(ifname=bridge)
        kernel.link("set", index=index, master=master, state="up")
    with inside(space):
        _write(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6", "1", needed=False)
    with _kernel(space) as kernel:
        [index] = kernel.link_lookup(ifname=interface)
        kernel.link("set", index=_LOOPBACK, state="up")
        kernel.link("set", index=index, state="up")
        kernel.addr("add", index=index, **_parts(address))


def join(names: Sequence[str], bridge: str) -> None:
    """See that the ends of running tasks hang on a bridge that was made anew."""
    with _kernel() as kernel:
        for name in names:
            if exists(name):
                _join(kernel, name, bridge)


def _join(kernel: "IPRoute", name: str, bridge: str) -> None:
    index = socket.if_nametoindex(name)
    kernel.link("set", index=index, master=socket.if_nametoindex(bridge), state="up")
    kernel.brport("set", index=index, isolated=1)


def remove(name: str) -> None:
    if exists(name):
        with contextlib.suppress(OSError), _kernel() as kernel:
            kernel.link("del", ifname=name)


def idle(prefix: str) -> dict[str, str]:
    """Interfaces whose names begin so and on which none hangs, with their aliases."""
    with _kernel() as kernel:
        links: list[Any] = list(kernel.get_links())
    used = {link.get("master") for link in links}
    return {
        str(link.get("ifname")): str(link.get("ifalias") or "")
        for link in links
        if str(link.get("ifname")).startswith(prefix) and link.get("index") not in used
    }


def traffic() -> dict[str, tuple[int, int]]:
    """Bytes received and sent by each interface of this network, in one read."""
    found = {}
    for line in Path("/proc/thread-self/net/dev").read_text().splitlines()[2:]:
        name, _, rest = line.partition(":")
        numbers = rest.split()
        found[name.strip()] = (int(numbers[0]), int(numbers[8]))
    return found


def routes() -> list[tuple[str, ipaddress.IPv4Network]]:
    """Interface and destination of the host's IPv4 routes."""
    found = []
    for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]:
        name, destination, *_, mask = line.split()[:8]
        numbers = [int.from_bytes(bytes.fromhex(n), "little") for n in (destination, mask)]
        length = numbers[1].bit_count()
        found.append((name, ipaddress.IPv4Network((numbers[0], length))))
    return found


def mtu(names: Sequence[str]) -> int:
    """The least of these interfaces; 1500 without any."""
    found = [_USUAL_MTU]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for name in names:
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(any_socket, _SIOCGIFMTU, struct.pack("16s16x", name.encode()))
                found.append(struct.unpack("16xi12x", answer)[0])
    return min(found)


def is_router() -> bool:
    return Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"


def route_through(names: Sequence[str]) -> None:
    """Let the host pass on what comes in there. Raises ``OSError``."""
    for name in names:
        _write(f"/proc/sys/net/ipv4/conf/{name}/forwarding", "1")


def _write(path: str, text: str, *, needed: bool = True) -> None:
    try:
        Path(path).write_text(text)
    except OSError:
        if needed:
            raise


def _parts(address: str) -> dict[str, Any]:
    interface = ipaddress.IPv4Interface(address)
    return {"address": str(interface.ip), "prefixlen": interface.network.prefixlen}

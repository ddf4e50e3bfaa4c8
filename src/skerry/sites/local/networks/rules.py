"""The nftables table of one agent: what its tasks may reach."""

import subprocess
from dataclasses import dataclass

from skerry.sites.contract import Refused
from skerry.sites.local.engines.base import Unusable, find

PREFIX = "skerry"
"""All bridges of agents begin so."""
CLOSED = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
"""What the registry of special addresses (RFC 6890) calls not globally reachable."""
_SECONDS = 30


@dataclass(frozen=True)
class Rules:
    """What a table is made from; equal ones make equal tables."""

    bridge: str
    pool: str
    servers: tuple[str, ...]
    """Name servers, which may be anywhere, the host included."""
    open: tuple[str, ...]
    """Networks that tasks may reach although they are closed."""
    uplinks: tuple[str, ...]
    """Interfaces to the outside."""
    guard: bool
    """The host was no router, so it passes nothing on from its uplinks but for our tasks."""

    @property
    def text(self) -> str:
        """For ``nft -f``: replaces the whole table in one step."""
        to_servers = (
            f"ip daddr {{ {', '.join(self.servers)} }} meta l4proto {{ tcp, udp }} "
            "th dport 53 accept"
            if self.servers
            else ""
        )
        opened = f"ip daddr {{ {', '.join(self.open)} }} accept" if self.open else ""
        uplinks = ", ".join(f'"{name}"' for name in self.uplinks)
        guard = f'iifname {{ {uplinks} }} oifname != "{PREFIX}*" drop' if self.guard else ""
        refuse = "reject with icmpx type admin-prohibited"
        return f"""
table inet {self.bridge} {{}}
delete table inet {self.bridge}
table inet {self.bridge} {{
  chain outward {{
    meta nfproto ipv6 drop
    ip saddr != {self.pool} drop
    {to_servers}
    oifname "{PREFIX}*" {refuse}
    {opened}
    ip daddr {{ {", ".join(CLOSED)} }} {refuse}
    accept
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{self.bridge}" jump outward
    oifname "{self.bridge}" ct state established,related accept
    oifname "{self.bridge}" drop
    {guard}
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname != "{self.bridge}" accept
    ct state established,related accept
    {to_servers}
    {refuse}
  }}
  chain nat {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {self.pool} oifname != "{PREFIX}*" masquerade
  }}
}}
"""


def apply(rules: Rules) -> None:
    """Put the table in place. Refused if the host can't do that."""
    done = _nft("-f", "-", text=rules.text)
    if done.returncode != 0:
        raise Refused("Network", f"nftables took no rules: {done.stderr.strip()[:500]}")


def there(bridge: str) -> bool:
    """Whether the table is in place: a firewall that is loaded anew removes all tables."""
    return _nft("list", "chain", "inet", bridge, "outward").returncode == 0


def remove(bridge: str) -> None:
    _nft("delete", "table", "inet", bridge)


def program() -> str:
    """The path of ``nft``. Refused if it is not installed."""
    try:
        return find("nft")
    except Unusable as error:
        raise Refused(
            "Network",
            "tasks get networks by nftables, which is not installed: install the package nftables",
        ) from error


def _nft(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program(), *arguments],
        input=text, capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip

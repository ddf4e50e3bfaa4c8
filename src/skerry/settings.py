"""Settings of a server: what ``skerry up`` and ``skerry serve`` are told, with sound defaults."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from skerry.gateway.settings import GatewaySettings
from skerry.notices.settings import NoticeSettings
from skerry.series.retention import Retention

DEFAULT_LISTEN = "127.0.0.1:8420"
ALL_ROLES = frozenset(("api", "worker", "gateway"))


def default_data() -> Path:
    """``/var/lib/skerry`` for root, the XDG data directory for anyone else."""
    if os.geteuid() == 0:
        return Path("/var/lib/skerry")
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "skerry"


@dataclass(frozen=True)
class Settings:
    """``listen`` is HOST:PORT (port 0 takes a free one)."""

    data: Path = field(default_factory=default_data)
    listen: str = DEFAULT_LISTEN
    database_url: str = ""
    """Empty: an embedded Postgres in the data directory."""
    token_file: Path | None = None
    """Where an operator token is written (mode 0600) for scripts."""
    operator: str = "skerry"
    """The operator's name, as the log's origin and in offers."""
    region: str = "home"
    zone: str = "home-1"
    jurisdiction: str = ""
    """ISO 3166-1 alpha-2 code of where this machine stands. Empty is unknown, and residency
    policies refuse the unknown."""
    prices: Path | None = None
    """An operator's own price list; None: the one shipped."""
    seca_errors: str = "spec"
    agent: bool = True
    """Whether this machine itself is offered as a site."""
    gateway: GatewaySettings | None = None
    """None: routes are kept, and reached by nobody."""
    tls_cert: Path | None = None
    """A certificate chain in PEM with which the API speaks TLS."""
    tls_key: Path | None = None
    tls_ca: bool = False
    """Whether an authority of the cloud's own vouches for the API."""
    tls_names: tuple[str, ...] = ()
    """By which names and addresses clients reach it then; empty: the address itself."""
    agents: str = ""
    """HOST:PORT where hosts that join reach us; empty: none may."""
    agents_name: tuple[str, ...] = ()
    """The names and addresses by which they do; empty: the address itself."""
    retention: Retention = field(default_factory=Retention)
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    fsync: bool = True
    roles: frozenset[str] = ALL_ROLES
    node: str = ""
    """The node's name, which is its own among those that share ``data``; empty: ``up``, alone."""
    public_url: str = ""
    """Where clients reach the API, in front of all nodes; empty: where this one listens."""
    relay: str = ""
    """HOST:PORT where other nodes reach this one; empty: they don't."""
    connections: int = 12
    """To Postgres, at most; two more are for listening and for being elected."""

    @property
    def own(self) -> Path:
        """What is this node's alone; keys, blobs and the log are in ``data`` for all."""
        return self.data / "nodes" / self.node if self.node else self.data

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def tls(self) -> bool:
        return self.tls_cert is not None or self.tls_ca

    @property
    def loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

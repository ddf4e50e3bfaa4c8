"""Settings of a gateway: where it listens, and how it vouches for its names."""

from dataclasses import dataclass
from pathlib import Path

BASE = "apps.localhost"


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """``listen`` and ``http`` are HOST:PORT (port 0 takes a free one)."""

    listen: str = "127.0.0.1:8421"
    base: str = BASE
    """Automatic names are below this; its names, whatever they are, must lead here."""
    port: int = 0
    """The port in URLs; 0: the one it listens on."""
    http: str = ""
    """With TLS: where plain HTTP is taken, to be sent to HTTPS and for ACME's questions."""
    cert: Path | None = None
    """A certificate chain in PEM, for the names that stand in it."""
    key: Path | None = None
    """The certificate's key in PEM."""
    authority: bool = False
    """An authority of the cloud's own vouches for every name of a route."""
    acme: str = ""
    """The URL of an ACME directory, which vouches for names that no certificate file does."""
    acme_email: str = ""
    acme_ca: Path | None = None
    """Whom to trust as the directory itself; None: the public authorities."""
    tcp: tuple[int, int] = (0, -1)
    """The first and the last port for TCP routes; none by default."""
    reserved: tuple[str, ...] = ()
    """Names that no route may have, beside the API's."""

    @property
    def tls(self) -> bool:
        return self.cert is not None or self.authority or bool(self.acme)

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def host(self) -> str:
        return _split(self.listen)[0]


def address(text: str) -> tuple[str, int]:
    """HOST:PORT as a pair."""
    return _split(text)


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)

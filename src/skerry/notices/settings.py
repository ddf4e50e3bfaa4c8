"""Settings of being told: the mail server, who runs the cloud, where webhooks may lead."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """How mails leave. ``tls``: ``starttls``, ``implicit`` from the first byte, or ``none``."""

    host: str
    port: int
    sender: str
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password_file: Path | None = None
    ca: Path | None = None
    """Whom to trust as the server; None: the public authorities."""


@dataclass(frozen=True, kw_only=True)
class NoticeSettings:
    mail: MailSettings | None = None
    operator_email: str = ""
    """Who is told what concerns the cloud, beside the users of the tenant ``operator``."""
    allowed: tuple[Network, ...] = ()
    """Ranges that no webhook may lead to otherwise: private ones, loopback."""
    plain_http: bool = False
    """Whether webhooks may do without TLS."""
    hourly: int = 20
    """More mails than so many in an hour, of one tenant, are told together in one."""


FOLDED = timedelta(hours=1)
"""How long the first of them waits for the others."""
GIVE_UP = timedelta(days=3)
"""For how long a notice is tried; a webhook that fails for as long is disabled."""

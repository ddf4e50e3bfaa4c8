"""What the proxy asks of the rest of the gateway, and what it tells.

The proxy moves bytes. Who may come in, what happens while nothing answers and what is counted is
the gate's.
"""

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from skerry.gateway.table import Backend, Route

Dial = Callable[[Backend], Awaitable[socket.socket]]
"""A connected, non-blocking socket to a backend. Raises OSError or ``SiteUnreachable``."""


@dataclass(slots=True)
class Head:
    """A request without its body, to be read only. Header names are in lower case."""

    method: str
    target: str
    """Path and query, as sent."""
    host: str
    """The Host header (or ``:authority``), as sent."""
    headers: Sequence[tuple[bytes, bytes]]
    client: str
    """The address it came from, without the port."""
    secure: bool
    """It came over TLS."""
    upgrade: bytes = b""
    """The protocol it would change to, such as ``websocket``."""

    def get(self, name: bytes) -> bytes:
        """The first value of a header; empty where there is none."""
        for key, value in self.headers:
            if key == name:
                return value
        return b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the gateway's own. Length and date are added by the proxy."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Entry:
    """One finished request, or one finished connection of a TCP route (method ``TCP``)."""

    route: Route
    client: str
    method: str
    path: str
    status: int
    """What was sent; 0: the client left before there was an answer."""
    received: int
    """Bytes of the request's body, or of all that the client sent over an upgraded connection."""
    sent: int
    """Bytes of the answer's body, likewise."""
    seconds: float
    backend: str
    """The workload that answered; empty where none was asked."""


class Gate(Protocol):
    """What the proxy calls. All in the loop of the proxy."""

    def check(self, route: Route, head: Head) -> Answer | Awaitable[Answer | None] | None:
        """Before anything else is done with a request to a known host. None: let it through. An
        answer: send it. An awaitable gives one of the two."""

    async def wait(self, route: Route, head: Head | None) -> Route | Answer:
        """The route has no backend: wait for one. The route as it is then, or an answer to send.
        Without a head it is a TCP connection: an answer means to close it."""

    def entry(self, entry: Entry) -> None:
        """A request is finished. Cheap, never raises."""

    def strip(
        self, route: Route, headers: Sequence[tuple[bytes, bytes]]
    ) -> Sequence[tuple[bytes, bytes]]:
        """The headers that the backend may see: without what lets people in here, and with the
        route's key. Called for routes with ``login`` only."""

"""Channels: two-way streams into what a resource runs, such as a shell or a port.

``GET …/{name}/{channel}``, upgraded to a websocket; what is wanted comes in its first message, so
that it stands in no address. A channel is declared with its kind, as actions are; opening one is an
act (``post.{channel}`` for roles, a change for the log), for through it anything may be changed.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from skerry.kernel.views import Asked


class Duplex(Protocol):
    """What a channel opens: a stream each way, and an end."""

    async def read(self, limit: int = 65536) -> bytes:
        """Some bytes of either output, or ``b""`` at the end."""

    async def take(self, limit: int = 65536) -> tuple[Literal["stdout", "stderr"], bytes]:
        """The same, and which output they are of; what has only one has ``stdout``."""

    async def write(self, data: bytes) -> None:
        """Raises ``ConnectionError`` if nobody reads it any more."""

    async def close_write(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def close(self) -> None: ...

    async def wait(self) -> int:
        """The exit code, where something exits; else 0."""


@dataclass(frozen=True)
class Channel:
    name: str
    summary: str
    spec: type[msgspec.Struct]
    """The first message."""
    open: Callable[[Asked, Any], Awaitable[Duplex]]
    """Takes the first message too. Raises a ``Problem`` where it can't be opened."""
    told: Callable[[Any], Mapping[str, Any]]
    """What of the first message is recorded. It must hold no secret."""

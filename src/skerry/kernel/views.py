"""Views: what can be read of a resource beside its document, such as a log or a receipt.

``GET …/{name}/{view}``. A view is declared with its kind and answers with JSON, bytes, or a stream;
it may reach outside through the services of the process.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skerry.kernel.errors import InvalidRequest, Source
from skerry.kernel.flows import Services
from skerry.kernel.hooks import Caller
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.store import Database


@dataclass(frozen=True)
class Stream:
    """A body that is sent as it comes."""

    media: str
    chunks: AsyncIterator[bytes]
    filename: str = ""


@dataclass(frozen=True)
class Asked:
    """What a view is given."""

    db: Database
    resources: Resources
    services: Services
    resource: Resource
    by: Caller
    rest: str = ""
    """The path behind the view's name."""
    query: Mapping[str, str] = field(default_factory=dict)

    def integer(self, name: str, default: int, most: int = 2**53) -> int:
        """A query parameter from 0 to ``most``."""
        text = self.query.get(name, str(default))
        if not text.isdecimal() or int(text) > most:
            raise InvalidRequest(
                f"{name}={text[:40]!r} is not a number from 0 to {most}",
                sources=[Source(parameter=name)],
            )
        return int(text)

    def flag(self, name: str) -> bool:
        """A query parameter that is ``true``, ``false`` or absent."""
        return boolean(name, self.query.get(name, "false"))


def boolean(name: str, text: str) -> bool:
    """A query parameter's value. Raises ``InvalidRequest``."""
    if text.lower() not in ("true", "false", "1", "0"):
        raise InvalidRequest(
            f"{name}={text[:40]!r} is neither true nor false", sources=[Source(parameter=name)]
        )
    return text.lower() in ("true", "1")


Answer = Mapping[str, Any] | bytes | Stream


@dataclass(frozen=True)
class View:
    name: str
    summary: str
    answer: Callable[[Asked], Awaitable[Answer]]
    media: str = "application/json"
    query: Mapping[str, str] = field(default_factory=dict)
    """Query parameters and what they mean, for OpenAPI."""
    deep: bool = False
    """Whether a path may follow its name (``files/0/out.txt``)."""
    inside: bool = False
    """Whether it shows what the tenant's own programs wrote: a look of somebody of another tenant
    is told in the tenant's history."""

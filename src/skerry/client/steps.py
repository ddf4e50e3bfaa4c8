"""Operations without input or output.

Everything the client can do is written once, as a generator that yields *steps* and receives their
results: send this request, sleep, open this stream, read a line of it. ``Client`` takes the steps
with blocking calls and ``AsyncClient`` with awaits; nothing else differs between them, and the
logic (retries, paging, resuming a cut watch) is tested without a network.
"""

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from skerry.client.errors import ServerError, TooManyRequests, Unreachable, problem

T = TypeVar("T")

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
SILENCE_SECONDS = 45.0
"""Streams send something every 15 s; after three times that, the line is dead."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    file: Path | None = None
    """Sent as the body, read afresh at each try."""
    sink: Callable[[bytes], object] | None = None
    """Takes the body of a 2xx answer piece by piece; the response's own is then empty."""
    repeatable: bool = True
    """Whether sending it twice does no more than sending it once."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class Clock:
    """Asks for a monotonic time in seconds."""


@dataclass(frozen=True)
class Open:
    """Open a stream of lines; the result is a handle, or the ``Response`` if it is an error."""

    request: Request


@dataclass(frozen=True)
class Line:
    """The next line of a stream, without its end; None where the stream ends."""

    stream: Any


@dataclass(frozen=True)
class Close:
    stream: Any


@dataclass(frozen=True)
class Emit:
    """Hand an item to whoever iterates."""

    item: Any


@dataclass(frozen=True)
class Work:
    """A slow local call, such as hashing a file; on a thread where the client is asynchronous."""

    call: Callable[[], Any]


@dataclass(frozen=True)
class Together:
    """Operations that may run side by side; the result is the list of theirs."""

    operations: "Sequence[Op[Any]]"
    at_once: int = 8


Step = Request | Sleep | Clock | Open | Line | Close | Emit | Work | Together
Op = Generator[Step, Any, T]


@dataclass(frozen=True)
class Policy:
    """How often to try again. Pauses double from ``first`` seconds up to ``longest``."""

    retries: int = 5
    first: float = 0.25
    longest: float = 8.0
    await_start: bool = True
    """Whether to try again where no cloud has answered yet. People at a terminal would rather be
    told at once."""

    def gives_up(self, fault: Unreachable, tried: int) -> bool:
        """Whether this lost connection is the last."""
        return tried >= self.retries or not (fault.known or fault.sent or self.await_start)

    def pause(self, tried: int, asked: str = "") -> float:
        """Seconds before try ``tried + 1``: what the cloud asks for, else a random part of the
        doubled pause, so that many clients do not come back at once."""
        if asked.isdigit():
            return min(float(asked), 60.0)
        full = min(self.first * 2.0**tried, self.longest)
        return full * random.uniform(0.5, 1.0)  # noqa: S311  (not a secret)


def send(request: Request, policy: Policy) -> Op[Response]:
    """Send a request, again where that is harmless. Raises the problem that the cloud answers.

    A refused connection, 429 and 503 say that nothing was done, so any request is repeated; other
    5xx and a connection lost half-way leave it open, so only repeatable ones are.
    """
    tried, unsure = 0, False
    while True:
        try:
            response: Response = yield request
        except Unreachable as fault:
            unsure = unsure or fault.sent
            if policy.gives_up(fault, tried) or (fault.sent and not request.repeatable):
                raise
            asked = ""
        else:
            if response.status < 400:
                return response
            if unsure and request.method == "DELETE" and response.status == 404:
                return Response(202, response.headers, b"")
            fault_of = problem(
                response.status, response.body, response.headers.get("x-request-id", "")
            )
            undone = response.status in (429, 503)
            temporary = isinstance(fault_of, (ServerError, TooManyRequests))
            if not temporary or tried >= policy.retries or not (undone or request.repeatable):
                raise fault_of
            asked = response.headers.get("retry-after", "")
        yield Sleep(policy.pause(tried, asked))
        tried += 1

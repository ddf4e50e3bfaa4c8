"""HTTP/1.1 at the API's own listener, with limits on what a stranger can make it hold.

llhttp refuses what two parsers could read in two ways (a length beside chunks, two lengths, bare
line feeds, folded headers); uvicorn adds flow control. What neither bounds is bounded here: how
long a request's head may take, how large it may be, and how many connections there are. Bodies are
bounded where they are read (``requests``).
"""

import asyncio
import resource
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from skerry.kernel.errors import TYPE_BASE

_log = structlog.get_logger("api")
HEAD_SECONDS = 10.0
"""From a connection's start, or a request's first byte, until its head has come."""
MOST_HEAD = 64 << 10
MOST_HEADERS = 128
RESERVED = 512
"""Open files that are kept for everything but connections to the API."""
_ENOUGH = 65_536


def room_for_connections() -> int:
    """Raise this process' limit of open files as far as it may; how many connections then fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(64, (_ENOUGH if soft == resource.RLIM_INFINITY else soft) - RESERVED)


class Protocol(HttpToolsProtocol):
    """One connection."""

    most_connections = _ENOUGH
    head_seconds = HEAD_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._complete = False
        self._fed = 0
        self._hurry: asyncio.TimerHandle | None = None
        if len(self.connections) > self.most_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many connections")
            return
        self._hurry = self.loop.call_later(self.head_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._complete:
            self._fed += len(data)
        super().data_received(data)
        if self._complete or self.transport.is_closing():
            return
        if self._fed > MOST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")
        elif self._fed and self._hurry is None:
            self._hurry = self.loop.call_later(self.head_seconds, self._too_slow)

    def on_headers_complete(self) -> None:
        self._complete = True
        self._fed = 0
        self._in_time()
        if len(self.headers) > MOST_HEADERS:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "there are too many headers")
            raise ValueError("too many headers")
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise ValueError("neither HTTP/1.1 nor HTTP/1.0")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._complete = False
        self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._complete and self.cycle.response_complete and self._hurry is None:
            # Answered before the body was read: what is left of it has so long to come.
            self._hurry = self.loop.call_later(self.head_seconds, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1 as RFC 9112 has it")

    def _in_time(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def _too_slow(self) -> None:
        self._hurry = None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the head of the request took too long")

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer, unless another answer is under way, and close."""
        self._in_time()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            problem: dict[str, Any] = {
                "type": TYPE_BASE + status.phrase.lower().replace(" ", "-"),
                "title": status.phrase,
                "status": status.value,
                "detail": detail,
                "sources": [],
            }
            text = msgspec.json.encode(problem)
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\n"
                f"content-type: application/problem+json\r\ncontent-length: {len(text)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + text)
        self.transport.close()
        _log.info("refused", status=status.value, detail=detail, client=str(self.client))


def web_config(
    app: Any, host: str, port: int, tls: Callable[[], ssl.SSLContext] | None = None
) -> uvicorn.Config:
    """uvicorn as the API runs in it."""
    Protocol.most_connections = room_for_connections()
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Protocol,
        access_log=False,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=3,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=1 << 20,
        ssl_context_factory=(lambda *_: tls()) if tls is not None else None,
    )

"""A client's connection, HTTP/1.

One request at a time: what a client sends ahead waits in a small buffer, and then in the kernel's,
until the answer before it is complete. So answers cannot be mixed up, and pipelining needs nothing
else. A connection whose first bytes are HTTP/2's preface is handed to ``http2``.
"""

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, cast

from skerry.gateway.proxy.body import Chunked, Fixed, chunk, last_chunk
from skerry.gateway.proxy.errors import Refusal
from skerry.gateway.proxy.exchange import Exchange
from skerry.gateway.proxy.forward import refused, response_head, whence
from skerry.gateway.proxy.head import (
    CHUNKED,
    Field,
    Request,
    Response,
    incomplete,
    request_of,
)

if TYPE_CHECKING:
    from skerry.gateway.proxy.proxy import Proxy

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_LINE_END = b"\r\n\r\n"
_NEVER = float("inf")


class State(Enum):
    """What the next bytes are."""

    HEAD = 1
    """A request's head, or the rest of it."""
    BODY = 2
    """The body of the request under way."""
    AHEAD = 3
    """Requests that have to wait."""
    RAW = 4
    """Another protocol."""
    WASTE = 5
    """Of a request that was answered already; nothing follows on this connection."""


class Http1(asyncio.Protocol):
    __slots__ = (
        "_body", "_chunked", "_client", "_deadline", "_exchange", "_held", "_holding",
        "_keep_alive", "_origin", "_proxy", "_secure", "_stalled", "_state", "_transport",
    )  # fmt: skip

    def __init__(self, proxy: "Proxy") -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport
        self._state = State.HEAD
        self._exchange: Exchange | None = None
        self._body: Fixed | Chunked | None = None
        self._held = bytearray()
        """Read, but not its turn yet, or not complete."""
        self._holding = False
        """The exchange takes nothing for now."""
        self._keep_alive = True
        self._chunked = False
        """The answer under way is written in chunks."""
        self._deadline = 0.0
        self._stalled = _NEVER
        """When a client that does not read is given up."""
        self._client = ""
        self._secure = False
        self._origin = b""

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        tls = transport.get_extra_info("ssl_object")
        self._client = peer[0] if peer else ""
        self._secure = tls is not None
        self._origin = whence(self._client, self._secure)
        self._deadline = self._proxy.time() + self._proxy.settings.head
        if not self._proxy.joined(self):
            self._transport.abort()
        elif tls is not None and tls.selected_alpn_protocol() == "h2":
            self._proxy.speak_http2(self, self._transport, b"")

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.left(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.gone()

    def eof_received(self) -> bool:
        exchange = self._exchange
        if exchange is not None and self._state is State.RAW:
            exchange.raw_end()
            return True
        return False

    def data_received(self, data: bytes) -> None:
        state = self._state
        if state is State.HEAD:
            self._heads(data)
        elif state is State.BODY:
            self._more(data, 0)
        elif state is State.RAW:
            assert self._exchange is not None
            self._exchange.raw(data)
        elif state is State.AHEAD:
            self._held += data
            if len(self._held) > self._proxy.settings.pipelined:
                self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._stalled = self._proxy.time() + self._proxy.settings.stalled
        if self._exchange is not None:
            self._exchange.client_full()

    def resume_writing(self) -> None:
        self._stalled = _NEVER
        if self._exchange is not None:
            self._exchange.client_drained()

    def tick(self, now: float) -> None:
        """Look at the deadlines."""
        exchange = self._exchange
        if now > self._stalled:
            self._transport.abort()
        elif self._state is State.HEAD:
            if now > self._deadline:
                self._late_head()
        elif self._uploading() and now > self._deadline:
            if exchange is not None:
                exchange.refuse(408, "The request's body stopped coming.")
        elif exchange is not None and now > exchange.deadline:
            exchange.late()
        elif self._state is State.WASTE and now > self._deadline:
            self._transport.abort()

    def _uploading(self) -> bool:
        """It is the client's turn; once there is an answer, either side may take its time."""
        waits = self._state is State.BODY and not self._holding
        return waits and self._exchange is not None and not self._exchange.answering

    def _late_head(self) -> None:
        if self._held:
            self._reject(Refusal(408, "The request's head did not come in time."))
        else:
            self._transport.close()

    def retire(self) -> None:
        """The gateway stops: take no further request."""
        self._keep_alive = False
        if self._exchange is None and self._state is State.HEAD and not self._held:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # Requests

    def _heads(self, data: bytes) -> None:
        """Read a head, and begin what it asks for."""
        proxy = self._proxy
        start = 0
        if self._held:
            start = len(self._held)
            self._held += data
            if self._held.find(_LINE_END, max(0, start - 3)) < 0:
                self._partial(start)
                return
            data = bytes(self._held)
            self._held.clear()
        at = 0
        while data.startswith(b"\r\n", at):
            at += 2
        end = data.find(_LINE_END, at)
        if end < 0:
            if at < len(data):
                self._held += data[at:]
                self._partial(0)
        elif data.startswith(_PREFACE, at):
            proxy.speak_http2(self, self._transport, data[at:])
        else:
            try:
                if end - at > proxy.settings.head_size:
                    incomplete(data, len(data), proxy.settings.head_size)
                head = data[at:] if at else data
                request = request_of(head, end + 2 - at, self._client, self._secure, proxy.settings)
            except Refusal as refusal:
                self._reject(refusal)
            else:
                self._begin(request, data, end + 4)

    def _partial(self, start: int) -> None:
        if self._exchange is None and start == 0:
            self._deadline = self._proxy.time() + self._proxy.settings.head
        if self._held.startswith(_PREFACE[: len(self._held)]):
            return
        try:
            incomplete(self._held, start, self._proxy.settings.head_size)
        except Refusal as refusal:
            self._reject(refusal)

    def _begin(self, request: Request, data: bytes, at: int) -> None:
        """A head is understood; what follows it in ``data`` begins at ``at``."""
        if not request.keep_alive or self._proxy.retired:
            self._keep_alive = False
        exchange = Exchange(self._proxy, self, request, self._origin)
        self._exchange = exchange
        length = request.length
        if length == 0:
            self._state = State.AHEAD
            if at < len(data):
                self._held += data[at:]
            exchange.start()
        else:
            self._state = State.BODY
            self._holding = False
            self._body = Chunked() if length == CHUNKED else Fixed(length)
            self._deadline = self._proxy.time() + self._proxy.settings.upload
            exchange.start()
            if at < len(data):
                self._more(data, at)

    def _more(self, data: bytes, at: int) -> None:
        """A piece of the body of the request under way."""
        body, exchange = self._body, self._exchange
        if body is None or exchange is None:
            return
        try:
            piece, end = body.feed(data, at)
        except Refusal as refusal:
            exchange.refuse(refusal.status, refusal.detail)
            return
        self._deadline = self._proxy.time() + self._proxy.settings.upload
        if body.done:
            self._body = None
            self._state = State.AHEAD
            if end < len(data):
                self._held += data[end:]
        if piece:
            exchange.body(piece)
        if body.done:
            if self._holding:
                self.release()
            exchange.body_end(body.trailers)

    def _reject(self, refusal: Refusal) -> None:
        """Answer what is no request. Where the next one would begin is unknown: close."""
        response, body = refused(refusal)
        self._held.clear()
        self._transport.write(response_head(response, b"connection: close\r\n") + body)
        self._waste()

    def _waste(self) -> None:
        """Nothing more is taken from this connection. What still comes is read for a while, since
        closing on unread bytes would reset the connection and could swallow the answer."""
        self._state = State.WASTE
        self._held.clear()
        self._deadline = self._proxy.time() + self._proxy.settings.linger
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    # The answer

    def interim(self, response: Response) -> None:
        self._transport.write(response_head(response))

    def head(self, response: Response, first: bytes, *, body: bool) -> None:
        more = b""
        request = self._exchange.request if self._exchange is not None else None
        self._chunked = False
        if body and response.length < 0:
            if request is not None and request.version == 10:
                self._keep_alive = False
            else:
                self._chunked = True
                more = b"transfer-encoding: chunked\r\n"
        if self._proxy.retired or self._state is State.BODY:
            self._keep_alive = False
        if not self._keep_alive:
            more += b"connection: close\r\n"
        elif request is not None and request.version == 10:
            more += b"connection: keep-alive\r\n"
        if first and self._chunked:
            first = chunk(first)
        self._transport.write(response_head(response, more) + first)

    def data(self, data: bytes) -> None:
        self._transport.write(chunk(data) if self._chunked else data)

    def end(self, trailers: list[Field]) -> None:
        self._exchange = None
        if self._chunked:
            self._transport.write(last_chunk(trailers))
            self._chunked = False
        if self._state is State.RAW:
            self._transport.close()
        elif self._state is State.BODY:
            self._body = None
            self._waste()
        elif not self._keep_alive:
            self._waste() if self._held else self._transport.close()
        else:
            self._state = State.HEAD
            self._deadline = self._proxy.time() + self._proxy.settings.keep_alive
            if self._held:
                # Not from in here: a long row of answered requests would be a tower of calls.
                self._proxy.soon(self._next)

    def _next(self) -> None:
        """Go on with what was read ahead."""
        if self._state is State.HEAD and self._held and not self._transport.is_closing():
            data = bytes(self._held)
            self._held.clear()
            self._transport.resume_reading()
            self._heads(data)

    def cut(self) -> None:
        self._exchange = None
        self._transport.abort()

    def changed(self, response: Response) -> None:
        line = b"connection: upgrade\r\nupgrade: " + response.upgrade + b"\r\n"
        self._transport.write(response_head(response, line))
        self._state = State.RAW
        self._keep_alive = False
        if self._held and self._exchange is not None:
            held = bytes(self._held)
            self._held.clear()
            self._transport.resume_reading()
            self._exchange.raw(held)

    # The exchange

    def hold(self) -> None:
        self._holding = True
        self._transport.pause_reading()

    def release(self) -> None:
        self._holding = False
        self._deadline = self._proxy.time() + self._proxy.settings.upload
        self._transport.resume_reading()

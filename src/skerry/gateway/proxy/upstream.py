"""A connection to a backend, HTTP/1.1, one request at a time.

It tells the exchange that holds it what comes back, and goes to the pool when request and answer
are both over and nothing hints at a misunderstanding; else it is closed.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from skerry.gateway.proxy.body import Chunked, Fixed, Reader, UntilClose
from skerry.gateway.proxy.errors import Refusal
from skerry.gateway.proxy.forward import has_body
from skerry.gateway.proxy.head import CHUNKED, UNTIL_CLOSE, Response, response_of
from skerry.gateway.proxy.settings import Settings
from skerry.gateway.table import Backend

if TYPE_CHECKING:
    from skerry.gateway.proxy.exchange import Exchange
    from skerry.gateway.proxy.pool import Pool

_LINE_END = b"\r\n\r\n"
_INTERIM = 20
"""Interim answers to one request; more are a fault of the backend."""


class Upstream(asyncio.Protocol):
    __slots__ = (
        "_body", "_closed", "_early", "_early_end", "_exchange", "_held", "_interim", "_pool",
        "_raw", "_settings", "_sock", "_spent", "_transport", "answered", "backend", "reused",
        "since",
    )  # fmt: skip

    def __init__(
        self, backend: Backend, sock: socket.socket, pool: "Pool", settings: Settings
    ) -> None:
        self.backend = backend
        self.since = 0.0
        """Since when it waits."""
        self.reused = False
        """It has served a request before, so its loss says nothing of the backend."""
        self.answered = False
        """Something came back for this request."""
        self._pool = pool
        self._settings = settings
        self._sock = sock
        self._transport: asyncio.Transport
        self._exchange: Exchange | None = None
        self._body: Reader | None = None
        self._held = b""
        self._interim = 0
        self._raw = False
        """Changed to another protocol: whatever comes is passed on as it is."""
        self._spent = False
        """It serves no further request."""
        self._closed = False
        self._early: bytes | None = b""
        """What came before the first request; None: there has been one."""
        self._early_end = False

    # What the exchange and the pool ask

    def begin(self, exchange: "Exchange", data: bytes) -> None:
        """Take a request on. ``data``: its head, and what there is of its body."""
        self._exchange = exchange
        self.answered = False
        self._interim = 0
        if data:
            self._transport.write(data)
        early, self._early = self._early, None
        if early:
            self.data_received(early)
        if self._early_end and self._exchange is exchange and not self.eof_received():
            self._transport.close()

    def stillborn(self) -> bool:
        """Whether it was closed before it was of any use."""
        return self._closed or (self._early_end and not self._early)

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def finish(self) -> None:
        """The client's side of a raw connection says nothing more."""
        if not self._closed and self._transport.can_write_eof():
            self._transport.write_eof()

    def hold(self) -> None:
        """Read nothing for now: the client does not keep up."""
        if not self._closed:
            self._transport.pause_reading()

    def release(self) -> None:
        if not self._closed:
            self._transport.resume_reading()

    def become_raw(self) -> None:
        """What comes from now on is no HTTP."""
        self._raw = self._spent = True

    def ended(self) -> bool:
        """Whether the backend has closed it, or said something unasked, and we have not heard."""
        try:
            self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Give it up: whatever is under way on it is over."""
        self._exchange = None
        if not self._closed:
            self._closed = True
            self._transport.abort()

    def part(self, *, clean: bool, now: float) -> None:
        """The exchange is over. ``clean``: the request was sent to its end."""
        if clean and self.answered and self._body is None and not (self._closed or self._spent):
            self._exchange = None
            self.reused = True
            self._pool.give(self, now)
        else:
            self.close()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if self._early is not None:
            # Some protocols let the server speak first; it may do so before we are told.
            self._early += data
        elif exchange is None:
            # Nobody asked: whatever it is, it must not become the next request's answer.
            self._pool.lost(self)
            self.close()
        elif self._raw:
            exchange.answer_data(data)
        else:
            try:
                if self._body is None:
                    self._head(exchange, data)
                else:
                    self._rest(exchange, self._body, data, 0)
            except Refusal as refusal:
                self.close()
                exchange.upstream_broke(refusal.detail)

    def pause_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.upstream_full()

    def resume_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.upstream_drained()

    def eof_received(self) -> bool:
        if self._early is not None:
            self._early_end = True
            return True
        if self._raw and self._exchange is not None:
            self._exchange.answer_end([])
            return True
        return False

    def connection_lost(self, error: Exception | None) -> None:
        exchange, self._exchange = self._exchange, None
        self._closed = True
        if exchange is None:
            self._pool.lost(self)
        elif isinstance(self._body, UntilClose) and error is None:
            self._body = None
            exchange.answer_end([])
        else:
            exchange.upstream_lost(self)

    # The answer

    def _head(self, exchange: "Exchange", data: bytes) -> None:
        if self._held:
            data = self._held + data
            self._held = b""
        at = 0
        while True:
            end = data.find(_LINE_END, at)
            if end < 0:
                self._held = data[at:] if at else data
                if len(self._held) > self._settings.head_size:
                    raise Refusal(502, "The head of the answer is too long.")
                return
            response = response_of(data[at:] if at else data, end + 2 - at)
            at = end + 4
            self.answered = True
            if response.status >= 200 or response.status == 101:
                break
            self._interim += 1
            if self._interim > _INTERIM:
                raise Refusal(502, "The answer does not come to the point.")
            exchange.interim(response)
        if response.status == 101:
            self._change(exchange, response, data[at:])
        else:
            self._answer(exchange, response, data, at)

    def _change(self, exchange: "Exchange", response: Response, rest: bytes) -> None:
        if not exchange.request.upgrade:
            raise Refusal(502, "The backend changed to a protocol that nobody asked for.")
        self.become_raw()
        exchange.changed(response)
        if rest and self._exchange is exchange:
            exchange.answer_data(rest)

    def _answer(self, exchange: "Exchange", response: Response, data: bytes, at: int) -> None:
        length = response.length
        body: Reader
        if not has_body(exchange.request, response):
            body = Fixed(0)
        elif length == CHUNKED:
            body = Chunked()
        elif length == UNTIL_CLOSE:
            body = UntilClose()
        else:
            body = Fixed(length)
        self._spent = not response.keep_alive
        if body.done:
            piece, end = b"", at
        else:
            piece, end = body.feed(data, at)
        if not body.done:
            self._body = body
            exchange.answered(response, piece)
            return
        if end != len(data):
            # More than was asked for: the answer stands, the connection is not to be trusted.
            self._spent = True
        exchange.answered(response, piece)
        if self._exchange is exchange:
            exchange.answer_end(body.trailers)

    def _rest(self, exchange: "Exchange", body: Reader, data: bytes, at: int) -> None:
        piece, end = body.feed(data, at)
        if body.done:
            self._body = None
            self._spent = self._spent or end != len(data)
        if piece:
            exchange.answer_data(piece)
        if body.done and self._exchange is exchange:
            exchange.answer_end(body.trailers)

"""TCP by port: for what is not HTTP, bytes go through as they are.

A connection is an exchange whose request has no head. So choosing a backend, waiting for one,
counting and holding back are the same as for HTTP; once bytes may have reached a backend, no other
one is tried. Either side may finish first: when the client does, the backend is told and may go on;
when the backend does, all is said.
"""

import asyncio
from typing import TYPE_CHECKING, cast

from skerry.gateway.proxy.exchange import Exchange
from skerry.gateway.proxy.head import Field, Request, Response
from skerry.gateway.proxy.upstream import Upstream
from skerry.gateway.seams import Answer
from skerry.gateway.table import Route

if TYPE_CHECKING:
    from skerry.gateway.proxy.proxy import Proxy

_NEVER = float("inf")


class Passage(Exchange):
    """A connection's way to a backend, and back."""

    __slots__ = ()

    def start_for(self, route: Route) -> None:
        """Like ``start``, for a route that was found by its port."""
        self._route = route
        if self._proxy.admit(route):
            self._started = True
            self._seek()
        else:
            self.refuse(503, "")

    def _shown(self) -> Request | None:
        return None

    def _send(self, upstream: Upstream) -> None:
        upstream.become_raw()
        self.answering = True
        self._status = 200
        self._stir()
        super()._send(upstream)

    def _opening(self) -> bytes:
        return b""

    def _own(self, given: Answer) -> None:
        self._status = given.status
        self._cut()


class Tunnel(asyncio.Protocol):
    """A client's connection to a TCP port."""

    __slots__ = ("_exchange", "_port", "_proxy", "_stalled", "_transport")

    def __init__(self, proxy: "Proxy", port: int) -> None:
        self._proxy = proxy
        self._port = port
        self._transport: asyncio.Transport
        self._exchange: Passage | None = None
        self._stalled = _NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        route = self._proxy.table.tcp().get(self._port)
        if route is None or not self._proxy.joined(self):
            self._transport.abort()
            return
        peer = transport.get_extra_info("peername")
        request = Request("TCP", "", "", (), peer[0] if peer else "", False)
        request.version, request.length, request.upgrade, request.id = 11, 0, b"tcp", ""
        self._exchange = Passage(self._proxy, self, request, b"")
        self._exchange.start_for(route)

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.raw(data)

    def eof_received(self) -> bool:
        if self._exchange is None:
            return False
        self._exchange.raw_end()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.left(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.gone()

    def pause_writing(self) -> None:
        self._stalled = self._proxy.time() + self._proxy.settings.stalled
        if self._exchange is not None:
            self._exchange.client_full()

    def resume_writing(self) -> None:
        self._stalled = _NEVER
        if self._exchange is not None:
            self._exchange.client_drained()

    def tick(self, now: float) -> None:
        if now > self._stalled:
            self._transport.abort()
        elif self._exchange is not None and now > self._exchange.deadline:
            self._exchange.late()

    def retire(self) -> None:
        """The gateway stops: connections of unknown protocols last until it does."""

    def abort(self) -> None:
        self._transport.abort()

    # The exchange

    def interim(self, response: Response) -> None:
        """There are none."""

    def head(self, response: Response, first: bytes, *, body: bool) -> None:
        """There is none."""

    def changed(self, response: Response) -> None:
        """It never was anything else."""

    def data(self, data: bytes) -> None:
        self._transport.write(data)

    def end(self, trailers: list[Field]) -> None:
        self._exchange = None
        self._transport.close()

    def cut(self) -> None:
        self._exchange = None
        self._transport.abort()

    def hold(self) -> None:
        self._transport.pause_reading()

    def release(self) -> None:
        self._transport.resume_reading()

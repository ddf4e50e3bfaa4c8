"""One request on an HTTP/2 connection."""

import base64
import os
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from h2.connection import H2Connection
from h2.errors import ErrorCodes

from skerry.gateway.proxy.errors import Refusal
from skerry.gateway.proxy.exchange import Exchange
from skerry.gateway.proxy.forward import refused
from skerry.gateway.proxy.head import CHUNKED, Field, Request, Response, sort_out

if TYPE_CHECKING:
    from skerry.gateway.proxy.http2 import Http2
    from skerry.gateway.proxy.proxy import Proxy

_FULL, _LOW = 64 << 10, 16 << 10
"""Bytes that wait to be sent: beyond the one the backend is held, under the other it goes on."""
_NEVER = float("inf")


def fields_from(headers: Iterable[tuple[bytes | str, bytes | str]]) -> list[Field]:
    """h2's headers as plain pairs of bytes."""
    return [(bytes(name), bytes(value)) for name, value in headers]  # type: ignore[arg-type]


class Stream:
    __slots__ = (
        "_conn", "_done", "_exchange", "_full", "_h2", "_holding", "_number", "_owed", "_proxy",
        "_raw", "_size", "_stalled", "_tail", "_upload", "_waiting", "trailers",
    )  # fmt: skip

    def __init__(self, conn: "Http2", h2: H2Connection, proxy: "Proxy", number: int) -> None:
        self.trailers: list[Field] = []
        """Of the request."""
        self._conn = conn
        self._h2 = h2
        self._proxy = proxy
        self._number = number
        self._exchange: Exchange | None = None
        self._waiting: deque[memoryview] = deque()
        """To be sent, when the client takes it."""
        self._size = 0
        self._full = False
        self._tail: list[Field] | None = None
        """The answer is complete, with these trailers; what waits is all that is left of it."""
        self._done = False
        """The client has sent all of its request."""
        self._raw = False
        self._holding = False
        self._owed = 0
        """Bytes that came while the exchange takes nothing: not granted again yet."""
        self._upload = self._stalled = _NEVER

    def begin(self, fields: list[Field], *, ended: bool) -> None:
        """A request's head has come. ``ended``: that is all of it."""
        self._done = ended
        try:
            request = self._understood(fields, ended=ended)
        except Refusal as refusal:
            self._reject(refusal)
            return
        exchange = Exchange(self._proxy, self, request, self._conn.origin)
        self._exchange = exchange
        if not ended and not request.upgrade:
            self._progress()
        exchange.start()

    def _understood(self, fields: list[Field], *, ended: bool) -> Request:
        pseudo = {name: value for name, value in fields if name.startswith(b":")}
        settings = self._proxy.settings
        plain = [field for field in fields if not field[0].startswith(b":")]
        if len(plain) > settings.fields:
            raise Refusal(431, f"The request has more than {settings.fields} header fields.")
        method, target = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
        websocket = pseudo.get(b":protocol", b"").lower()
        if websocket:
            # RFC 8441: to a backend that speaks HTTP/1, this is the usual change of protocol.
            if method != b"CONNECT" or websocket != b"websocket":
                raise Refusal(501, "No protocol but websocket can be changed to.")
            method = b"GET"
            plain.append((b"sec-websocket-key", base64.b64encode(os.urandom(16))))
        if len(target) > settings.target_size:
            raise Refusal(414, f"The address is longer than {settings.target_size} bytes.")
        if not target.startswith(b"/") and not (target == b"*" and method == b"OPTIONS"):
            raise Refusal(400, "The request's target is not a path.")
        if any(byte <= 0x20 or byte >= 0x7F for byte in target + method):
            raise Refusal(400, "The request line is malformed.")
        request = Request(method.decode(), target.decode(), "", (), self._conn.client, False)
        request.secure = self._conn.secure
        request.version = 20
        host = pseudo.get(b":authority")
        if host is not None:
            given = [value for name, value in plain if name == b"host"]
            if given and given != [host]:
                raise Refusal(400, "The Host field and :authority differ.")
        sort_out(request, _one_cookie(plain), host)
        if websocket:
            request.upgrade = b"websocket"
        elif not ended and request.length == 0 and b"content-length" not in dict(plain):
            request.length = CHUNKED
        return request

    def _reject(self, refusal: Refusal) -> None:
        response, body = refused(refusal)
        self.head(response, body, body=True)
        self.end([])

    def received(self, data: bytes, size: int) -> None:
        """A piece of the body; ``size``: what it costs of the window, padding included."""
        exchange = self._exchange
        if exchange is None:
            self._conn.taken(self._number, size)
            return
        if self._holding:
            self._owed += size
        else:
            self._conn.taken(self._number, size)
            self._progress()
        if data and self._raw:
            exchange.raw(data)
        elif data:
            exchange.body(data)

    def ended(self) -> None:
        """The client has sent all of it."""
        self._done = True
        self._upload = _NEVER
        if self._exchange is None:
            return
        if self._raw:
            self._exchange.raw_end()
        elif self._exchange.request.length != 0:
            self._exchange.body_end(self.trailers)

    def gone(self) -> None:
        """The stream, or its connection, is no more."""
        exchange, self._exchange = self._exchange, None
        self._waiting.clear()
        self._tail = None
        if exchange is not None:
            exchange.gone()

    def tick(self, now: float) -> None:
        exchange = self._exchange
        if now > self._stalled:
            self.cut()
            if exchange is not None:
                exchange.gone()
        elif exchange is None:
            return
        elif now > self._upload and not exchange.answering:
            exchange.refuse(408, "The request's body stopped coming.")
        elif now > exchange.deadline:
            exchange.late()

    def _progress(self) -> None:
        self._upload = self._proxy.time() + self._proxy.settings.upload

    # The answer

    def _send_head(self, response: Response, headers: list[Field], *, end: bool) -> None:
        status = [(b":status", b"%d" % response.status)]
        self._h2.send_headers(self._number, status + headers, end_stream=end)

    def interim(self, response: Response) -> None:
        self._send_head(response, response.headers, end=False)
        self._conn.flush()

    def head(self, response: Response, first: bytes, *, body: bool) -> None:
        self._send_head(response, response.headers, end=False)
        if first:
            self.data(first)
        else:
            self._conn.flush()

    def changed(self, response: Response) -> None:
        self._raw = True
        skip = (b"sec-websocket-accept",)
        response.status = 200
        headers = [field for field in response.headers if field[0] not in skip]
        self._send_head(response, headers, end=False)
        self._conn.flush()

    def data(self, data: bytes) -> None:
        self._waiting.append(memoryview(data))
        self._size += len(data)
        self.drain()
        self._conn.flush()

    def end(self, trailers: list[Field]) -> None:
        self._exchange = None
        self._tail = trailers
        self.drain()
        self._conn.flush()

    def cut(self) -> None:
        self._exchange = None
        self._waiting.clear()
        self._conn.reset(self._number, ErrorCodes.INTERNAL_ERROR)
        self._conn.flush()
        self._conn.over(self._number)

    def drain(self) -> None:
        """Send what waits, as far as the client and its socket take it."""
        waiting, before = self._waiting, self._size
        while waiting and not self._conn.blocked:
            room = min(
                self._h2.local_flow_control_window(self._number), self._h2.max_outbound_frame_size
            )
            if room <= 0:
                break
            piece = waiting[0]
            if len(piece) <= room:
                waiting.popleft()
            else:
                waiting[0] = piece[room:]
                piece = piece[:room]
            self._size -= len(piece)
            self._h2.send_data(self._number, bytes(piece))
        if not waiting:
            self._stalled = _NEVER
            if self._tail is not None:
                self._finish(self._tail)
        elif self._size != before or self._stalled == _NEVER:
            self._stalled = self._proxy.time() + self._proxy.settings.stalled
        self._balance()

    def _balance(self) -> None:
        """Hold the backend while too much waits."""
        if not self._full and self._size > _FULL:
            self._full = True
            if self._exchange is not None:
                self._exchange.client_full()
        elif self._full and self._size < _LOW:
            self._full = False
            if self._exchange is not None:
                self._exchange.client_drained()

    def _finish(self, trailers: list[Field]) -> None:
        self._tail = None
        if trailers:
            self._h2.send_headers(self._number, trailers, end_stream=True)
        else:
            self._h2.end_stream(self._number)
        if not self._done:
            # The answer stands; the rest of the request need not be sent (RFC 9113 §8.1).
            self._conn.reset(self._number, ErrorCodes.NO_ERROR)
        self._conn.over(self._number)

    # The exchange

    def hold(self) -> None:
        self._holding = True
        self._upload = _NEVER

    def release(self) -> None:
        self._holding = False
        owed, self._owed = self._owed, 0
        if owed:
            self._conn.taken(self._number, owed)
            self._conn.flush()
        if not self._done and not self._raw:
            self._progress()


def _one_cookie(fields: list[Field]) -> list[Field]:
    """Cookies may come in many fields; HTTP/1 has one (RFC 9113 §8.2.3)."""
    cookies = [value for name, value in fields if name == b"cookie"]
    if len(cookies) < 2:
        return fields
    rest = [field for field in fields if field[0] != b"cookie"]
    return [*rest, (b"cookie", b"; ".join(cookies))]

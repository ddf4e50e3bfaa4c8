"""A client's connection, HTTP/2: many requests at a time, each of them a stream.

``h2`` keeps the protocol's state; what is left is to let no client take more than its share. What a
stream may send us is opened only as its backend takes it, and what all may send together is bounded
(``_WINDOW``), so a backend that reads nothing fills no memory. What waits to be sent is bounded by
holding the backend. And a client that asks and takes back, over and over, is sent away
(CVE-2023-44487): every stream that is reset counts, whoever had cause to reset it.

A connection is ended in two steps (RFC 9113 §6.8): the client is told to begin nothing new, and
whatever it began before it could know is still served; what went round the connection since (PING)
says when that is all. Only then is it told which stream was the last.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from skerry.gateway.proxy.forward import whence
from skerry.gateway.proxy.stream import Stream, fields_from

if TYPE_CHECKING:
    from skerry.gateway.proxy.proxy import Proxy

_WINDOW = 1 << 20
"""Bytes of request bodies that one connection may have with us."""
_STREAM_WINDOW = 1 << 17
_NEVER = float("inf")
_ANY = (1 << 31) - 1
_ROUND = b"retiring"
_PATIENCE = 1.0
"""Seconds that the answer to our PING may take, where no stream is under way."""


class Http2(asyncio.Protocol):
    __slots__ = (
        "_closed",
        "_deadline",
        "_ending",
        "_h2",
        "_last",
        "_proxy",
        "_resets",
        "_since",
        "_stalled",
        "_streams",
        "_transport",
        "blocked",
        "client",
        "origin",
        "secure",
    )

    def __init__(self, proxy: "Proxy") -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: proxy.settings.streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: proxy.settings.head_size,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
            },
        )
        self._streams: dict[int, Stream] = {}
        self._deadline = 0.0
        """When a connection without a stream is closed."""
        self._stalled = _NEVER
        self._resets = 0
        self._since = 0.0
        """When the counting of resets began."""
        self._ending = False
        """The client was told to begin nothing new."""
        self._closed = False
        """All that it began before is known: more is refused."""
        self._last = 0
        """The newest stream."""
        self.blocked = False
        """The client's socket takes nothing for now."""
        self.client = ""
        self.secure = False
        self.origin = b""

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if peer else ""
        self.secure = transport.get_extra_info("ssl_object") is not None
        self.origin = whence(self.client, self.secure)
        self._since = self._proxy.time()
        self._deadline = self._since + self._proxy.settings.head
        if not self._proxy.joined(self):
            self._transport.abort()
            return
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW - 65_535)
        self.flush()
        if self._proxy.retired:
            self.retire()

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.left(self)
        self._drop()

    def _drop(self) -> None:
        """No stream can be served to its end any more."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.gone()

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            # h2 has the GOAWAY ready that tells the client what it did.
            self._drop()
            self.flush()
            self._transport.close()
            return
        for event in events:
            self._take(event)
        self.flush()

    def pause_writing(self) -> None:
        self.blocked = True
        self._stalled = self._proxy.time() + self._proxy.settings.stalled

    def resume_writing(self) -> None:
        self.blocked = False
        self._stalled = _NEVER
        self._drain()
        self.flush()

    def tick(self, now: float) -> None:
        if now > self._stalled:
            self._transport.abort()
        elif self._streams:
            for stream in list(self._streams.values()):
                stream.tick(now)
        elif now > self._deadline:
            if self._ending:
                self._leave(ErrorCodes.NO_ERROR)
            else:
                self.retire()

    def retire(self) -> None:
        """Come to an end: what the client has begun is finished, nothing new is taken."""
        if self._ending or self._transport.is_closing():
            return
        self._ending = True
        self._deadline = self._proxy.time() + _PATIENCE
        # The PING goes first, with the same write: some clients take nothing more after a GOAWAY.
        self._h2.ping(_ROUND)
        self._go_away(_ANY)

    def _go_away(self, last: int) -> None:
        # Said past h2, which would take it for the end of everything.
        said = GoAwayFrame(0, last_stream_id=last).serialize()
        self._transport.write(self._h2.data_to_send() + said)

    def _went_round(self) -> None:
        """The client has known for a while that it is to begin nothing new."""
        self._closed = True
        if self._streams:
            self._go_away(self._last)
        else:
            self._leave(ErrorCodes.NO_ERROR)

    def _leave(self, code: ErrorCodes) -> None:
        self._drop()
        self._h2.close_connection(code)
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def flush(self) -> None:
        """Send what h2 has ready."""
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    # What the client says

    def _take(self, event: Event) -> None:
        if self._transport.is_closing():
            return
        if isinstance(event, RequestReceived):
            self._request(event)
        elif isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, TrailersReceived):
            if (stream := self._streams.get(event.stream_id)) is not None:
                stream.trailers = fields_from(event.headers)
        elif isinstance(event, StreamEnded):
            if (stream := self._streams.get(event.stream_id)) is not None:
                stream.ended()
        elif isinstance(event, StreamReset):
            self._reset(event.stream_id)
        elif isinstance(event, WindowUpdated):
            self._drain(event.stream_id)
        elif isinstance(event, RemoteSettingsChanged):
            self._drain()
        elif isinstance(event, PingAckReceived):
            if event.ping_data == _ROUND:
                self._went_round()
        elif isinstance(event, ConnectionTerminated):
            self._drop()
            self._transport.close()

    def _request(self, event: RequestReceived) -> None:
        number = event.stream_id
        if self._closed:
            self.reset(number, ErrorCodes.REFUSED_STREAM)
            return
        self._last = number
        stream = Stream(self, self._h2, self._proxy, number)
        self._streams[number] = stream
        ended = event.stream_ended is not None
        stream.begin(fields_from(event.headers), ended=ended)

    def _data(self, event: DataReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            self.taken(event.stream_id, event.flow_controlled_length)
        else:
            stream.received(event.data, event.flow_controlled_length)

    def _reset(self, number: int) -> None:
        self.count_reset()
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.gone()

    def count_reset(self) -> None:
        """One more stream has come to nothing; send away who does nothing else."""
        now = self._proxy.time()
        if now - self._since > self._proxy.settings.reset_window:
            self._since, self._resets = now, 0
        self._resets += 1
        if self._resets == self._proxy.settings.resets:
            self._leave(ErrorCodes.ENHANCE_YOUR_CALM)

    def _drain(self, number: int = 0) -> None:
        """There is room again, on one stream or on all."""
        if number:
            stream = self._streams.get(number)
            streams = [stream] if stream is not None else []
        else:
            streams = list(self._streams.values())
        for stream in streams:
            stream.drain()

    # What streams ask

    def taken(self, number: int, size: int) -> None:
        """Let the client send as much again."""
        if size and not self._transport.is_closing():
            self._h2.acknowledge_received_data(size, number)

    def reset(self, number: int, code: ErrorCodes) -> None:
        with contextlib.suppress(StreamClosedError, ProtocolError):
            self._h2.reset_stream(number, code)

    def over(self, number: int) -> None:
        """A stream has come to its end."""
        self._streams.pop(number, None)
        if not self._streams:
            wait = _PATIENCE if self._ending else self._proxy.settings.keep_alive
            self._deadline = self._proxy.time() + wait
            if self._closed:
                self._proxy.soon(self._leave, ErrorCodes.NO_ERROR)

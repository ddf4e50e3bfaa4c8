"""A small HTTP/2 client that does as a test says."""

import asyncio
import ssl
from collections import defaultdict
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from tests.gateway.proxy.world import HOST


class Client:
    def __init__(self, *, greedy: bool = True) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.greedy = greedy
        """Grant the proxy what it sent at once."""
        self.heads: dict[int, dict[str, str]] = {}
        self.hints: list[dict[str, str]] = []
        self.bodies: dict[int, bytearray] = defaultdict(bytearray)
        self.trailers: dict[int, dict[str, str]] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.gone: ConnectionTerminated | None = None
        self.closed = False
        self._changed = asyncio.Event()

    async def connect(self, port: int, tls: ssl.SSLContext | None = None) -> "Client":
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname=HOST if tls else None
        )
        self.h2.initiate_connection()
        self.flush()
        self.task = asyncio.create_task(self._read())
        return self

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())

    async def _read(self) -> None:
        with suppress(ConnectionError):
            while data := await self.reader.read(1 << 16):
                for event in self.h2.receive_data(data):
                    self._take(event)
                self.flush()
                self._changed.set()
        self.closed = True
        self._changed.set()

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self.heads[event.stream_id] = dict(event.headers)
            case InformationalResponseReceived():
                self.hints.append(dict(event.headers))
            case DataReceived():
                self.bodies[event.stream_id] += event.data
                if self.greedy:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case TrailersReceived():
                self.trailers[event.stream_id] = dict(event.headers)
            case StreamEnded():
                self.ended.add(event.stream_id)
            case StreamReset():
                self.resets[event.stream_id] = int(event.error_code)
            case ConnectionTerminated():
                self.gone = event

    def ask(
        self, path: str = "/", *more: tuple[str, str], method: str = "GET", end: bool = True
    ) -> int:
        number = self.h2.get_next_available_stream_id()
        pseudo = [
            (":method", method), (":path", path), (":scheme", "http"), (":authority", HOST),
        ]  # fmt: skip
        plain = [pair for pair in more if pair[0][0] != ":"]
        pseudo += [pair for pair in more if pair[0][0] == ":"]
        self.h2.send_headers(number, [*pseudo, *plain], end_stream=end)
        self.flush()
        return number

    async def send(self, number: int, data: bytes, *, end: bool = True) -> None:
        """Send a body, as far and as fast as the proxy lets us."""
        while data:
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            if room <= 0:
                await self._turn()
                continue
            self.h2.send_data(number, data[:room])
            data = data[room:]
            self.flush()
            await self.writer.drain()
        if end:
            self.h2.end_stream(number)
            self.flush()

    async def _turn(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def until(self, done) -> None:  # type: ignore[no-untyped-def]
        async with asyncio.timeout(10):
            while not done():
                await self._turn()

    async def answer(self, number: int) -> tuple[int, bytes | bytearray]:
        await self.until(lambda: number in self.ended or number in self.resets or self.closed)
        assert number in self.ended, self.resets
        return int(self.heads[number][":status"]), self.bodies[number]

    async def close(self) -> None:
        self.writer.close()
        await self.task

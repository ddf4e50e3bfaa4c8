"""A proxy on a real socket, with backends that do exactly as a test says."""

import asyncio
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from skerry.gateway.proxy import Proxy, Settings
from skerry.gateway.seams import Answer, Entry, Head
from skerry.gateway.table import Backend, Limits, Route, Table

HOST = "web.apps.localhost"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Doorman:
    """A gate whose answers a test sets, and that remembers what it was told."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.verdict: Answer | Awaitable[Answer | None] | None = None
        self.waiting: Callable[[Route], Awaitable[Route | Answer]] | None = None
        self.waits = 0

    def check(self, route: Route, head: Head) -> Answer | Awaitable[Answer | None] | None:
        return self.verdict

    async def wait(self, route: Route, head: Head | None) -> Route | Answer:
        self.waits += 1
        if self.waiting is None:
            return Answer(503, ((b"retry-after", b"5"),), b"nobody")
        return await self.waiting(route)

    def entry(self, entry: Entry) -> None:
        self.entries.append(entry)

    def strip(
        self, route: Route, headers: Sequence[tuple[bytes, bytes]]
    ) -> Sequence[tuple[bytes, bytes]]:
        return [pair for pair in headers if pair[0] != b"cookie"]


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """The head of a request or an answer, in lower case but for its first line."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, rest = head.split(b"\r\n", 1)
    return line + b"\r\n" + rest.lower()


def value(head: bytes, name: bytes) -> bytes | None:
    """A field of a head as ``read_head`` gives it."""
    for line in head.split(b"\r\n")[1:]:
        key, _, text = line.partition(b":")
        if key == name:
            return text.strip()
    return None


async def answer_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A backend that answers ``ok`` to requests with or without a body of known length."""
    while True:
        try:
            head = await read_head(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        await reader.readexactly(int(value(head, b"content-length") or 0))
        writer.write(OK)


@dataclass
class Upstairs:
    """A backend."""

    port: int
    server: asyncio.Server
    name: str
    seen: list[asyncio.StreamWriter] = field(default_factory=list)
    """Its connections, in the order in which they came."""

    @property
    def backend(self) -> Backend:
        return Backend("here", self.name, 0, self.port)

    def stop(self) -> None:
        """Close its door and all connections."""
        self.server.close()
        for writer in self.seen:
            writer.close()


class World:
    """A proxy, its table and its gate."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.table = Table()
        self.gate = Doorman()
        self.port = 0
        self.dials = 0
        self.proxy: Proxy
        self.uid = uuid.uuid4()

    async def start(self, settings: Settings | None = None) -> None:
        self.proxy = Proxy(self.table, self._dial, self.gate, settings)
        self.port = await self.proxy.listen("127.0.0.1", 0)
        self._stack.push_async_callback(self.proxy.close, 0)

    async def _dial(self, backend: Backend) -> socket.socket:
        self.dials += 1
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", backend.port))
        except BaseException:
            sock.close()
            raise
        return sock

    async def upstairs(self, speak: Speak = answer_ok, name: str = "w1", port: int = 0) -> Upstairs:
        """A backend whose connections run ``speak``, each closed at its end."""
        made: Upstairs

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            made.seen.append(writer)
            try:
                await speak(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", port)
        made = Upstairs(server.sockets[0].getsockname()[1], server, name)
        self._stack.callback(made.stop)
        return made

    def route(
        self, *backends: Upstairs, limits: Limits | None = None, login: bool = False, tcp: int = 0
    ) -> Route:
        """Let this be the only route."""
        route = Route(
            self.uid, "routes/web", "acme", 1, tuple(one.backend for one in backends), login,
            limits or Limits(), tcp, (HOST,),
        )  # fmt: skip
        self.table.replace([route])
        return route

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.callback(writer.close)
        return reader, writer

    async def say(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own; all that comes back until it is closed."""
        reader, writer = await self.connect()
        writer.write(data)
        async with asyncio.timeout(10):
            return await reader.read()

    async def get(self, path: str = "/", more: str = "") -> bytes:
        """One GET on a connection of its own; the whole answer."""
        text = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{more}\r\n"
        return await self.say(text.encode())


@asynccontextmanager
async def world(settings: Settings | None = None):  # type: ignore[no-untyped-def]
    async with AsyncExitStack() as stack:
        made = World(stack)
        await made.start(settings)
        yield made


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def answer_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and body of an answer of known length."""
    async with asyncio.timeout(10):
        head = await read_head(reader)
        return head, await reader.readexactly(int(value(head, b"content-length") or 0))

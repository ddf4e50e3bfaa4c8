"""The proxy: its listeners, and what all of its connections share."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog

from skerry.gateway.proxy.http1 import Http1
from skerry.gateway.proxy.http2 import Http2
from skerry.gateway.proxy.pool import Pool
from skerry.gateway.proxy.settings import Settings
from skerry.gateway.proxy.tunnel import Tunnel
from skerry.gateway.proxy.upstream import Upstream
from skerry.gateway.seams import Dial, Gate
from skerry.gateway.table import Backend, Route, Table

_BACKLOG = 1024
_log = structlog.get_logger(__name__)


class Connection(Protocol):
    """A client's connection, as the proxy minds it."""

    def tick(self, now: float) -> None: ...
    def retire(self) -> None: ...
    def abort(self) -> None: ...


class Proxy:
    """Forwards what comes in on its listeners to the backends of ``table``'s routes.

    All of it runs in one event loop, which has to be the one that changes the table.
    """

    def __init__(
        self, table: Table, dial: Dial, gate: Gate, settings: Settings | None = None
    ) -> None:
        self.table = table
        self.gate = gate
        self.settings = settings or Settings()
        self.pool = Pool(self.settings)
        self.log = _log
        self.retired = False
        """It stops: requests under way are finished, no new ones are taken."""
        self.tcp_faults: dict[int, str] = {}
        """TCP ports of routes that could not be listened on, and why."""
        self._dial = dial
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time
        self.soon = self._loop.call_soon
        self._by_route: dict[UUID, int] = {}
        self._connections: dict[Connection, None] = {}
        self._empty = asyncio.Event()
        """No client is left of those that were there when it stopped."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._tcp_host: str | None = None
        self._tcp: dict[int, asyncio.Server] = {}
        self._tcp_changed = asyncio.Event()
        self._timer = self._loop.call_later(self.settings.tick, self._tick)

    @property
    def in_flight(self) -> dict[str, int]:
        """Requests and connections under way by workload, from the choice of a backend to the last
        byte; a workload without any is not in it."""
        return self.pool.in_flight

    # Listening

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Take HTTP on an address; the port, which is chosen when 0 is given.

        HTTP/2 is spoken to whoever begins with it, and over TLS to whoever chooses ``h2``: the
        context, and each that its ``sni_callback`` puts in its place, must offer it
        (``offer_http2``).
        """
        timeout = self.settings.head if tls is not None else None
        server = await self._loop.create_server(
            lambda: Http1(self), host, port, ssl=tls, backlog=_BACKLOG,
            ssl_handshake_timeout=timeout,
        )  # fmt: skip
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def listen_tcp(self, host: str) -> None:
        """Take TCP connections on the ports of the routes that have one, now and as they change."""
        self._tcp_host = host
        self.table.watch(self._tcp_changed.set)
        await self._follow_ports()
        self.spawn(self._keep_ports())

    async def _keep_ports(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                # A port that another program has may be free later.
                async with asyncio.timeout(self.settings.again if self.tcp_faults else None):
                    await self._tcp_changed.wait()
            await self._follow_ports()

    async def _follow_ports(self) -> None:
        self._tcp_changed.clear()
        wanted = self.table.tcp()
        for port in self._tcp.keys() - wanted.keys():
            self._tcp.pop(port).close()
        for port in self.tcp_faults.keys() - wanted.keys():
            del self.tcp_faults[port]
        for port in wanted.keys() - self._tcp.keys():
            try:
                self._tcp[port] = await self._loop.create_server(
                    partial(Tunnel, self, port),
                    self._tcp_host, port, backlog=_BACKLOG,
                )  # fmt: skip
            except OSError as error:
                self.tcp_faults[port] = error.strerror or str(error)
                _log.warning("a TCP port cannot be listened on", port=port, error=str(error))
            else:
                self.tcp_faults.pop(port, None)

    async def close(self, grace: float = 30.0) -> None:
        """Take nothing new, let what is under way come to its end for at most ``grace`` seconds,
        and break off the rest."""
        self.retired = True
        for server in (*self._servers, *self._tcp.values()):
            server.close()
        for connection in list(self._connections):
            connection.retire()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._empty.wait()
        for connection in list(self._connections):
            connection.abort()
        self._timer.cancel()
        self.pool.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What connections ask

    def joined(self, connection: Connection) -> bool:
        """A client has come. False: there are too many."""
        if len(self._connections) >= self.settings.connections:
            return False
        self._connections[connection] = None
        return True

    def left(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        if self.retired and not self._connections:
            self._empty.set()

    def speak_http2(self, former: Connection, transport: asyncio.Transport, data: bytes) -> None:
        """Hand a connection to HTTP/2. ``data``: what came on it, the preface first."""
        self.left(former)
        protocol = Http2(self)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if data:
            protocol.data_received(data)

    def admit(self, route: Route) -> bool:
        """One more request of a route, if it may have one more."""
        busy = self._by_route.get(route.uid, 0)
        if busy >= route.limits.concurrent:
            return False
        self._by_route[route.uid] = busy + 1
        return True

    def dismiss(self, route: Route) -> None:
        left = self._by_route[route.uid] - 1
        if left:
            self._by_route[route.uid] = left
        else:
            del self._by_route[route.uid]

    async def reach(self, backend: Backend) -> Upstream:
        """A new connection to a backend. Raises OSError or SiteUnreachable."""
        async with asyncio.timeout(self.settings.connect):
            sock = await self._dial(backend)
        upstream = Upstream(backend, sock, self.pool, self.settings)
        try:
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.create_connection(lambda: upstream, sock=sock)
        except BaseException:
            sock.close()
            raise
        if upstream.stillborn():
            upstream.close()
            raise ConnectionResetError("the backend closed the connection at once")
        return upstream

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something meanwhile; it ends with the proxy at the latest."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _tick(self) -> None:
        """Look at all deadlines: one look for each connection costs less than a timer for each
        request."""
        now = self.time()
        self._timer = self._loop.call_later(self.settings.tick, self._tick)
        for connection in list(self._connections):
            connection.tick(now)
        self.pool.sweep(now)


def offer_http2(context: ssl.SSLContext) -> None:
    """Let clients choose HTTP/2 or HTTP/1.1 as they greet."""
    context.set_alpn_protocols(["h2", "http/1.1"])

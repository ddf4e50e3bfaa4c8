"""A whole gateway in a test's process: real proxy and sockets, a backend that shows what it got."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from skerry.gateway.gateway import Gateway
from skerry.gateway.settings import GatewaySettings
from skerry.gateway.table import Backend
from skerry.identity.authenticate import Authenticator
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from tests.gateway.cloud import REGISTRY, Cloud, running, until

SIGN_IN = "http://127.0.0.1:8420/enter"


class Backends:
    """A program that answers every request with what it saw of it."""

    def __init__(self) -> None:
        self.port = 0
        self.held = asyncio.Event()
        self.held.set()
        self.asked = asyncio.Event()
        """There was a request."""
        self.open = 0
        """Requests that wait for their answer."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = [line.split(": ", 1) for line in head[1:] if ": " in line]
                length = {k.lower(): v for k, v in headers}.get("content-length", "0")
                await reader.readexactly(int(length))
                self.asked.set()
                self.open += 1
                await self.held.wait()
                self.open -= 1
                body = msgspec.json.encode({"line": head[0], "headers": headers})
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Backends"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def dial(self, backend: Backend) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        return sock


class World:
    """A gateway that runs, and what a test asks of it."""

    def __init__(self, cloud: Cloud, gateway: Gateway, backends: Backends) -> None:
        self.cloud = cloud
        self.gateway = gateway
        self.backends = backends
        self.port = int(gateway.url.rpartition(":")[2])

    async def route(self, name: str, spec: dict[str, Any] | None = None, **more: Any) -> str:
        """A route that leads to the backend; its host, once the gateway knows it."""
        backend = await self.cloud.workload(f"w-{name}")
        route = await self.cloud.put(name, {"backends": [backend], **(spec or {})}, **more)
        await until(lambda: (r := self.gateway.table.get(route.uid)) and r.version == route.version)
        return str(route.status["hosts"][-1])

    def client(self, host: str, **more: Any) -> httpx2.AsyncClient:
        """A client of one host, whatever DNS says."""
        scheme = "https" if self.gateway.settings.tls else "http"
        transport = _Here(self.port, verify=more.pop("verify", True))
        url = f"{scheme}://{host}:{self.port}"
        return httpx2.AsyncClient(base_url=url, transport=transport, **more)

    async def token(self, tenant: str, user: str, *roles: str) -> str:
        """A user's token."""
        resources = self.cloud.resources
        async with self.cloud.db.transaction() as tx:

            async def put(noun: str, name: str, spec: dict[str, Any]) -> Any:
                kind = REGISTRY[noun]
                return await resources.put(
                    tx, kind, Path(tenant, name=name), {"spec": spec}, SYSTEM
                )

            await put("user", user, {})
            if roles:
                scope = {"tenants": ["*"]} if tenant == "operator" else {}
                given = {"roles": list(roles), "subs": [user], "scopes": [scope]}
                await put("role-assignment", user, given)
            made = await put("token", f"{user}.test", {"subject": user})
        return str(made.once["secret"])


class _Here(httpx2.AsyncHTTPTransport):
    """Connects to the gateway, and says the name that the URL has."""

    def __init__(self, port: int, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify)
        self._port = port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # The request itself stays as it is: the client's cookies go by its URL.
        moved = httpx2.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return await super().handle_async_request(moved)


@asynccontextmanager
async def opened(cloud: Cloud, **settings: Any) -> AsyncIterator[World]:
    """Run a gateway on a cloud, with what it follows."""
    async with Backends().running() as backends:
        gateway = Gateway(
            db=cloud.db,
            resources=cloud.resources,
            feed=cloud.feed,
            authenticator=Authenticator(cloud.db, max_age=0.0),
            dial=backends.dial,
            settings=GatewaySettings(**{"listen": "127.0.0.1:0", **settings}),
            folder=cloud.folder / "gateway",
            operator="test",
            sign_in=lambda: SIGN_IN,
        )
        async with running(cloud.sequencer.run(), cloud.feed.run(), gateway.run()):
            async with asyncio.timeout(20):
                await gateway.listening.wait()
            yield World(cloud, gateway, backends)

"""A real ACME server on loopback, and the DNS that it asks: both are there for one test."""

import asyncio
import contextlib
import json
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from skerry.gateway import authority
from skerry.gateway.authority import Authority
from tests.harness.ports import free_port

VERSION = "v2.10.1"


def program() -> Path | None:
    """Where it is; None: `make deps-acme` was not run here, or could not build it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = cache / "skerry" / f"pebble-{VERSION}" / "pebble"
    if kept.exists():
        return kept
    found = shutil.which("pebble")
    return Path(found) if found else None


class Names:
    """DNS by TCP: known names are at 127.0.0.1, others don't exist."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                answer = self.answer(await reader.readexactly(size))
                writer.write(len(answer).to_bytes(2, "big") + answer)
        writer.close()

    def answer(self, data: bytes) -> bytes:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        known = ".".join(labels).lower() in self.known
        answer = b""
        if known and data[at + 1 : at + 3] == b"\0\1":
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"
        head = data[:2] + (b"\x81\x80" if known else b"\x81\x83")
        counts = b"\0\1" + (b"\0\1" if answer else b"\0\0") + bytes(4)
        return head + counts + data[12 : at + 5] + answer


class Directory:
    def __init__(self, folder: Path, names: Names) -> None:
        self.names = names
        self.port, self._manage = free_port(), free_port()
        self.http_port, self.tls_port = free_port(), free_port()
        """Where it asks those who want a certificate."""
        self.url = f"https://localhost:{self.port}/dir"
        self.ca = folder / "directory.ca.pem"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, dns: int) -> None:
        own = Authority(*authority.found("directory"))
        chain, key = own.issue("localhost")
        self.ca.write_bytes(own.pem)
        (self._folder / "directory.pem").write_bytes(chain)
        (self._folder / "directory.key").write_bytes(key)
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._manage}",
            "certificate": str(self._folder / "directory.pem"),
            "privateKey": str(self._folder / "directory.key"),
            "httpPort": self.http_port,
            "tlsPort": self.tls_port,
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "", "validityPeriod": 90 * 86_400}},
        }
        config = self._folder / "directory.json"
        config.write_text(json.dumps({"pebble": settings}))
        found = program()
        assert found is not None
        log = (self._folder / "directory.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            found, "-config", config, "-dnsserver", f"127.0.0.1:{dns}", stdout=log, stderr=log,
            env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
        )  # fmt: skip
        async with asyncio.timeout(20):
            while not await self._answers():
                await asyncio.sleep(0.05)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    async def root(self) -> bytes:
        """Whom to trust for what it gives."""
        context = ssl.create_default_context(cafile=str(self.ca))
        async with httpx2.AsyncClient(verify=context) as client:
            return (await client.get(f"https://localhost:{self._manage}/roots/0")).content

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Directory]:
    names = Names()
    server = await asyncio.start_server(names.serve, "127.0.0.1", 0)
    directory = Directory(folder, names)
    try:
        await directory.start(server.sockets[0].getsockname()[1])
        yield directory
    finally:
        await directory.stop()
        server.close()

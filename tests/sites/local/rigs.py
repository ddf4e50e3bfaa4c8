"""This machine as a site under test: the driver in this process, or in an agent's over the wire."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from skerry.sites.contract import Isolation, SiteUnreachable, Workloads
from skerry.sites.greeting import Denied, Hello, greet
from skerry.sites.local import MANIFEST
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from skerry.sites.remote import RemoteDriver
from tests.sites.contract.suite import Script

EVENTS = 16


def config(data: Path, **more: Any) -> dict[str, Any]:
    return {"data": str(data), "events": EVENTS, "reserveMemory": 0, **more}


async def clean(data: Path, **more: Any) -> None:
    """End and forget everything that a test has left running."""
    driver = LocalDriver(read(config(data, **more)))
    await empty(driver)
    await driver.close()


async def leave(driver: LocalDriver, data: Path, **more: Any) -> None:
    """End and forget everything, by a driver that may be open: another asks all engines again,
    half a second for each of 700 tests."""
    try:
        await empty(driver)
        await driver.close()
    except SiteUnreachable:
        await clean(data, **more)


async def empty(driver: Workloads) -> None:
    """Delete all that it has."""
    _, held = await driver.list()
    async with asyncio.TaskGroup() as group:
        for status in held:
            # What it refused may have had a newer fence, which it knows while it is open.
            group.create_task(driver.delete(status.id, status.fence + 100))


class LocalRig:
    """``kill`` closes the driver, which writes nothing: to the disk it is the same as SIGKILL."""

    manifest = MANIFEST
    events_kept = EVENTS

    def __init__(
        self, directory: Path, isolation: Isolation = "sandbox", engines: tuple[str, ...] = ()
    ) -> None:
        self.directory, self.isolation = directory, isolation
        self.snapshots = True
        self.gangs = isolation == "process" or os.geteuid() == 0
        self._more = {"engines": engines}
        self._open: dict[Path, list[LocalDriver]] = {}
        self._used: set[Path] = set()

    async def open(self) -> Workloads:
        return self._driver("site")

    def _driver(self, name: str) -> Workloads:
        data = self.directory / name
        driver = LocalDriver(read(config(data, **self._more)))
        self._used.add(data)
        self._open.setdefault(data, []).append(driver)
        return driver

    async def kill(self) -> None:
        while self._open:
            for driver in self._open.popitem()[1]:
                await driver.close()

    async def neighbour(self) -> Workloads:
        return self._driver("neighbour")

    def render(self, script: Script) -> tuple[tuple[str, ...], dict[str, str]]:
        return script.shell, {}

    async def end(self) -> None:
        for data in self._used:
            # One directory has one driver at a time: the first that was opened.
            first, *others = self._open.pop(data, [None])
            for driver in others:
                await driver.close()
            if first:
                await leave(first, data, **self._more)
            else:
                await clean(data, **self._more)


class AgentRig:
    """The driver in a real agent's process, called over its connection; ``kill`` is SIGKILL."""

    manifest = MANIFEST
    events_kept = EVENTS
    isolation: Isolation = "sandbox"

    def __init__(self, directory: Path, engines: tuple[str, ...] = ("runc",)) -> None:
        self.directory = directory
        self.snapshots = True
        self.gangs = os.geteuid() == 0
        self._more = {"engines": engines}
        self._ends: dict[str, AgentEnd] = {}

    async def open(self) -> Workloads:
        return await self._connected("site")

    async def neighbour(self) -> Workloads:
        return await self._connected("neighbour")

    async def _connected(self, name: str) -> RemoteDriver:
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        end = self._ends[name] = AgentEnd(directory, self._more)
        return await end.start()

    async def kill(self) -> None:
        for end in self._ends.values():
            await end.kill()

    def render(self, script: Script) -> tuple[tuple[str, ...], dict[str, str]]:
        return script.shell, {}

    async def end(self) -> None:
        await self.kill()
        for name in self._ends:
            await clean(self.directory / name / "data", **self._more)


class AgentEnd:
    """A server's socket with one agent on it."""

    def __init__(
        self,
        directory: Path,
        more: dict[str, Any] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        """``prefix``: a command to start the agent with."""
        self.directory, self._more, self._prefix = directory, more or {}, prefix
        self.data = directory / "data"
        self.process: asyncio.subprocess.Process | None = None
        self._server: asyncio.Server | None = None
        self._connected: asyncio.Queue[RemoteDriver] = asyncio.Queue()
        self.hellos: list[Hello] = []
        self.last: RemoteDriver | None = None

    async def listen(self) -> None:
        socket = self.directory / "socket"
        with contextlib.suppress(FileNotFoundError):
            socket.unlink()
        self._server = await asyncio.start_unix_server(self._accept, socket)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def check(hello: Hello) -> None:
            self.hellos.append(hello)
            if hello.token != "open sesame":
                raise Denied("the token is not the site's")

        try:
            await greet(reader, writer, check)
        except Denied:
            writer.close()
            return
        remote = self.last = RemoteDriver(reader, writer)
        self._connected.put_nowait(remote)
        await remote.run()

    async def start(self, **env: str) -> RemoteDriver:
        """Start server and agent; the first connection."""
        if self._server is None:
            await self.listen()
        (self.directory / "token").write_text("open sesame\n")
        settings = {k: v for k, v in config(self.data, **self._more).items() if k != "data"}
        (self.directory / "config").write_text(json.dumps(settings))
        self.process = await asyncio.create_subprocess_exec(
            *(*self._prefix, sys.executable, "-m", "skerry.sites.agent", "--data", str(self.data)),
            *("--server", f"unix:{self.directory / 'socket'}"),
            *("--token-file", str(self.directory / "token")),
            *("--config", str(self.directory / "config")),
            env={**os.environ, **env},
        )
        return await self.connected()

    async def connected(self) -> RemoteDriver:
        async with asyncio.timeout(60):
            return await self._connected.get()

    async def kill(self, number: int = signal.SIGKILL) -> int:
        """End the agent; its exit code."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        code = await self.process.wait()
        await self.stop_listening()
        return code

    async def stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


__all__ = ["AgentEnd", "AgentRig", "LocalRig", "SiteUnreachable", "clean", "config"]

"""The host agent: this machine's driver behind one outbound connection to the server.

``skerry up`` starts one as its child (``Near``); on a machine that joined a site it is started by
hand or by the system (``Far``).
It connects, says who it is, and answers the server's calls until the connection ends; then it
connects again, ever more slowly while that fails. It holds no state of its own: what runs here is
looked after by shims that need neither agent nor server, and an agent that comes back finds them.

Ending it (SIGTERM, or killing it) leaves everything running.
"""

import argparse
import asyncio
import ctypes
import logging
import os
import random
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
import structlog

from skerry import __version__
from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.greeting import Denied, Hello, Welcome, introduce
from skerry.sites.joining import LONGEST_LINE, Membership, NotJoined
from skerry.sites.local import MANIFEST
from skerry.sites.remote import handlers, known
from skerry.sites.sockets import short_name
from skerry.sites.wire import OLDEST, Peer, WireFault

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between two tries to connect; each is twice the last, more or less."""
_PR_SET_PDEATHSIG = 1
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_log = structlog.get_logger("agent")


class Server(Protocol):
    """The way to the server, and what is needed there."""

    at: str
    """The place that this machine is."""
    token: str
    """Proves it, where no certificate does."""

    async def connect(self) -> Streams:
        """A new connection. Raises ``OSError``."""

    async def keep(self, peer: Peer, welcome: Welcome) -> None:
        """Run while the connection stands."""

    def unreached(self, error: BaseException) -> str:
        """Why there is no connection, in words."""


@dataclass
class Near:
    """A server on this machine, behind a Unix socket in its private directory."""

    socket: Path
    at: str
    token: str = field(repr=False)

    async def connect(self) -> Streams:
        with short_name(self.socket) as short:
            return await asyncio.open_unix_connection(short, limit=LONGEST_LINE)

    async def keep(self, peer: Peer, welcome: Welcome) -> None:
        return None

    def unreached(self, error: BaseException) -> str:
        return str(error) or type(error).__name__


class Far:
    """The server of a site that this machine joined."""

    token = ""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self.at = membership.place.at

    async def connect(self) -> Streams:
        return await self._membership.connect()

    async def keep(self, peer: Peer, welcome: Welcome) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._membership.keep_doors(peer))
            if welcome.renew_in:
                group.create_task(self._membership.keep_certificate(peer, welcome.renew_in))

    def unreached(self, error: BaseException) -> str:
        return self._membership.unreached(error)


async def run_agent(server: Server, data: Path, config: Mapping[str, Any] | None = None) -> None:
    """Serve this machine as the place that ``server`` says until cancelled.

    ``data`` belongs to this agent alone; ``config`` are the further settings of the driver
    ``local``. Raises ``msgspec.ValidationError`` for settings that can't be read, and
    ``SiteUnreachable`` if another agent works on ``data``.
    """
    driver = MANIFEST.open({**(config or {}), "data": str(data)})
    hello = Hello(
        site=server.at,
        token=server.token,
        version=__version__,
        boot_id=_boot_id(),
        verbs=tuple(handlers(driver)),
        knows=known(),
    )
    try:
        _, held = await driver.list()
        _log.info("ready", data=str(data), workloads=len(held))
        await _keep_connected(server, hello, driver)
    finally:
        await driver.close()


async def _keep_connected(server: Server, hello: Hello, driver: Workloads) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            reader, writer = await server.connect()
            try:
                welcome = await introduce(reader, writer, hello)
                _log.info("connected", at=server.at, protocol=welcome.protocol)
                pause = FIRST_PAUSE
                why = await _serve(server, welcome, reader, writer, driver)
                _log.warning("connection lost", why=why)
            finally:
                writer.transport.abort()
        except Denied as denied:
            if OLDEST <= denied.speaks < hello.protocol:
                hello = msgspec.structs.replace(hello, protocol=denied.speaks)
                continue
            _log.error("denied", why=str(denied))
            pause = LONGEST_PAUSE
        except (OSError, TimeoutError, WireFault) as error:
            _log.warning("no connection", why=server.unreached(error))
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only to spread tries
        pause = min(2 * pause, LONGEST_PAUSE)


async def _serve(
    server: Server,
    welcome: Welcome,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    driver: Workloads,
) -> str:
    """Answer for the driver until the connection ends; says why it did."""
    peer = Peer(reader, writer, handlers(driver), opened=True, silence=welcome.silence)
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(server.keep(peer, welcome))
        try:
            return await peer.run()
        finally:
            keeper.cancel()


def server_of(server: str, token_file: Path | None, site: str, data: Path) -> Server:
    """The server that was named as unix:PATH or, if none was, that of the site this machine joined.

    Raises ``ValueError`` for a server that can't be read, ``NotJoined`` if there is none, and
    ``OSError`` for a token that can't be had.
    """
    if not server:
        return Far(Membership.read(data))
    kind, _, path = server.partition(":")
    if kind != "unix" or not path:
        raise ValueError(f"the server must be named as unix:PATH, not {server!r}")
    if token_file is None:
        raise ValueError("a server on a Unix socket needs --token-file")
    return Near(Path(path), site, token_file.read_text().strip())


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def configure_log() -> None:
    """Structured lines on standard error, for a person or for a machine."""
    shown = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else None
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if shown else [structlog.processors.format_exc_info]),
            shown or structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _end_with(parent: int) -> None:
    """Be told to end when the process that started this one has ended. It may have by now: asking
    whose child this is would then give its heir, and one would stay in the way for ever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


async def _until_told(work: asyncio.Task[None]) -> None:
    """Run ``work``; SIGTERM and SIGINT end it in good order."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        _log.info("ended; what runs goes on")


def main(arguments: list[str] | None = None) -> int:
    """``skerry agent``. 0 after a signal, 1 if it can't work, with the reason on standard error."""
    parser = argparse.ArgumentParser(
        prog="skerry agent", description="Offer this machine to a Skerry server."
    )
    parser.add_argument(
        "--server",
        default="",
        metavar="unix:PATH",
        help="where to connect; without it, to the site that this machine joined",
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="the site's token")
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="where to keep everything"
    )
    parser.add_argument("--site", default="local", metavar="NAME", help="the site's name")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="JSON: more settings of the driver"
    )
    parser.add_argument(
        "--with-parent",
        type=int,
        metavar="PID",
        help="end when the process that started it, which is this one, ends",
    )
    options = parser.parse_args(arguments)
    configure_log()
    if options.with_parent:
        _end_with(options.with_parent)
    try:
        server = server_of(options.server, options.token_file, options.site, options.data)
        config = msgspec.json.decode(options.config.read_bytes()) if options.config else {}
        run(server, options.data, config)
    except (OSError, ValueError, msgspec.MsgspecError, NotJoined, SiteUnreachable) as error:
        _log.error("can't work", why=str(error))
        return 1
    return 0


def run(server: Server, data: Path, config: Mapping[str, Any] | None = None) -> None:
    """Run the agent until a signal ends it."""

    async def work() -> None:
        await _until_told(asyncio.create_task(run_agent(server, data, config)))

    asyncio.run(work())


if __name__ == "__main__":
    sys.exit(main())

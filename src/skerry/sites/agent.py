"""The host agent: this machine's driver behind one outbound connection to the server.

``skerry up`` starts one as its child; on another machine it is started by hand or by the system.
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
from pathlib import Path
from typing import Any

import msgspec
import structlog

from skerry import __version__
from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.greeting import Denied, Hello, introduce
from skerry.sites.local import MANIFEST
from skerry.sites.remote import serve
from skerry.sites.sockets import short_name
from skerry.sites.wire import WireFault

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between two tries to connect; each is twice the last, more or less."""
_LONGEST_LINE = 1 << 20
_PR_SET_PDEATHSIG = 1
_log = structlog.get_logger("agent")


async def run_agent(
    server: str,
    token: str,
    data: Path,
    name: str = "local",
    config: Mapping[str, Any] | None = None,
) -> None:
    """Serve this machine as the site ``name`` until cancelled.

    ``server`` is ``unix:PATH``. ``data`` belongs to this agent alone; ``config`` are the further
    settings of the driver ``local``. Raises ``ValueError`` for a server and
    ``msgspec.ValidationError`` for settings that can't be read, ``SiteUnreachable`` if another
    agent works on ``data``.
    """
    path = _socket_path(server)
    driver = MANIFEST.open({**(config or {}), "data": str(data)})
    hello = Hello(site=name, token=token, version=__version__, boot_id=_boot_id())
    try:
        _, held = await driver.list()
        _log.info("ready", data=str(data), workloads=len(held))
        await _keep_connected(path, hello, driver)
    finally:
        await driver.close()


async def _keep_connected(path: str, hello: Hello, driver: Workloads) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            with short_name(Path(path)) as short:
                reader, writer = await asyncio.open_unix_connection(short, limit=_LONGEST_LINE)
            try:
                await introduce(reader, writer, hello)
                _log.info("connected", server=path, site=hello.site)
                pause = FIRST_PAUSE
                _log.warning("connection lost", why=await serve(reader, writer, driver))
            finally:
                writer.transport.abort()
        except Denied as denied:
            _log.error("denied", why=str(denied))
            pause = LONGEST_PAUSE
        except (OSError, TimeoutError, WireFault) as error:
            _log.warning("no connection", server=path, why=str(error) or type(error).__name__)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only to spread tries
        pause = min(2 * pause, LONGEST_PAUSE)


def _socket_path(server: str) -> str:
    kind, _, path = server.partition(":")
    if kind != "unix" or not path:
        raise ValueError(f"the server must be named as unix:PATH, not {server!r}")
    return path


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _configure_log() -> None:
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


def _end_with_parent() -> None:
    """Be told to end when the process that started this one has ended."""
    parent = os.getppid()
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
    parser.add_argument("--server", required=True, metavar="unix:PATH", help="where to connect")
    parser.add_argument(
        "--token-file", required=True, type=Path, metavar="FILE", help="the site's token"
    )
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="where to keep everything"
    )
    parser.add_argument("--site", default="local", metavar="NAME", help="the site's name")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="JSON: more settings of the driver"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that started it ends"
    )
    options = parser.parse_args(arguments)
    _configure_log()
    if options.with_parent:
        _end_with_parent()
    try:
        token = options.token_file.read_text().strip()
        config = msgspec.json.decode(options.config.read_bytes()) if options.config else {}

        async def work() -> None:
            agent = run_agent(options.server, token, options.data, options.site, config)
            await _until_told(asyncio.create_task(agent))

        asyncio.run(work())
    except (OSError, ValueError, msgspec.MsgspecError, SiteUnreachable) as error:
        _log.error("can't work", why=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

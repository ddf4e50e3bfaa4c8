"""``ssh``, ``exec`` and ``port-forward``: into what runs."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TextIO

import click

from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import FAILURE
from skerry.cli.exits import tell as tell_error
from skerry.cli.inside import WHERE, path_of
from skerry.client.channels import Channel, channel
from skerry.client.errors import BadSetting, SkerryError

SHELL = ("/bin/sh", "-c", 'exec "$(command -v bash || echo sh)" -l')
"""The best shell there is."""
_PIECE = 1 << 16


def _where() -> list[click.Parameter]:
    return [
        click.Option(["--replica"], metavar="NAME", default="", help="Which, of several that run"),
        click.Option(["--rank"], type=click.IntRange(0), default=0, help="Which copy of a job"),
    ]


@pass_session
def _ssh(session: Session, name: str, command: tuple[str, ...], **at: Any) -> None:
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    wanted = {"command": list(command or SHELL), "tty": tty, **at}
    _enter(session, name, wanted, stdin=True)


@pass_session
def _exec(
    session: Session, name: str, command: tuple[str, ...], stdin: bool, tty: bool, **at: Any
) -> None:
    if tty and not sys.stdin.isatty():
        raise BadSetting("standard input is no terminal", hint="Leave --tty out.")
    _enter(session, name, {"command": list(command), "tty": tty, **at}, stdin=stdin or tty)


def _enter(session: Session, name: str, wanted: dict[str, Any], *, stdin: bool) -> None:
    if wanted["tty"]:
        size = os.get_terminal_size()
        wanted |= {"columns": max(size.columns, 1), "rows": max(size.lines, 1)}
    path = path_of(session, name, "exec")
    code = _run(_inside(session, path, wanted, stdin))
    click.get_current_context().exit(code)


def _run(work: Coroutine[Any, Any, int]) -> int:
    return asyncio.run(work)


async def _inside(session: Session, path: str, wanted: dict[str, Any], stdin: bool) -> int:
    """Carry the terminal's bytes both ways; the command's exit code."""
    async with channel(session.client.wire, path, wanted) as stream:
        with _raw(wanted["tty"]), _resizing(stream, wanted["tty"]):
            feeding = asyncio.ensure_future(_feed(stream, stdin))
            try:
                async for output, data in stream.apart():
                    _write(sys.stdout if output == "stdout" else sys.stderr, data)
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
    return FAILURE if stream.exit_code is None else stream.exit_code


async def _feed(stream: Channel, stdin: bool) -> None:
    if stdin:
        async for data in _typed():
            await stream.send(data)
    await stream.end()


async def _typed() -> AsyncIterator[bytes]:
    """Standard input, whatever it is: a thread reads it, which ends with the process."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue(maxsize=4)

    def read() -> None:
        data = b"-"
        while data:
            data = os.read(0, _PIECE)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                asyncio.run_coroutine_threadsafe(pieces.put(data), loop).result()

    threading.Thread(target=read, daemon=True).start()
    while data := await pieces.get():
        yield data


def _write(to: TextIO, data: bytes) -> None:
    to.buffer.write(data)
    to.buffer.flush()


@contextlib.contextmanager
def _raw(tty: bool) -> Any:
    """Every key goes to the other side, Ctrl-C too."""
    if not tty:
        yield
        return
    import termios
    import tty as modes

    before = termios.tcgetattr(0)
    try:
        modes.setraw(0, termios.TCSADRAIN)  # what was typed already is not lost
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resizing(stream: Channel, tty: bool) -> Any:
    if not tty:
        yield
        return
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def changed() -> None:
        size = os.get_terminal_size()
        task = loop.create_task(stream.resize(size.columns, size.lines))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


@pass_session
def _forward(session: Session, name: str, ports: tuple[str, ...], address: str, **at: Any) -> None:
    pairs = [_pair(word) for word in ports]
    path = path_of(session, name, "connect")
    with contextlib.suppress(KeyboardInterrupt):
        _run(_forwarding(session, path, address, pairs, at))


def _pair(word: str) -> tuple[int, int]:
    """``LOCAL:REMOTE``, ``:REMOTE`` (any free port here) or one number for both."""
    here, colon, there = word.rpartition(":")
    here = here if colon else there
    numbers = [int(text) if text.isdecimal() else -1 for text in (here or "0", there)]
    if not (0 <= numbers[0] <= 65535 and 1 <= numbers[1] <= 65535):
        raise BadSetting(f"{word[:40]!r} is not a port", hint="Write 8080, 8080:80 or :80.")
    return numbers[0], numbers[1]


async def _forwarding(
    session: Session, path: str, address: str, pairs: list[tuple[int, int]], at: dict[str, Any]
) -> int:
    """Listen until stopped."""
    async with contextlib.AsyncExitStack() as stack:
        for here, there in pairs:
            wanted = {"port": there, **at}

            async def serve(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                wanted: dict[str, Any] = wanted,
            ) -> None:
                await _splice(session, path, wanted, reader, writer)

            try:
                server = await asyncio.start_server(serve, address, here)
            except OSError as error:
                raise BadSetting(
                    f"can't listen on {address}:{here}",
                    detail=str(error),
                    hint=f"Take another port: :{there} takes any that is free.",
                ) from None
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            click.echo(f"Forwarding {address}:{port} to port {there}. Ctrl-C ends it.")
        await asyncio.Event().wait()
    return 0


async def _splice(
    session: Session,
    path: str,
    wanted: dict[str, Any],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """One connection, both ways, until either side ends it."""
    try:
        async with channel(session.client.wire, path, wanted) as stream:
            sending = asyncio.ensure_future(_upward(stream, reader))
            try:
                async for data in stream:
                    writer.write(data)
                    await writer.drain()
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
    except SkerryError as error:
        tell_error(error, noun=session.noun)
    except ConnectionError:
        return  # the local side has gone
    finally:
        writer.close()


async def _upward(stream: Channel, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(_PIECE):
        await stream.send(data)
    await stream.end()


ssh = Command(
    "ssh",
    callback=_ssh,
    params=[
        click.Argument(["name"], metavar="NAME"),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]"),
        *_where(),
    ],
    help=f"Open a shell in what runs. {WHERE}.",
)
exec_ = Command(
    "exec",
    callback=_exec,
    params=[
        click.Argument(["name"], metavar="NAME"),
        click.Argument(["command"], nargs=-1, required=True, type=click.UNPROCESSED,
                       metavar="-- COMMAND..."),
        click.Option(["--stdin", "-i"], is_flag=True, help="Give it standard input"),
        click.Option(["--tty", "-t"], is_flag=True, help="Give it a terminal, and standard input"),
        *_where(),
    ],
    help=f"Run a command beside what runs; its exit code is this one's. {WHERE}.",
)  # fmt: skip
port_forward = Command(
    "port-forward",
    callback=_forward,
    params=[
        click.Argument(["name"], metavar="NAME"),
        click.Argument(["ports"], nargs=-1, required=True, metavar="[LOCAL:]PORT..."),
        click.Option(["--address"], default="127.0.0.1", show_default=True, help="Listen there"),
        *_where(),
    ],
    help=f"Bring ports of what runs to this machine. {WHERE}.",
)
COMMANDS = {"ssh": ssh, "exec": exec_, "port-forward": port_forward}

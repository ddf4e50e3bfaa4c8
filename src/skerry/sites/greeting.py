"""The first words on an agent's connection: who it is, and whether it may stay.

The agent says ``Hello``; the server checks version, site and token and answers ``Welcome``, or
says why not. Until then a peer may send no more than ``MAX_HELLO`` bytes, within ``PATIENCE``
seconds. The transport keeps the token secret: a Unix socket in the server's private directory, or
mutually authenticated TLS.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from skerry.sites.wire import PROTOCOL, WireFault, read_frame, write_frame

MAX_HELLO = 64 << 10
PATIENCE = 10.0
_HELLO, _WELCOME = 0x68, 0x77
_T = TypeVar("_T")


class Hello(msgspec.Struct, frozen=True, rename="camel"):
    """What an agent says of itself."""

    site: str
    token: str
    version: str
    """Of the agent's program."""
    boot_id: str
    """The host's; another one than last time means that the host was restarted."""
    protocol: int = PROTOCOL

    def __repr__(self) -> str:
        return f"Hello(site={self.site!r}, version={self.version!r}, boot_id={self.boot_id!r})"


class _Welcome(msgspec.Struct, frozen=True, rename="camel"):
    protocol: int = PROTOCOL
    denied: str = ""


class Denied(Exception):
    """The server does not take this agent, and says why."""


async def greet(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    check: Callable[[Hello], Awaitable[None]],
) -> Hello:
    """The server's part. ``check`` raises ``Denied`` for an agent it does not take.

    Raises ``Denied`` after telling the agent, ``WireFault`` if what came is no hello, and
    ``TimeoutError`` or ``OSError`` if none came.
    """
    async with asyncio.timeout(PATIENCE):
        hello = await _read(reader, _HELLO, Hello)
        try:
            if hello.protocol != PROTOCOL:
                raise Denied(
                    f"the agent speaks protocol {hello.protocol}, this server {PROTOCOL}: "
                    "install the same version of Skerry on both"
                )
            await check(hello)
        except Denied as denied:
            await _write(writer, _WELCOME, _Welcome(denied=str(denied)))
            raise
        await _write(writer, _WELCOME, _Welcome())
        return hello


async def introduce(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello
) -> None:
    """The agent's part. Raises ``Denied`` with the server's reason."""
    async with asyncio.timeout(PATIENCE):
        await _write(writer, _HELLO, hello)
        welcome = await _read(reader, _WELCOME, _Welcome)
        if welcome.denied:
            raise Denied(welcome.denied)


async def _write(writer: asyncio.StreamWriter, kind: int, message: msgspec.Struct) -> None:
    write_frame(writer, kind, 0, msgspec.msgpack.encode(message))
    await writer.drain()


async def _read(reader: asyncio.StreamReader, kind: int, type: type[_T]) -> _T:
    try:
        got, _, body = await read_frame(reader, MAX_HELLO)
        if got != kind:
            raise WireFault(f"a frame of kind {got} where the greeting was due")
        return msgspec.msgpack.decode(body, type=type)
    except EOFError as error:
        raise ConnectionResetError("the connection ended during the greeting") from error
    except msgspec.MsgspecError as error:
        raise WireFault(f"the greeting can't be read: {error}") from error

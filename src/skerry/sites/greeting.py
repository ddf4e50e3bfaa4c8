"""The first words on an agent's connection: who it is, and whether it may stay.

The agent says ``Hello``; the server checks who it is and answers ``Welcome``, or says why not.
Until then a peer may send no more than ``MAX_HELLO`` bytes, within ``PATIENCE`` seconds. The
transport keeps the token secret: a Unix socket in the server's private directory. Over mutually
authenticated TLS there is no token; the certificate says who it is.

**Versions.** Each end says the newest protocol it speaks; they talk the older of the two, if that
is at least ``OLDEST``. An agent says which verbs and which fields it knows as well, so that a
server asks nothing of it that it would leave out without a word (``remote``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec

from skerry.sites import clocks
from skerry.sites.wire import OLDEST, PROTOCOL, SILENCE, WireFault, read_frame, write_frame

MAX_HELLO = 64 << 10
PATIENCE = 10.0
_HELLO, _WELCOME = 0x68, 0x77
_T = TypeVar("_T")


class Hello(msgspec.Struct, frozen=True, rename="camel"):
    """What an agent says of itself."""

    site: str
    """The place it speaks for."""
    token: str
    version: str
    """Of the agent's program."""
    boot_id: str
    """The host's; another one than last time means that the host was restarted."""
    protocol: int = PROTOCOL
    clock: float = 0.0
    """The host's time as this is sent, in seconds since 1970; 0: it is too old to say."""
    verbs: tuple[str, ...] = ()
    knows: Mapping[str, tuple[str, ...]] = {}
    """The fields it knows of each struct that its verbs take."""

    def __repr__(self) -> str:
        return f"Hello(site={self.site!r}, version={self.version!r}, boot_id={self.boot_id!r})"


class Welcome(msgspec.Struct, frozen=True, rename="camel"):
    """What the server answers."""

    protocol: int = PROTOCOL
    denied: str = ""
    silence: float = SILENCE
    """Seconds of silence after which either end gives the connection up."""
    renew_in: float = 0.0
    """Seconds until the agent should renew its certificate; 0: it has none."""
    version: str = ""
    verbs: tuple[str, ...] = ()
    """What one node may ask of another; agents ask for none of these."""
    knows: Mapping[str, tuple[str, ...]] = {}


_PLAIN = Welcome()


class Denied(Exception):
    """The server does not take this agent, and says why. ``speaks`` is the server's protocol."""

    def __init__(self, why: str, speaks: int = PROTOCOL) -> None:
        super().__init__(why)
        self.speaks = speaks


async def greet(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    check: Callable[[Hello], Awaitable[float | None]],
    silence: float = SILENCE,
    able: Welcome = _PLAIN,
) -> Hello:
    """The server's part. ``check`` raises ``Denied`` for an agent it does not take, and may answer
    in how many seconds it should renew its certificate; ``able`` holds what else it is told.

    Raises ``Denied`` after telling the agent, ``WireFault`` if what came is no hello, and
    ``TimeoutError`` or ``OSError`` if none came.
    """
    async with asyncio.timeout(PATIENCE):
        hello = await receive(reader, _HELLO, Hello)
        try:
            spoken = agree(hello.protocol)
            renew_in = await check(hello)
        except Denied as denied:
            await send(writer, _WELCOME, Welcome(denied=str(denied)))
            raise
        welcome = msgspec.structs.replace(
            able, protocol=spoken, silence=silence, renew_in=renew_in or 0.0
        )
        await send(writer, _WELCOME, welcome)
        return hello


def agree(theirs: int) -> int:
    """The protocol to talk with an end that speaks ``theirs`` at most. Raises ``Denied``."""
    spoken = min(theirs, PROTOCOL)
    if spoken < OLDEST:
        raise Denied(
            f"the agent speaks protocol {theirs}, this server {OLDEST} to {PROTOCOL}: install a "
            "version of Skerry on the host that is at most one older than the server's"
        )
    return spoken


async def introduce(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello
) -> Welcome:
    """The agent's part. Raises ``Denied`` with the server's reason."""
    async with asyncio.timeout(PATIENCE):
        await send(writer, _HELLO, msgspec.structs.replace(hello, clock=clocks.now()))
        welcome = await receive(reader, _WELCOME, Welcome)
        if welcome.denied:
            raise Denied(welcome.denied, welcome.protocol)
        return welcome


async def send(writer: asyncio.StreamWriter, kind: int, message: msgspec.Struct) -> None:
    """Send one message of a greeting."""
    write_frame(writer, kind, 0, msgspec.msgpack.encode(message))
    await writer.drain()


async def receive(reader: asyncio.StreamReader, kind: int, type: type[_T]) -> _T:
    """The next message of a greeting, which must be of this kind. Raises ``WireFault``, or
    ``OSError`` at the connection's end."""
    _, message = await either(reader, {kind: type})
    return message  # type: ignore[no-any-return]


async def either(reader: asyncio.StreamReader, kinds: Mapping[int, Any]) -> tuple[int, Any]:
    """The next message of a greeting, which must be of one of these kinds."""
    try:
        got, _, body = await read_frame(reader, MAX_HELLO)
        if got not in kinds:
            raise WireFault(f"a frame of kind {got} where the greeting was due")
        return got, msgspec.msgpack.decode(body, type=kinds[got])
    except EOFError as error:
        raise ConnectionResetError("the connection ended during the greeting") from error
    except msgspec.MsgspecError as error:
        raise WireFault(f"the greeting can't be read: {error}") from error

"""Calls and streams over one connection, the same from either end.

A host's agent opens one connection to the server; over it the server calls the agent's driver
(``remote``). Nothing is assumed of the connection but a pair of asyncio streams, so a Unix
socket and a mutually authenticated TCP connection do alike.

**Frames.** Four bytes of length, one of kind, eight of call number (big-endian), then the body.
Who opens the connection numbers its calls odd, the other end even, so either may call.

**Calls.** A call is a method's name with its arguments, a stream of items each way and one
outcome. Without items it is a plain request; with them an upload, a log or a terminal. The caller
may give it up (``CANCEL``), which cancels the handler at the other end.

**Flow control.** Each stream of each call has a window: who reads grants the sender new credit as
it takes the items, so what is buffered is bounded and a slow reader of one log holds up nothing
else. A peer that sends without credit has its connection closed.

**Silence.** Each end pings three times within ``SILENCE`` seconds; one that has heard nothing for
so long gives the connection up. Every call still open then fails with ``SiteUnreachable``: nothing
follows from it about what happened at the other end.
"""

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

import msgspec
import structlog

from skerry.sites.contract import (
    CursorExpired,
    NoRoom,
    Refused,
    SiteUnreachable,
    StaleFence,
    UnknownWorkload,
)

PROTOCOL = 2
"""The newest that is spoken here. 2: an end tells its clock, its verbs and the fields it knows."""
OLDEST = 1
MAX_FRAME = 64 << 20
"""Bytes; a longer frame is a fault of the peer."""
MAX_ITEM = 256 << 10
WINDOW = 1 << 20
"""Bytes that one stream may have under way."""
ITEM_COST = 64
"""What an item counts beside its bytes, so that empty ones are bounded, too."""
MAX_CALLS = 4096
SILENCE = 30.0

CALL, ITEM, END, RESULT, ERROR, CREDIT, CANCEL, PING, PONG = range(9)
_HEAD = struct.Struct(">IBQ")
_CREDIT = struct.Struct(">I")


class WireFault(Exception):
    """The peer broke the protocol; the connection is closed."""


class PeerFault(Exception):
    """The handler at the other end failed in a way it did not foresee."""


class _Failure(msgspec.Struct, array_like=True):
    kind: str
    reason: str
    message: str


_log = structlog.get_logger(__name__)
_FORESEEN = (Refused, CursorExpired, SiteUnreachable)
_REFUSALS = {cls.__name__: cls for cls in (Refused, NoRoom, StaleFence, UnknownWorkload)}


def _describe(error: BaseException) -> bytes:
    match error:
        case Refused():
            kind = type(error).__name__
            known = kind if kind in _REFUSALS else "Refused"
            failure = _Failure(known, error.reason, error.message)
        case CursorExpired() | SiteUnreachable():
            failure = _Failure(type(error).__name__, "", str(error))
        case _:
            failure = _Failure("PeerFault", type(error).__name__, str(error))
    return msgspec.msgpack.encode(failure)


def _raised(body: bytes) -> Exception:
    failure = msgspec.msgpack.decode(body, type=_Failure)
    if failure.kind in _REFUSALS:
        return _REFUSALS[failure.kind](failure.reason, failure.message)
    if failure.kind == "CursorExpired":
        return CursorExpired(failure.message)
    if failure.kind == "SiteUnreachable":
        return SiteUnreachable(failure.message)
    return PeerFault(f"{failure.reason}: {failure.message}")


async def read_frame(reader: asyncio.StreamReader, limit: int) -> tuple[int, int, bytes]:
    """Kind, call and body. Raises ``EOFError`` at the end, ``WireFault`` beyond ``limit``."""
    length, kind, call = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if length > limit:
        raise WireFault(f"a frame of {length} bytes, {limit} at most are allowed")
    return kind, call, await reader.readexactly(length)


def write_frame(writer: asyncio.StreamWriter, kind: int, call: int, body: bytes = b"") -> None:
    if len(body) > MAX_FRAME:
        raise WireFault(f"a frame of {len(body)} bytes, {MAX_FRAME} at most are allowed")
    writer.write(_HEAD.pack(len(body), kind, call))
    if body:
        writer.write(body)


class Channel:
    """One call, as seen from one of its ends."""

    def __init__(self, peer: "Peer", call: int) -> None:
        self._peer = peer
        self._call = call
        self._credit = WINDOW
        self._can_send = asyncio.Event()
        self._can_send.set()
        self._inbox: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._granted = WINDOW
        self._taken = 0
        self._no_more = False
        self._outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def send(self, item: bytes) -> None:
        """Send one item, at most ``MAX_ITEM`` bytes, as soon as the reader has room for it."""
        if len(item) > MAX_ITEM:
            raise ValueError(f"an item of {len(item)} bytes, {MAX_ITEM} at most are allowed")
        while self._credit <= 0 and not self._outcome.done():
            self._can_send.clear()
            await self._can_send.wait()
        if self._outcome.done():
            await self.result()
            raise SiteUnreachable("the call has ended already")
        self._credit -= len(item) + ITEM_COST
        await self._peer.write(ITEM, self._call, item)

    async def finish(self) -> None:
        """Say that no more items come from here."""
        if not self._outcome.done():
            await self._peer.write(END, self._call)

    async def receive(self) -> bytes | None:
        """The next item, or None after the last; raises what ended the call before it was done."""
        while not self._inbox:
            if self._outcome.done() and self._outcome.exception() is not None:
                await self.result()
            if self._no_more:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        item = self._inbox.popleft()
        self._taken += len(item) + ITEM_COST
        if self._taken >= WINDOW // 2:
            self._granted += self._taken
            if not self._outcome.done():
                self._peer.post(CREDIT, self._call, _CREDIT.pack(self._taken))
            self._taken = 0
        return item

    async def result(self) -> bytes:
        """The call's outcome. Raises the handler's refusal, or ``SiteUnreachable``."""
        return await asyncio.shield(self._outcome)

    def close(self) -> None:
        """Give the call up unless it is done."""
        if not self._outcome.done():
            self._peer.post(CANCEL, self._call)
            self.failed(SiteUnreachable("the call was given up here"))
        self._peer.forget(self._call)

    def took_item(self, item: bytes) -> None:
        self._granted -= len(item) + ITEM_COST
        if self._granted < -(MAX_ITEM + ITEM_COST) or self._no_more:
            raise WireFault("the peer sent more than it had credit for")
        self._inbox.append(item)
        self._arrived.set()

    def took_end(self) -> None:
        self._no_more = True
        self._arrived.set()

    def took_credit(self, body: bytes) -> None:
        self._credit += int(_CREDIT.unpack(body)[0])
        self._can_send.set()

    def succeeded(self, body: bytes) -> None:
        if not self._outcome.done():
            self._outcome.set_result(body)
        self._wake()

    def failed(self, error: Exception) -> None:
        if not self._outcome.done():
            self._outcome.set_exception(error)
            self._outcome.exception()  # seen: nobody need be waiting for it
        self._wake()

    def _wake(self) -> None:
        self._no_more = True
        self._arrived.set()
        self._can_send.set()


Handler = Callable[[Channel, bytes], Awaitable[bytes]]
"""Gets the arguments, gives the result; both are msgpack."""


class Peer:
    """One end of a connection: makes calls and answers them.

    ``handlers`` are the methods it answers. ``opened`` is true for the end that connected.
    ``silence`` is how many seconds of it end the connection.
    """

    _kinds: ClassVar[frozenset[int]] = frozenset(range(CALL, PONG + 1))

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Handler],
        *,
        opened: bool,
        silence: float = SILENCE,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._silence = silence
        self._handlers = handlers
        self._next = 1 if opened else 2
        self._channels: dict[int, Channel] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._heard = 0.0
        self._over = False

    async def run(self) -> str:
        """Serve the connection until it ends; says why it did."""
        self._heard = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(self._beat())
                try:
                    return await self._read(group)
                finally:
                    self._end()
                    beat.cancel()
                    for task in self._tasks.values():
                        task.cancel()
        finally:
            self._writer.transport.abort()

    def open(self, method: str, args: bytes) -> Channel:
        """Call ``method`` of the other end. Raises ``SiteUnreachable`` without a connection."""
        if self._over:
            raise SiteUnreachable("the connection has ended")
        call, self._next = self._next, self._next + 2
        channel = self._channels[call] = Channel(self, call)
        self.post(CALL, call, msgspec.msgpack.encode((method, args)))
        return channel

    def post(self, kind: int, call: int, body: bytes = b"") -> None:
        """Write a frame without waiting for the connection to take it; for small ones."""
        if not self._over:
            write_frame(self._writer, kind, call, body)

    async def write(self, kind: int, call: int, body: bytes = b"") -> None:
        """Write a frame; waits while the connection is full."""
        if self._over:
            raise SiteUnreachable("the connection has ended")
        write_frame(self._writer, kind, call, body)
        try:
            await self._writer.drain()
        except OSError as error:
            raise SiteUnreachable(f"the connection broke: {error}") from error

    def forget(self, call: int) -> None:
        self._channels.pop(call, None)

    def hang_up(self) -> None:
        """End the connection; ``run`` returns soon after."""
        self._writer.transport.abort()

    def _end(self) -> None:
        self._over = True
        for channel in list(self._channels.values()):
            channel.failed(SiteUnreachable("the connection ended before the answer came"))

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._silence / 3)
            if loop.time() - self._heard > self._silence:
                self.hang_up()
                return
            self.post(PING, 0)

    async def _read(self, group: asyncio.TaskGroup) -> str:
        loop = asyncio.get_running_loop()
        while True:
            try:
                kind, call, body = await read_frame(self._reader, MAX_FRAME)
                self._heard = loop.time()
                self._take(group, kind, call, body)
            except EOFError:
                return "the other end closed the connection"
            except (OSError, WireFault, struct.error, msgspec.MsgspecError) as error:
                return f"{type(error).__name__}: {error}"

    def _take(self, group: asyncio.TaskGroup, kind: int, call: int, body: bytes) -> None:
        if kind == PING:
            self.post(PONG, 0)
        elif kind == CALL:
            self._take_call(group, call, body)
        elif kind == CANCEL:
            if call in self._tasks:
                self._tasks[call].cancel()
        elif kind not in self._kinds:
            raise WireFault(f"unknown frame kind {kind}")
        elif (channel := self._channels.get(call)) is not None:
            if kind == ITEM:
                channel.took_item(body)
            elif kind == END:
                channel.took_end()
            elif kind == CREDIT:
                channel.took_credit(body)
            elif kind == RESULT:
                channel.succeeded(body)
            elif kind == ERROR:
                channel.failed(_raised(body))

    def _take_call(self, group: asyncio.TaskGroup, call: int, body: bytes) -> None:
        method, args = msgspec.msgpack.decode(body, type=tuple[str, bytes])
        if call in self._channels or call % 2 == self._next % 2:
            raise WireFault(f"call number {call} is not the peer's to use")
        if len(self._tasks) >= MAX_CALLS:
            busy = Refused("Busy", f"{MAX_CALLS} calls are under way here already")
            self.post(ERROR, call, _describe(busy))
            return
        handler = self._handlers.get(method)
        if handler is None:
            unknown = Refused("Unsupported", f"there is no method {method!r} here")
            self.post(ERROR, call, _describe(unknown))
            return
        channel = self._channels[call] = Channel(self, call)
        self._tasks[call] = group.create_task(self._answer(handler, channel, call, args))

    async def _answer(self, handler: Handler, channel: Channel, call: int, args: bytes) -> None:
        try:
            kind, body = RESULT, await handler(channel, args)
            if len(body) > MAX_FRAME:
                raise WireFault(f"the answer has {len(body)} bytes, {MAX_FRAME} are allowed")
        except Exception as error:  # noqa: BLE001 - told to the caller, whose failure it is
            kind, body = ERROR, _describe(error)
            if isinstance(error, _FORESEEN):
                _log.debug("call refused", call=call, error=str(error))
            else:
                _log.exception("call failed", call=call)
        finally:
            self.forget(call)
            del self._tasks[call]
        with contextlib.suppress(SiteUnreachable):
            await self.write(kind, call, body)

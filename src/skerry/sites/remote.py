"""A driver at the other end of a connection.

``serve`` is the host's side: it answers calls with its driver. ``RemoteDriver`` is the server's:
it implements ``Workloads`` by calling. What the driver refuses is refused here in the same words;
a connection that ends raises ``SiteUnreachable``.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from skerry.sites import clocks, fitting
from skerry.sites.clocks import shifted
from skerry.sites.contract import (
    Address,
    Capacity,
    EnvironmentSource,
    Event,
    FileInfo,
    HostUsage,
    ImageSource,
    LogChunk,
    Output,
    Progress,
    Session,
    Stats,
    TaskUsage,
    Volume,
    VolumeStatus,
    Workload,
    Workloads,
    WorkloadStatus,
)
from skerry.sites.fitting import Fit
from skerry.sites.outputs import Left, left
from skerry.sites.wire import MAX_ITEM, SILENCE, Channel, Handler, Peer

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.decode
_T = TypeVar("_T")

_CALLS: Mapping[str, Any] = {
    "capacity": tuple[()],
    "has_blobs": tuple[tuple[str, ...]],
    "apply": tuple[Workload, int],
    "list": tuple[()],
    "delete": tuple[str, int],
    "signal": tuple[str, int, int],
    "stats": tuple[str],
    "files": tuple[str, int],
    "create_volume": tuple[Volume, int],
    "list_volumes": tuple[()],
    "delete_volume": tuple[str, int],
    "snapshot_volume": tuple[str, str, int],
    "delete_snapshot": tuple[str, str, int],
    "address": tuple[str, int, int],
    "usage": tuple[()],
}
"""Verbs with one answer, and the types of their arguments."""

_STREAMS: Mapping[str, Any] = {
    "prepare_image": tuple[ImageSource],
    "prepare_environment": tuple[EnvironmentSource],
    "watch": tuple[int],
    "download": tuple[str, int, str],
    "logs": tuple[str, int, int, bool],
}
"""Verbs that answer with a stream of items."""

_SESSIONS: Mapping[str, Any] = {
    "exec": tuple[str, int, tuple[str, ...], bool],
    "exec_apart": tuple[str, int, tuple[str, ...], bool],
    "connect": tuple[str, int, int],
}
"""``exec_apart`` is the driver's ``exec`` with its outputs apart; ``exec``, as older servers ask
for it, sends both as one."""

CLOCK = "clock"
"""Beside the driver's verbs: what time it is at the host."""

DIGESTS = "digests"
"""Beside them, too: what a run has left, by digests."""

_OPEN = b""
"""First item of a session: it stands. Items with data are never empty."""
_SIZE = b""
"""Before the item that has the terminal's new columns and rows."""
_ERRORS = b""
"""The other way: before an item that was written to standard error."""


def handlers(driver: Workloads) -> dict[str, Handler]:
    """What a ``Peer`` needs to answer for ``driver``."""

    def plain(verb: str, args: Any) -> Handler:
        async def handle(channel: Channel, body: bytes) -> bytes:
            return _encode(await getattr(driver, verb)(*_decode(body, type=args)))

        return handle

    def stream(verb: str, args: Any) -> Handler:
        async def handle(channel: Channel, body: bytes) -> bytes:
            async with aclosing(getattr(driver, verb)(*_decode(body, type=args))) as items:
                async for item in items:
                    for piece in _pieces(item) if isinstance(item, bytes) else (_encode(item),):
                        await channel.send(piece)
            await channel.finish()
            return _encode(None)

        return handle

    def session(verb: str, args: Any) -> Handler:
        async def handle(channel: Channel, body: bytes) -> bytes:
            name = verb.removesuffix("_apart")
            opened: Session = await getattr(driver, name)(*_decode(body, type=args))
            try:
                await channel.send(_OPEN)
                return _encode(await _relay(channel, opened, verb))
            finally:
                await opened.close()

        return handle

    async def upload(channel: Channel, body: bytes) -> bytes:
        [digest] = _decode(body, type=tuple[str])
        await driver.upload(digest, _items(channel))
        return _encode(None)

    async def clock(channel: Channel, body: bytes) -> bytes:
        return _encode(clocks.now())

    async def digests(channel: Channel, body: bytes) -> bytes:
        return _encode(await left(driver, *_decode(body, type=tuple[str, int])))

    return {
        CLOCK: clock,
        DIGESTS: digests,
        "upload": upload,
        **{verb: plain(verb, args) for verb, args in _CALLS.items()},
        **{verb: stream(verb, args) for verb, args in _STREAMS.items()},
        **{verb: session(verb, args) for verb, args in _SESSIONS.items()},
    }


def known() -> dict[str, tuple[str, ...]]:
    """The fields that the verbs here know, by struct."""
    return fitting.fields((*_CALLS.values(), *_STREAMS.values(), *_SESSIONS.values()))


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, driver: Workloads
) -> str:
    """Answer for ``driver`` until the connection ends; says why it did."""
    return await Peer(reader, writer, handlers(driver), opened=True).run()


async def _items(channel: Channel) -> AsyncIterator[bytes]:
    while (item := await channel.receive()) is not None:
        yield item


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + MAX_ITEM] for start in range(0, len(data), MAX_ITEM)]


async def _relay(channel: Channel, session: Session, verb: str) -> int:
    """Carry both directions; an ``exec`` is over with its output, a connection with both."""

    async def inward() -> None:
        with suppress(ConnectionError):  # it takes no more input: its output tells the rest
            async for item in _items(channel):
                if item:
                    await session.write(item)
                elif (size := await channel.receive()) is not None:
                    await session.resize(*_decode(size, type=tuple[int, int]))
            await session.close_write()

    async with asyncio.TaskGroup() as group:
        incoming = group.create_task(inward())
        while (taken := await session.take())[1]:
            for piece in _pieces(taken[1]):
                if taken[0] == "stderr" and verb == "exec_apart":
                    await channel.send(_ERRORS)
                await channel.send(piece)
        await channel.finish()
        code = await session.wait()
        if verb != "connect":
            incoming.cancel()
    return code


class RemoteSession:
    """A session of the driver at the other end."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._name: Output = "stdout"
        self._rest = b""
        self._turn = asyncio.Lock()

    async def read(self, limit: int = 65536) -> bytes:
        return (await self.take(limit))[1]

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        if not self._rest:
            item = await self._channel.receive()
            self._name = "stderr" if item == _ERRORS else "stdout"
            self._rest = (await self._channel.receive() if item == _ERRORS else item) or b""
        data, self._rest = self._rest[:limit], self._rest[limit:]
        return self._name, data

    async def write(self, data: bytes) -> None:
        async with self._turn:
            for piece in _pieces(data):
                await self._channel.send(piece)

    async def close_write(self) -> None:
        await self._channel.finish()

    async def resize(self, columns: int, rows: int) -> None:
        async with self._turn:
            await self._channel.send(_SIZE)
            await self._channel.send(_encode((columns, rows)))

    async def close(self) -> None:
        self._channel.close()

    async def wait(self) -> int:
        return _decode(await self._channel.result(), type=int)


class RemoteDriver:
    """The capability ``Workloads`` of a site whose agent holds the connection.

    ``run`` serves the connection until it ends; before and after, every verb raises
    ``SiteUnreachable``.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        fit: Fit | None = None,
        near: bool = True,
        silence: float = SILENCE,
        services: Mapping[str, Handler] | None = None,
    ) -> None:
        """``fit`` is what may be asked of the agent (None: anything), ``near`` whether it is on
        this machine, and ``services`` what it may ask of us."""
        self._peer = Peer(reader, writer, services or {}, opened=False, silence=silence)
        self._fit = fit
        self._near = near
        self.correction = timedelta(0)
        """What is taken from the times it reports."""

    async def run(self) -> str:
        """Why the connection ended."""
        return await self._peer.run()

    async def close(self) -> None:
        self._peer.hang_up()

    async def clock(self) -> float | None:
        """The host's clock, in seconds since 1970; None if its agent is too old to say."""
        if self._fit is not None and not self._fit.can(CLOCK):
            return None
        return await self._call(float, CLOCK)

    def _open(self, verb: str, *args: Any) -> Channel:
        return self._called(verb, verb, args)

    def _called(self, method: str, verb: str, args: tuple[Any, ...]) -> Channel:
        if self._fit is not None:
            self._fit.check(verb, args)
        return self._peer.open(method, _encode(args))

    def _read(self, body: bytes, type: type[_T]) -> _T:
        """An answer, its times put right."""
        found = _decode(body, type=type)
        return shifted(found, self.correction) if self.correction else found

    async def _call(self, type: type[_T], verb: str, *args: Any) -> _T:
        channel = self._open(verb, *args)
        try:
            return self._read(await channel.result(), type)
        finally:
            channel.close()

    async def _stream(self, verb: str, *args: Any) -> AsyncGenerator[bytes, None]:
        channel = self._open(verb, *args)
        try:
            async for item in _items(channel):
                yield item
            await channel.result()
        finally:
            channel.close()

    async def _session(self, verb: str, *args: Any) -> Session:
        channel = self._open(verb, *args)
        try:
            if await channel.receive() is None:
                await channel.result()
        except BaseException:
            channel.close()
            raise
        return RemoteSession(channel)

    async def capacity(self) -> Capacity:
        return await self._call(Capacity, "capacity")

    async def upload(self, digest: str, content: AsyncIterator[bytes]) -> None:
        channel = self._open("upload", digest)
        try:
            async for data in content:
                for piece in _pieces(data):
                    await channel.send(piece)
            await channel.finish()
            await channel.result()
        finally:
            channel.close()

    async def has_blobs(self, digests: tuple[str, ...]) -> tuple[str, ...]:
        return await self._call(tuple[str, ...], "has_blobs", digests)

    async def apply(self, workload: Workload, fence: int) -> WorkloadStatus:
        return await self._call(WorkloadStatus, "apply", workload, fence)

    async def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        return await self._call(tuple[int, tuple[WorkloadStatus, ...]], "list")

    async def prepare_image(self, source: ImageSource) -> AsyncIterator[Progress]:
        async with aclosing(self._stream("prepare_image", source)) as items:
            async for item in items:
                yield _decode(item, type=Progress)

    async def prepare_environment(self, source: EnvironmentSource) -> AsyncIterator[Progress]:
        async with aclosing(self._stream("prepare_environment", source)) as items:
            async for item in items:
                yield _decode(item, type=Progress)

    async def watch(self, cursor: int) -> AsyncIterator[Event]:
        async with aclosing(self._stream("watch", cursor)) as items:
            async for item in items:
                yield self._read(item, Event)

    async def delete(self, id: str, fence: int) -> None:
        await self._call(type(None), "delete", id, fence)

    async def signal(self, id: str, signal: int, fence: int) -> None:
        await self._call(type(None), "signal", id, signal, fence)

    async def stats(self, id: str) -> tuple[Stats, ...]:
        return await self._call(tuple[Stats, ...], "stats", id)

    async def files(self, id: str, rank: int) -> tuple[FileInfo, ...]:
        return await self._call(tuple[FileInfo, ...], "files", id, rank)

    async def digests(self, id: str, copies: int) -> tuple[Left, ...]:
        return await self._call(tuple[Left, ...], DIGESTS, id, copies)

    async def create_volume(self, volume: Volume, fence: int) -> VolumeStatus:
        return await self._call(VolumeStatus, "create_volume", volume, fence)

    async def list_volumes(self) -> tuple[VolumeStatus, ...]:
        return await self._call(tuple[VolumeStatus, ...], "list_volumes")

    async def delete_volume(self, id: str, fence: int) -> None:
        await self._call(type(None), "delete_volume", id, fence)

    async def snapshot_volume(self, id: str, snapshot: str, fence: int) -> None:
        await self._call(type(None), "snapshot_volume", id, snapshot, fence)

    async def delete_snapshot(self, id: str, snapshot: str, fence: int) -> None:
        await self._call(type(None), "delete_snapshot", id, snapshot, fence)

    async def download(self, id: str, rank: int, path: str) -> AsyncIterator[bytes]:
        async with aclosing(self._stream("download", id, rank, path)) as items:
            async for item in items:
                yield item

    async def logs(
        self, id: str, rank: int, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        async with aclosing(self._stream("logs", id, rank, offset, follow)) as items:
            async for item in items:
                yield self._read(item, LogChunk)

    async def exec(self, id: str, rank: int, command: tuple[str, ...], tty: bool) -> Session:
        apart = self._fit is None or self._fit.can("exec_apart")
        return await self._session("exec_apart" if apart else "exec", id, rank, command, tty)

    async def connect(self, id: str, rank: int, port: int) -> Session:
        return await self._session("connect", id, rank, port)

    async def usage(self) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
        return await self._call(tuple[HostUsage, tuple[TaskUsage, ...]], "usage")

    async def address(self, id: str, rank: int, port: int) -> Address | None:
        if not self._near:
            return None  # what is an address over there means nothing here
        return await self._call(Address | None, "address", id, rank, port)  # type: ignore[arg-type]

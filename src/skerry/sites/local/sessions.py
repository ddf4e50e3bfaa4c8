"""Sessions into tasks: a command's output and input, or a connection to a port."""

import asyncio
import base64
import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from skerry.sites.contract import Output, Refused

_PROGRAM = Path(__file__).with_name("enter.py")
_AWAY = (errno.EIO, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)
"""What a stream says whose other end is gone; a terminal says EIO."""
_PATIENCE = 30.0


class _Answer(msgspec.Struct):
    ok: bool = False
    error: str = ""


class Stream:
    """A two-way stream over descriptors, of which the first two may be the same; owns them."""

    def __init__(self, reading: int, writing: int, errors: int = -1) -> None:
        self._reading, self._writing = reading, writing
        self._all = {reading, writing, errors} - {-1}
        self._open: dict[int, Output] = {reading: "stdout"}
        if errors >= 0:
            self._open[errors] = "stderr"
        for descriptor in self._all:
            os.set_blocking(descriptor, False)
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        loop = asyncio.get_running_loop()
        while self._open and not self._closed:
            for descriptor in tuple(self._open):
                data = _read(descriptor, limit)
                if data is not None:
                    name = self._open.pop(descriptor)
                    if data:
                        self._open[descriptor] = name  # last: the other one has its turn first
                        return name, data
            if self._open:
                await self._until(tuple(self._open), loop.add_reader, loop.remove_reader)
        return "stdout", b""

    async def write(self, data: bytes) -> None:
        """Raises ``ConnectionError`` if nobody reads it any more."""
        loop = asyncio.get_running_loop()
        while data:
            if self._closed or self._writing < 0:
                raise BrokenPipeError("nobody reads this any more")
            try:
                data = data[os.write(self._writing, data) :]
            except BlockingIOError:
                await self._until((self._writing,), loop.add_writer, loop.remove_writer)
            except OSError as error:
                if error.errno in _AWAY:
                    raise BrokenPipeError("nobody reads this any more") from error
                raise

    def end_input(self) -> None:
        """A pipe is closed, a socket shut one way; a terminal is sent its end-of-file key."""
        if self._writing < 0 or self._closed:
            return
        if self._writing != self._reading:
            os.close(self._writing)
            self._all.discard(self._writing)
            self._writing = -1
        elif os.isatty(self._writing):
            with contextlib.suppress(OSError):
                os.write(self._writing, b"\x04")
        else:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._writing)) as end:
                end.shutdown(socket.SHUT_WR)

    def resize(self, columns: int, rows: int) -> None:
        """Nothing happens where this is no terminal."""
        if not self._closed and self._writing >= 0 and os.isatty(self._writing):
            termios.tcsetwinsize(self._writing, (rows, columns))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            for future in self._waiting:
                _wake(future)
            loop = asyncio.get_running_loop()
            for descriptor in self._all:
                loop.remove_reader(descriptor)
                loop.remove_writer(descriptor)
                os.close(descriptor)

    async def _until(
        self,
        descriptors: tuple[int, ...],
        add: Callable[..., None],
        remove: Callable[[int], Any],
    ) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        for descriptor in descriptors:
            add(descriptor, _wake, future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            for descriptor in descriptors if not self._closed else ():
                remove(descriptor)


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _read(descriptor: int, limit: int) -> bytes | None:
    """None if there is nothing yet."""
    try:
        return os.read(descriptor, limit)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno in _AWAY:
            return b""
        raise


class LocalSession:
    """See ``contract.Session``."""

    def __init__(self, stream: Stream, process: asyncio.subprocess.Process | None = None) -> None:
        self._stream, self._process = stream, process

    async def read(self, limit: int = 65536) -> bytes:
        return (await self._stream.take(limit))[1]

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        return await self._stream.take(limit)

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def close_write(self) -> None:
        self._stream.end_input()

    async def resize(self, columns: int, rows: int) -> None:
        self._stream.resize(columns, rows)

    async def close(self) -> None:
        self._stream.close()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def wait(self) -> int:
        return await self._process.wait() if self._process is not None else 0


class Entrance:
    """A process that has gone, or goes, into a task's sandbox."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        self.process, self._channel = process, channel
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, order: dict[str, object], **pipes: Any) -> "Entrance":
        """``order``: see ``enter.Order``."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(os.path.realpath(sys.executable), "-I", "-S", str(_PROGRAM)),
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                env={},
                **pipes,
            )
        ours.setblocking(False)
        entrance = cls(process, ours)
        await asyncio.get_running_loop().sock_sendall(ours, json.dumps(order).encode() + b"\n")
        return entrance

    async def answer(self) -> int:
        """The descriptor that comes with the answer, or -1. Raises ``OSError`` in its words."""
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._channel, _wake, readable)
        try:
            async with asyncio.timeout(_PATIENCE):
                await readable
        finally:
            loop.remove_reader(self._channel)
        data, descriptors, _, _ = socket.recv_fds(self._channel, 4096, 1)
        answer = msgspec.json.decode(data, type=_Answer) if data else _Answer(error="it has ended")
        if not answer.ok:
            raise OSError(answer.error)
        return descriptors[0] if descriptors else -1

    async def connect(self, port: int) -> int:
        """A socket connected to ``port`` in there."""
        asking = asyncio.get_running_loop().create_task(self._ask(port))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:  # or the next to ask would get this answer
            asking.add_done_callback(_unclaimed)
            raise

    async def _ask(self, port: int) -> int:
        async with self._turn:
            request = json.dumps({"port": port}).encode() + b"\n"
            await asyncio.get_running_loop().sock_sendall(self._channel, request)
            return await self.answer()

    def release(self) -> None:
        """Let go of the channel; the process goes on with its command."""
        self._channel.close()

    async def leave(self) -> None:
        self._channel.close()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()


def _unclaimed(asked: "asyncio.Task[int]") -> None:
    if not asked.cancelled() and asked.exception() is None:
        os.close(asked.result())


async def run(order: dict[str, object]) -> LocalSession:
    """A command in a sandbox. Raises ``Refused`` if it can't be entered."""
    if order["tty"]:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        entrance = await Entrance.open(order, **pipes)
        reading = writing = errors = -1
    else:
        given_in, writing = os.pipe2(os.O_CLOEXEC)
        reading, given_out = os.pipe2(os.O_CLOEXEC)
        errors, given_errors = os.pipe2(os.O_CLOEXEC)
        try:
            entrance = await Entrance.open(
                order, stdin=given_in, stdout=given_out, stderr=given_errors
            )
        finally:
            for descriptor in (given_in, given_out, given_errors):
                os.close(descriptor)
    try:
        terminal = await entrance.answer()
    except BaseException as error:
        await entrance.leave()
        for descriptor in (reading, writing, errors):
            if descriptor >= 0:
                os.close(descriptor)
        if isinstance(error, (OSError, TimeoutError)):
            raise Refused("NotRunning", f"the task can't be entered: {error}") from error
        raise
    if terminal >= 0:
        reading = writing = terminal
    entrance.release()
    return LocalSession(Stream(reading, writing, errors), entrance.process)


def encoded(filter: bytes) -> str:
    """As ``enter.Order.filter`` wants it."""
    return base64.b64encode(filter).decode()

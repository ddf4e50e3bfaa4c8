"""The door: a Unix socket of this machine that hands out sockets connected to tasks.

See ``contract.Address``: who connects writes lines ``id rank port`` and is sent, for each, a line
``ok`` with a connected socket, or one that says why not. So whoever serves requests for a task on
the same machine has no relay in its way.

Its directory is open to this user and root alone, and it says so to whoever comes by another way.
The file's name is this data directory's own: on another machine there is none of that name.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from skerry.sites.contract import Refused
from skerry.sites.sockets import short_name

_LONGEST_LINE = 128
_PATIENCE = 60.0
"""Seconds that one who came in may be silent."""
_BACKLOG = 512

Connect = Callable[[str, int, int], Awaitable[socket.socket]]
"""To a port: id, rank, port."""


class Door:
    """Made by ``open``; serves until ``close``."""

    def __init__(self, path: Path, listener: socket.socket, connect: Connect) -> None:
        self.path = path
        self._listener, self._connect = listener, connect
        self._serving: set[asyncio.Task[None]] = set()
        self._keep(self._welcome())

    @classmethod
    def open(cls, data: Path, instance: str, connect: Connect) -> "Door":
        """Raises ``OSError``."""
        path = data / "reach" / instance
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.parent.chmod(0o700)
        path.unlink(missing_ok=True)  # of a driver that was killed
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with short_name(path) as name:
                listener.bind(name)
            listener.listen(_BACKLOG)
            return cls(path, listener, connect)
        except BaseException:
            listener.close()
            raise

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _welcome(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                visitor, _ = await loop.sock_accept(self._listener)
            except OSError:  # out of descriptors, for now
                await asyncio.sleep(0.1)
                continue
            if _uid(visitor) in (0, os.geteuid()):
                self._keep(self._serve(visitor))
            else:
                visitor.close()

    async def _serve(self, visitor: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        asked = b""
        with visitor, contextlib.suppress(OSError, TimeoutError):
            while len(asked) < _LONGEST_LINE:
                async with asyncio.timeout(_PATIENCE):
                    data = await loop.sock_recv(visitor, _LONGEST_LINE)
                if not data:
                    return
                *lines, asked = (asked + data).split(b"\n")
                for line in lines:
                    await self._answer(visitor, line.decode(errors="replace"))

    async def _answer(self, visitor: socket.socket, line: str) -> None:
        try:
            id, rank, port = line.split(" ")
            connection = await self._connect(id, int(rank), int(port))
        except ValueError:
            visitor.send(b"BadRequest a line must be: id rank port\n")
        except Refused as refused:
            visitor.send(f"{refused.reason} {refused.message}\n".encode())
        else:
            with connection:
                socket.send_fds(visitor, [b"ok\n"], [connection.fileno()])

    async def close(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._listener.close()
        self.path.unlink(missing_ok=True)


def _uid(visitor: socket.socket) -> int:
    credentials = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("iII", credentials)[1])

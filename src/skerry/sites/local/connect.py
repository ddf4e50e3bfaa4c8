"""Ways to the ports of tasks: straight, or from inside the task's own network.

An agent that is root makes its sockets in the task's network itself (``spaces``). One that is not
can't, because the right to do so is had in the sandbox's user namespace only, which a process with
several threads may not enter: there a small process goes in (``enter``) and hands sockets out.
"""

import asyncio
import socket
from collections.abc import Callable

from skerry.sites.contract import Refused
from skerry.sites.local.sessions import Entrance
from skerry.sites.local.spaces import Spaces, socket_in
from skerry.sites.local.state import Record

_SECONDS = 5.0
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class Connectors:
    """What is kept open to connect to tasks, until they are forgotten."""

    def __init__(self, root: bool) -> None:
        self._root = root
        self._spaces = Spaces()
        self._entrances: dict[str, tuple[int, Entrance]] = {}
        self._turn = asyncio.Lock()

    async def connect(
        self, name: str, found: Record, order: Callable[[], dict[str, object]], port: int
    ) -> socket.socket:
        """To ``port`` of the task ``name``; ``order`` is as ``enter`` wants it. Raises
        ``Refused``."""
        try:
            if self._root:
                space = self._spaces.find(name, found.command, found.shim)
            else:
                entrance = await self._entrance(name, found.command, order)
        except (OSError, TimeoutError) as error:
            raise Refused("NotRunning", f"the task can't be entered: {error}") from error
        if self._root:
            return await _connected(lambda family: socket_in(space, family), port)
        try:
            connection = socket.socket(fileno=await entrance.connect(port))
        except (OSError, TimeoutError) as error:
            raise _not_listening(port, error) from error
        return _ready(connection)

    async def _entrance(
        self, name: str, process: int, order: Callable[[], dict[str, object]]
    ) -> Entrance:
        async with self._turn:
            known = self._entrances.get(name)
            if known is not None and known[0] == process and known[1].process.returncode is None:
                return known[1]
            await self.forget(name)
            entrance = await Entrance.open(order())
            self._entrances[name] = (process, entrance)
            await entrance.answer()
            return entrance

    async def forget(self, name: str) -> None:
        self._spaces.forget(name)
        known = self._entrances.pop(name, None)
        if known is not None:
            await known[1].leave()

    async def close(self) -> None:
        self._spaces.close()
        for name in list(self._entrances):
            await self.forget(name)


async def connect_here(port: int) -> socket.socket:
    """To a port of the host's own network. Raises ``Refused``."""
    return await _connected(lambda family: socket.socket(family, socket.SOCK_STREAM), port)


async def _connected(
    make: Callable[[socket.AddressFamily], socket.socket], port: int
) -> socket.socket:
    loop = asyncio.get_running_loop()
    problem: Exception | None = None
    for family, address in _LOOPBACK:
        try:
            connection = make(family)
        except OSError as error:
            problem = problem or error
            continue
        connection.setblocking(False)
        try:
            async with asyncio.timeout(_SECONDS):
                await loop.sock_connect(connection, (address, port))
            return _ready(connection)
        except (OSError, TimeoutError) as error:
            problem = problem or error
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise _not_listening(port, problem)


def _ready(connection: socket.socket) -> socket.socket:
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _not_listening(port: int, error: Exception | None) -> Refused:
    return Refused("NotListening", f"nothing answers on port {port} of the task: {error}")

"""Ways to the ports of tasks: straight, or through a process inside the task's own network."""

import asyncio
import contextlib
import socket

from skerry.sites.contract import Refused
from skerry.sites.local.sessions import Entrance, LocalSession, Stream

_SECONDS = 5.0


class Connectors:
    """One entrance for each sandbox that is connected to, kept until the task is forgotten."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, Entrance]] = {}
        self._turn = asyncio.Lock()

    async def connect(self, name: str, order: dict[str, object], port: int) -> LocalSession:
        """To ``port`` of the task ``name``. Raises ``Refused``."""
        try:
            entrance = await self._entrance(name, order)
        except (OSError, TimeoutError) as error:
            raise Refused("NotRunning", f"the task can't be entered: {error}") from error
        try:
            descriptor = await entrance.connect(port)
        except (OSError, TimeoutError) as error:
            raise not_listening(port, error) from error
        return LocalSession(Stream(descriptor, descriptor))

    async def _entrance(self, name: str, order: dict[str, object]) -> Entrance:
        process = int(str(order["process"]))
        async with self._turn:
            known = self._open.get(name)
            if known is not None and known[0] == process and known[1].process.returncode is None:
                return known[1]
            await self.forget(name)
            entrance = await Entrance.open(order)
            self._open[name] = (process, entrance)
            await entrance.answer()
            return entrance

    async def forget(self, name: str) -> None:
        known = self._open.pop(name, None)
        if known is not None:
            await known[1].leave()

    async def close(self) -> None:
        for name in list(self._open):
            await self.forget(name)


async def connect_here(port: int) -> LocalSession:
    """To a port of the host's own network. Raises ``Refused``."""
    loop = asyncio.get_running_loop()
    problem: Exception | None = None
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            async with asyncio.timeout(_SECONDS):
                await loop.sock_connect(connection, (address, port))
            descriptor = connection.detach()
            return LocalSession(Stream(descriptor, descriptor))
        except (OSError, TimeoutError) as error:
            problem = problem or error
            with contextlib.suppress(OSError):
                connection.close()
    raise not_listening(port, problem)


def not_listening(port: int, error: Exception | None) -> Refused:
    return Refused("NotListening", f"nothing answers on port {port} of the task: {error}")

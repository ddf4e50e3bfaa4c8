"""Health checks: whether tasks that have one take requests.

The driver checks, by the same ways by which it reaches into tasks, with one loop for each task. It
tells the task's shim when a run is to be ended for its health; whether to start it anew then is
for the shim to say, by its restart policy. What was found out about a run is kept with the task
(``HeldTask.set_ready``): a driver that comes back goes on from there.
"""

import asyncio
import contextlib
import socket
import time

from skerry.sites.contract import Health, Refused
from skerry.sites.local.connect import Connectors
from skerry.sites.local.held import Held, HeldTask
from skerry.sites.local.machine import Machine
from skerry.sites.local.reach import check_port, connect, execute
from skerry.sites.local.sessions import LocalSession

_FIRST_PAUSE = 0.1
"""Seconds between the first two checks of a run; twice as many each time, up to ``every``."""
_LONGEST_HEAD = 4096
_LONGEST_BODY = 65536
_LONGEST_WORDS = 200


class Checks:
    """The loops run as tasks of the machine's own, so they end with it."""

    def __init__(self, machine: Machine, connectors: Connectors) -> None:
        self._machine, self._connectors = machine, connectors

    def follow(self, held: Held) -> None:
        """Check its tasks for as long as they are here."""
        if held.workload.health is not None:
            for task in held.tasks:
                if not task.ended:
                    self._machine.spawn(self._look_after(held, task, held.workload.health))

    def _here(self, held: Held, task: HeldTask) -> bool:
        return self._machine.held.get(held.workload.id) is held and not task.ended

    async def _look_after(self, held: Held, task: HeldTask, health: Health) -> None:
        while self._here(held, task):
            if task.run >= 0:
                await self._through(task.run, held, task, health)
            else:
                await _news(task, health.every)

    async def _through(self, run: int, held: Held, task: HeldTask, health: Health) -> None:
        """Check one run of the task until its end."""
        failed = counted = 0
        pause = _FIRST_PAUSE
        began = time.monotonic()
        while self._here(held, task) and task.run == run:
            trouble = await self._trouble(held, task, health)
            if task.run != run:
                return
            failed = failed + 1 if trouble else 0
            lenient = time.monotonic() - began < health.start
            counted = counted + 1 if trouble and not lenient else 0
            self._note(run, held, task, trouble, enough=failed >= health.failures)
            if health.restart and counted and counted % health.failures == 0:
                plain = trouble.encode("ascii", "replace").decode().replace("\n", " ")
                task.directory.command(f"unhealthy {run} its health check failed: {plain}")
            pause = health.every if not task.unready else min(2 * pause, health.every)
            until = time.monotonic() + pause
            while task.run == run and (left := until - time.monotonic()) > 0:
                await _news(task, left)

    def _note(self, run: int, held: Held, task: HeldTask, trouble: str, *, enough: bool) -> None:
        if trouble and not enough and not task.unready:
            return
        if (trouble, bool(trouble)) != (task.trouble, task.unready):
            task.set_ready(run, trouble)
            self._machine.tell(held)

    async def _trouble(self, held: Held, task: HeldTask, health: Health) -> str:
        """What is wrong with it just now; empty if nothing is."""
        try:
            async with asyncio.timeout(health.timeout):
                if health.command:
                    session = await execute(self._machine, held, task, health.command, tty=False)
                    try:
                        return await _outcome(session)
                    finally:
                        await session.close()
                check_port(self._machine, held, task, health.port)
                args = (self._machine, held, task, health.port, self._connectors)
                with await connect(*args) as connection:
                    return await _answer(connection, health.path) if health.path else ""
        except TimeoutError:
            return f"it has not passed within {health.timeout:g} seconds"
        except Refused as refused:
            return refused.message
        except OSError as error:
            return f"its connection failed: {error}"


async def _news(task: HeldTask, seconds: float) -> None:
    """Until its record is read again, but no longer than that."""
    task.news.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await task.news.wait()


async def _outcome(session: LocalSession) -> str:
    await session.close_write()
    said = b""
    while data := await session.read():
        said = (said + data)[-_LONGEST_HEAD:]
    code = await session.wait()
    lines = said.decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")[:_LONGEST_WORDS]
    words = f"its check ended with {code}" + (f": {last}" if last.isprintable() and last else "")
    return words if code else ""


async def _answer(connection: socket.socket, path: str) -> str:
    loop = asyncio.get_running_loop()
    fields = "Host: localhost\r\nUser-Agent: skerry\r\nConnection: close"
    await loop.sock_sendall(connection, f"GET {path} HTTP/1.1\r\n{fields}\r\n\r\n".encode())
    head = b""
    while b"\n" not in head and len(head) < _LONGEST_HEAD:
        data = await loop.sock_recv(connection, _LONGEST_HEAD)
        if not data:
            break
        head += data
    version, _, rest = head.partition(b"\n")[0].partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        return "its answer is not HTTP"
    # A server that is left while it speaks would note a failure.
    left = _LONGEST_BODY
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(0.2):
            while left > 0 and (data := await loop.sock_recv(connection, left)):
                left -= len(data)
    return "" if int(rest[:3]) < 400 else f"it answered {rest[:3].decode()} to {path}"

"""Commands in containers, through the API server's WebSocket.

Each message begins with its channel: 0 input, 1 and 2 the outputs, 3 how it ended, 4 the terminal's
size; with version 5 of the protocol (Kubernetes 1.30) 255 closes one, so that a command hears the
end of its input while its output goes on.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)

from skerry.sites.contract import Output, Refused, SiteUnreachable
from skerry.sites.kubernetes.client import ApiError, Kube, Said

INPUT, STDOUT, STDERR, STATUS, SIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
PIECE = 32 << 10
OPEN = 30.0
"""Seconds to open one."""


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] = []


class _End(msgspec.Struct):
    status: str = ""
    reason: str = ""
    message: str = ""
    details: _Details | None = None


class ExecSession:
    """A command that runs in a container."""

    def __init__(self, socket: ClientConnection, lost: int = 137) -> None:
        self._socket = socket
        self._buffers: deque[tuple[Output, bytes]] = deque()
        self._code: int | None = None
        self._over = False
        self._lost = lost
        self._reading = asyncio.Lock()
        self.fault = ""
        """Why it did not even run, in the cluster's words."""

    async def read(self, limit: int = 65536) -> bytes:
        return (await self.take(limit))[1]

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        async with self._reading:
            while not self._buffers and not self._over:
                await self._receive()
            if not self._buffers:
                return "stdout", b""
            stream, data = self._buffers.popleft()
            if len(data) > limit:
                self._buffers.appendleft((stream, data[limit:]))
            return stream, data[:limit]

    async def _receive(self) -> None:
        try:
            message = await self._socket.recv(decode=False)
        except (ConnectionClosed, OSError):
            self._over = True
            return
        channel, data = message[0], bytes(message[1:])
        if channel == STATUS:
            self._ended(data)
        elif data and channel in (STDOUT, STDERR):
            self._buffers.append(("stdout" if channel == STDOUT else "stderr", data))

    def _ended(self, data: bytes) -> None:
        try:
            end = msgspec.json.decode(data, type=_End)
        except (msgspec.DecodeError, msgspec.ValidationError):
            end = _End(status="Failure", message=data.decode("utf-8", "replace"))
        self._code = 0
        if end.status != "Success":
            causes = end.details.causes if end.details else []
            codes = [cause.message for cause in causes if cause.reason == "ExitCode"]
            self._code = int(codes[0]) if codes and codes[0].isdigit() else self._lost
            if not codes:
                self.fault = end.message or end.reason
        self._over = True

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            await self._send(bytes([INPUT]) + data[start : start + PIECE])

    async def close_write(self) -> None:
        if self._socket.subprotocol == PROTOCOLS[0]:
            await self._send(bytes([CLOSE, INPUT]))

    async def resize(self, columns: int, rows: int) -> None:
        size = json.dumps({"Width": columns, "Height": rows})
        await self._send(bytes([SIZE]) + size.encode())

    async def _send(self, message: bytes) -> None:
        try:
            await self._socket.send(message)
        except (ConnectionClosed, OSError):
            return

    async def close(self) -> None:
        await self._socket.close()

    async def wait(self) -> int:
        """137 if it ended otherwise than by itself."""
        async with self._reading:
            while not self._over:
                await self._receive()
        await self._socket.close()
        return self._lost if self._code is None else self._code


async def enter(
    kube: Kube,
    where: str,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    tty: bool = False,
    stdin: bool = True,
) -> ExecSession:
    """Run a command in a container of a pod. Raises ``ApiError`` where the cluster won't."""
    query = [("container", container), *(("command", word) for word in command)]
    wanted = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
    query += [(name, "true") for name, yes in wanted.items() if yes]
    server = kube.server.replace("http", "ws", 1)
    url = f"{server}/api/v1/namespaces/{where}/pods/{pod}/exec?{urlencode(query)}"
    try:
        socket = await connect(
            url,
            ssl=kube.tls if url.startswith("wss") else None,
            additional_headers=kube.headers(),
            subprotocols=PROTOCOLS,  # type: ignore[arg-type]
            max_size=None,
            max_queue=64,
            open_timeout=OPEN,
            ping_interval=30,
            ping_timeout=60,
            close_timeout=2,
            compression=None,
            proxy=None,
        )
    except InvalidStatus as error:
        raise _said(error) from None
    except (InvalidHandshake, WebSocketException, OSError, TimeoutError) as error:
        raise SiteUnreachable(f"no contact with the API server: {error}"[:300]) from error
    return ExecSession(socket)


def _said(error: InvalidStatus) -> ApiError:
    body = bytes(error.response.body or b"")
    try:
        said = msgspec.json.decode(body, type=Said)
    except (msgspec.DecodeError, msgspec.ValidationError):
        said = Said(message=body.decode("utf-8", "replace")[:300])
    return ApiError(error.response.status_code, said)


class Done:
    """What a command said, and how it ended."""

    def __init__(self, code: int, stdout: bytes, stderr: bytes, fault: str) -> None:
        self.code, self.stdout, self.stderr, self.fault = code, stdout, stderr, fault

    @property
    def words(self) -> str:
        return self.fault or self.stderr.decode("utf-8", "replace").strip()


async def run(
    kube: Kube,
    where: str,
    pod: str,
    container: str,
    command: Sequence[str],
    content: AsyncIterator[bytes] | None = None,
) -> Done:
    """To its end, with ``content`` as its input."""
    session = await enter(kube, where, pod, container, command, stdin=content is not None)
    try:
        async with asyncio.TaskGroup() as group:
            if content is not None:
                group.create_task(_feed(session, content))
            outputs = {"stdout": bytearray(), "stderr": bytearray()}
            while True:
                stream, data = await session.take()
                if not data:
                    break
                outputs[stream] += data
            code = await session.wait()
        return Done(code, bytes(outputs["stdout"]), bytes(outputs["stderr"]), session.fault)
    finally:
        await session.close()


async def _feed(session: ExecSession, content: AsyncIterator[bytes]) -> None:
    async for piece in content:
        await session.write(piece)
    await session.close_write()


def not_running(words: str) -> Refused:
    return Refused("NotRunning", f"it does not run: {words}" if words else "it does not run now")

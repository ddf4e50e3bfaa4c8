"""Channels: a command in what runs, or a connection to its port, over a websocket.

Asynchronous only: whoever carries a stream both ways at once needs a loop. See the API's words on
the wire at ``GET /openapi.json``: the first message says what is wanted, binary messages carry the
stream, texts are asides.
"""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from skerry.client.errors import SkerryError, Unreachable, problem

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from skerry.client.wire import Wire

PROTOCOL = "skerry.channel.v1"
CONNECT_SECONDS = 30.0
_ERRORS = b"\x02"


class Channel:
    """An open channel. Iterating gives what comes out, ``apart`` also of which output it is; then
    ``exit_code`` is known."""

    def __init__(self, connection: "ClientConnection") -> None:
        self._connection = connection
        self.exit_code: int | None = None
        """None while it is open, and where it was cut off."""

    async def send(self, data: bytes) -> None:
        """Raises ``Unreachable`` if the channel is cut off."""
        await self._send(b"\x00" + data)

    async def resize(self, columns: int, rows: int) -> None:
        await self._send(json.dumps({"resize": {"columns": columns, "rows": rows}}))

    async def end(self) -> None:
        """Say that no more input comes."""
        await self._send('{"end": true}')

    async def _send(self, message: bytes | str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise _cut_off(error) from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for _, data in self.apart():
            yield data

    async def apart(self) -> AsyncIterator[tuple[Literal["stdout", "stderr"], bytes]]:
        from websockets.exceptions import ConnectionClosed

        try:
            async for message in self._connection:
                if isinstance(message, bytes):
                    yield "stderr" if message[:1] == _ERRORS else "stdout", message[1:]
                else:
                    self.exit_code = json.loads(message).get("exit", self.exit_code)
        except ConnectionClosed as error:
            if self.exit_code is None:
                raise _cut_off(error) from None


@asynccontextmanager
async def channel(wire: "Wire", path: str, wanted: Mapping[str, Any]) -> AsyncIterator[Channel]:
    """Open the channel at ``path``. Raises the problem that the cloud answers."""
    from websockets.asyncio.client import connect, unix_connect
    from websockets.exceptions import InvalidHandshake, InvalidStatus

    from skerry import __version__

    options: dict[str, Any] = {
        "subprotocols": [PROTOCOL],
        "user_agent_header": f"skerry/{__version__}",
        "additional_headers": {"authorization": f"Bearer {wire.settings.token}"},
        "open_timeout": CONNECT_SECONDS,
        "max_size": 4 << 20,
        "compression": None,
        "proxy": None,
    }
    url = "ws" + wire.base.removeprefix("http") + path
    if url.startswith("wss:"):
        options["ssl"] = ssl.create_default_context(cafile=wire.settings.ca_file or None)
    opening = unix_connect(wire.socket, url, **options) if wire.socket else connect(url, **options)
    try:
        connection = await opening
    except InvalidStatus as refused:
        answer = refused.response
        raise problem(
            answer.status_code, bytes(answer.body or b""), answer.headers.get("x-request-id", "")
        ) from None
    except (InvalidHandshake, OSError, TimeoutError) as error:
        text = str(error) or type(error).__name__
        raise Unreachable(
            f"can't reach {wire.base}", detail=text, sent=False, known=wire.answered
        ) from None
    async with connection:
        await connection.send(json.dumps(wanted))
        await _opened(connection)
        yield Channel(connection)


def _cut_off(error: Exception) -> Unreachable:
    return Unreachable("the channel was cut off", detail=str(error), sent=True, known=True)


async def _opened(connection: "ClientConnection") -> None:
    from websockets.exceptions import ConnectionClosed

    try:
        answer = json.loads(await connection.recv())
    except ConnectionClosed as error:
        raise _cut_off(error) from None
    if not isinstance(answer, dict) or not (answer.get("opened") or answer.get("problem")):
        raise SkerryError("the cloud answered with something else than a channel")
    if "problem" in answer:
        told = answer["problem"]
        raise problem(int(told.get("status", 500)), json.dumps(told).encode(), "")

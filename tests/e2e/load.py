"""Requests on a service while something happens to it, and what came of each."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

SERVER = r"""
import asyncio, os, signal

NAME = os.environ["SKERRY_POD"].encode()

async def serve(reader, writer):
    try:
        while line := await reader.readline():
            length = 0
            while (head := await reader.readline()) not in (b"\r\n", b""):
                name, _, value = head.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = await reader.readexactly(length)
            path = line.split()[1]
            if path.startswith(b"/slow"):
                await asyncio.sleep(1)
            said = b"%s %s %d" % (NAME, path, len(body))
            if path.startswith(b"/stream"):
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for part in said.split(b" "):
                    await asyncio.sleep(0.2)
                    writer.write(b"%x\r\n%s \r\n" % (len(part) + 1, part))
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.sleep(float(os.environ.get("LATE", "0")))
    server = await asyncio.start_server(serve, "0.0.0.0", 8000, backlog=1000)
    await stop.wait()

asyncio.run(main())
"""
"""An HTTP server that breaks off what it is at when it is told to end, as many do: so whoever
sends it a SIGTERM must know that it has nothing to do. It says who it is, and echoes what it was
asked."""


@dataclass
class Load:
    """What came of the requests so far."""

    answers: Counter[str] = field(default_factory=Counter)
    """By what they say of themselves: a status and a pod, or an error."""
    count: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(self, path: str, answer: str, right: bool, said: str) -> None:
        self.answers[answer] += 1
        if not right:
            self.wrong.append(f"{path}: {answer}: {said[:200]}")

    def pods(self) -> set[str]:
        return {said.removeprefix("200 ") for said in self.answers if said.startswith("200 ")}


class Connection:
    """One to the gateway. Nothing is asked twice and nothing is hidden: what goes wrong is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, head: str, body: bytes) -> tuple[int, str]:
        """Status and text of the answer."""
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        status = int((await self._reader.readuntil(b"\r\n")).split()[1])
        length, chunked = 0, False
        while (line := await self._reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.decode().lower().partition(":")
            if name == "content-length":
                length = int(value)
            elif name == "transfer-encoding":
                chunked = value.strip() == "chunked"
        text = await self._chunks() if chunked else await self._reader.readexactly(length)
        return status, text.decode()

    async def _chunks(self) -> bytes:
        whole = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            whole += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
        return whole

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@dataclass(frozen=True)
class Client:
    """One that asks, one request after the other."""

    number: int
    keep: bool
    """Keep its connection, or make a new one for each request."""
    path: str = "/"
    body: int = 0

    async def run(self, port: int, host: str, load: Load, on: Callable[[], bool]) -> None:
        sent, connection = 0, None
        while on():
            sent, load.count = sent + 1, load.count + 1
            path = f"{self.path}?{self.number}.{sent}"
            try:
                connection = connection or await Connection.open(port)
                status, said = await connection.ask(self._head(host, path), b"x" * self.body)
            except (OSError, EOFError, ValueError) as error:
                load.note(path, type(error).__name__, False, repr(error))
                connection = None
                continue
            words = said.split()
            right = status == 200 and words[1:] == [path, str(self.body)]
            load.note(path, f"{status} {words[0] if right else 'wrong'}", right, said)
            if not self.keep:
                await connection.close()
                connection = None

    def _head(self, host: str, path: str) -> str:
        lines = [f"{'POST' if self.body else 'GET'} {path} HTTP/1.1", f"Host: {host}"]
        lines += [f"Content-Length: {self.body}"] if self.body else []
        return "\r\n".join([*lines, "", ""])


CLIENTS = [
    *(Client(n, keep=True) for n in range(6)),
    *(Client(n, keep=False) for n in range(6, 10)),
    *(Client(n, keep=True, path="/slow") for n in range(10, 13)),
    *(Client(n, keep=False, path="/slow") for n in range(13, 15)),
    *(Client(n, keep=n % 2 == 0, path="/stream") for n in range(15, 18)),
    *(Client(n, keep=n % 2 == 0, path="/post", body=30_000) for n in range(18, 20)),
]


async def under_load(
    port: int, host: str, happens: Callable[[Load], Awaitable[None]], least: int
) -> Load:
    """What came of requests sent from before ``happens`` until after it, ``least`` at the least."""
    load, over = Load(), asyncio.Event()

    def on() -> bool:
        return not over.is_set() or load.count < least

    async with asyncio.TaskGroup() as group:
        for client in CLIENTS:
            group.create_task(client.run(port, host, load, on))
        await happens(load)
        over.set()
    return load

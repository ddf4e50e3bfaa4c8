"""Ten thousand clients at a time."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator

import pytest

from skerry.gateway.proxy.settings import Settings
from tests.gateway.proxy.world import HOST, World, answer_ok, world

MANY = 10_000
CLIENTS = """
import asyncio, resource, sys
port, many, host = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
ASK = f"GET / HTTP/1.1\\r\\nhost: {host}\\r\\n\\r\\n".encode()

few = asyncio.Semaphore(500)

async def ask(client):
    reader, writer = client
    async with few:
        writer.write(ASK)
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        assert await reader.readexactly(2) == b"ok"

async def main():
    clients = []
    while len(clients) < many:
        some = [asyncio.open_connection("127.0.0.1", port) for _ in range(250)]
        clients += await asyncio.gather(*some)
    await asyncio.gather(*map(ask, clients))
    print("asked", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*map(ask, clients))
    print("asked", flush=True)
    for reader, writer in clients:
        assert await reader.read() == b""

asyncio.run(main())
"""


@pytest.fixture
async def here() -> AsyncIterator[World]:
    """One that waits for those who come first while the last are still on their way."""
    async with world(Settings(head=600, keep_alive=600)) as made:
        yield made


@pytest.mark.long
async def test_ten_thousand_clients_are_all_answered_while_backends_change(here: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY + 1000:
        pytest.skip(f"no more than {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        first = await here.upstairs(answer_ok, "first")
        here.route(first)
        clients = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENTS, str(here.port), str(MANY), HOST,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert clients.stdout is not None
        assert clients.stdin is not None
        assert await clients.stdout.readline() == b"asked\n"
        assert here.proxy.in_flight == {}
        here.route(await here.upstairs(answer_ok, "second"))
        clients.stdin.write(b"\n")
        assert await clients.stdout.readline() == b"asked\n"
        asked = [entry.backend for entry in here.gate.entries]
        assert (asked.count("first"), asked.count("second")) == (MANY, MANY)
        # Who waits is sent away in order, and nothing is left.
        await here.proxy.close(30)
        assert await clients.wait() == 0
        assert here.proxy.in_flight == {}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

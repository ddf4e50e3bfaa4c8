"""TCP by port."""

import asyncio
import contextlib
import socket

from skerry.gateway.seams import Answer
from skerry.gateway.table import Route
from tests.gateway.proxy.test_chaos import until
from tests.gateway.proxy.world import World
from tests.harness.ports import free_port


async def echo(reader, writer):
    writer.write(b"hello ")
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.write(b" bye")


async def test_bytes_go_through_and_either_side_may_finish(here: World) -> None:
    port = free_port()
    here.route(await here.upstairs(echo), tcp=port)
    await here.proxy.listen_tcp("127.0.0.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        assert await reader.readexactly(6) == b"hello "
        assert here.proxy.in_flight == {"w1": 1}
        body = bytes(range(256)) * 10_000

        async def send() -> None:
            writer.write(body)
            await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        assert await reader.read() == body + b" bye"
        await sending
    writer.close()
    await until(lambda: len(here.gate.entries) == 1)
    entry = here.gate.entries[0]
    assert (entry.method, entry.received, entry.sent) == ("TCP", len(body), len(body) + 10)
    assert here.proxy.in_flight == {}


async def test_ports_follow_the_routes(here: World) -> None:
    one, two = free_port(), free_port()
    back = await here.upstairs(echo)
    await here.proxy.listen_tcp("127.0.0.1")
    for open_, closed in ((one, two), (two, one)):
        here.route(back, tcp=open_)
        await until(lambda open_=open_: open_ in here.proxy._tcp)
        reader, writer = await asyncio.open_connection("127.0.0.1", open_)
        assert await reader.readexactly(6) == b"hello "
        writer.close()
        try:
            await asyncio.open_connection("127.0.0.1", closed)
        except ConnectionRefusedError:
            continue
        raise AssertionError("the port of no route is open")


async def test_a_port_that_is_taken_is_told(here: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        here.route(await here.upstairs(echo), tcp=port)
        await here.proxy.listen_tcp("127.0.0.1")
        assert "in use" in here.proxy.tcp_faults[port]
    here.table.replace(here.table.all())
    await until(lambda: port in here.proxy._tcp)
    assert here.proxy.tcp_faults == {}


async def test_a_connection_waits_for_a_backend_and_another_is_tried(here: World) -> None:
    port = free_port()
    gone = await here.upstairs(name="gone")
    gone.stop()
    back = await here.upstairs(echo)

    async def waiting(route: Route) -> Route | Answer:
        await asyncio.sleep(0.02)
        return here.route(gone, back, tcp=port)

    here.gate.waiting = waiting
    here.route(tcp=port)
    await here.proxy.listen_tcp("127.0.0.1")
    for _ in range(4):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"early")
        async with asyncio.timeout(10):
            assert await reader.readexactly(11) == b"hello early"
        writer.close()
    here.route(gone, tcp=port)
    reader, _ = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""


async def test_a_server_that_speaks_and_leaves(here: World) -> None:
    async def daytime(reader, writer):
        writer.write(b"it is late")

    port = free_port()
    here.route(await here.upstairs(daytime), tcp=port)
    await here.proxy.listen_tcp("127.0.0.1")
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert await reader.read() == b"it is late"
        writer.close()

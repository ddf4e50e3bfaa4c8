"""Backends that die, stall and talk nonsense, and clients that leave: at each point."""

import asyncio
import os
import socket

import pytest

from skerry.gateway.proxy import Settings
from skerry.gateway.seams import Answer
from skerry.gateway.table import Limits, Route
from tests.gateway.proxy.world import (
    HOST,
    OK,
    World,
    answer_of,
    answer_ok,
    read_head,
    status,
    value,
    world,
)

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
ONCE = GET[:-2] + b"Connection: close\r\n\r\n"
POST = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\n\r\nabc".encode()

DEATHS = {
    "at once": b"",
    "inside the status line": b"HTTP/1.1 20",
    "inside the head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "inside the body": b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
    "inside a chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
    "before the last chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "after a hint": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}


async def until(done) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("where", DEATHS)
async def test_a_backend_that_dies(here: World, where: str) -> None:
    """Only a whole answer looks whole; an answer that has not begun is an error that says so."""

    async def speak(reader, writer):
        await read_head(reader)
        writer.write(DEATHS[where])

    here.route(await here.upstairs(speak))
    answer = await here.say(ONCE)
    if b"200 OK" in DEATHS[where] and b"\r\n\r\n" in DEATHS[where]:
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert not answer.endswith(b"\r\n0\r\n\r\n")
        assert b"content-length: 4" not in answer
    else:
        assert status(answer.split(b"\r\n\r\n", 1)[1] if b" 103 " in answer else answer) == 502
    assert here.proxy.in_flight == {}
    assert len(here.gate.entries) == 1


@pytest.mark.parametrize("reset", [False, True])
async def test_another_backend_answers_when_one_dies_silently(here: World, reset: bool) -> None:
    async def dies(reader, writer):
        await read_head(reader)
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    one, two = await here.upstairs(dies, "w1"), await here.upstairs(answer_ok, "w2")
    here.route(one, two)
    for _ in range(6):
        assert status(await here.get()) == 200
    assert {entry.backend for entry in here.gate.entries} == {"w2"}
    assert here.proxy.in_flight == {}


async def test_what_may_have_been_done_is_not_done_twice(here: World) -> None:
    taken = []

    async def dies(reader, writer):
        await read_head(reader)
        taken.append(await reader.readexactly(3))

    here.route(await here.upstairs(dies, "w1"), await here.upstairs(dies, "w2"))
    answer = await here.say(POST[:-7] + b"\r\nConnection: close\r\n\r\nabc")
    assert status(answer) == 502
    assert taken == [b"abc"]


async def test_a_request_with_a_body_moves_on_from_a_backend_that_is_not_there(here: World) -> None:
    gone = await here.upstairs(name="w1")
    gone.stop()
    await gone.server.wait_closed()
    here.route(gone, await here.upstairs(name="w2"))
    reader, writer = await here.connect()
    for _ in range(4):
        writer.write(POST)
        assert (await answer_of(reader))[1] == b"ok"
    here.route(gone)
    assert status(await here.say(ONCE)) == 502


async def test_a_put_is_sent_again_whole(here: World) -> None:
    bodies = []

    async def dies(reader, writer):
        await read_head(reader)
        await reader.readexactly(100)

    async def lives(reader, writer):
        head = await read_head(reader)
        bodies.append(await reader.readexactly(int(value(head, b"content-length") or 0)))
        writer.write(OK)

    here.route(await here.upstairs(dies, "w1"), await here.upstairs(lives, "w2"))
    body = os.urandom(30_000)
    head = f"PUT / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader, writer = await here.connect()
    for _ in range(2):
        writer.write(head + body[:1000])
        await asyncio.sleep(0.02)
        writer.write(body[1000:])
        assert (await answer_of(reader))[1] == b"ok"
    assert bodies == [body, body]


async def test_connections_that_backends_close_lose_no_request(here: World) -> None:
    """The classical race: the backend closes a waiting connection as the next request comes."""

    async def speak(reader, writer):
        for _ in range(2):
            await read_head(reader)
            writer.write(OK)
            await writer.drain()

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    for number in range(300):
        writer.write(GET if number % 3 else POST)
        assert (await answer_of(reader))[0].startswith(b"HTTP/1.1 200"), number
        if number % 3 == 2:
            # A request that must not be sent twice: what the kernel knows by then, we heed.
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50,
    ],
)
async def test_nonsense_from_a_backend(here: World, answer: bytes) -> None:
    async def speak(reader, writer):
        await read_head(reader)
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(5)

    here.route(await here.upstairs(speak))
    said = await here.get()
    assert status(b"HTTP/1.1 " + said.rpartition(b"HTTP/1.1 ")[2]) == 502
    assert b"Bad gateway" in said


async def test_more_than_an_answer_never_becomes_the_next_one(here: World) -> None:
    async def speak(reader, writer):
        await read_head(reader)
        writer.write(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await writer.drain()
        await reader.read()

    async def late(reader, writer):
        await read_head(reader)
        writer.write(OK)
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await reader.read()

    for how in (speak, late):
        here.route(await here.upstairs(how))
        reader, writer = await here.connect()
        for _ in range(3):
            writer.write(GET)
            assert (await answer_of(reader))[1] == b"ok"
            await asyncio.sleep(0.1)


async def test_times_run_out() -> None:
    settings = Settings(head=0.1, upload=0.1, keep_alive=0.1, quiet=0.1, tick=0.02, linger=0.02)

    async def silent(reader, writer):
        await reader.read()

    async def stalls(reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        await reader.read()

    async with world(settings) as here:
        back = await here.upstairs(silent)
        here.route(back, limits=Limits(timeout=0.1))
        assert status(await here.say(ONCE)) == 504, "nothing answers"
        assert status(await here.say(b"GET / HT")) == 408, "a slow head"
        assert status(await here.say(POST[:-1])) == 408, "a slow body"
        assert await here.say(b"") == b"", "a client that asks nothing"
        here.route(await here.upstairs(stalls))
        assert (await here.say(ONCE)).endswith(b"half"), "an answer that stops"
        here.route(await here.upstairs())
        assert (await here.say(GET)).endswith(b"ok"), "a connection without a request is closed"
        assert here.proxy.in_flight == {}


async def test_a_client_that_leaves_takes_its_request_along(here: World) -> None:
    ended = asyncio.Event()

    async def speak(reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nsome")
        await reader.read()
        ended.set()

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(GET)
    await reader.readuntil(b"some")
    assert here.proxy.in_flight == {"w1": 1}
    writer.close()
    async with asyncio.timeout(10):
        await ended.wait()
    await until(lambda: here.proxy.in_flight == {})
    assert here.gate.entries[0].sent == 4


async def test_a_client_that_leaves_while_it_waits(here: World) -> None:
    asked = asyncio.Event()
    left = asyncio.Event()

    async def waiting(route: Route) -> Route | Answer:
        asked.set()
        try:
            await asyncio.sleep(60)
        finally:
            left.set()
        return route

    here.gate.waiting = waiting
    here.route()
    _, writer = await here.connect()
    writer.write(GET)
    async with asyncio.timeout(10):
        await asked.wait()
        writer.close()
        await left.wait()
    await until(lambda: len(here.gate.entries) == 1)
    assert here.gate.entries[0].status == 0


async def test_a_request_waits_for_a_backend(here: World) -> None:
    back = await here.upstairs()

    async def waiting(route: Route) -> Route | Answer:
        await asyncio.sleep(0.05)
        return here.route(back)

    here.gate.waiting = waiting
    here.route()
    reader, writer = await here.connect()
    writer.write(POST[:-2])
    await asyncio.sleep(0.01)
    writer.write(POST[-2:])
    assert (await answer_of(reader))[1] == b"ok"
    here.gate.waiting = None
    here.route()
    assert status(await here.say(ONCE)) == 503


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_slow_reader_holds_the_backend(here: World, chunked: bool) -> None:
    total = 64 << 20
    written = 0

    async def speak(reader, writer):
        nonlocal written
        await read_head(reader)
        piece = bytes(65_536)
        if chunked:
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            piece = b"10000\r\n" + piece + b"\r\n"
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        for _ in range(total // 65_536):
            writer.write(piece)
            await writer.drain()
            written += 65_536
        writer.write(b"0\r\n\r\n" if chunked else b"")
        await writer.drain()

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(GET)
    await read_head(reader)
    before = -1
    while before != written:
        before = written
        await asyncio.sleep(0.1)
    assert written < total // 2, "it went into memory"
    got = 0
    async with asyncio.timeout(30):
        while got < total and (data := await reader.read(1 << 20)):
            got += len(data)
    assert got >= total


async def test_a_slow_backend_holds_the_client(here: World) -> None:
    total = 64 << 20
    go = asyncio.Event()
    got = 0

    async def speak(reader, writer):
        nonlocal got
        await read_head(reader)
        await go.wait()
        while got < total:
            got += len(await reader.read(1 << 20))
        writer.write(OK)

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {total}\r\n\r\n".encode())
    sent = 0

    async def send() -> None:
        nonlocal sent
        for _ in range(total // 65_536):
            writer.write(bytes(65_536))
            await writer.drain()
            sent += 65_536

    sending = asyncio.create_task(send())
    before = -1
    while before != sent:
        before = sent
        await asyncio.sleep(0.1)
    assert sent < total // 2, "it went into memory"
    go.set()
    assert (await answer_of(reader))[1] == b"ok"
    await sending
    assert got == total


async def test_an_early_answer_is_heard_while_the_body_still_comes(here: World) -> None:
    async def speak(reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(0.2)

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9000000\r\n\r\n".encode())
    head, body = await answer_of(reader)
    assert (head[:12], body) == (b"HTTP/1.1 403", b"no")
    assert value(head, b"connection") == b"close"
    writer.write(bytes(1_000_000))
    assert await reader.read() == b""


async def test_stopping_lets_requests_finish(here: World) -> None:
    go = asyncio.Event()

    async def speak(reader, writer):
        await read_head(reader)
        await go.wait()
        writer.write(OK)

    here.route(await here.upstairs(speak))
    idle, _ = await here.connect()
    reader, writer = await here.connect()
    writer.write(GET)
    await until(lambda: here.proxy.in_flight == {"w1": 1})
    stopping = asyncio.create_task(here.proxy.close(10))
    assert await idle.read() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", here.port)
    go.set()
    head, body = await answer_of(reader)
    assert body == b"ok"
    assert value(head, b"connection") == b"close"
    await stopping


async def test_a_removed_backend_gets_nothing_new_and_finishes_what_it_has(here: World) -> None:
    go = asyncio.Event()
    asked = []

    async def slow(reader, writer):
        while True:
            asked.append(await read_head(reader))
            await go.wait()
            writer.write(OK)

    one, two = await here.upstairs(slow, "w1"), await here.upstairs(answer_ok, "w2")
    here.route(one)
    reader, writer = await here.connect()
    writer.write(GET)
    await until(lambda: here.proxy.in_flight == {"w1": 1})
    here.route(two)
    for _ in range(10):
        assert status(await here.get()) == 200
    go.set()
    assert (await answer_of(reader))[1] == b"ok"
    assert here.proxy.in_flight == {}
    writer.write(GET)
    assert (await answer_of(reader))[1] == b"ok"
    assert len(asked) == 1


async def test_load_goes_to_who_has_least(here: World) -> None:
    async def slow(reader, writer):
        await reader.read()

    backs = [await here.upstairs(slow, f"w{n}") for n in range(4)]
    here.route(*backs)
    for _ in range(40):
        _, writer = await here.connect()
        writer.write(GET)
    await until(lambda: sum(here.proxy.in_flight.values()) == 40)
    assert here.proxy.in_flight == {f"w{n}": 10 for n in range(4)}

"""Requests and answers over HTTP/1, as clients and backends see them."""

import asyncio

import pytest

from skerry.gateway.seams import Answer
from tests.gateway.proxy.world import (
    HOST,
    OK,
    World,
    answer_of,
    read_head,
    status,
    value,
)

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


async def test_a_request_arrives_with_who_asked_and_nothing_of_the_hop(here: World) -> None:
    heads = []

    async def speak(reader, writer):
        heads.append(await read_head(reader))
        writer.write(OK)

    here.route(await here.upstairs(speak))
    answer = await here.say(
        f"GET /a/b?c=d HTTP/1.1\r\nHOST: {HOST}:8421\r\nConnection: close, X-Secret\r\n"
        "X-Secret: 1\r\nKeep-Alive: 3\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n"
        "Forwarded: for=6.6.6.6\r\nAccept: */*\r\nTE: gzip\r\nProxy-Authorization: x\r\n"
        "Via: 1.0 other\r\nX-Request-Id: mine-1\r\n\r\n".encode()
    )
    assert status(answer) == 200
    assert answer.endswith(b"\r\n\r\nok")
    head = heads[0]
    assert head.startswith(b"GET /a/b?c=d HTTP/1.1\r\n")
    assert value(head, b"host") == f"{HOST}:8421".encode()
    assert value(head, b"x-forwarded-for") == b"127.0.0.1"
    assert value(head, b"x-forwarded-proto") == b"http"
    assert value(head, b"x-forwarded-host") == f"{HOST}:8421".encode()
    assert value(head, b"via") == b"1.0 other, 1.1 skerry"
    assert value(head, b"x-request-id") == b"mine-1"
    assert value(head, b"accept") == b"*/*"
    for gone in (
        b"connection",
        b"keep-alive",
        b"te",
        b"x-secret",
        b"forwarded",
        b"x_forwarded_for",
    ):
        assert value(head, gone) is None, gone
    assert b"6.6.6.6" not in head


async def test_an_answer_gets_an_id_and_a_date(here: World) -> None:
    here.route(await here.upstairs())
    _, writer = reader, writer = await here.connect()
    writer.write(GET)
    head, body = await answer_of(reader)
    assert body == b"ok"
    assert value(head, b"date")
    assert value(head, b"x-request-id")
    assert value(head, b"connection") is None


async def test_a_connection_serves_many_requests_and_so_does_the_backends(here: World) -> None:
    here.route(await here.upstairs())
    reader, writer = await here.connect()
    for _ in range(20):
        writer.write(GET)
        assert (await answer_of(reader))[1] == b"ok"
    assert here.dials == 1
    assert len(here.gate.entries) == 20
    assert here.proxy.in_flight == {}


async def test_requests_sent_ahead_are_answered_in_their_order(here: World) -> None:
    async def speak(reader, writer):
        while True:
            head = await read_head(reader)
            path = head.split()[1]
            await asyncio.sleep(0.02 if path == b"/0" else 0)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(path), path))

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    many = 3000
    writer.write(b"".join(GET.replace(b" / ", b" /%d " % n) for n in range(many)))
    for number in range(many):
        assert (await answer_of(reader))[1] == b"/%d" % number


@pytest.mark.parametrize("pieces", [1, 7])
async def test_bodies_go_both_ways_whole(here: World, pieces: int) -> None:
    async def speak(reader, writer):
        while True:
            head = await read_head(reader)
            body = await reader.readexactly(int(value(head, b"content-length") or 0))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    body = bytes(range(256)) * 1200
    for _ in range(2):
        head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        data = head + body
        step = len(data) // pieces + 1
        for at in range(0, len(data), step):
            writer.write(data[at : at + step])
            await asyncio.sleep(0.005)
        assert (await answer_of(reader))[1] == body
    assert here.gate.entries[0].received == len(body)
    assert here.gate.entries[0].sent == len(body)


async def test_chunks_and_trailers_go_both_ways(here: World) -> None:
    got = []

    async def speak(reader, writer):
        got.append(await read_head(reader))
        got.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: grpc-status\r\n\r\n"
            b"5;x=y\r\nhello\r\n0\r\ngrpc-status: 0\r\ncontent-length: 5\r\n\r\n"
        )

    here.route(await here.upstairs(speak))
    answer = await here.say(
        f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTE: trailers\r\nConnection: TE, close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        '3;evil="1"\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: other\r\n\r\n'.encode()
    )
    assert value(got[0], b"te") == b"trailers"
    assert value(got[0], b"transfer-encoding") == b"chunked"
    assert got[1] == b"3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert b"trailer: grpc-status" in head
    assert body == b"5\r\nhello\r\n0\r\ngrpc-status: 0\r\n\r\n"


async def test_an_answer_goes_on_as_it_comes(here: World) -> None:
    more = asyncio.Event()

    async def speak(reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n")
        await more.wait()
        writer.write(b"data: 2\n\n")

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(GET)
    async with asyncio.timeout(10):
        head = await read_head(reader)
        assert value(head, b"transfer-encoding") == b"chunked"
        assert await reader.readuntil(b"\n\n\r\n") == b"9\r\ndata: 1\n\n\r\n"
        more.set()
        assert await reader.readuntil(b"0\r\n\r\n") == b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"


async def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection(here: World) -> None:
    async def speak(reader, writer):
        await read_head(reader)
        writer.write(
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        )

    here.route(await here.upstairs(speak))
    answer = await here.say(
        f"GET / HTTP/1.0\r\nHost: {HOST}\r\nConnection: keep-alive\r\n\r\n".encode()
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status(answer) == 200
    assert body == b"hi"
    assert b"chunked" not in head
    assert b"connection: close" in head


async def test_head_and_bodiless_answers_keep_the_connection(here: World) -> None:
    async def speak(reader, writer):
        while True:
            head = await read_head(reader)
            if head.startswith(b"HEAD"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            elif b" /204 " in head:
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 304 Not Modified\r\netag: x\r\ncontent-length: 9\r\n\r\n")

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    for line, length in ((b"HEAD /", b"1000"), (b"GET /204", None), (b"GET /304", b"9")):
        writer.write(line + GET[5:])
        async with asyncio.timeout(10):
            head = await read_head(reader)
        assert value(head, b"content-length") == length
        assert value(head, b"transfer-encoding") is None
    assert here.dials == 1


async def test_interim_answers_and_100_continue(here: World) -> None:
    async def speak(reader, writer):
        head = await read_head(reader)
        assert value(head, b"expect") == b"100-continue"
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n")
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await reader.readexactly(3) == b"abc"
        writer.write(OK)

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(
        f"PUT / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    async with asyncio.timeout(10):
        assert (await read_head(reader)).startswith(b"HTTP/1.1 103 ")
        assert (await read_head(reader)).startswith(b"HTTP/1.1 100 ")
        writer.write(b"abc")
        assert (await answer_of(reader))[1] == b"ok"


async def test_websockets_pass_as_they_are(here: World) -> None:
    async def speak(reader, writer):
        head = await read_head(reader)
        assert value(head, b"connection") == b"upgrade"
        assert value(head, b"upgrade") == b"websocket"
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: abc\r\n\r\nfirst"
        )
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.write(b"bye")

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: keep-alive, Upgrade\r\n"
        "Upgrade: websocket\r\n\r\nearly".encode()
    )
    async with asyncio.timeout(10):
        head = await read_head(reader)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert value(head, b"sec-websocket-accept") == b"abc"
        assert value(head, b"upgrade") == b"websocket"
        assert await reader.readexactly(10) == b"firstEARLY"
        assert here.proxy.in_flight == {"w1": 1}
        writer.write(b"more")
        assert await reader.readexactly(4) == b"MORE"
        writer.write_eof()
        assert await reader.read() == b"bye"
    assert here.proxy.in_flight == {}
    assert here.gate.entries[0].status == 101
    assert here.gate.entries[0].received == 9


async def test_no_upgrade_to_http_2_or_of_a_request_with_a_body(here: World) -> None:
    heads = []

    async def speak(reader, writer):
        while True:
            head = await read_head(reader)
            heads.append(head)
            await reader.readexactly(int(value(head, b"content-length") or 0))
            writer.write(OK)

    here.route(await here.upstairs(speak))
    reader, writer = await here.connect()
    for more in (
        "Upgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
        "Upgrade: x\r\nContent-Length: 1\r\n\r\nA",
    ):
        writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\n{more}".encode())
        assert (await answer_of(reader))[1] == b"ok"
        assert value(heads[-1], b"upgrade") is None
        assert value(heads[-1], b"http2-settings") is None


async def test_the_gate_may_answer_in_the_backends_stead(here: World) -> None:
    here.route(await here.upstairs())
    here.gate.verdict = Answer(302, ((b"location", b"/login"),))
    reader, writer = await here.connect()
    writer.write(GET)
    head, _ = await answer_of(reader)
    assert head.startswith(b"HTTP/1.1 302 ")
    assert value(head, b"location") == b"/login"

    async def later() -> Answer | None:
        await asyncio.sleep(0)
        return None

    here.gate.verdict = later()
    writer.write(GET)
    assert (await answer_of(reader))[1] == b"ok"
    assert here.dials == 1


async def test_what_lets_people_in_is_not_shown_to_the_backend(here: World) -> None:
    heads = []

    async def speak(reader, writer):
        heads.append(await read_head(reader))
        writer.write(OK)

    here.route(await here.upstairs(speak), login=True)
    await here.get(more="Cookie: session=1\r\n")
    assert value(heads[0], b"cookie") is None

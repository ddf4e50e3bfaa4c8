"""Clients that speak HTTP/2, by prior knowledge and over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

from skerry.gateway.proxy import Settings, offer_http2
from skerry.gateway.table import Limits
from tests.gateway.proxy.h2client import Client
from tests.gateway.proxy.test_chaos import until
from tests.gateway.proxy.world import HOST, OK, World, answer_of, read_head, value, world


@pytest.fixture
async def client(here: World) -> AsyncIterator[Client]:
    made = await Client().connect(here.port)
    yield made
    await made.close()


async def mirror(reader, writer):
    """Answers with the request's body, whichever way that came."""
    while True:
        head = await read_head(reader)
        if value(head, b"transfer-encoding") == b"chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            assert await reader.readline() == b"\r\n"
        else:
            body = await reader.readexactly(int(value(head, b"content-length") or 0))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


async def test_many_requests_at_a_time(here: World, client: Client) -> None:
    async def speak(reader, writer):
        while True:
            path = (await read_head(reader)).split()[1]
            await asyncio.sleep(0.02 if path == b"/0" else 0)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(path), path))

    here.route(await here.upstairs(speak))
    numbers = [client.ask(f"/{n}") for n in range(90)]
    for at, number in enumerate(numbers):
        assert await client.answer(number) == (200, f"/{at}".encode())
    assert "x-request-id" in client.heads[numbers[0]]
    assert here.proxy.in_flight == {}


async def test_a_request_arrives_as_http_1(here: World, client: Client) -> None:
    heads = []

    async def speak(reader, writer):
        heads.append(await read_head(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\nkeep-alive: 1\r\n\r\nok")

    here.route(await here.upstairs(speak))
    number = client.ask(
        "/a?b", ("cookie", "a=1"), ("cookie", "b=2"), ("x-forwarded-for", "6.6.6.6")
    )
    assert await client.answer(number) == (200, b"ok")
    assert heads[0].startswith(b"GET /a?b HTTP/1.1\r\n")
    assert value(heads[0], b"host") == HOST.encode()
    assert value(heads[0], b"cookie") == b"a=1; b=2"
    assert value(heads[0], b"x-forwarded-for") == b"127.0.0.1"
    assert value(heads[0], b"via") == b"2.0 skerry"
    assert "connection" not in client.heads[number]
    assert "keep-alive" not in client.heads[number]


@pytest.mark.parametrize("told", [False, True])
async def test_large_bodies_both_ways(here: World, client: Client, told: bool) -> None:
    here.route(await here.upstairs(mirror))
    body = bytes(range(256)) * 12_000
    more = [("content-length", str(len(body)))] if told else []
    number = client.ask("/", *more, method="POST", end=False)
    await client.send(number, body)
    assert await client.answer(number) == (200, body)
    assert here.gate.entries[0].received == here.gate.entries[0].sent == len(body)


async def test_trailers_and_hints(here: World, client: Client) -> None:
    got = []

    async def speak(reader, writer):
        got.append(await read_head(reader))
        got.append(await reader.readuntil(b"0\r\nx-sum: 1\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
            b"grpc-status: 7\r\n\r\n"
        )

    here.route(await here.upstairs(speak))
    number = client.ask("/", ("te", "trailers"), method="POST", end=False)
    await client.send(number, b"abc", end=False)
    client.h2.send_headers(number, [("x-sum", "1")], end_stream=True)
    client.flush()
    assert await client.answer(number) == (200, b"hi")
    assert client.hints[0][":status"] == "103"
    assert client.trailers[number] == {"grpc-status": "7"}
    assert value(got[0], b"te") == b"trailers"


async def test_a_stream_that_stands_still_holds_its_backend_and_no_other_stream(
    here: World,
) -> None:
    written = 0
    total = 32 << 20

    async def speak(reader, writer):
        nonlocal written
        head = await read_head(reader)
        if b" /small " in head:
            writer.write(OK)
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while written < total:
            writer.write(bytes(65_536))
            await writer.drain()
            written += 65_536

    here.route(await here.upstairs(speak))
    client = Client(greedy=False)
    await client.connect(here.port)
    # Room on the connection, but not on each stream.
    client.h2.increment_flow_control_window(64 << 20)
    client.flush()
    large = client.ask("/large")
    before = -1
    while before != written or not written:
        before = written
        await asyncio.sleep(0.1)
    assert written < total // 2, "it went into memory"
    assert await client.answer(client.ask("/small")) == (200, b"ok")
    client.greedy = True
    client.h2.increment_flow_control_window(total, large)
    client.flush()
    assert len((await client.answer(large))[1]) == total
    await client.close()


async def test_a_slow_backend_holds_the_client(here: World, client: Client) -> None:
    go = asyncio.Event()
    got = 0

    async def speak(reader, writer):
        nonlocal got
        head = await read_head(reader)
        total = int(value(head, b"content-length") or 0)
        await go.wait()
        while got < total and (data := await reader.read(1 << 20)):
            got += len(data)
        writer.write(OK)

    here.route(await here.upstairs(speak))
    total = 16 << 20
    number = client.ask("/", ("content-length", str(total)), method="POST", end=False)
    sending = asyncio.create_task(client.send(number, bytes(total)))
    await asyncio.sleep(0.5)
    assert not sending.done(), "it went into memory"
    go.set()
    assert await client.answer(number) == (200, b"ok")
    await sending
    assert got == total


async def test_who_asks_and_takes_back_is_sent_away() -> None:
    async def silent(reader, writer):
        await reader.read()

    async with world(Settings(resets=50)) as here:
        here.route(await here.upstairs(silent))
        client = await Client().connect(here.port)
        for _ in range(60):
            number = client.ask()
            client.h2.reset_stream(number)
            client.flush()
        await client.until(lambda: client.closed)
        assert client.gone is not None
        assert client.gone.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        await until(lambda: here.proxy.in_flight == {})
        await client.close()


async def test_no_more_streams_than_told(here: World, client: Client) -> None:
    async def silent(reader, writer):
        await reader.read()

    here.route(await here.upstairs(silent))
    await client.until(lambda: client.h2.remote_settings.max_concurrent_streams == 100)
    for _ in range(100):
        client.ask()
    client.h2.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 200
    client.h2.remote_settings.acknowledge()
    client.ask()
    await client.until(lambda: client.closed)
    assert client.gone is not None


async def test_a_stream_taken_back_ends_its_request(here: World, client: Client) -> None:
    ended = asyncio.Event()

    async def speak(reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nsome")
        await reader.read()
        ended.set()

    here.route(await here.upstairs(speak))
    number = client.ask()
    await client.until(lambda: client.bodies[number] == b"some")
    client.h2.reset_stream(number)
    client.flush()
    async with asyncio.timeout(10):
        await ended.wait()
    await until(lambda: here.proxy.in_flight == {})


async def test_an_answer_that_breaks_off_resets_the_stream_only(
    here: World, client: Client
) -> None:
    async def speak(reader, writer):
        head = await read_head(reader)
        writer.write(
            OK if b" /ok " in head else b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
        )

    here.route(await here.upstairs(speak))
    number = client.ask()
    await client.until(lambda: number in client.resets)
    assert client.resets[number] == ErrorCodes.INTERNAL_ERROR
    assert await client.answer(client.ask("/ok")) == (200, b"ok")


async def test_errors_are_answers(here: World, client: Client) -> None:
    here.route(await here.upstairs(), limits=Limits(body=10))
    many = [(f"x-{n}", "1") for n in range(150)]
    assert (await client.answer(client.ask("/", *many)))[0] == 431
    assert (await client.answer(client.ask("/", method="TRACE")))[0] == 405
    number = client.ask("/", ("content-length", "11"), method="POST", end=False)
    assert (await client.answer(number))[0] == 413
    here.table.replace([])
    assert (await client.answer(client.ask()))[0] == 404


async def test_websockets_over_http_2(here: World, client: Client) -> None:
    async def speak(reader, writer):
        head = await read_head(reader)
        assert value(head, b"upgrade") == b"websocket"
        assert value(head, b"sec-websocket-key")
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: abc\r\n\r\nfirst"
        )
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.write(b"bye")

    here.route(await here.upstairs(speak))
    await client.until(lambda: client.h2.remote_settings.enable_connect_protocol == 1)
    number = client.ask(
        "/ws", (":protocol", "websocket"), ("sec-websocket-version", "13"), method="CONNECT",
        end=False,
    )  # fmt: skip
    await client.until(lambda: client.bodies[number] == b"first")
    assert client.heads[number][":status"] == "200"
    await client.send(number, b"more", end=False)
    await client.until(lambda: client.bodies[number] == b"firstMORE")
    await client.send(number, b"", end=True)
    assert (await client.answer(number))[1] == b"firstMOREbye"
    assert here.proxy.in_flight == {}


async def test_stopping_says_so(here: World, client: Client) -> None:
    here.route(await here.upstairs())
    assert await client.answer(client.ask()) == (200, b"ok")
    await here.proxy.close(10)
    await client.until(lambda: client.closed)
    assert client.gone is not None
    assert client.gone.error_code == ErrorCodes.NO_ERROR


async def frame(reader: asyncio.StreamReader) -> Frame:
    made, size = Frame.parse_frame_header(memoryview(await reader.readexactly(9)))
    made.parse_body(memoryview(await reader.readexactly(size)))
    return made


async def test_stopping_takes_two_steps(here: World) -> None:
    """Frame by frame: the client's library would take the first step for the end."""
    go = asyncio.Event()

    async def speak(reader, writer):
        await read_head(reader)
        await go.wait()
        writer.write(OK)

    here.route(await here.upstairs(speak))
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    h2 = H2Connection(H2Configuration(client_side=True))
    h2.initiate_connection()
    h2.clear_outbound_data_buffer()
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize())

    def ask(number: int) -> None:
        pseudo = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", HOST)]
        h2.send_headers(number, pseudo, end_stream=True)
        writer.write(h2.data_to_send())

    ask(1)
    await until(lambda: here.proxy.in_flight)
    stopping = asyncio.create_task(here.proxy.close(20))
    away = [made async for made in _until_goaway(reader)]
    ping = next(made for made in away if isinstance(made, PingFrame))
    assert away[-1].last_stream_id == (1 << 31) - 1
    # This one was on its way already.
    ask(3)
    await until(lambda: here.proxy.in_flight == {"w1": 2})
    writer.write(PingFrame(0, ping.opaque_data, flags=["ACK"]).serialize())
    assert [made async for made in _until_goaway(reader)][-1].last_stream_id == 3
    ask(5)
    refused = await frame(reader)
    while not isinstance(refused, RstStreamFrame):
        refused = await frame(reader)
    assert (refused.stream_id, refused.error_code) == (5, ErrorCodes.REFUSED_STREAM)
    go.set()
    answered = set()
    while answered != {1, 3}:
        made = await frame(reader)
        if isinstance(made, DataFrame) and made.data:
            answered.add(made.stream_id)
    async with asyncio.timeout(10):
        await stopping
    writer.close()


async def _until_goaway(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    while True:
        made = await frame(reader)
        yield made
        if isinstance(made, GoAwayFrame):
            return


async def test_a_request_under_way_is_answered_when_it_stops(here: World) -> None:
    """With a client that many use."""
    go = asyncio.Event()

    async def speak(reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf")
        await go.wait()
        writer.write(b"half")

    here.route(await here.upstairs(speak))
    curl = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--http2-prior-knowledge", "--noproxy", "*", "-H", f"host: {HOST}",
        f"http://127.0.0.1:{here.port}/", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await until(lambda: here.proxy.in_flight)
    stopping = asyncio.create_task(here.proxy.close(20))
    await asyncio.sleep(0.2)
    go.set()
    assert (await curl.communicate())[0] == b"halfhalf"
    assert curl.returncode == 0
    await stopping


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context and that of a client who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    offer_http2(server)
    return server, ssl.create_default_context(cafile=str(path))


async def test_tls_with_either_protocol(here: World, tmp_path: Path) -> None:
    here.route(await here.upstairs(mirror))
    server, trusting = certificate(tmp_path)
    port = await here.proxy.listen("127.0.0.1", 0, server)
    body = bytes(range(256)) * 4000

    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting, server_hostname=HOST
    )
    for _ in range(2):
        writer.write(
            f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        writer.write(body)
        assert (await answer_of(reader))[1] == body
    writer.write(b"nonsense\r\n\r\n")
    assert (await answer_of(reader))[0].startswith(b"HTTP/1.1 400")
    writer.close()

    trusting.set_alpn_protocols(["h2"])
    client = await Client().connect(port, trusting)
    number = client.ask("/", method="PUT", end=False)
    await client.send(number, body)
    assert await client.answer(number) == (200, body)
    await client.close()

"""What is not by the letter is refused, and nothing hidden in it reaches a backend."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.gateway.proxy import Settings
from skerry.gateway.table import Limits
from tests.gateway.proxy.world import HOST, World, answer_of, read_head, status, value, world

HOST_LINE = f"Host: {HOST}\r\n"

MALFORMED = {
    "two lengths": (
        400,
        "POST / HTTP/1.1\r\n{host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    ),
    "lengths in a list": (400, "POST / HTTP/1.1\r\n{host}Content-Length: 3, 3\r\n\r\nabc"),
    "a signed length": (400, "POST / HTTP/1.1\r\n{host}Content-Length: +3\r\n\r\nabc"),
    "a length and a coding": (
        400,
        "POST / HTTP/1.1\r\n{host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "two codings": (
        400,
        "POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "another coding": (501, "POST / HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "a coding in disguise": (501, "POST / HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n"),
    "a coding in HTTP/1.0": (400, "POST / HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n"),
    "a bare LF": (400, "GET / HTTP/1.1\n{host}\r\n"),
    "a bare LF after a field": (400, "GET / HTTP/1.1\r\nX: a\n{host}\r\n"),
    "only LFs": (400, "GET / HTTP/1.1\nHost: a\n\n"),
    "a CR in a value": (400, "GET / HTTP/1.1\r\n{host}X: a\rb\r\n\r\n"),
    "a NUL in a value": (400, "GET / HTTP/1.1\r\n{host}X: a\0b\r\n\r\n"),
    "a folded line": (400, "GET / HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n"),
    "a space before the colon": (400, "GET / HTTP/1.1\r\n{host}Content-Length : 3\r\n\r\nabc"),
    "a space before the name": (400, "GET / HTTP/1.1\r\n X: 1\r\n{host}\r\n"),
    "no colon": (400, "GET / HTTP/1.1\r\n{host}X\r\n\r\n"),
    "an empty name": (400, "GET / HTTP/1.1\r\n{host}: x\r\n\r\n"),
    "no host": (400, "GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, "GET / HTTP/1.1\r\n{host}{host}\r\n"),
    "an odd host": (400, "GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n"),
    "two spaces": (400, "GET  / HTTP/1.1\r\n{host}\r\n"),
    "a space in the target": (400, "GET /a b HTTP/1.1\r\n{host}\r\n"),
    "a target that is no path": (400, "GET foo HTTP/1.1\r\n{host}\r\n"),
    "another version": (505, "GET / HTTP/2.0\r\n{host}\r\n"),
    "no version": (400, "GET /\r\n{host}\r\n"),
    "garbage": (400, "\x16\x03\x01\r\n\r\n"),
    "CONNECT": (400, "CONNECT a:443 HTTP/1.1\r\n{host}\r\n"),
    "TRACE": (405, "TRACE / HTTP/1.1\r\n{host}\r\n"),
    "an expectation": (417, "GET / HTTP/1.1\r\n{host}Expect: tea\r\n\r\n"),
    "a long target": (414, "GET /{long} HTTP/1.1\r\n{host}\r\n"),
    "a long head": (431, "GET / HTTP/1.1\r\n{host}X: {long}{long}{long}{long}\r\n\r\n"),
    "many fields": (431, "GET / HTTP/1.1\r\n{host}{fields}\r\n"),
    "a bad chunk size": (400, "POST / HTTP/1.1\r\n{host}{chunked}\r\n0x3\r\nabc\r\n0\r\n\r\n"),
    "a negative chunk": (400, "POST / HTTP/1.1\r\n{host}{chunked}\r\n-1\r\n\r\n"),
    "a huge chunk": (400, "POST / HTTP/1.1\r\n{host}{chunked}\r\n1000000000000000\r\nabc"),
    "a chunk with LF": (400, "POST / HTTP/1.1\r\n{host}{chunked}\r\n3\nabc\r\n0\r\n\r\n"),
    "a chunk of another size": (
        400,
        "POST / HTTP/1.1\r\n{host}{chunked}\r\n3\r\nabcd\r\n0\r\n\r\n",
    ),
    "a space at a chunk's size": (
        400,
        "POST / HTTP/1.1\r\n{host}{chunked}\r\n3 \r\nabc\r\n0\r\n\r\n",
    ),
    "a bad trailer": (400, "POST / HTTP/1.1\r\n{host}{chunked}\r\n0\r\nx y\r\n\r\n"),
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_refused(here: World, what: str) -> None:
    bodies = []

    async def speak(reader, writer):
        head = await read_head(reader)
        assert value(head, b"transfer-encoding") == b"chunked", head
        bodies.append(await reader.read())

    here.route(await here.upstairs(speak))
    wanted, text = MALFORMED[what]
    filled = text.format(
        host=HOST_LINE,
        long="x" * 9000,
        fields="".join(f"X{n}: 1\r\n" for n in range(200)),
        chunked="Transfer-Encoding: chunked\r\n",
    )
    answer = await here.say(filled.encode("latin-1") + b"GET /hidden HTTP/1.1\r\n\r\n")
    assert status(answer) == wanted
    assert b"application/problem+json" in answer
    assert answer.count(b"\r\ndate: ") == 1, "what follows a malformed request is not another one"
    assert b"hidden" not in b"".join(bodies)


async def test_a_name_that_nobody_serves(here: World) -> None:
    answer = await here.get()
    assert status(answer) == 404
    page = await here.get(more="Accept: text/html,*/*\r\n")
    assert b"content-type: text/html" in page
    assert b"<h1>Not found</h1>" in page
    assert (
        status(await here.say(f"HEAD / HTTP/1.1\r\n{HOST_LINE}Connection: close\r\n\r\n".encode()))
        == 404
    )


async def test_an_absolute_target_names_the_host(here: World) -> None:
    heads = []

    async def speak(reader, writer):
        heads.append(await read_head(reader))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    here.route(await here.upstairs(speak))
    text = f"GET http://{HOST}/x?y HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n"
    assert status(await here.say(text.encode())) == 200
    assert heads[0].startswith(b"GET /x?y HTTP/1.1\r\n")
    assert value(heads[0], b"host") == HOST.encode()


async def test_a_body_over_the_limit(here: World) -> None:
    here.route(await here.upstairs(), limits=Limits(body=10))
    told = f"POST / HTTP/1.1\r\n{HOST_LINE}Content-Length: 11\r\n\r\n"
    assert status(await here.say(told.encode() + b"x" * 11)) == 413
    chunked = f"POST / HTTP/1.1\r\n{HOST_LINE}Transfer-Encoding: chunked\r\n\r\n"
    assert status(await here.say(chunked.encode() + b"6\r\nabcdef\r\n6\r\nabcdef\r\n")) == 413
    assert here.proxy.in_flight == {}


async def test_too_many_requests_at_a_time(here: World) -> None:
    async def speak(reader, writer):
        await reader.read()

    here.route(await here.upstairs(speak), limits=Limits(concurrent=2))
    for _ in range(2):
        _, writer = await here.connect()
        writer.write(f"GET / HTTP/1.1\r\n{HOST_LINE}\r\n".encode())
    while here.proxy.in_flight != {"w1": 2}:
        await asyncio.sleep(0.005)
    assert status(await here.get()) == 503


async def test_a_request_that_goes_in_a_circle(here: World) -> None:
    here.route(await here.upstairs())
    assert status(await here.get(more="Via: " + ", ".join(["1.1 skerry"] * 11) + "\r\n")) == 508


TOKENS = [
    "GET", "POST", " ", "/", "HTTP/1.1", "\r\n", "\n", "\r", ":", "Host", HOST, "Content-Length",
    "Transfer-Encoding", "chunked", "3", "0", "abc", "X", "\t", ",", ";", "\0", "Connection",
    "close", "Upgrade", "Expect", "100-continue", "5\r\nhello\r\n", "0\r\n\r\n", "\r\n\r\n",
    f"Host: {HOST}\r\n", "GET / HTTP/1.1\r\n", "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1\r\n", "\x80",
]  # fmt: skip


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    text=st.lists(st.sampled_from(TOKENS), max_size=30).map("".join),
    cuts=st.lists(st.integers(0, 200), max_size=4),
)
async def test_no_bytes_break_it_and_none_are_read_twice(text: str, cuts: list[int]) -> None:
    """Whatever is sent, the backend sees only requests as an exact reader would count them: those
    that its own strict reader, fed what the proxy sent, understands to the last byte."""
    data = text.encode("latin-1")
    seen = []

    async def speak(reader, writer):
        while True:
            head = await read_head(reader)
            assert head.split(b"\r\n")[0].endswith(b" HTTP/1.1")
            assert value(head, b"x-forwarded-for") == b"127.0.0.1"
            assert (value(head, b"host") or b"").startswith(HOST.encode())
            if value(head, b"transfer-encoding"):
                assert value(head, b"content-length") is None
                while size := int((await reader.readline()).strip(), 16):
                    await reader.readexactly(size + 2)
                while await reader.readline() != b"\r\n":
                    pass
            else:
                await reader.readexactly(int(value(head, b"content-length") or 0))
            seen.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with world(Settings(linger=0.01, tick=0.01)) as here:
        here.route(await here.upstairs(speak))
        reader, writer = await here.connect()
        at = 0
        for cut in sorted(cuts):
            writer.write(data[at : max(at, cut)])
            at = max(at, cut)
            await writer.drain()
        writer.write(data[at:])
        writer.write_eof()
        try:
            answered = await reader.read()
        except ConnectionError:
            answered = b""
        assert answered.count(b"HTTP/1.1 200 OK") <= len(seen)
        # The proxy is as it was.
        other, writer = await here.connect()
        writer.write(f"GET / HTTP/1.1\r\n{HOST_LINE}\r\n".encode())
        assert (await answer_of(other))[1] == b"ok"

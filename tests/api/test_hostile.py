"""Clients that mean harm, at the API's own listener, over real sockets.

What is refused is refused in words and the connection ends; whatever they do, the next client is
served as before.
"""

import asyncio
import contextlib
import gzip
import json
import re
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from skerry.api import protocol, requests
from skerry.api.protocol import web_config
from tests.api.conftest import HOME, Site

GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire:
    """The listener's address, and how a stranger speaks to it."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token

    async def say(self, *parts: bytes, end: bool = False) -> bytes:
        """Send some bytes; all that comes back until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.suppress(OSError):
            for part in parts:
                writer.write(part)
                await writer.drain()
            if end:
                writer.write_eof()
        heard = b""
        async with asyncio.timeout(60):
            with contextlib.suppress(OSError):
                while more := await reader.read(65536):
                    heard += more
        writer.close()
        return heard

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> tuple[int, bytes]:
        """One whole request as the operator; status and all that came back."""
        head = [line, "Host: x", f"Authorization: Bearer {self.token}", "Connection: close"]
        text = "\r\n".join([*head, f"Content-Length: {len(body)}", *headers, "", ""])
        return status(heard := await self.say(text.encode("latin-1") + body)), heard

    async def fine(self) -> None:
        heard = await self.say(GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert heard.startswith(b"HTTP/1.1 200 "), heard[:300]


def status(heard: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", heard)
    assert found is not None, heard[:300]
    return int(found[1])


def answers(heard: bytes) -> int:
    return len(re.findall(rb"HTTP/1\.1 \d{3} ", heard))


@pytest.fixture
async def wire(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    monkeypatch.setattr(protocol.Protocol, "head_seconds", 0.5)
    monkeypatch.setattr(requests, "PATIENCE", 0.5)
    sock = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(web_config(site.app, "127.0.0.1", 0))
    web.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(web.serve([sock]))
    yield Wire(sock.getsockname()[1], site.token)
    web.should_exit = web.force_exit = True
    await serving


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
AMBIGUOUS = {
    "a length beside chunks": POST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "chunks beside a length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n" + SMUGGLED,
    "a length in a list": POST + b"Content-Length: 0, 36\r\n\r\n" + SMUGGLED,
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\n01234",
    "a length too long": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "chunked in disguise": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED,
    "a space before the colon": GET + b"Content-Length : 5\r\n\r\n",
    "a folded header": GET + b"X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a bare return": GET + b"X-A: 1\rX-B: 2\r\n\r\n",
    "a header with NUL": GET + b"X-A: 1\x002\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "letters beyond ASCII": b"GET /h\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
}


async def test_what_two_could_read_in_two_ways_is_refused(wire: Wire) -> None:
    for what, sent in AMBIGUOUS.items():
        heard = await wire.say(sent)
        assert status(heard) == 400, (what, heard[:200])
        assert answers(heard) == 1, (what, heard)
        assert b"application/problem+json" in heard, what
    await wire.fine()


async def test_pipelined_requests_are_answered_each_in_turn(wire: Wire) -> None:
    last = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert answers(await wire.say(GOOD + SMUGGLED + last)) == 3


async def test_a_head_has_limits(wire: Wire) -> None:
    many = b"".join(b"X-%d: 1\r\n" % n for n in range(200))
    heard = await wire.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")
    assert status(heard) == 431
    endless = [b"GET /healthz HTTP/1.1\r\nX-A: ", *[b"a" * 8192] * 200]
    assert status(await wire.say(*endless)) == 431
    assert status(await wire.say(b"GET /" + b"a" * (1 << 20))) == 431
    await wire.fine()


async def test_who_dawdles_is_sent_away(wire: Wire) -> None:
    async def drip(*first: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        for part in first:
            writer.write(part)
        with contextlib.suppress(OSError):
            while not reader.at_eof():
                writer.write(b"a")
                await writer.drain()
                try:
                    async with asyncio.timeout(0.05):
                        return await reader.read(65536)
                except TimeoutError:
                    continue
        return b""

    auth = f"Authorization: Bearer {wire.token}\r\n".encode()
    put = b"PUT " + HOME.encode() + b"/shelves/s HTTP/1.1\r\nHost: x\r\n"
    heads, bodies, unread = await asyncio.gather(
        drip(b"GET /healthz HTTP/1.1\r\nX-A: "),
        drip(put + auth + b"Content-Length: 100000\r\n\r\n"),
        drip(put + b"Content-Length: 100000\r\n\r\n"),
    )
    assert status(heads) == 408
    assert status(bodies) == 408
    # Refused at once, and not listened to for ever afterwards.
    assert status(unread) == 401
    silent = await wire.say()
    assert silent == b"" or status(silent) == 408
    await wire.fine()


async def test_bodies_have_limits(wire: Wire) -> None:
    code, _ = await wire.ask(f"PUT {HOME}/shelves/s HTTP/1.1", body=b" " * (2 << 20))
    assert code == 413
    deep = b'{"spec":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
    assert (await wire.ask(f"PUT {HOME}/shelves/s HTTP/1.1", body=deep))[0] == 400
    bomb = gzip.compress(b" " * (64 << 20))
    code, heard = await wire.ask(
        f"PUT {HOME}/shelves/s HTTP/1.1", "Content-Encoding: gzip", body=bomb
    )
    assert code == 415, heard
    await wire.fine()


async def test_no_name_leads_out_of_its_place(wire: Wire) -> None:
    blobs = "/providers/skerry.run/v1/tenants/acme/workspaces/prod/blobs"
    tiles = "/providers/skerry.proof/v1/tile"
    up = ("../../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2flog.key",
          "....//....//etc/passwd", "%252e%252e%252fetc", "a%00b", "..%5c..%5cetc",
          "%c0%ae%c0%ae/x")  # fmt: skip
    for place in (f"{HOME}/shelves", blobs, tiles, f"{tiles}/0", "/gateway", ""):
        for name in up:
            for method in ("GET", "PUT"):
                code, heard = await wire.ask(f"{method} {place}/{name} HTTP/1.1")
                assert 400 <= code < 500, (method, place, name, heard[:300])
                assert b"root:" not in heard
                assert b"PRIVATE" not in heard
    await wire.fine()


async def test_nothing_that_is_sent_becomes_a_header(wire: Wire) -> None:
    evil = "%0d%0aX-Injected:%20yes%0d%0a%0d%0a"
    for line in (
        f"GET {HOME}/shelves/{evil} HTTP/1.1",
        f"PUT {HOME}/shelves/{evil} HTTP/1.1",
        f"GET {HOME}/shelves?skipToken={evil} HTTP/1.1",
        f"GET {HOME}/shelves?labels={evil} HTTP/1.1",
        f"GET /enter?to={evil}&route={evil} HTTP/1.1",
        f"GET /{evil} HTTP/1.1",
    ):
        _, heard = await wire.ask(line)
        head = heard.partition(b"\r\n\r\n")[0].lower()
        assert b"x-injected" not in head, heard[:500]
    _, heard = await wire.ask("GET /.wellknown/secapi HTTP/1.1", "X-Request-Id: made\x0bup")
    assert b"made" not in heard


async def test_a_form_s_nul_ends_nothing(wire: Wire) -> None:
    for nul in (b"%00", b"%%0000", b"\0"):
        for path, form in (
            ("/enter", b"route=x&to=%s&tenant=a%s&user=b%s&password=c%s"),
            ("/providers/skerry.identity/v1/token", b"audience=tenants/a%s/service-accounts/b%s"
             b"&grant_type=urn:ietf:params:oauth:grant-type:token-exchange%s&subject_token=%s"),
        ):  # fmt: skip
            sent = form.replace(b"%s", nul)
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            kind = "Content-Type: application/x-www-form-urlencoded\r\n"
            length = f"Content-Length: {len(sent)}\r\n\r\n"
            heard = await wire.say((head + kind + length).encode() + sent)
            assert 400 <= status(heard) < 500, (path, nul, heard[:300])
    await wire.fine()


async def test_too_many_connections_are_turned_away_and_the_rest_is_served(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol.Protocol, "most_connections", 50)
    monkeypatch.setattr(protocol.Protocol, "head_seconds", 30)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            stack.callback(writer.close)
        heard = await wire.say()
        assert status(heard) == 503
    last = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    while not (await wire.say(last)).startswith(b"HTTP/1.1 200 "):
        await asyncio.sleep(0.01)
    await wire.fine()


@pytest.mark.long
async def test_ten_thousand_silent_connections_pass(wire: Wire) -> None:
    fits = min(10_000, (protocol.room_for_connections() - 1000) // 2)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(fits):
            _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            stack.callback(writer.close)
        await wire.fine()


async def test_a_refusal_is_a_problem_with_the_request_s_id(wire: Wire) -> None:
    _, heard = await wire.ask(f"GET {HOME}/shelves/none HTTP/1.1")
    head, _, body = heard.partition(b"\r\n\r\n")
    found = re.search(rb"x-request-id: (\w+)", head)
    assert found is not None
    assert json.loads(body)["requestId"] == found[1].decode()

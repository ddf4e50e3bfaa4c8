"""The heads that the proxy writes itself, from what it understood of those it read.

What is said of a hop is said anew for the next (RFC 9110 §7.6.1): connection handling, lengths and
codings never pass. To the backend go ``X-Forwarded-For``, ``-Proto`` and ``-Host``, which no client
can say in our stead, ``X-Request-Id``, and ``Via``: an HTTP gateway must send it with requests and
may with answers (RFC 9110 §7.6.3), so requests carry it, and also let a circle be seen; answers do
not, as it would tell nobody anything new.

Names are written in lower case, as HTTP/2 has them and HTTP/1 does not mind.
"""

import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from skerry.gateway.proxy.errors import Refusal, answer, new_id
from skerry.gateway.proxy.head import CHUNKED, Field, Request, Response

_STATUS_LINES = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
    for status in map(int, HTTPStatus)
}
_VIA = {10: b"1.0 skerry", 11: b"1.1 skerry", 20: b"2.0 skerry"}
_BODILESS = frozenset((204, 304))


class Clock:
    """The Date field, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = b""

    def date(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True).encode()
        return self._text


_CLOCK = Clock()


def whence(client: str, secure: bool) -> bytes:
    """The lines that tell a backend where a connection's requests come from."""
    proto = b"https" if secure else b"http"
    return b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\n" % (client.encode(), proto)


def request_head(request: Request, headers: Iterable[Field], origin: bytes) -> bytes:
    """A request's head as the backend gets it. ``origin`` is of ``whence``."""
    host = request.host.encode()
    lines = [
        b"%b %b HTTP/1.1" % (request.method.encode(), request.target.encode()),
        b"host: " + host,
    ]
    lines += [name + b": " + value for name, value in headers]
    via = _VIA[request.version]
    lines.append(b"via: " + (request.via + b", " + via if request.via else via))
    lines.append(b"x-forwarded-host: " + host)
    lines.append(b"x-request-id: " + request.id.encode())
    if request.length == CHUNKED:
        lines.append(b"transfer-encoding: chunked")
    elif request.length or request.method in ("POST", "PUT", "PATCH"):
        lines.append(b"content-length: %d" % request.length)
    if request.expects:
        lines.append(b"expect: 100-continue")
    if request.upgrade:
        lines.append(b"connection: upgrade\r\nupgrade: " + request.upgrade)
    elif request.trailers:
        lines.append(b"connection: te\r\nte: trailers")
    return b"\r\n".join(lines) + b"\r\n" + origin + b"\r\n"


def has_body(request: Request, response: Response) -> bool:
    """Whether an answer to this request is followed by a body (RFC 9112 §6.3)."""
    status = response.status
    return request.method != "HEAD" and status not in _BODILESS and status >= 200


def refused(given: Refusal) -> tuple[Response, bytes]:
    """The answer to what is no request, and its body."""
    number = new_id()
    made = answer(given.status, given.detail, request_id=number)
    response = Response(made.status, list(made.headers), len(made.body))
    request = Request("", "", "", (), "", False)
    request.id = number
    complete(request, response)
    return response, made.body


def complete(request: Request, response: Response) -> None:
    """Add the fields that every answer has."""
    if response.status < 200:
        return
    headers = response.headers
    named = dict(headers)
    if b"date" not in named:
        headers.append((b"date", _CLOCK.date()))
    if b"x-request-id" not in named:
        headers.append((b"x-request-id", request.id.encode()))
    if response.length >= 0 and response.status != 204:
        headers.append((b"content-length", b"%d" % response.length))


def response_head(response: Response, more: bytes = b"") -> bytes:
    """An HTTP/1 answer's head. ``more``: lines about the connection, each with its CRLF."""
    line = _STATUS_LINES.get(response.status) or b"HTTP/1.1 %d \r\n" % response.status
    lines = [name + b": " + value for name, value in response.headers]
    return line + b"\r\n".join(lines) + (b"\r\n" if lines else b"") + more + b"\r\n"

"""Heads of HTTP/1 messages: the one place that reads them, and it takes no liberties.

Two programs that read the same bytes differently are what request smuggling is made of. So a head
is read once, by the letter of RFC 9112; whatever is not by the letter is refused (a bare LF, a
folded line, space before a colon, two lengths, a length beside a coding, a second Host); and what
goes on is written anew from what was understood, never passed along as it came.

Regular expressions do it: they run in C over the whole head at once and say exactly what they take.
A field's line is ``_FIELD``; that nothing lies between the lines is seen from their lengths.
"""

import re
from collections.abc import Iterable

from skerry.gateway.proxy.errors import Refusal
from skerry.gateway.proxy.settings import Settings
from skerry.gateway.seams import Head

Field = tuple[bytes, bytes]
CHUNKED, UNTIL_CLOSE = -1, -2
"""Lengths of bodies that have none."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_FIELD = re.compile(rb"(?<=\n)(" + _TOKEN + rb"):([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
_HOST = re.compile(rb"(?:[A-Za-z0-9_](?:[A-Za-z0-9._\-]*)|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(r"(?i:https?)://([^/?#]*)(.*)")
_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_HOPS = 10
"""A request that passed so many gateways goes round in a circle."""

_SPECIAL = frozenset(
    b"host content-length transfer-encoding connection keep-alive proxy-connection te upgrade "
    b"http2-settings expect proxy-authorization via forwarded x-forwarded-for x-forwarded-proto "
    b"x-forwarded-host x-forwarded-port x-real-ip x-request-id".split()
)
"""Request fields that are about this hop, or that are ours to say."""
_SPECIAL_BACK = frozenset(
    b"content-length transfer-encoding connection keep-alive proxy-connection upgrade te".split()
)
_NOT_IN_TRAILERS = _SPECIAL | {b"trailer", b"content-encoding", b"content-type", b"content-range",
    b"authorization", b"cookie", b"set-cookie", b"cache-control", b"location"}  # fmt: skip


class Request(Head):
    """A request as it was understood. ``headers`` are those that are meant for the backend."""

    __slots__ = ("expects", "id", "keep_alive", "length", "trailers", "version", "via")

    version: int
    """10, 11 or 20."""
    length: int
    keep_alive: bool
    expects: bool
    """The client waits for ``100 Continue``."""
    trailers: bool
    """The client takes trailers."""
    via: bytes
    id: str
    """X-Request-Id; empty: to be given."""


class Response:
    """An answer as it was understood."""

    __slots__ = ("headers", "keep_alive", "length", "status", "upgrade")

    def __init__(self, status: int, headers: list[Field], length: int) -> None:
        self.status = status
        self.headers = headers
        self.length = length
        """Bytes, ``CHUNKED`` or ``UNTIL_CLOSE``; what it would be for an answer to HEAD."""
        self.keep_alive = True
        self.upgrade = b""


def incomplete(buffer: bytes | bytearray, start: int, limit: int) -> None:
    """Refuse the beginning of a head that can come to no good end; ``start``: where what is new
    begins."""
    if len(buffer) > limit:
        raise Refusal(431, f"The request's head is longer than {limit} bytes.")
    at = buffer.find(b"\n", start)
    while at >= 0:
        if at == 0 or buffer[at - 1] != 13:
            raise Refusal(400, "A line of the request's head ends with LF alone.")
        at = buffer.find(b"\n", at + 1)


def fields_of(block: bytes, start: int, end: int) -> list[Field]:
    """The fields from ``start``, before which a line ends, to ``end``, where the last one's CRLF
    does."""
    found = _FIELD.findall(block, start, end)
    size = 0
    fields = []
    for name, value in found:
        size += len(name) + len(value) + 3
        fields.append((name.lower(), value.strip(b" \t")))
    if size != end - start:
        raise Refusal(400, "A header line is malformed.")
    return fields


def request_of(block: bytes, end: int, client: str, secure: bool, settings: Settings) -> Request:
    """The request whose head is ``block[:end]``, its empty line not included. Raises Refusal."""
    line = _LINE.match(block, 0, end)
    if line is None:
        raise Refusal(400, "The request line is malformed.")
    method, raw, major, minor = line.groups()
    if major != b"1":
        raise Refusal(505, "Only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here.")
    if len(raw) > settings.target_size:
        raise Refusal(414, f"The address is longer than {settings.target_size} bytes.")
    fields = fields_of(block, line.end(), end)
    if len(fields) > settings.fields:
        raise Refusal(431, f"The request has more than {settings.fields} header fields.")
    target, host = raw.decode(), None
    if target[0] != "/":
        target, host = _other_form(method, target)
    request = Request(method.decode(), target, "", (), client, secure)
    request.version = 10 if minor == b"0" else 11
    sort_out(request, fields, host)
    return request


def _other_form(method: bytes, target: str) -> tuple[str, bytes | None]:
    """A target that is not a path: its path, and the host that it names."""
    if target == "*" and method == b"OPTIONS":
        return target, None
    if absolute := _ABSOLUTE.fullmatch(target):
        host, path = absolute.groups()
        return (path if path.startswith("/") else f"/{path}"), host.encode()
    raise Refusal(400, "The request's target is not a path.")


def sort_out(request: Request, fields: list[Field], host: bytes | None = None) -> None:
    """Set what the fields say about the message itself aside from what is for the backend.

    ``host``: what the target says, which goes before the Host header (RFC 9112 §3.2.2).
    """
    headers: list[Field] = []
    special: dict[bytes, bytes] = {}
    for field in fields:
        name = field[0]
        if name not in _SPECIAL:
            # To CGI and its heirs `_` and `-` are the same: nobody may say our fields that way.
            if b"_" not in name or name.replace(b"_", b"-") not in _SPECIAL:
                headers.append(field)
        elif name in special:
            if name in (b"host", b"content-length", b"transfer-encoding"):
                raise Refusal(400, f"The request has more than one {name.decode()} field.")
            special[name] += b", " + field[1]
        else:
            special[name] = field[1]
    get = special.get
    given = get(b"host", b"")
    if request.version == 11 and b"host" not in special:
        raise Refusal(400, "The request has no Host field.")
    name = given if host is None else host
    if not _HOST.fullmatch(name):
        raise Refusal(400, "The request names no valid host.")
    request.host = name.decode()
    request.length = _length(get(b"transfer-encoding"), get(b"content-length"), request.version)
    request.keep_alive = request.version != 10
    request.upgrade = b""
    request.trailers = False
    if b"connection" in special:
        headers = _connection(request, special, headers)
    request.expects = False
    if (expect := get(b"expect")) is not None:
        if expect.lower() != b"100-continue":
            raise Refusal(417, "No expectation but 100-continue can be met.")
        request.expects = request.version != 10
    if request.version == 20 and b"trailers" in get(b"te", b"").lower():
        request.trailers = True
    request.via = get(b"via", b"")
    if request.via.count(b"skerry") > _HOPS:
        raise Refusal(508, "The request goes round in a circle.")
    number = get(b"x-request-id", b"")
    request.id = number.decode() if _ID.fullmatch(number) else ""
    request.headers = headers
    if request.method in ("CONNECT", "TRACE"):
        raise Refusal(405, f"{request.method} is not possible here.")


def _connection(request: Request, special: dict[bytes, bytes], headers: list[Field]) -> list[Field]:
    """Do as the Connection field says. The headers without those that it names."""
    options = {option.strip(b" \t") for option in special[b"connection"].lower().split(b",")}
    if b"close" in options:
        request.keep_alive = False
    elif b"keep-alive" in options:
        request.keep_alive = True
    if b"upgrade" in options and request.version == 11 and request.length == 0:
        wanted = special.get(b"upgrade", b"")
        # HTTP/2 without TLS is spoken by prior knowledge; passed on, it would hide what follows.
        if wanted and not wanted.lower().startswith((b"h2", b"http")):
            request.upgrade = wanted
    if b"te" in options and b"trailers" in special.get(b"te", b"").lower():
        request.trailers = True
    return [field for field in headers if field[0] not in options]


def _length(coding: bytes | None, length: bytes | None, version: int) -> int:
    """How long a message's body is by its head (RFC 9112 §6.3)."""
    if coding is not None:
        if length is not None:
            raise Refusal(400, "The message has both a Content-Length and a Transfer-Encoding.")
        if version != 11:
            raise Refusal(400, "Only HTTP/1.1 has a Transfer-Encoding.")
        if coding.lower() != b"chunked":
            raise Refusal(501, "No transfer coding but chunked is understood.")
        return CHUNKED
    if length is None:
        return 0
    if not length.isdigit() or len(length) > 18:
        raise Refusal(400, "The Content-Length is not a number.")
    return int(length)


def response_of(block: bytes, end: int) -> Response:
    """The answer whose head is ``block[:end]``, its empty line not included. Raises Refusal."""
    line = _STATUS.match(block, 0, end)
    if line is None:
        raise Refusal(502, "The status line of the answer is malformed.")
    minor, status = line.groups()
    headers: list[Field] = []
    special: dict[bytes, bytes] = {}
    for field in fields_of(block, line.end(), end):
        name = field[0]
        if name not in _SPECIAL_BACK:
            headers.append(field)
        elif name in special:
            if name in (b"content-length", b"transfer-encoding"):
                raise Refusal(502, f"The answer has more than one {name.decode()} field.")
            special[name] += b", " + field[1]
        else:
            special[name] = field[1]
    coding, length = special.get(b"transfer-encoding"), special.get(b"content-length")
    version = 11 if minor == b"1" else 10
    size = _length(coding, length, version) if coding or length else UNTIL_CLOSE
    response = Response(int(status), headers, size)
    response.keep_alive = version == 11
    if b"connection" in special:
        options = {option.strip(b" \t") for option in special[b"connection"].lower().split(b",")}
        response.keep_alive = b"close" not in options and (
            version == 11 or b"keep-alive" in options
        )
        response.upgrade = special.get(b"upgrade", b"") if b"upgrade" in options else b""
        response.headers = [field for field in headers if field[0] not in options]
    return response


def trailers_of(fields: Iterable[Field]) -> list[Field]:
    """The trailers that may go on: none that bear on framing, routing or who may do what
    (RFC 9110 §6.5.1)."""
    return [field for field in fields if field[0] not in _NOT_IN_TRAILERS]

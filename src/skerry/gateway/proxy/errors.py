"""Answers of the gateway's own: a problem document, or a small page where a person is reading."""

import html
from random import getrandbits

import msgspec

from skerry.gateway.seams import Answer
from skerry.kernel.errors import TYPE_BASE

_TITLES = {
    400: ("invalid-request", "Bad request"),
    404: ("resource-not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    408: ("request-timeout", "Request timed out"),
    413: ("content-too-large", "Content too large"),
    414: ("target-too-long", "Address too long"),
    417: ("expectation-failed", "Expectation failed"),
    421: ("misdirected-request", "Misdirected request"),
    431: ("head-too-large", "Header fields too large"),
    500: ("internal-server-error", "Internal error"),
    501: ("not-implemented", "Not implemented"),
    502: ("bad-gateway", "Bad gateway"),
    503: ("service-unavailable", "Service unavailable"),
    504: ("gateway-timeout", "Gateway timeout"),
    505: ("version-not-supported", "HTTP version not supported"),
    508: ("loop-detected", "Loop detected"),
}
_AGAIN = {502: b"2", 503: b"5"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}}
h1{{font-size:1.4rem}}small{{color:#666}}</style></head>
<body><h1>{title}</h1><p>{detail}</p><small>{status} · request {id}</small></body></html>
"""


class Refusal(Exception):
    """What came cannot be taken on. ``status`` is what the client is told."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def new_id() -> str:
    return f"{getrandbits(64):016x}"


def answer(status: int, detail: str, *, accept: bytes = b"", request_id: str = "") -> Answer:
    """An error as whoever asked can read it. ``accept`` is the request's own Accept."""
    slug, title = _TITLES[status]
    headers = [(b"cache-control", b"no-store")]
    if status in _AGAIN:
        headers.append((b"retry-after", _AGAIN[status]))
    if b"text/html" in accept:
        page = _PAGE.format(
            title=title, detail=html.escape(detail), status=status, id=html.escape(request_id)
        )
        headers.append((b"content-type", b"text/html; charset=utf-8"))
        return Answer(status, tuple(headers), page.encode())
    document = {
        "type": TYPE_BASE + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "requestId": request_id,
    }
    headers.append((b"content-type", b"application/problem+json"))
    return Answer(status, tuple(headers), msgspec.json.encode(document))

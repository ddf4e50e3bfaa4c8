"""Bytes that are the same for everybody, sent in the smallest form that a client takes.

They are squeezed once, when they are read, and carry a validator: a client that has them already is
told so (RFC 9110, 12.5.3 and 13.1.2).
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from skerry.api import requests

FOR_EVER, ASK = "public, max-age=31536000, immutable", "no-cache"
_MOST_SQUEEZED = 8 << 20
_SQUEEZED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
CODINGS = {"br": ".br", "gzip": ".gz"}
"""Those that are kept beside a file, the smaller one first."""
_ASKED = re.compile(r"\s*([^;,\s]+)\s*(?:;\s*q=([0-9.]+)\s*)?")


@dataclass
class File:
    """A file as it is sent: plain, and by the codings that it is kept in."""

    media: str
    etag: str
    bodies: dict[str, bytes]
    """By coding; "" is plain."""
    fixed: bool
    """Whether its name changes with its content."""


def as_sent(path: str, body: bytes, packed: Mapping[str, bytes] | None = None) -> File:
    """A file by its name. ``packed`` are forms of it that are there already, by coding; without it
    the file is sent plain only."""
    media = _TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0]
    media = media or "application/octet-stream"
    bodies = {"": body}
    if packed is not None:
        bodies |= packed
        squeezed = media.startswith(_SQUEEZED) and 512 < len(body) < _MOST_SQUEEZED
        if "gzip" not in bodies and squeezed:
            bodies["gzip"] = gzip.compress(body, 9, mtime=0)
    return File(media, hashlib.sha256(body).hexdigest()[:32], bodies, path.startswith("assets/"))


def answer(found: File, request: Request, more: Mapping[str, str] | None = None) -> Response:
    """The file, or that the client has it. ``more`` are further headers."""
    coding = _coding(requests.header(request, b"accept-encoding") or "", found)
    etag = f'"{found.etag}{"-" + coding if coding else ""}"'
    headers = {
        "content-type": found.media,
        "cache-control": FOR_EVER if found.fixed else ASK,
        "etag": etag,
        **(more or {}),
    }
    if len(found.bodies) > 1:
        headers["vary"] = "accept-encoding"
    if etag in _known(requests.header(request, b"if-none-match") or ""):
        return Response(status_code=304, headers=headers)
    if coding:
        headers["content-encoding"] = coding
    return Response(found.bodies[coding], headers=headers)


def _known(text: str) -> set[str]:
    """The validators that a client has (RFC 9110, 13.1.2: weak ones count)."""
    return {part.strip().removeprefix("W/") for part in text.split(",")}


def _coding(text: str, found: File) -> str:
    """The smallest form that the client takes (RFC 9110, 12.5.3)."""
    taken = {}
    for part in text.lower().split(","):
        if match := _ASKED.fullmatch(part):
            taken[match[1]] = match[2] is None or match[2].strip("0.") != ""
    anything = taken.get("*", False)
    fitting = (c for c in CODINGS if c in found.bodies and taken.get(c, anything))
    return next(fitting, "")

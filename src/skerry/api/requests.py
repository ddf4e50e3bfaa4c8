"""What a client sent, read with limits.

A body is at most ``MOST_BODY`` bytes, counted as it arrives, so that a false Content-Length or a
chunked flood costs no memory. JSON must be an object; NUL characters, which Postgres can't keep,
are refused here once for all.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request

from skerry.kernel.errors import InvalidRequest, Source, TooLarge, ValidationError
from skerry.kernel.listing import Asked, Deleted
from skerry.kernel.resources import check_version
from skerry.kernel.rows import Resource
from skerry.kernel.views import boolean

CURRENT: ContextVar[str] = ContextVar("request")
"""The id of the request that is being answered, for every line that is logged on its behalf."""
MOST_BODY = 1 << 20
PATIENCE = 30.0
"""Seconds that a client may keep us waiting for a part of its body."""
LEAST_RATE = 1 << 10
"""Bytes a second that a body must come at, over its whole length."""
MOST_DEPTH = 64
_VERSION = re.compile(r"\d{1,18}")


async def body(request: Request, most: int = MOST_BODY) -> bytes:
    """The whole body. Raises ``TooLarge``."""
    declared = header(request, b"content-length") or ""
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)
    coming = _Body(request)
    got = await coming.part()
    if coming.more:
        parts = bytearray(got)
        while coming.more and coming.size <= most:
            parts += await coming.part()
        got = bytes(parts)
    if coming.size > most:
        raise _too_large(most)
    return got


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes, with the same limits of time."""
    coming = _Body(request)
    while coming.more:
        if part := await coming.part():
            yield part


class _Body:
    """A body that is on its way."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self.size = 0
        self.more = True

    async def part(self) -> bytes:
        """The next of it. Raises ``InvalidRequest`` where it ends too early, and ``TooSlow`` where
        it comes at less than ``LEAST_RATE`` after a while, or not at all for a while."""
        left = self._began + PATIENCE + self.size / LEAST_RATE - self._clock()
        try:
            async with asyncio.timeout(min(PATIENCE, left)):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow(
                f"the body came at less than {LEAST_RATE} bytes a second",
                hint="Send it again over a better line.",
            ) from None
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the body ended too early")
        self.more = message.get("more_body", False)
        part: bytes = message.get("body", b"")
        self.size += len(part)
        return part


def header(request: Request, name: bytes) -> str | None:
    """The first header of this name, in lower case. Starlette's own look-up costs much more."""
    for given, value in request.scope["headers"]:
        if given == name:
            return str(value, "latin-1")
    return None


def address(request: Request) -> str:
    """Where a request came from; empty where that is no network address."""
    return request.client.host if request.client else ""


def fields(form: str) -> dict[str, str]:
    """The first value of each field of a form or a query, less what Postgres can't keep."""
    return {name: values[0].replace("\0", "") for name, values in parse_qs(form).items()}


class TooSlow(InvalidRequest):
    status, slug, title = 408, "request-timeout", "Request timeout"


class UnsupportedMedia(InvalidRequest):
    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"the body is larger than {most} bytes",
        hint="Upload files as blobs and name them by digest instead.",
    )


async def json_object(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object; an absent body is an empty one."""
    coding = (header(request, b"content-encoding") or "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMedia(
            f"a body in content-encoding {coding[:40]!r} is not taken", hint="Send it as it is."
        )
    text = await body(request)
    if not text.strip():
        return {}
    if b"\\u0000" in text or b"\x00" in text:
        raise ValidationError("NUL characters can't be kept", hint="Remove \\u0000 from the body.")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            f"the body is not JSON: {error}", hint="Send one JSON object in UTF-8."
        ) from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    if text.count(b"{") + text.count(b"[") > MOST_DEPTH:
        _check_depth(value, MOST_DEPTH)
    return value


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise InvalidRequest(f"the body is nested deeper than {MOST_DEPTH}")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, left - 1)


def if_version(request: Request) -> int | None:
    """SECA's ``if-unmodified-since``: an integer, not a date."""
    text = header(request, b"if-unmodified-since")
    if text is None:
        return None
    if not _VERSION.fullmatch(text.strip()):
        raise InvalidRequest(
            f"if-unmodified-since is {text[:60]!r}, and must be a resource version",
            hint="Send metadata.resourceVersion of what you read.",
        )
    return int(text)


def flag(request: Request, name: str) -> bool:
    """A query parameter that is ``true``, ``false`` or absent."""
    if not request.scope["query_string"]:
        return False
    return boolean(name, request.query_params.get(name, "false"))


def convert(sent: Mapping[str, Any], into: type[msgspec.Struct]) -> Any:
    """An action's body as its struct."""
    try:
        return msgspec.convert(sent, into)
    except msgspec.ValidationError as error:
        raise ValidationError(str(error)) from None


def check(resource: Resource, version: int | None) -> None:
    """``if-unmodified-since`` of an action."""
    check_version(resource.ref, resource.version, version)


def page(request: Request) -> Asked:
    """What of a collection is asked for: its parameters, and the deleted form of Accept."""
    given = request.query_params
    limit = given.get("limit", "1000")
    if not limit.isdecimal() or len(limit) > 6 or not 1 <= int(limit) <= 10_000:
        raise InvalidRequest(
            f"limit is {limit[:40]!r}, and must be a number from 1 to 10000",
            sources=[Source(parameter="limit")],
        )
    return Asked(
        labels=given.get("labels", ""),
        search=given.get("search", ""),
        states=_several(given.get("state", "")),
        phases=_several(given.get("phase", "")),
        sort=given.get("sort") or "name",
        limit=int(limit),
        skip_token=given.get("skipToken", ""),
        deleted=_deleted(request.headers.get("accept", "")),
        count=flag(request, "count"),
    )


def _several(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _deleted(accept: str) -> Deleted:
    """SECA: ``application/json; deleted=true`` shows both, ``deleted=only`` the deleted ones."""
    text = accept.replace(" ", "").lower()
    if "deleted=only" in text:
        return "only"
    return "also" if "deleted=true" in text else "no"

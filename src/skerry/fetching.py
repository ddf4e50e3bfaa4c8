"""Asking others over HTTP: one request, no redirects, a time for all of it, a bounded answer.

What is asked is somebody else's: a witness, an issuer, a tenant's webhook. Whether it may be asked
at all is for the caller to say.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import httpx2

UNREACHABLE = (httpx2.HTTPError, httpx2.InvalidURL, OSError)
"""What ``fetch`` raises where nobody answers; TimeoutError, which is an OSError, among it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, or its beginning."""

    status: int
    content_type: str
    content: bytes
    """At most as many bytes as were wanted."""
    whole: bool
    """Whether that was all of it."""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


async def fetch(
    method: str,
    url: str,
    *,
    most: int,
    seconds: float,
    verify: ssl.SSLContext | bool = True,
    trust_env: bool = True,
    **request: Any,
) -> Fetched:
    """Ask once. ``most`` bytes of the answer are kept, and no more read than tells that there is
    more. Raises one of ``UNREACHABLE``, TimeoutError where it takes longer than ``seconds``."""
    async with (
        asyncio.timeout(seconds),
        httpx2.AsyncClient(
            verify=verify, trust_env=trust_env, follow_redirects=False, timeout=seconds
        ) as client,
        client.stream(method, url, **request) as answer,
    ):
        read = bytearray()
        async for piece in answer.aiter_bytes():
            read += piece
            if len(read) > most:
                break
        return Fetched(
            answer.status_code,
            answer.headers.get("content-type", ""),
            bytes(read[:most]),
            len(read) <= most,
        )

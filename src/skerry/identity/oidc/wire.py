"""Asking an issuer, within limits."""

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from skerry.fetching import UNREACHABLE, fetch

MOST_BYTES = 256 << 10
SECONDS = 10.0


class IssuerAway(Exception):
    """The issuer gives no usable answer just now. Says what was wrong, for the operator."""


def on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(url: str, issuer: str = "") -> bool:
    """Whether it may be asked: HTTPS, or HTTP on loopback, for an issuer that is there itself."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or port == 0 or parts.username or parts.password or parts.fragment:
        return False
    plain = parts.scheme == "http" and on_loopback(url) and on_loopback(issuer or url)
    return parts.scheme == "https" or plain


async def ask(
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    bearer: str = "",
) -> dict[str, Any]:
    """The JSON object at a URL: GET, or POST of a form. Raises ``IssuerAway``."""
    where = urlsplit(url).netloc
    headers = {"accept": "application/json"}
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    try:
        answer = await fetch(
            "POST" if form is not None else "GET",
            url,
            most=MOST_BYTES,
            seconds=SECONDS,
            trust_env=not on_loopback(url),
            data=form,
            auth=httpx2.BasicAuth(*basic) if basic else None,
            headers=headers,
        )
    except TimeoutError:
        raise IssuerAway(f"{where} did not answer in {SECONDS:.0f} s") from None
    except UNREACHABLE as error:
        raise IssuerAway(f"{where} can't be reached: {type(error).__name__}") from None
    if not answer.whole:
        raise IssuerAway(f"{where} answers more than {MOST_BYTES} bytes")
    return _object(where, answer.status, answer.content)


def _object(where: str, status: int, text: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if status != 200:
        said = value.get("error") if isinstance(value, dict) else None
        raise IssuerAway(f"{where} answers {status}" + (f": {str(said)[:60]}" if said else ""))
    if not isinstance(value, dict):
        raise IssuerAway(f"{where} answers no JSON object")
    return value

"""How a cloud is reached: what the blocking and the asynchronous transport share.

httpx2 is imported when the first client is opened, so that ``import skerry`` costs nothing. The
log ``skerry.client`` tells every exchange at level DEBUG, without its secrets.
"""

import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from skerry.client import redact
from skerry.client.config import Settings
from skerry.client.errors import BadSetting, Unreachable
from skerry.client.steps import (
    CONNECT_SECONDS,
    READ_SECONDS,
    SILENCE_SECONDS,
    Request,
    Response,
)

if TYPE_CHECKING:
    import httpx2

BLOCK = 1 << 18
_log = logging.getLogger("skerry.client")


@dataclass
class Wire:
    """How to reach one cloud; what the two transports share."""

    settings: Settings
    sealed: Set[str] = frozenset()
    answered: bool = False
    base: str = field(init=False)
    socket: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        url = self.settings.url.rstrip("/")
        if not url:
            raise BadSetting(
                "no cloud is given",
                hint="Use --url, SKERRY_URL or skerry context create; skerry up starts one here.",
            )
        parts = urlsplit(url)
        if parts.scheme in ("unix", "http+unix"):
            self.socket = unquote(parts.netloc) + parts.path
            self.base = "http://localhost"
        elif parts.scheme in ("http", "https") and parts.hostname:
            self.base = url
        else:
            raise BadSetting(
                f"{url[:200]!r} is not the address of a cloud",
                hint="It looks like http://127.0.0.1:8420, https://cloud.example or unix:/path.",
            )

    def options(self) -> dict[str, Any]:
        """What both kinds of httpx2 client are opened with."""
        import httpx2

        from skerry import __version__

        headers = {"user-agent": f"skerry/{__version__}", "accept": "application/json"}
        if self.settings.token:
            headers["authorization"] = f"Bearer {self.settings.token}"
        verify: Any = self.base.startswith("https:")
        if verify and self.settings.ca_file:
            import ssl

            try:
                verify = ssl.create_default_context(cafile=self.settings.ca_file)
            except OSError as error:
                raise BadSetting(
                    f"the CA file {self.settings.ca_file} can't be used", detail=str(error)
                ) from None
        local = self.socket is not None or urlsplit(self.base).hostname in (
            "localhost", "127.0.0.1", "::1",
        )  # fmt: skip
        return {
            "headers": headers,
            "verify": verify,
            "trust_env": not local,
            "timeout": httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=None),
            "limits": httpx2.Limits(max_connections=None),
        }

    def arguments(self, request: Request, streaming: bool) -> dict[str, Any]:
        """How a request is built."""
        import httpx2

        out: dict[str, Any] = {
            "method": request.method,
            "url": self.base + request.path,
            "params": dict(request.params) or None,
            "headers": dict(request.headers),
            "content": request.body,
        }
        if request.file is not None:
            # With the length known, the body is not sent in chunks and a cut is noticed.
            out["headers"]["content-length"] = str(request.file.stat().st_size)
        if streaming:
            out["timeout"] = httpx2.Timeout(
                SILENCE_SECONDS, connect=CONNECT_SECONDS, write=READ_SECONDS, pool=None
            )
        return out

    def asked(self, request: Request) -> None:
        if _log.isEnabledFor(logging.DEBUG):
            query = "&".join(f"{k}={v}" for k, v in request.params.items())
            _log.debug("> %s %s%s", request.method, request.path, f"?{query}" if query else "")
            self._headers(">", request.headers)
            if self.settings.token:
                _log.debug("> authorization: %s", redact.HIDDEN)
            body = redact.body(request.body, request.headers.get("content-type", ""), self.sealed)
            if body:
                _log.debug("> %s", body)

    def told(self, response: Response, seconds: float) -> Response:
        self.answered = True
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("< %d in %.0f ms", response.status, seconds * 1000)
            self._headers("<", response.headers)
            body = redact.body(response.body, response.headers.get("content-type", ""), self.sealed)
            if body:
                _log.debug("< %s", body)
        return response

    @staticmethod
    def _headers(mark: str, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            _log.debug("%s %s: %s", mark, name, redact.header(name, value))

    def lost(self, error: Exception) -> Unreachable:
        """Say in words why there is no answer."""
        import httpx2

        where = self.socket or self.base
        sent = not isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout))
        _log.debug("< no answer: %s %s", type(error).__name__, error)
        if sent:
            return Unreachable(
                f"{where} did not answer",
                detail=str(error) or type(error).__name__,
                hint="Whether it took effect is not known: look before you repeat it.",
                sent=True,
                known=self.answered,
            )
        return Unreachable(
            f"no cloud answers at {where}",
            detail=str(error) or type(error).__name__,
            hint="Check the address; skerry up starts a cloud on this machine.",
            sent=False,
            known=self.answered,
        )


class Lines:
    """Lines from blocks of bytes. Only a line feed ends one: JSON text may hold U+2028."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, block: bytes) -> list[str]:
        """The lines that a block completes."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        return [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines]


def whole(answer: "httpx2.Response", body: bytes) -> Response:
    """An httpx2 response whose body has been read, as ours."""
    headers = {k.lower(): v for k, v in answer.headers.items()}
    return Response(answer.status_code, headers, body)

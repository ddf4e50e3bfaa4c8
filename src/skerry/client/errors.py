"""What can go wrong, as exceptions.

A problem document (RFC 9457) becomes the class of its status, so ``except NotFound`` works. Every
error has up to four parts: ``message`` (what failed), ``detail`` (why), ``hint`` (what to do) and
``request_id`` (what to quote to whoever runs the cloud).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Source(NamedTuple):
    """Where in the request the fault lies: a JSON pointer, or a query parameter."""

    pointer: str = ""
    parameter: str = ""


class SkerryError(Exception):
    """The base of everything this package raises on purpose."""

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint
        self.request_id = ""


class BadSetting(SkerryError):
    """The client's own settings or arguments can't be used. Nothing was sent."""


class Unreachable(SkerryError):
    """No answer.

    ``sent``: whether the request may have reached the cloud and taken effect. ``known``: whether
    this cloud has answered this client before.
    """

    def __init__(
        self, message: str, *, detail: str = "", hint: str = "", sent: bool, known: bool
    ) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.sent = sent
        self.known = known


class WaitTimeout(SkerryError):
    """What was waited for did not come in time. ``last`` is the resource as last seen."""

    def __init__(self, message: str, *, last: Any = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.last = last


class ProblemError(SkerryError):
    """The cloud refused. ``document`` is the whole problem document."""

    status = 0

    def __init__(self, status: int, document: Mapping[str, Any], request_id: str = "") -> None:
        title = str(document.get("title") or f"HTTP status {status}")
        detail = str(document.get("detail") or document.get("error_description") or "")
        super().__init__(title, detail=detail, hint=str(document.get("hint") or ""))
        self.status = status
        self.document = dict(document)
        self.type = str(document.get("type") or "about:blank")
        self.sources = _sources(document.get("sources"))
        self.request_id = str(document.get("requestId") or request_id)

    def __str__(self) -> str:
        return f"{self.message}: {self.detail}" if self.detail else self.message


class InvalidRequest(ProblemError):
    """400, 413 and 422: the request is wrong; ``sources`` says where."""


class Unauthenticated(ProblemError):
    """401: no token, or one that is unknown, expired or revoked."""


class Forbidden(ProblemError):
    """403: the token's roles do not allow it."""


class NotFound(ProblemError):
    """404: it does not exist, or the token may not know that it does."""


class Conflict(ProblemError):
    """409: the present state of this or another resource forbids it."""


class PreconditionFailed(Conflict):
    """412: the resource has changed since the version that was given."""


class Gone(ProblemError):
    """410: a watch position older than what the cloud keeps. List again."""


class TooManyRequests(ProblemError):
    """429, after all retries."""


class NoCapacity(ProblemError):
    """507: nothing that this cloud offers can hold it."""


class ServerError(ProblemError):
    """5xx, after all retries: the cloud's fault, not yours."""


_CLASSES: dict[int, type[ProblemError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    507: NoCapacity,
}


def problem(status: int, body: bytes, request_id: str = "") -> ProblemError:
    """The exception for an error response. Bodies that are no problem document are quoted."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        text = body[:300].decode("utf-8", "replace").strip()
        document = {"detail": text} if text else {}
    found = _CLASSES.get(status, ServerError if status >= 500 else ProblemError)
    return found(status, document, request_id)


def _sources(value: Any) -> Sequence[Source]:
    if not isinstance(value, list):
        return ()
    return tuple(
        Source(str(s.get("pointer") or ""), str(s.get("parameter") or ""))
        for s in value
        if isinstance(s, dict)
    )

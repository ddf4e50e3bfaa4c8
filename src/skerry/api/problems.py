"""Errors on the wire: RFC 9457 problem documents with SECA's types.

The specification and SECA's conformance suite disagree on status codes: the suite wants 412 where
the specification says 409 or 422, and also where a PUT's parent does not exist. ``PROFILES`` holds
both; the specification is the default.
"""

import traceback
from collections.abc import Mapping

import asyncpg
import msgspec
import structlog
from starlette.responses import Response

from skerry.api.requests import TooSlow
from skerry.kernel.errors import (
    TYPE_BASE,
    Conflict,
    InvalidRequest,
    MissingParent,
    PreconditionFailed,
    Problem,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    ValidationError,
)
from skerry.store import DATABASE_AWAY
from skerry.store.errors import StoreError

PROFILES: Mapping[str, Mapping[type[Problem], type[Problem]]] = {
    "spec": {},
    "412": {
        Conflict: PreconditionFailed,
        ValidationError: PreconditionFailed,
        MissingParent: PreconditionFailed,
    },
}

_log = structlog.get_logger("api")


class MethodNotAllowed(InvalidRequest):
    status, slug, title = 405, "method-not-allowed", "Method not allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        self.allowed = ", ".join(allowed)
        super().__init__(
            f"{method} is not possible here",
            hint=f"Allowed: {self.allowed}." if allowed else "",
        )


class UpgradeRequired(InvalidRequest):
    status, slug, title = 426, "upgrade-required", "Upgrade required"


def to_response(problem: Problem, *, profile: str, path: str, request_id: str) -> Response:
    """The problem document as a response."""
    shown = PROFILES[profile].get(type(problem), type(problem))
    body = {**problem_body(problem, path, shown), "requestId": request_id}
    headers = {}
    if shown is Unauthenticated:
        headers["www-authenticate"] = 'Bearer realm="skerry"'
    if isinstance(problem, MethodNotAllowed):
        headers["allow"] = problem.allowed
    if isinstance(problem, UpgradeRequired):
        headers |= {"upgrade": "websocket", "connection": "upgrade"}
    if shown in (Unavailable, TooManyRequests):
        headers["retry-after"] = "5"
    if shown in (TooLarge, TooSlow):
        headers["connection"] = "close"
    return Response(
        msgspec.json.encode(body), shown.status, headers, media_type="application/problem+json"
    )


def problem_body(
    problem: Problem, path: str, shown: type[Problem] | None = None
) -> dict[str, object]:
    """The problem document (RFC 9457)."""
    shown = shown or type(problem)
    body: dict[str, object] = {
        "type": TYPE_BASE + shown.slug,
        "title": shown.title,
        "status": shown.status,
        "detail": problem.detail,
        "instance": path,
        "sources": [msgspec.to_builtins(source) for source in problem.sources],
    }
    if problem.hint:
        body["hint"] = problem.hint
    return body


def from_exception(error: Exception, request_id: str) -> Problem:
    """What a client is told of an error that is not a ``Problem`` itself."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
        return Conflict("another request changed the same things just now", hint="Repeat it.")
    if isinstance(error, (*DATABASE_AWAY, asyncpg.TooManyConnectionsError, OSError)):
        _log.warning("database away", request=request_id, error=str(error))
        return Unavailable(
            "the database can't be reached just now",
            hint="Repeat the request in a few seconds; nothing was half-made.",
        )
    if isinstance(error, StoreError):
        _log.error("store failed", request=request_id, error=str(error))
        return Unavailable(str(error), hint=error.hint or "Tell the operator.")
    if isinstance(error, asyncpg.DiskFullError):
        _log.error("disk full", request=request_id)
        return Unavailable(
            "the database's disk is full", hint="Tell the operator; nothing was half-made."
        )
    _log.error(
        "request failed",
        request=request_id,
        error="".join(traceback.format_exception(error))[-4000:],
    )
    return Problem(
        "Skerry made a mistake; the request was not carried out",
        hint=f"Give the operator the request id {request_id}.",
    )

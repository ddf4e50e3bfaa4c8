"""Errors a client sees, as RFC 9457 problem documents with SECA's ``type`` URIs.

Raise the class whose name says what went wrong; the HTTP edge turns it into a response. The
``detail`` says what is wrong in words, ``hint`` what to do about it, and ``sources`` point at
the field (JSON pointer) or query parameter concerned. Status codes are those of the SECA
specification; the edge may map them for suites that want others.
"""

from typing import ClassVar, Self

import msgspec

TYPE_BASE = "http://secapi.cloud/errors/"


class Source(msgspec.Struct, omit_defaults=True, frozen=True):
    """Where in the request the fault lies."""

    pointer: str = ""
    parameter: str = ""


class Problem(Exception):
    """The base of all errors that are the caller's to see."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-server-error"
    title: ClassVar[str] = "Internal server error"

    def __init__(self, detail: str, *, hint: str = "", sources: list[Source] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.sources = sources or []


class InvalidRequest(Problem):
    """The request itself can't be read: broken JSON, a bad query parameter."""

    status, slug, title = 400, "invalid-request", "Invalid request"


class Unauthenticated(Problem):
    status, slug, title = 401, "unauthorized", "Unauthorized"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "Forbidden"


class NotFound(Problem):
    """It does not exist, or the caller may not know that it does."""

    status, slug, title = 404, "resource-not-found", "Resource not found"


class Conflict(Problem):
    """The resource's present state, or another resource, forbids it."""

    status, slug, title = 409, "resource-conflict", "Resource conflict"


class PreconditionFailed(Problem):
    """``if-unmodified-since`` names a version that is no longer the current one."""

    status, slug, title = 412, "precondition-failed", "Precondition failed"


class Gone(Problem):
    """A feed cursor older than what is kept."""

    status, slug, title = 410, "gone", "Gone"


class TooLarge(Problem):
    status, slug, title = 413, "content-too-large", "Content too large"


class ValidationError(Problem):
    """Well-formed, but its content breaks a rule."""

    status, slug, title = 422, "validation-error", "Validation error"

    @classmethod
    def at(cls, pointer: str, detail: str, hint: str = "") -> Self:
        """A fault in one field, which a JSON pointer names: ``/spec/amount``."""
        return cls(detail, hint=hint, sources=[Source(pointer=pointer)])


class TooManyRequests(Problem):
    status, slug, title = 429, "too-many-requests", "Too many requests"


class Unavailable(Problem):
    """Something this request needs can't be reached just now."""

    status, slug, title = 503, "service-unavailable", "Service unavailable"


class MissingParent(NotFound):
    """A PUT below a tenant, workspace or resource that does not exist."""

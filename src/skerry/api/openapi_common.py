"""The parts of the OpenAPI description that every operation shares."""

from collections.abc import Iterable
from typing import Any

from skerry.kernel import errors
from skerry.kernel.admission import MOST_LABELS, NAME_OF_KEY
from skerry.kernel.paths import NAME, NAME_LIMIT, SCOPE_LIMIT

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
STATES = ["pending", "creating", "active", "updating", "deleting", "error"]

_PROBLEMS: tuple[tuple[type[errors.Problem], str], ...] = (
    (errors.InvalidRequest, "The request can't be read"),
    (errors.Unauthenticated, "No token, or one that is not good (any more)"),
    (errors.Forbidden, "The token's bearer may not do this"),
    (errors.NotFound, "It does not exist, or the bearer may not know that it does"),
    (errors.Conflict, "Its present state, a quota or another resource forbids it"),
    (errors.Gone, "Events that old are no longer kept"),
    (errors.PreconditionFailed, "It is not at the version that if-unmodified-since names"),
    (errors.TooLarge, "The body is too large"),
    (errors.ValidationError, "Well-formed, but its content breaks a rule"),
    (errors.TooManyRequests, "Too many tries; wait and repeat"),
    (errors.Unavailable, "Something this needs can't be reached just now; repeat it"),
)
READING = (errors.Unauthenticated, errors.Forbidden, errors.NotFound)
WRITING = (
    *READING,
    errors.InvalidRequest,
    errors.Conflict,
    errors.PreconditionFailed,
    errors.TooLarge,
    errors.ValidationError,
)


def problems(kinds: Iterable[type[errors.Problem]]) -> Schema:
    """The responses of an operation that can fail in these ways, and in unforeseen ones."""
    named = {str(k.status): _ref("responses", k.__name__) for k in kinds}
    return {**named, "default": _ref("responses", "Problem")}


def responses() -> Schema:
    """``components.responses``."""
    described = {kind.__name__: text for kind, text in _PROBLEMS}
    described["Problem"] = "What went wrong, and what to do about it (RFC 9457)"
    content = {"application/problem+json": {"schema": _ref("schemas", "Problem")}}
    return {name: {"description": t, "content": content} for name, t in described.items()}


def schemas() -> Schema:
    """``components.schemas`` beside those of the kinds."""
    source = {"type": "object", "properties": {"pointer": TEXT, "parameter": TEXT}}
    said = ("type", "title", "detail", "instance", "requestId")
    names = ("name", "provider", "resource", "verb", "apiVersion", "kind", "ref")
    return {
        "Problem": {
            "type": "object",
            "required": [*said, "status", "sources"],
            "properties": {
                **dict.fromkeys((*said, "hint"), TEXT),
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "sources": {"type": "array", "items": source},
            },
        },
        "Metadata": {
            "type": "object",
            "description": "Set by Skerry; what a client sends is ignored, but for region.",
            "required": [*names, "createdAt", "lastModifiedAt", "resourceVersion"],
            "properties": {
                **dict.fromkeys((*names, "tenant", "workspace", "region"), TEXT),
                **dict.fromkeys(("createdAt", "lastModifiedAt", "deletedAt"), TIME),
                "resourceVersion": {"type": "integer", "minimum": 1},
                "owned": {"type": "boolean", "description": "Made by another resource, and "
                          "deleted with it; absent where a client put it"},
            },
        },
        "ListMetadata": {
            "type": "object",
            "required": ["provider", "resource", "verb"],
            "properties": {
                **dict.fromkeys(("provider", "resource", "verb"), TEXT),
                "skipToken": {**TEXT, "description": "Where the next page starts; absent on the "
                              "last one"},
                "total": {"type": "integer", "description": "How many there are in all, if that "
                          "was asked by one who may see all"},
                "more": {"type": "boolean", "description": "There are more than total says"},
            },
        },
        "Condition": {
            "type": "object",
            "required": ["state", "lastTransitionAt"],
            "properties": {
                "state": _ref("schemas", "State"),
                "lastTransitionAt": TIME,
                "reason": TEXT,
                "message": TEXT,
            },
        },
        "State": {"type": "string", "enum": STATES},
        "Labels": _strings(63, "For selecting; at most 256"),
        "Annotations": _strings(1024, "For people and tools; echoed, never read by Skerry"),
    }  # fmt: skip


def _strings(longest: int, description: str) -> Schema:
    return {
        "type": ["object", "null"],
        "description": description,
        "maxProperties": MOST_LABELS,
        "propertyNames": {
            "maxLength": NAME_OF_KEY,
            "pattern": "^[A-Za-z0-9]([-A-Za-z0-9_./:]*[A-Za-z0-9])?$",
        },
        "additionalProperties": {"type": "string", "maxLength": longest},
    }


def _ref(section: str, name: str) -> Schema:
    return {"$ref": f"#/components/{section}/{name}"}


def path_parameters(names: Iterable[str]) -> list[Schema]:
    """Parameters that are names of resources."""
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": SCOPE_LIMIT if name in ("tenant", "workspace") else NAME_LIMIT,
                "pattern": f"^{NAME.pattern}$",
            },
        }
        for name in names
    ]


def query(name: str, description: str, schema: Schema | None = None, **more: Any) -> Schema:
    return {
        "name": name, "in": "query", "description": description, "schema": schema or TEXT, **more,
    }  # fmt: skip


def json_content(schema: Schema, description: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def required(properties: Schema, *optional: str) -> Schema:
    """An object whose properties are all there, but for those named."""
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


PUBLIC: Schema = {"security": []}
"""Of an operation that takes no token."""


def plain(
    name: str, summary: str, responses: Schema, *fails: type[errors.Problem], **more: Any
) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {**responses, **problems(fails)},
        **more,
    }

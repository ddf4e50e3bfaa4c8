"""What is served beside the kinds, for OpenAPI: the log, blobs, health."""

from collections.abc import Mapping

from skerry.api import openapi_identity, openapi_rooms
from skerry.api.openapi_common import (
    PUBLIC,
    READING,
    TEXT,
    Schema,
    json_content,
    path_parameters,
    plain,
    query,
    required,
)
from skerry.kernel import errors

_PROOF = "/providers/skerry.proof/v1"
_BLOB = "/providers/skerry.run/v1/tenants/{tenant}/workspaces/{workspace}/blobs/{digest}"
_BYTES: Schema = {"application/octet-stream": {"schema": {}}}


def paths() -> Mapping[str, Schema]:
    """Every path that no kind declares."""
    return {
        **_health(),
        **_log(),
        **openapi_identity.paths(),
        _BLOB: _blob(),
        **openapi_rooms.paths(),
    }


def _text(description: str) -> Schema:
    return {"200": {"description": description, "content": {"text/plain": {"schema": TEXT}}}}


def _health() -> Mapping[str, Schema]:
    endpoint = required({"provider": TEXT, "url": TEXT})
    known = required({"version": TEXT, "endpoints": {"type": "array", "items": endpoint}})
    described = {"200": json_content({"type": "object"}, "OpenAPI 3.1")}
    kinds = {"200": json_content({"type": "object"}, "What the command line is made of")}
    return {
        "/healthz": {
            "get": plain("healthz", "Whether the process lives", _text("It does"), **PUBLIC)
        },
        "/readyz": {
            "get": plain(
                "readyz", "Whether it can serve", _text("It can"), errors.Unavailable, **PUBLIC
            )
        },
        "/openapi.json": {"get": plain("openapi", "This description", described, **PUBLIC)},
        "/catalogue.json": {"get": plain("catalogue", "The kinds it has", kinds, **PUBLIC)},
        "/.wellknown/secapi": {
            "get": plain(
                "wellknown", "Where the global providers are",
                {"200": json_content(known, "Endpoints")}, **PUBLIC,
            )
        },
    }  # fmt: skip


def _log() -> Mapping[str, Schema]:
    path = {"name": "path", "in": "path", "required": True, "schema": TEXT}
    tile = {"200": {"description": "Hashes, or entries", "content": _BYTES}}
    stream = {
        "200": {
            "description": "Events",
            "content": {
                "text/event-stream": {"schema": TEXT},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    }
    missing = errors.NotFound
    return {
        f"{_PROOF}/checkpoint": {
            "get": plain(
                "checkpoint", "The log's newest signed checkpoint",
                _text("A C2SP checkpoint"), missing, **PUBLIC,
            )
        },
        f"{_PROOF}/key": {
            "get": plain("log_key", "The log's public key", _text("A verifier key"), **PUBLIC)
        },
        **_witnessing(),
        f"{_PROOF}/tile/{{path}}": {
            "parameters": [path],
            "get": plain("tile", "A tile of the log", tile, missing, **PUBLIC),
        },
        f"{_PROOF}/tenants/{{tenant}}/events": {
            "parameters": path_parameters(("tenant",)),
            "get": plain(
                "watch_events", "What happens in a tenant, or what has happened", stream,
                *READING, errors.InvalidRequest, errors.Gone,
                parameters=[
                    query("watch", "As it happens; else a page of the past", {"type": "boolean"}),
                    query("kinds", "Only these nouns, with commas between them"),
                    query("from", "From after this position; of the past, from this time"),
                    query("to", "Of the past: until this time"),
                    query("workspace", "Of the past: in this workspace only"),
                    query("verb", "Of the past: only this verb, such as put or deleted"),
                    query("actor", "Of the past: only what this one did; @ is any account"),
                    query("search", "Of the past: only what has this in its ref"),
                    query("limit", "Of the past: events of a page", {
                        "type": "integer", "minimum": 1, "maximum": 500,
                    }),
                    query("cursor", "`next` of the page before"),
                ],
            ),
        },
        f"{_PROOF}/tenants/{{tenant}}/events/{{position}}": {
            "parameters": [
                *path_parameters(("tenant",)),
                {"name": "position", "in": "path", "required": True, "schema": TEXT},
            ],
            "get": plain(
                "event", "One event, with all that its leaf hashes",
                {"200": json_content({"type": "object"}, "An event")}, *READING,
            ),
        },
        **_package(),
    }  # fmt: skip


def _package() -> Mapping[str, Schema]:
    return {
        f"{_PROOF}/tenants/{{tenant}}/audit": {
            "parameters": path_parameters(("tenant",)),
            "get": plain(
                "export_audit", "All that happened in a tenant, to be checked offline",
                {"200": {
                    "description": "The auditor's package",
                    "content": {"application/x-ndjson": {"schema": TEXT}},
                }},
                *READING, errors.InvalidRequest, errors.Unavailable,
                parameters=[
                    query("from", "From this time or date on"),
                    query("to", "Until before this time or date"),
                ],
            ),
        },
    }  # fmt: skip


def _witnessing() -> Mapping[str, Schema]:
    size = {"text/x.tlog.size": {"schema": TEXT}, "text/plain": {"schema": TEXT}}
    refused = {"content": {"text/plain": {"schema": TEXT}}}
    return {
        f"{_PROOF}/witness-key": {
            "get": plain(
                "witness_key", "The key this cloud cosigns with", _text("A verifier key"), **PUBLIC
            )
        },
        f"{_PROOF}/add-checkpoint": {
            "post": plain(
                "add_checkpoint", "Cosign the checkpoint of another log",
                {
                    **_text("Signature lines"),
                    "400": {"description": "No such request", **refused},
                    "403": {"description": "Not signed by the log's key", **refused},
                    "404": {"description": "A log that is not witnessed here", **refused},
                    "409": {"description": "The size that was cosigned last", "content": size},
                    "422": {"description": "It does not begin with that tree", **refused},
                },
                errors.TooLarge,
                requestBody={"required": True, "content": {"text/plain": {"schema": TEXT}}},
                **PUBLIC,
            )
        },
    }  # fmt: skip


def _blob() -> Schema:
    digest = {
        "name": "digest", "in": "path", "required": True,
        "schema": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    }  # fmt: skip
    known = {"200": {"description": "Its bytes", "content": _BYTES}}
    size = {"200": {"description": "It is there; content-length is its size"}}
    return {
        "parameters": [*path_parameters(("tenant", "workspace")), digest],
        "get": plain("get_blob", "Read a blob that was put here", known, *READING),
        "head": plain("head_blob", "Whether a blob was put here", size, *READING),
        "put": plain(
            "put_blob", "Put a blob, to name it in specs", {"201": {"description": "It is there"}},
            *READING, errors.TooLarge, errors.ValidationError,
            requestBody={"required": True, "content": _BYTES},
        ),
    }  # fmt: skip

"""What is served beside the kinds, for OpenAPI: sessions, the log, blobs, health."""

from collections.abc import Mapping
from typing import Any

from skerry.api import openapi_rooms
from skerry.api.openapi_common import (
    READING,
    TEXT,
    TIME,
    Schema,
    json_content,
    path_parameters,
    problems,
    query,
    required,
)
from skerry.kernel import errors

_PROOF, _IDENTITY = "/providers/skerry.proof/v1", "/providers/skerry.identity/v1"
_BLOB = "/providers/skerry.run/v1/tenants/{tenant}/workspaces/{workspace}/blobs/{digest}"
_BYTES: Schema = {"application/octet-stream": {"schema": {}}}
_PUBLIC: Schema = {"security": []}


def paths() -> Mapping[str, Schema]:
    """Every path that no kind declares."""
    return {**_health(), **_log(), **_sessions(), _BLOB: _blob(), **openapi_rooms.paths()}


def _plain(
    name: str, summary: str, responses: Schema, *fails: type[errors.Problem], **more: Any
) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {**responses, **problems(fails)},
        **more,
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
            "get": _plain("healthz", "Whether the process lives", _text("It does"), **_PUBLIC)
        },
        "/readyz": {
            "get": _plain(
                "readyz", "Whether it can serve", _text("It can"), errors.Unavailable, **_PUBLIC
            )
        },
        "/openapi.json": {"get": _plain("openapi", "This description", described, **_PUBLIC)},
        "/catalogue.json": {"get": _plain("catalogue", "The kinds it has", kinds, **_PUBLIC)},
        "/.wellknown/secapi": {
            "get": _plain(
                "wellknown", "Where the global providers are",
                {"200": json_content(known, "Endpoints")}, **_PUBLIC,
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
            "get": _plain(
                "checkpoint", "The log's newest signed checkpoint",
                _text("A C2SP checkpoint"), missing, **_PUBLIC,
            )
        },
        f"{_PROOF}/key": {
            "get": _plain("log_key", "The log's public key", _text("A verifier key"), **_PUBLIC)
        },
        **_witnessing(),
        f"{_PROOF}/tile/{{path}}": {
            "parameters": [path],
            "get": _plain("tile", "A tile of the log", tile, missing, **_PUBLIC),
        },
        f"{_PROOF}/tenants/{{tenant}}/events": {
            "parameters": path_parameters(("tenant",)),
            "get": _plain(
                "watch_events", "What happens in a tenant, or what has happened", stream,
                *READING, errors.InvalidRequest, errors.Gone,
                parameters=[
                    query("watch", "As it happens; else a page of the past", {"type": "boolean"}),
                    query("kinds", "Only these nouns, with commas between them"),
                    query("from", "From after this position; of the past, from this time"),
                    query("to", "Of the past: until this time"),
                    query("workspace", "Of the past: in this workspace only"),
                    query("verb", "Of the past: only this verb, such as put or deleted"),
                    query("actor", "Of the past: only what this one did"),
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
            "get": _plain(
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
            "get": _plain(
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
            "get": _plain(
                "witness_key", "The key this cloud cosigns with", _text("A verifier key"), **_PUBLIC
            )
        },
        f"{_PROOF}/add-checkpoint": {
            "post": _plain(
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
                **_PUBLIC,
            )
        },
    }  # fmt: skip


def _sessions() -> Mapping[str, Schema]:
    signed_in = required({"token": TEXT, "tenant": TEXT, "subject": TEXT, "expiresAt": TIME})
    signed_in["properties"] = {
        **signed_in["properties"], "recoveryCodes": {"type": "array", "items": TEXT},
    }  # fmt: skip
    credentials = {
        "anyOf": [
            {
                **_closed("tenant", "user", "password"),
                "properties": dict.fromkeys(("tenant", "user", "password", "code"), TEXT),
            },
            _closed("code", "verifier"),
        ]
    }
    who = required(
        {
            **dict.fromkeys(("tenant", "subject", "displayName"), TEXT),
            "operator": {"type": "boolean"},
        }
    )
    return {
        f"{_IDENTITY}/whoami": {
            "get": _plain(
                "whoami", "Who the token belongs to", {"200": json_content(who, "You")},
                errors.Unauthenticated,
            )
        },
        **_coming_in(),
        f"{_IDENTITY}/sessions": {
            "post": _plain(
                "open_session", "Sign in with a password, or a code of a sign-in at an issuer",
                {"201": json_content(signed_in, "A token for a while")},
                errors.InvalidRequest, errors.Unauthenticated, errors.Forbidden, errors.TooLarge,
                errors.ValidationError, errors.TooManyRequests, errors.Unavailable,
                requestBody={
                    "required": True, "content": {"application/json": {"schema": credentials}},
                },
                **_PUBLIC,
            ),
            "delete": _plain(
                "close_session", "Sign out", {"202": {"description": "Signed out"}},
                errors.Unauthenticated,
            ),
        },
    }  # fmt: skip


def _closed(*names: str) -> Schema:
    return {**required(dict.fromkeys(names, TEXT)), "additionalProperties": False}


def _taking(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _coming_in() -> Mapping[str, Schema]:
    issuer = required({"name": TEXT, "displayName": TEXT})
    ways = required(
        {"issuers": {"type": "array", "items": issuer}, "password": {"type": "boolean"}}
    )
    made = required({"tenant": TEXT, "user": TEXT})
    wanted = required(
        dict.fromkeys(("grant_type", "subject_token", "subject_token_type", "audience"), TEXT)
    )
    exchanged = required(
        {
            **dict.fromkeys(("access_token", "issued_token_type", "token_type"), TEXT),
            "expires_in": {"type": "integer"},
        }
    )
    refusal = required({"error": TEXT, "error_description": TEXT})
    begun = required(dict.fromkeys(("uri", "secret", "svg", "text"), TEXT))
    fails = (
        errors.InvalidRequest, errors.TooLarge, errors.ValidationError, errors.TooManyRequests,
        errors.Unavailable,
    )  # fmt: skip
    return {
        f"{_IDENTITY}/sign-in": {
            "get": _plain(
                "ways_in", "How people may sign in", {"200": json_content(ways, "Issuers")},
                **_PUBLIC,
            )
        },
        f"{_IDENTITY}/second-factors": {
            "post": _plain(
                "begin_factor", "Begin a second factor; its first code at sign-in confirms it",
                {"201": json_content(begun, "What an authenticator takes")},
                errors.Unauthenticated, errors.Conflict, *fails,
                requestBody=_taking(_closed("tenant", "user", "password")), **_PUBLIC,
            ),
            "delete": _plain(
                "drop_factor", "Drop one's own second factor",
                {"202": {"description": "The password alone counts"}},
                errors.Unauthenticated, *fails,
                requestBody=_taking(_closed("tenant", "user", "password", "code")), **_PUBLIC,
            ),
        },
        f"{_IDENTITY}/token": {
            "post": _plain(
                "exchange_token", "Exchange an issuer's token for a service account's (RFC 8693)",
                {"200": json_content(exchanged, "A token for a while"),
                 "400": json_content(refusal, "It is not")},
                errors.TooLarge, errors.TooManyRequests, errors.Unavailable,
                requestBody={"required": True, "content": {
                    "application/x-www-form-urlencoded": {"schema": wanted},
                }},
                **_PUBLIC,
            )
        },
        f"{_IDENTITY}/joins": {
            "post": _plain(
                "follow_link", "Accept an invitation, or set a new password, by a link's code",
                {"201": json_content(made, "Who you are")},
                errors.NotFound, errors.Gone, errors.Conflict, *fails,
                requestBody=_taking(_closed("code", "password")), **_PUBLIC,
            )
        },
        f"{_IDENTITY}/resets": {
            "post": _plain(
                "ask_reset", "Have a link mailed for a new password",
                {"202": {"description": "It is, if they are known and have an address"}}, *fails,
                requestBody=_taking(_closed("tenant", "user")), **_PUBLIC,
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
        "get": _plain("get_blob", "Read a blob that was put here", known, *READING),
        "head": _plain("head_blob", "Whether a blob was put here", size, *READING),
        "put": _plain(
            "put_blob", "Put a blob, to name it in specs", {"201": {"description": "It is there"}},
            *READING, errors.TooLarge, errors.ValidationError,
            requestBody={"required": True, "content": _BYTES},
        ),
    }  # fmt: skip

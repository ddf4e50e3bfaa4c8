"""The OpenAPI 3.1 description of everything served, made from the registry.

``python -m skerry.api.openapi`` writes it to ``src/skerry/api/openapi.json``, which is committed; a
test says when it is out of date.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

import msgspec

import skerry
from skerry.api.metered import all_views
from skerry.kernel.kinds import Kind, Registry
from skerry.kernel.views import View

FILE = FilePath(__file__).with_name("openapi.json")
Schema = dict[str, Any]

_STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_SUMMARIES = {"get": "Read", "list": "List", "put": "Create or replace", "delete": "Delete"}


def document(registry: Registry) -> Schema:
    """The whole description."""
    structs = [s for k in registry.kinds for s in _structs(k)]
    _, components = msgspec.json.schema_components(
        list(dict.fromkeys(structs)), ref_template="#/components/schemas/{name}"
    )
    paths: Schema = {}
    for kind in registry.kinds:
        paths.update(_paths(kind))
    paths.update(_fixed())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Skerry",
            "version": skerry.__version__,
            "summary": "The Sovereign European Cloud API, and Skerry's providers in its style",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**components, **_common()},
            "responses": {
                "Problem": {
                    "description": "What went wrong, and what to do about it (RFC 9457)",
                    "content": {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    },
                }
            },
        },
    }


def _structs(kind: Kind) -> Iterable[Any]:
    yield kind.spec
    yield kind.status
    for action in kind.actions:
        if action.spec is not None:
            yield action.spec


def _common() -> Schema:
    text = {"type": "string"}
    return {
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "instance", "requestId"],
            "properties": {
                **dict.fromkeys(("type", "title", "detail", "instance", "hint"), text),
                "requestId": text,
                "status": {"type": "integer"},
                "sources": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"pointer": text, "parameter": text},
                    },
                },
            },
        },
        "Metadata": {
            "type": "object",
            "description": "Set by Skerry; what a client sends is ignored, but for region.",
            "properties": {
                **dict.fromkeys(
                    [
                        "name",
                        "provider",
                        "resource",
                        "verb",
                        "apiVersion",
                        "kind",
                        "ref",
                        "tenant",
                        "workspace",
                        "region",
                    ],
                    text,
                ),
                **{
                    name: {"type": "string", "format": "date-time"}
                    for name in ("createdAt", "lastModifiedAt", "deletedAt")
                },
                "resourceVersion": {"type": "integer"},
            },
        },
        "Condition": {
            "type": "object",
            "required": ["state", "lastTransitionAt"],
            "properties": {
                "state": {"$ref": "#/components/schemas/State"},
                "lastTransitionAt": {"type": "string", "format": "date-time"},
                "reason": text,
                "message": text,
            },
        },
        "State": {
            "type": "string",
            "enum": ["pending", "creating", "active", "updating", "deleting", "error"],
        },
    }


def _ref(struct: Any) -> Schema:
    (schema,), _ = msgspec.json.schema_components(
        [struct], ref_template="#/components/schemas/{name}"
    )
    return schema


def _resource(kind: Kind, *, sent: bool) -> Schema:
    properties: Schema = {
        "labels": _STRINGS,
        "annotations": _STRINGS,
        "extensions": _STRINGS,
        "spec": _ref(kind.spec),
    }
    if sent:
        # A client may send back what it read; Skerry ignores these.
        properties.update(metadata={"type": "object"}, status={"type": "object"})
        return {"type": "object", "properties": properties, "additionalProperties": False}
    properties["metadata"] = {"$ref": "#/components/schemas/Metadata"}
    if kind.history:
        conditions = {"type": "array", "items": {"$ref": "#/components/schemas/Condition"}}
        state = {"$ref": "#/components/schemas/State"}
        properties["status"] = {
            "allOf": [
                _ref(kind.status),
                {"type": "object", "properties": {"state": state, "conditions": conditions}},
            ]
        }
    return {"type": "object", "required": ["metadata", "spec"], "properties": properties}


def _parameters(names: Iterable[str]) -> list[Schema]:
    return [
        {"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names
    ]


def _query(name: str, description: str, schema: Schema | None = None) -> Schema:
    return {
        "name": name, "in": "query", "description": description,
        "schema": schema or {"type": "string"},
    }  # fmt: skip


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_DRY_RUN = _query("dryRun", "Try it, and keep nothing", {"type": "boolean"})
_VERSION_HEADER = {
    "name": "if-unmodified-since",
    "in": "header",
    "description": "Only if the resource is at this version",
    "schema": {"type": "integer"},
}


def _json(schema: Schema, description: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _operation(kind: Kind, op: str, summary: str, responses: Schema, **more: Any) -> Schema:
    identifier = f"{op}_{kind.noun}".replace("-", "_").replace(".", "_")
    return {
        "operationId": identifier,
        "tags": [f"{kind.provider}/{kind.version}"],
        "summary": summary,
        "responses": {**responses, "default": _PROBLEM},
        **more,
    }


def _paths(kind: Kind) -> Schema:
    base = f"/providers/{kind.route}"
    item = f"{base}/{{name}}"
    shown = _resource(kind, sent=False)
    collection: Schema = {"parameters": _parameters(kind.path_parameters)}
    single: Schema = {"parameters": _parameters((*kind.path_parameters, "name"))}
    if "list" in kind.ops:
        listed = {
            "type": "object",
            "required": ["items", "metadata"],
            "properties": {
                "items": {"type": "array", "items": shown},
                "metadata": {"type": "object"},
            },
        }
        collection["get"] = _operation(
            kind, "list", f"List {kind.collection}", {"200": _json(listed, "A page of them")},
            parameters=_list_queries(),
        )  # fmt: skip
    if "get" in kind.ops:
        single["get"] = _operation(
            kind, "get", f"Read a {kind.noun}", {"200": _json(shown, kind.summary)}
        )
    if "put" in kind.ops:
        single["put"] = _operation(
            kind, "put", f"Create or replace a {kind.noun}",
            {"200": _json(shown, "Replaced"), "201": _json(shown, "Created")},
            parameters=[_VERSION_HEADER, _DRY_RUN],
            requestBody=_body(_resource(kind, sent=True)),
        )  # fmt: skip
    if "delete" in kind.ops:
        single["delete"] = _operation(
            kind, "delete", f"Delete a {kind.noun}", {"202": {"description": "It will be gone"}},
            parameters=[_VERSION_HEADER],
        )  # fmt: skip
    paths = {base: collection, item: single}
    for action in kind.actions:
        paths[f"{item}/{action.name}"] = _action(kind, action.name, action.summary, action.spec)
    for view in all_views(kind):
        tail = "/{path}" if view.deep else ""
        paths[f"{item}/{view.name}"] = _view(kind, view, ())
        if view.deep:
            paths[f"{item}/{view.name}{tail}"] = _view(kind, view, ("path",))
    return {path: methods for path, methods in paths.items() if len(methods) > 1}


def _list_queries() -> list[Schema]:
    limit = {"type": "integer", "minimum": 1, "maximum": 10000, "default": 1000}
    return [
        _query("limit", "At most so many items", limit),
        _query("skipToken", "Where the last page ended"),
        _query("labels", "Only those whose labels match, such as env=prod,size>=2"),
        _query("watch", "Stream what happens instead, as server-sent events", {"type": "boolean"}),
        _query("from", "Watch from after this position"),
    ]


def _action(kind: Kind, name: str, summary: str, spec: type[msgspec.Struct] | None) -> Schema:
    more: Schema = {}
    if spec is not None:
        more["requestBody"] = {"content": {"application/json": {"schema": _ref(spec)}}}
    responses = {"202": {"description": "Accepted"}}
    return {
        "parameters": _parameters((*kind.path_parameters, "name")),
        "post": _operation(kind, f"post_{name}", summary, responses, **more),
    }


def _view(kind: Kind, view: View, more: tuple[str, ...]) -> Schema:
    content: Schema = {view.media: {"schema": {}}}
    if more:
        content = {"application/octet-stream": {"schema": {}}}
    suffix = "_item" if more else ""
    return {
        "parameters": _parameters((*kind.path_parameters, "name", *more)),
        "get": _operation(
            kind, f"get_{view.name}{suffix}", view.summary,
            {"200": {"description": view.summary, "content": content}},
            parameters=[_query(name, text) for name, text in view.query.items()],
        ),
    }  # fmt: skip


def _fixed() -> Mapping[str, Schema]:
    """What is served beside the kinds."""
    text = {"200": {"description": "As text", "content": {"text/plain": {"schema": {}}}}}
    whoami = _json({"type": "object"}, "Who you are")
    sign_in = {
        "type": "object",
        "required": ["tenant", "user", "password"],
        "properties": {n: {"type": "string"} for n in ("tenant", "user", "password")},
        "additionalProperties": False,
    }

    def plain(name: str, summary: str, responses: Schema, **more: Any) -> Schema:
        return {
            "operationId": name, "summary": summary,
            "responses": {**responses, "default": _PROBLEM}, **more,
        }  # fmt: skip

    public: dict[str, Any] = {"security": []}
    proof, identity = "/providers/skerry.proof/v1", "/providers/skerry.identity/v1"
    return {
        "/healthz": {"get": plain("healthz", "Whether the process lives", text, **public)},
        "/readyz": {"get": plain("readyz", "Whether it can serve", text, **public)},
        "/.wellknown/secapi": {
            "get": plain("wellknown", "Where the global providers are",
                         {"200": _json({"type": "object"}, "Endpoints")}, **public)
        },
        f"{proof}/checkpoint": {
            "get": plain("checkpoint", "The log's newest signed checkpoint", text, **public)
        },
        f"{proof}/key": {"get": plain("log_key", "The log's public key", text, **public)},
        f"{identity}/whoami": {"get": plain("whoami", "Who the token belongs to", {"200": whoami})},
        f"{identity}/sessions": {
            "post": plain(
                "open_session", "Sign in with a password",
                {"201": _json({"type": "object"}, "A token for a while")},
                requestBody=_body(sign_in),
                **public,
            ),
            "delete": plain("close_session", "Sign out", {"202": {"description": "Signed out"}}),
        },
    }  # fmt: skip


def render(registry: Registry) -> bytes:
    """The committed form."""
    text = msgspec.json.encode(document(registry), order="sorted")
    return msgspec.json.format(text, indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(render(Registry.discover()))
    sys.exit(0)

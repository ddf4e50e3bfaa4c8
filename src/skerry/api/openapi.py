"""The OpenAPI 3.1 description of everything served, made from the registry.

``python -m skerry.api.openapi`` writes it to ``src/skerry/api/openapi.json``, which is committed; a
test says when it is out of date. Schemas are those of the kinds' structs; a sealed field is
``writeOnly``.
"""

import sys
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any

import msgspec

import skerry
from skerry.api import openapi_common as common
from skerry.api import openapi_fixed as fixed
from skerry.api.metered import all_views
from skerry.api.openapi_common import Schema, json_content, path_parameters, query
from skerry.kernel import errors
from skerry.kernel.channels import Channel
from skerry.kernel.kinds import Action, Kind, Registry
from skerry.kernel.listing import MOST_SEARCHED, SORTS
from skerry.kernel.views import View

FILE = FilePath(__file__).with_name("openapi.json")
_TEMPLATE = "#/components/schemas/{name}"


def document(registry: Registry) -> Schema:
    """The whole description."""
    paths: Schema = {}
    for kind in registry.kinds:
        paths.update(_paths(kind))
    paths.update(fixed.paths())
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
            "schemas": {**_schemas(registry), **common.schemas()},
            "responses": common.responses(),
        },
    }


def _schemas(registry: Registry) -> Schema:
    """Those of the kinds, with sealed fields marked."""
    structs = [struct for kind in registry.kinds for struct in _structs(kind)]
    _, components = msgspec.json.schema_components(
        list(dict.fromkeys(structs)), ref_template=_TEMPLATE
    )
    for kind in registry.kinds:
        name = _ref(kind.spec).get("$ref", "").rpartition("/")[2]
        for secret in kind.secrets:
            components[name]["properties"][secret]["writeOnly"] = True
        components[_name(kind, "Document")] = _shown(kind)
        if "put" in kind.ops:
            components[_name(kind, "Request")] = _sent(kind)
    return components


def _name(kind: Kind, suffix: str) -> str:
    words = kind.noun.replace(".", "-").split("-")
    return "".join(word.capitalize() for word in words) + suffix


def _structs(kind: Kind) -> Iterable[Any]:
    yield kind.spec
    yield kind.status
    for action in kind.actions:
        if action.spec is not None:
            yield action.spec
    for channel in kind.channels:
        yield channel.spec


def _ref(struct: Any) -> Schema:
    (schema,), _ = msgspec.json.schema_components([struct], ref_template=_TEMPLATE)
    return schema


def _common(name: str) -> Schema:
    return {"$ref": _TEMPLATE.format(name=name)}


def _shown(kind: Kind) -> Schema:
    """A resource as it is read."""
    properties: Schema = {
        "labels": _common("Labels"),
        "annotations": _common("Annotations"),
        "extensions": _common("Annotations"),
        "metadata": _common("Metadata"),
        "spec": _ref(kind.spec),
    }
    if kind.history:
        conditions = {"type": "array", "items": _common("Condition")}
        observed = {
            "type": "object",
            "required": ["state", "conditions"],
            "properties": {"state": _common("State"), "conditions": conditions},
        }
        properties["status"] = {"allOf": [_ref(kind.status), observed]}
    return common.required(properties)


def _sent(kind: Kind) -> Schema:
    """A resource as a client writes it; it may send back what it read."""
    region = {"type": ["string", "null"], "description": "Where; the home region if left out"}
    properties: Schema = {
        "labels": _common("Labels"),
        "annotations": _common("Annotations"),
        "extensions": _common("Annotations"),
        "metadata": {
            "type": ["object", "null"],
            "description": "Ignored, but for region",
            "properties": {"region": region} if kind.regional else {},
        },
        "spec": _ref(kind.spec),
        "status": {"description": "Ignored"},
    }
    spec = _ref(kind.spec)
    needed = ["spec"] if _has_required(kind, spec) else []
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": needed} if needed else {}),
    }


def _has_required(kind: Kind, spec: Schema) -> bool:
    if "$ref" not in spec:
        return False
    return any(field.required for field in msgspec.structs.fields(kind.spec))


_DRY_RUN = query("dryRun", "Try it, and keep nothing", {"type": "boolean"})
_IF_CHANGED = query(
    "ifChanged",
    "Leave it at its version if all of it, sealed fields too, is as it is sent",
    {"type": "boolean"},
)
_VERSION_HEADER = {
    "name": "if-unmodified-since",
    "in": "header",
    "description": "Only if the resource is at this version",
    "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
}


def _operation(
    kind: Kind,
    op: str,
    summary: str,
    responses: Schema,
    fails: Iterable[type[errors.Problem]],
    **more: Any,
) -> Schema:
    identifier = f"{op}_{kind.noun}".replace("-", "_").replace(".", "_")
    return {
        "operationId": identifier,
        "tags": [f"{kind.provider}/{kind.version}"],
        "summary": summary,
        "responses": {**responses, **common.problems(fails)},
        **more,
    }


def _paths(kind: Kind) -> Schema:
    base = f"/providers/{kind.route}"
    item = f"{base}/{{name}}"
    paths: Schema = {
        base: {"parameters": path_parameters(kind.path_parameters)},
        item: {"parameters": path_parameters((*kind.path_parameters, "name")), **_item(kind)},
    }
    if "list" in kind.ops:
        paths[base]["get"] = _list(kind)
    for action in kind.actions:
        paths[f"{item}/{action.name}"] = _action(kind, action)
    for view in all_views(kind):
        paths[f"{item}/{view.name}"] = _view(kind, view)
        if view.deep:
            paths[f"{item}/{view.name}/{{path}}"] = _deep(kind, view)
    for channel in kind.channels:
        paths[f"{item}/{channel.name}"] = _channel(kind, channel)
    return {path: methods for path, methods in paths.items() if len(methods) > 1}


def _item(kind: Kind) -> Schema:
    shown = _common(_name(kind, "Document"))
    methods: Schema = {}
    if "get" in kind.ops:
        read = {"200": json_content(shown, kind.summary)}
        methods["get"] = _operation(kind, "get", f"Read a {kind.noun}", read, common.READING)
    if "put" in kind.ops:
        written = {
            "200": json_content(shown, "Replaced"), "201": json_content(shown, "Created"),
        }  # fmt: skip
        needed = _has_required(kind, _ref(kind.spec))
        methods["put"] = _operation(
            kind, "put", f"Create or replace a {kind.noun}", written, common.WRITING,
            parameters=[_VERSION_HEADER, _DRY_RUN, _IF_CHANGED],
            requestBody=_body(_common(_name(kind, "Request")), needed=needed),
        )  # fmt: skip
    if "delete" in kind.ops:
        gone = {"202": {"description": "It will be gone"}}
        fails = (*common.READING, errors.InvalidRequest, errors.Conflict, errors.PreconditionFailed)
        methods["delete"] = _operation(
            kind, "delete", f"Delete a {kind.noun}", gone, fails, parameters=[_VERSION_HEADER]
        )
    return methods


def _body(schema: Schema, *, needed: bool) -> Schema:
    return {"required": needed, "content": {"application/json": {"schema": schema}}}


_CHOOSING = (
    query(
        "search",
        "Only those with this, in any case, in their name or a label",
        {"type": "string", "maxLength": MOST_SEARCHED},
    ),
    query("state", "Only those in one of these states, with commas between them"),
    query("phase", "Only those in one of these phases, with commas between them"),
    query("sort", "In which order; - is the other way round", {"enum": [*SORTS]}),
    query("count", "Tell in metadata how many there are in all", {"type": "boolean"}),
)


def _list(kind: Kind) -> Schema:
    items = {"type": "array", "items": _common(_name(kind, "Document"))}
    page = common.required({"items": items, "metadata": _common("ListMetadata")})
    found = json_content(page, "A page of them; a stream of events if watched")
    found["content"]["text/event-stream"] = {"schema": common.TEXT}
    limit = {"type": "integer", "minimum": 1, "maximum": 10000, "default": 1000}
    return _operation(
        kind, "list", f"List {kind.collection}", {"200": found},
        (*common.READING, errors.InvalidRequest, errors.Gone),
        parameters=[
            query("limit", "At most so many items", limit),
            query("skipToken", "Where the last page ended"),
            query("labels", "Only those whose labels match, such as env=prod,size>=2"),
            *_CHOOSING,
            query("watch", "Stream what happens instead, as server-sent events",
                  {"type": "boolean"}),
            query("from", "Watch from after this position", {"type": "integer", "minimum": -1}),
        ],
    )  # fmt: skip


def _action(kind: Kind, action: Action) -> Schema:
    more: Schema = {"parameters": [_VERSION_HEADER]}
    if action.spec is not None:
        needed = any(field.required for field in msgspec.structs.fields(action.spec))
        more["requestBody"] = _body(_ref(action.spec), needed=needed)
    accepted = {"202": {"description": "Accepted; an action done at once may answer with JSON"}}
    return {
        "parameters": path_parameters((*kind.path_parameters, "name")),
        "post": _operation(
            kind, f"post_{action.name}", action.summary, accepted, common.WRITING, **more
        ),
    }


_VIEWING = (*common.READING, errors.InvalidRequest, errors.Conflict, errors.Unavailable)


def _view(kind: Kind, view: View) -> Schema:
    answer = {"200": {"description": view.summary, "content": {view.media: {"schema": {}}}}}
    return {
        "parameters": path_parameters((*kind.path_parameters, "name")),
        "get": _operation(
            kind, f"get_{view.name}", view.summary, answer, _VIEWING,
            parameters=[query(name, text) for name, text in view.query.items()],
        ),
    }  # fmt: skip


def _deep(kind: Kind, view: View) -> Schema:
    """One item of a view that has items behind it."""
    content: Schema = {"application/octet-stream": {"schema": {}}}
    answer = {"200": {"description": view.summary, "content": content}}
    path = {"name": "path", "in": "path", "required": True, "schema": common.TEXT}
    return {
        "parameters": [*path_parameters((*kind.path_parameters, "name")), path],
        "get": _operation(kind, f"get_{view.name}_item", view.summary, answer, _VIEWING),
    }


def _channel(kind: Kind, channel: Channel) -> Schema:
    """A websocket; OpenAPI has no words for what is said on one but those of the first message."""
    switched = {"101": {"description": f"{channel.summary}, on a websocket"}}
    return {
        "parameters": path_parameters((*kind.path_parameters, "name")),
        "get": {
            **_operation(kind, channel.name, channel.summary, switched, common.READING),
            "x-first-message": _ref(channel.spec),
        },
    }


def render(registry: Registry) -> bytes:
    """The committed form."""
    text = msgspec.json.encode(document(registry), order="sorted")
    return msgspec.json.format(text, indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(render(Registry.discover()))
    sys.exit(0)

"""The catalogue: the registry as one JSON document, for programs that import no server code.

``python -m skerry.api.catalogue`` writes it to ``src/skerry/cli/catalogue.json``, where client and
command line read it; a test says when it is out of date. A cloud serves its own, so that products
added to it have their verbs in everyone's command line. The form::

    {"format": "skerry-catalogue/1",
     "kinds": [{"noun", "title", "summary", "provider", "version", "collection", "scope",
                "parents": [{"collection", "parameter"}], "ops", "regional", "history",
                "operatorOnly", "quotable", "metered", "immutable", "secrets",
                "refs": [{"field", "kind"}], "columns": [{"title", "path", "wide"}],
                "actions": [{"name", "summary", "spec": <JSON Schema> | null}],
                "views": [{"name", "summary", "media", "deep", "query": {<name>: <meaning>}}],
                "channels": [{"name", "summary", "spec": <JSON Schema>}],
                "spec": <JSON Schema>, "status": <JSON Schema>}],
     "schemas": {<name>: <JSON Schema>}}

Schemas are JSON Schema 2020-12 as msgspec makes them; ``$ref`` is ``#/schemas/<name>``. Kinds are
in the order of their keys, so the document is the same whatever the order of discovery; fields
are in the order of their declaration, which is how they are read.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from skerry.api.metered import all_views
from skerry.kernel.kinds import Kind, Registry, singular

FORMAT = "skerry-catalogue/1"
COMMITTED = Path(__file__).parent.parent / "cli" / "catalogue.json"
_OPS = ("list", "get", "put", "delete")


def document(registry: Registry) -> dict[str, Any]:
    """The catalogue of a registry, as plain JSON values."""
    kinds = sorted(registry.kinds, key=lambda kind: kind.key)
    types: list[Any] = []
    for kind in kinds:
        types += [kind.spec, kind.status, *(a.spec for a in kind.actions if a.spec is not None)]
        types += [channel.spec for channel in kind.channels]
    made, schemas = msgspec.json.schema_components(types, ref_template="#/schemas/{name}")
    schema_of = dict(zip(map(_key, types), made, strict=True))
    return {
        "format": FORMAT,
        "kinds": [_kind(kind, schema_of) for kind in kinds],
        "schemas": dict(sorted(schemas.items())),
    }


def render(registry: Registry) -> bytes:
    """The catalogue's bytes as committed and served."""
    return msgspec.json.format(msgspec.json.encode(document(registry)), indent=1) + b"\n"


def _key(spec: Any) -> str:
    """Types such as ``dict[str, Any]`` are equal without being the same object."""
    return repr(spec)


def _kind(kind: Kind, schema_of: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "noun": kind.noun,
        "title": kind.title,
        "summary": kind.summary,
        "provider": kind.provider,
        "version": kind.version,
        "collection": kind.collection,
        "scope": kind.scope,
        "parents": [{"collection": c, "parameter": singular(c)} for c in kind.parents],
        "ops": [op for op in _OPS if op in kind.ops],
        "regional": kind.regional,
        "history": kind.history,
        "operatorOnly": kind.operator_only,
        "quotable": kind.ask is not None,
        "metered": bool(kind.meters),
        "immutable": list(kind.immutable),
        "secrets": list(kind.secrets),
        "refs": [{"field": ref.field, "kind": ref.kind} for ref in kind.refs],
        "columns": [{"title": c.title, "path": c.path, "wide": c.wide} for c in kind.columns],
        "actions": [
            {
                "name": action.name,
                "summary": action.summary,
                "spec": None if action.spec is None else schema_of[_key(action.spec)],
            }
            for action in kind.actions
        ],
        "views": [
            {
                "name": view.name,
                "summary": view.summary,
                "media": view.media,
                "deep": view.deep,
                "query": dict(view.query),
            }
            for view in all_views(kind)
        ],
        "channels": [
            {
                "name": channel.name,
                "summary": channel.summary,
                "spec": schema_of[_key(channel.spec)],
            }
            for channel in kind.channels
        ],
        "spec": schema_of[_key(kind.spec)],
        "status": schema_of[_key(kind.status)],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the catalogue, or say with exit code 1 that the committed one is out of date."""
    parser = argparse.ArgumentParser(prog="python -m skerry.api.catalogue", description=__doc__)
    parser.add_argument("--output", type=Path, default=COMMITTED, help="where to write it")
    parser.add_argument("--check", action="store_true", help="compare, don't write")
    given = parser.parse_args(argv)
    fresh = render(Registry.discover())
    if not given.check:
        given.output.write_bytes(fresh)
        return 0
    if given.output.exists() and given.output.read_bytes() == fresh:
        return 0
    print(f"{given.output} is out of date: run python -m skerry.api.catalogue", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

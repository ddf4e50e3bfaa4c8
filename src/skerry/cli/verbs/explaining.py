"""``explain``: what a kind is, field by field, or why a resource is where it is."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import output
from skerry.cli.common import Session
from skerry.cli.exits import NOT_FOUND, Failed
from skerry.cli.verbs.base import Verb, standing
from skerry.cli.verbs.deciding import decision_text, place_text
from skerry.cli.verbs.reading import article
from skerry.client.errors import BadSetting, NotFound

if TYPE_CHECKING:
    from skerry.client.catalogue import Catalogue, Kind
    from skerry.client.sync import KindClient


def explain(kind: "Kind") -> click.Command:
    """``skerry NOUN explain``."""
    verb = Verb(kind, "explain", f"Explain what {article(kind)} is, or why one is where it is")
    return verb.named(required=False).command(
        lambda session, connect, name: _explain(session, kind, connect, name), offline=True
    )


def _explain(
    session: Session, kind: "Kind", connect: "Callable[[], KindClient]", name: str | None
) -> None:
    if name is None:
        show_kind(session, kind, ())
    else:
        why(session, connect(), name)


def show_kind(session: Session, kind: "Kind", path: tuple[str, ...]) -> None:
    """Print a kind's schema, or that of one of its fields."""
    catalogue = session.catalogue
    schema = catalogue.resolve(kind.spec)
    for step in path:
        schema = _into(catalogue, schema, step, kind)
    if session.form.is_document:
        output.document(schema, session.form)
        return
    if path:
        click.echo(f"{kind.noun}.{'.'.join(path)}  {type_of(catalogue, schema)}")
        click.echo("\n".join(_wrapped(str(schema.get("description", "")), 2)))
    else:
        click.echo("\n".join(_head(kind)))
    rows = list(_rows(catalogue, schema, kind if not path else None, 1))
    if rows:
        click.echo("\nSpec:" if not path else "\nFields:")
        click.echo("\n".join(rows))
    if not path:
        for line in _tail(kind):
            click.echo(line)


def _into(
    catalogue: "Catalogue", schema: Mapping[str, Any], step: str, kind: "Kind"
) -> dict[str, Any]:
    if schema.get("type") == "array":
        schema = catalogue.resolve(schema.get("items", {}))
    if step not in schema.get("properties", {}):
        known = ", ".join(schema.get("properties", {})) or "none"
        raise BadSetting(f"{kind.noun} has no field {step!r} there", hint=f"Fields: {known}.")
    return catalogue.resolve(schema["properties"][step])


def _head(kind: "Kind") -> Iterator[str]:
    yield f"{kind.noun}: {kind.summary}"
    yield f"  {kind.provider}/{kind.version}, collection {kind.collection}, in a {_home(kind)}"
    if kind.operator_only:
        yield "  Only the operator writes it"


def _home(kind: "Kind") -> str:
    return kind.parameters[-1] if kind.parents else {"global": "cloud"}.get(kind.scope, kind.scope)


def _tail(kind: "Kind") -> Iterator[str]:
    if kind.actions:
        yield "\nActions:"
        yield from (f"  {a.name:<14} {a.summary}" for a in kind.actions.values())
    if kind.views:
        yield "\nViews:"
        yield from (f"  {v.name:<14} {v.summary}" for v in kind.views.values())


def _rows(
    catalogue: "Catalogue", schema: Mapping[str, Any], kind: "Kind | None", depth: int
) -> Iterator[str]:
    if schema.get("type") == "array":
        schema = catalogue.resolve(schema.get("items", {}))
    needed = schema.get("required", ())
    for name, raw in schema.get("properties", {}).items():
        inner = catalogue.resolve(raw)
        notes = [type_of(catalogue, inner)]
        notes += ["required"] if name in needed else []
        if kind is not None and depth == 1:
            notes += ["sealed"] if name in kind.secrets else []
            notes += ["can't be changed"] if name in kind.immutable else []
            notes += [f"points at a {kind.refs[name]}"] if name in kind.refs else []
        notes += _limits(inner)
        yield f"{'  ' * depth}{name}  ({', '.join(notes)})"
        yield from _wrapped(str(inner.get("description", "")), 2 * depth + 4)


def _limits(schema: Mapping[str, Any]) -> list[str]:
    words = {
        "minimum": "at least {}", "maximum": "at most {}", "minLength": "{} characters or more",
        "maxLength": "at most {} characters", "minItems": "{} or more", "maxItems": "at most {}",
        "pattern": "like {}",
    }  # fmt: skip
    found = [text.format(schema[key]) for key, text in words.items() if key in schema]
    default = schema.get("default")
    return found + ([f"default {default}"] if default not in (None, "", [], {}, False) else [])


def type_of(catalogue: "Catalogue", schema: Mapping[str, Any]) -> str:
    """A type in words: ``list of text``, ``one of tcp, udp``."""
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    match schema.get("type"):
        case "string":
            return "text"
        case "integer":
            return "whole number"
        case "boolean":
            return "yes or no"
        case "array":
            return f"list of {type_of(catalogue, catalogue.resolve(schema.get('items', {})))}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            inner = catalogue.resolve(schema["additionalProperties"])
            return f"map to {type_of(catalogue, inner)}"
        case "object":
            return str(schema.get("title", "object"))
    return str(schema.get("type", "anything"))


def _wrapped(text: str, indent: int) -> list[str]:
    import textwrap

    pad = " " * indent
    return textwrap.wrap(" ".join(text.split()), 96, initial_indent=pad, subsequent_indent=pad)


def why(session: Session, client: "KindClient", name: str) -> None:
    """Print a resource's decision: why here, who else, why not the others."""
    kind = client.target.kind
    resource = client.get(name)
    found: Any = None
    if "decision" in kind.views:
        try:
            found = client.view(name, "decision")
        except NotFound:
            found = None
    if found is None and not (resource.phase or resource.status.get("place")):
        raise Failed(
            f"nothing was decided for {kind.noun} {name}",
            hint=f"Its state: skerry {kind.noun} get {name}",
            code=NOT_FOUND,
        )
    if session.form.is_document:
        output.document(found or resource.status, session.form)
        return
    click.echo(f"{kind.noun} {name}: {standing(resource)}")
    if found is not None:
        click.echo(decision_text(found))
        return
    if resource.status.get("place"):
        click.echo(f"Here:  {place_text(resource.status['place'])}")

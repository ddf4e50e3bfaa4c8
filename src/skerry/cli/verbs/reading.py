"""``list`` and ``get``: what is there."""

from typing import TYPE_CHECKING, Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Session
from skerry.cli.verbs.base import Verb

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind
    from skerry.client.sync import KindClient

SORTS = tuple(sign + way for way in ("name", "created", "modified", "state") for sign in ("", "-"))


def list_(kind: "Kind") -> click.Command:
    """``skerry NOUN list``."""
    verb = Verb(kind, "list", f"List all {plural(kind)}").takes(
        click.Option(
            ["--selector", "-l"], metavar="LABELS", default="",
            help="Only those with these labels, such as tier=web,env!=test",
        ),
        click.Option(["--search"], default="", help="Only those with this in their name or labels"),
        click.Option(
            ["--state"], metavar="STATES", default="",
            help="Only those in this state, such as active,error",
        ),
        click.Option(
            ["--phase"], metavar="PHASES", default="",
            help="Only those in this phase of their life, such as running,queued",
        ),
        click.Option(
            ["--sort"], default="", type=click.Choice(["", *SORTS]), show_choices=False,
            metavar="ORDER",
            help="name, created, modified or state; with - before it the other way round",
        ),
        click.Option(["--limit"], type=click.IntRange(1), help="At most this many"),
        click.Option(["--deleted"], is_flag=True, help="Those that are deleted"),
        click.Option(["--watch", "-w"], is_flag=True, help="Show changes as they happen"),
    )  # fmt: skip
    return verb.command(_list)


def _list(
    session: Session,
    client: "KindClient",
    selector: str,
    limit: int | None,
    deleted: bool,
    watch: bool,
    **chosen: str,
) -> None:
    if watch:
        _watch(session, client)
        return
    found = client.list(selector, limit=limit, deleted=deleted, **chosen)
    output.resources(client.target.kind, found, session.form)


def _watch(session: Session, client: "KindClient") -> None:
    """One line for each change: JSON documents one per line, else the table's cells."""
    columns = output.columns_of(client.target.kind, session.form)
    for event in client.watch():
        if session.form.is_document:
            import json

            click.echo(json.dumps({**event._asdict()}, ensure_ascii=False))
        elif session.form.name == "name":
            click.echo(event.resource.name)
        else:
            cells = [formats.cell(event.resource, path) for _, path in columns]
            click.echo("   ".join([event.verb, *cells]))


def get(kind: "Kind") -> click.Command:
    """``skerry NOUN get``."""
    verb = Verb(kind, "get", f"Show {article(kind)} whole").named(many=True)
    return verb.command(_get)


def _get(session: Session, client: "KindClient", names: tuple[str, ...]) -> None:
    found = [client.get(name) for name in names]
    form, kind = session.form, client.target.kind
    if form.is_document and len(found) == 1:
        output.document(found[0], form)
    elif form.is_document or form.is_table or form.name == "name":
        output.resources(kind, found, form)
    else:
        click.echo("\n\n".join(describe(kind, resource) for resource in found))


def describe(kind: "Kind", document: Any) -> str:
    """A resource as text: what it is, what is wanted, what is observed, how it came to be."""
    metadata, status = document.get("metadata", {}), dict(document.get("status") or {})
    conditions = status.pop("conditions", None) or []
    head = {
        "Name": metadata.get("name"),
        "Kind": f"{kind.noun} ({kind.provider}/{kind.version})",
        "Ref": metadata.get("ref"),
        "Region": metadata.get("region"),
        "Version": metadata.get("resourceVersion"),
        "Created": formats.moment(metadata["createdAt"]) if "createdAt" in metadata else None,
        "Changed": formats.moment(metadata["lastModifiedAt"])
        if "lastModifiedAt" in metadata
        else None,
        **{
            word.capitalize(): document.get(word)
            for word in ("labels", "annotations", "extensions")
        },
    }
    blocks = [output.described({k: v for k, v in head.items() if v not in (None, "", {})})]
    for title, part in (("Spec", document.get("spec")), ("Status", status)):
        if part:
            blocks.append([f"{title}:", *output.described(part, 1, formats.any_currency(document))])
    if conditions:
        blocks.append(["History:", *map(_condition, conditions)])
    return "\n".join(formats.printable(line) for block in blocks for line in block)


def _condition(condition: Any) -> str:
    when = formats.moment(str(condition.get("lastTransitionAt", "")))
    words = [condition.get("reason"), condition.get("message")]
    why = ": ".join(str(word) for word in words if word)
    return f"  {condition.get('state', ''):<9} {when}  {why}".rstrip()


def plural(kind: "Kind") -> str:
    """The kind's plural, from its collection: ``public ips``."""
    return kind.collection.replace("-", " ")


def article(kind: "Kind") -> str:
    return f"{'an' if kind.noun[0] in 'aeiou' else 'a'} {kind.noun}"

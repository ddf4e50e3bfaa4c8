"""``create`` and ``update``: what is wanted, from flags, ``--set`` and files."""

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import flags, output, work
from skerry.cli.common import Session
from skerry.cli.exits import CONFLICT, Failed
from skerry.cli.rereading import rereading
from skerry.cli.verbs.base import Verb, await_all, must_be_well
from skerry.cli.verbs.reading import article
from skerry.client.errors import BadSetting, NotFound
from skerry.client.resource import Resource

if TYPE_CHECKING:
    from skerry.client.catalogue import Catalogue, Kind
    from skerry.client.sync import KindClient


def create(kind: "Kind", catalogue: "Catalogue") -> click.Command:
    """``skerry NOUN create``."""
    verb = _writing(kind, catalogue, "create", f"Create {article(kind)}")
    return verb.command(_create, epilog=_epilog(kind))


def update(kind: "Kind", catalogue: "Catalogue") -> click.Command:
    """``skerry NOUN update``."""
    verb = _writing(kind, catalogue, "update", f"Change {article(kind)}, the rest as it is")
    verb.takes(
        click.Option(["--if-version"], type=int, help="Only if it is at this resource version")
    )
    return verb.command(_update)


def _writing(kind: "Kind", catalogue: "Catalogue", name: str, summary: str) -> Verb:
    verb = Verb(kind, name, summary).named()
    if command_path(kind, catalogue):
        verb.takes(
            click.Argument(["argv"], nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
        )
    verb.takes(*spec_options(kind, catalogue))
    verb.takes(
        click.Option(["--label"], multiple=True, metavar="KEY=VALUE", help="Label it"),
        click.Option(["--annotation"], multiple=True, metavar="KEY=VALUE", help="Annotate it"),
        click.Option(["--dry-run"], is_flag=True, help="Check it and show what would be stored"),
    )
    return verb.waits()


def command_path(kind: "Kind", catalogue: "Catalogue") -> tuple[str, ...]:
    """Where in its spec the words after ``--`` go: its command, or that of what it starts."""
    fields = catalogue.resolve(kind.spec).get("properties", {})
    if "command" in fields:
        return ("command",)
    for name, field in fields.items():
        if "command" in catalogue.resolve(field).get("properties", {}):
            return (name, "command")
    return ()


def spec_options(kind: "Kind", catalogue: "Catalogue") -> list[click.Parameter]:
    """The flags that make a spec: its fields, ``--set`` and ``-f``."""
    return [
        *_field_options(kind, catalogue),
        click.Option(
            ["--set", "assignments"], multiple=True, metavar="PATH=VALUE",
            help="Set any field of the spec, such as a.b=c",
        ),
        click.Option(
            ["--file", "-f"], type=click.Path(allow_dash=True, path_type=Path), metavar="FILE",
            help="Take a whole document, YAML or JSON; flags come on top",
        ),
    ]  # fmt: skip


def _field_options(kind: "Kind", catalogue: "Catalogue") -> list[flags.FieldOption]:
    """A flag for each field; what runs has some in other words as well, or instead."""
    fields = catalogue.resolve(kind.spec).get("properties", {})
    own = [
        option
        for option in (work.options(fields) if _runs(fields) else ())
        # A notebook's `volume` is not one of its `volumes`.
        if option.field.path[0] == (word := option.opts[0][2:]) or word not in fields
    ]
    taken = {flag for option in own for flag in (*option.opts, *option.secondary_opts)}
    made = flags.options(catalogue, kind.spec, kind)
    return [*own, *(option for option in made if not taken & {*option.opts})]


def _runs(fields: Container[str]) -> bool:
    """Whether what has these fields is something that runs."""
    return "millicores" in fields and ("command" in fields or "requirements" in fields)


def wanted(kind: "Kind", values: dict[str, Any]) -> dict[str, Any]:
    """The document that file and flags make, for ``kind``."""
    from skerry.cli.manifests.reading import read

    document: dict[str, Any] = {}
    if values.get("file") is not None:
        found = read(values["file"])
        if len(found) != 1:
            raise BadSetting(
                f"{values['file']} holds {len(found)} documents, not one",
                hint="Use skerry apply -f for several.",
            )
        document = found[0].opened(kind).body
    session = click.get_current_context().ensure_object(Session)
    spec = flags.gathered(click.get_current_context(), values)
    if _runs(session.catalogue.resolve(kind.spec).get("properties", {})):
        spec = work.brought(session, kind.noun, spec)
    if values.get("argv"):
        catalogue = session.catalogue
        flags.put(spec, command_path(kind, catalogue), list(values["argv"]))
    flags.assign(spec, values.get("assignments", ()))
    document["spec"] = flags.merged(document.get("spec") or {}, spec)
    for word in ("label", "annotation"):
        pairs = dict(_pair(text) for text in values.get(word, ()))
        if pairs:
            document[f"{word}s"] = {**(document.get(f"{word}s") or {}), **pairs}
    return document


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise BadSetting(f"{text[:60]!r} is not KEY=VALUE")
    return key, value


def _create(session: Session, client: "KindClient", name: str, **values: Any) -> None:
    kind = client.target.kind
    document = wanted(kind, values)
    if "get" in kind.ops and not values["dry_run"] and _exists(client, name):
        raise Failed(
            f"{kind.noun} {name} exists already",
            hint=f"Change it with: skerry {kind.noun} update {name}",
            code=CONFLICT,
        )
    _put(session, client, name, document, values, None)


def _exists(client: "KindClient", name: str) -> bool:
    try:
        client.get(name)
    except NotFound:
        return False
    return True


def _update(
    session: Session, client: "KindClient", name: str, if_version: int | None, **values: Any
) -> None:
    given = wanted(client.target.kind, values)

    def write() -> None:
        now = client.get(name)
        document = flags.merged(
            {k: now.get(k) or {} for k in ("labels", "annotations", "extensions", "spec")}, given
        )
        version = now.version if if_version is None else if_version
        _put(session, client, name, document, values, version)

    if if_version is not None:
        write()
        return
    # What is given holds for what is there now as well.
    rereading(write, lambda _: None)


def _put(
    session: Session,
    client: "KindClient",
    name: str,
    document: dict[str, Any],
    values: dict[str, Any],
    if_version: int | None,
) -> None:
    made = client.put(
        name,
        document.get("spec"),
        labels=document.get("labels"),
        annotations=document.get("annotations"),
        extensions=document.get("extensions"),
        if_version=if_version,
        dry_run=values["dry_run"],
    )
    kind = client.target.kind
    if values["dry_run"]:
        output.document(made, session.form)
        return
    did = "created" if made.created else "updated"
    if values["wait"] and not values["detach"] and kind.history:
        found = await_all(session, client, [name], "settled", values["wait_timeout"])[0]
        # What the PUT alone may show, such as a token, must not be lost by waiting.
        made = _with_once(made, found) if found is not None else made
        must_be_well(kind, found)
    tell(session, kind, made, did)


def _with_once(made: Resource, now: Resource) -> Resource:
    status = {**made.status, **now.status}
    return Resource({**made, **now, "status": status})


def tell(session: Session, kind: "Kind", made: Resource, did: str) -> None:
    """Print what came of it: the document if asked for, else one line."""
    if session.form.is_document:
        output.document(made, session.form)
    elif session.form.is_table or session.form.name == "name":
        output.resources(kind, [made], session.form)
    else:
        click.echo(f"{kind.noun} {made.name} {did}")
        for key, value in once(kind, made).items():
            click.echo(f"{key}: {value}")
        if url := made.status.get("url"):
            click.echo(url)


def once(kind: "Kind", made: Resource) -> dict[str, Any]:
    """Secrets that a response shows this one time."""
    words = ("token", "secret", "password", "link")
    return {k: v for k, v in made.status.items() if k in words and isinstance(v, str)}


def _epilog(kind: "Kind") -> str:
    return f"skerry explain {kind.noun} tells every field."

"""``export``: what is there, as files that ``apply`` takes, here or in another cloud."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.exits import NOT_FOUND, Failed
from skerry.client.errors import BadSetting, Forbidden

if TYPE_CHECKING:
    from skerry.cli.manifests.exporting import Manifest
    from skerry.client.catalogue import Kind

PASSING = frozenset(("quote", "token"))
"""What is asked for once; nobody wants it again elsewhere."""
DECLARED = frozenset(("list", "get", "put", "delete"))


@pass_session
def _export(
    session: Session, noun: str | None, names: tuple[str, ...], folder: Path | None
) -> None:
    if noun is None:
        every = map(session.catalogue.__getitem__, session.catalogue.nouns)
        kinds = [k for k in every if k.scope == "workspace" and k.ops >= DECLARED]
        found = [m for k in kinds if k.noun not in PASSING for m in _of_kind(session, k)]
    else:
        session.noun = noun
        found = _named(session, _kind(session, noun), names)
    found = _in_order(session, found)
    if folder is not None:
        _write(folder, found)
        click.echo(f"{len(found)} documents in {folder}")
    elif session.form.name == "json":
        output.document([made.document for made in found], session.form)
    else:
        click.echo("---\n".join(made.yaml() for made in found), nl=False)
    if folder is not None or session.form.name == "json":
        for made in found:
            for line in made.lacks:
                click.echo(f"{made.noun} {made.name}: {line}", err=True)


def _kind(session: Session, noun: str) -> "Kind":
    kind = session.catalogue[noun]
    if not {"get", "put"} <= kind.ops:
        raise BadSetting(f"a {noun} is made by Skerry, and can't be applied", hint="")
    return kind


def _of_kind(session: Session, kind: "Kind") -> Iterator["Manifest"]:
    """What was declared of a kind in the settings' scope and is still wanted."""
    from skerry.cli.manifests.exporting import manifest, wanted
    from skerry.cli.manifests.pruning import parents_of

    try:
        for above in parents_of(session.client, session.catalogue, kind, {}):
            for resource in wanted(session.client.kind(kind.noun, **above).list()):
                yield manifest(kind, resource)
    except Forbidden as error:
        click.echo(f"{kind.collection} left out: {error}", err=True)


def _named(session: Session, kind: "Kind", names: tuple[str, ...]) -> list["Manifest"]:
    from skerry.cli.manifests.exporting import manifest
    from skerry.cli.manifests.pruning import parents_of

    if not names:
        return list(_of_kind(session, kind))
    if not kind.parents:
        calls = session.client.kind(kind.noun)
        return [manifest(kind, calls.get(name)) for name in names]
    found = [
        manifest(kind, resource)
        for above in parents_of(session.client, session.catalogue, kind, {})
        for resource in session.client.kind(kind.noun, **above).list()
        if resource.name in names
    ]
    missing = set(names) - {made.name for made in found}
    if missing:
        raise Failed(f"there is no {kind.noun} {min(missing)}", code=NOT_FOUND)
    return found


def _in_order(session: Session, found: list["Manifest"]) -> list["Manifest"]:
    """As they are to be applied."""
    from skerry.cli.manifests.ordering import ordered
    from skerry.cli.manifests.reading import Document

    documents = [Document(made.document, str(n)) for n, made in enumerate(found)]
    return [found[int(e.document.where)] for e in ordered(documents, session.catalogue, {})]


def _write(folder: Path, found: list["Manifest"]) -> None:
    """A file for each, put in place whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for made in found:
            new = folder / f".{made.filename}.new"
            new.write_text(made.yaml(), "utf-8")
            os.replace(new, folder / made.filename)
    except OSError as error:
        raise BadSetting(f"{folder} can't be written: {error}") from None


export = Command(
    "export",
    callback=_export,
    params=[
        click.Argument(["noun"], required=False, metavar="[NOUN]"),
        click.Argument(["names"], nargs=-1, metavar="[NAME...]"),
        click.Option(
            ["--folder"], type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
            help="Write a file for each into this folder",
        ),
    ],
    help="Write what is there as documents for apply, here or elsewhere.\n\n"
    "Without a noun, all that was declared in the workspace. Sealed values are left out: each "
    "becomes the name of a variable to set.",
)  # fmt: skip

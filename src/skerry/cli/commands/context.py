"""``context``: named clouds, kept in a file of the user's own. Tokens go in and are never shown."""

import sys
from typing import TextIO

import click

from skerry.cli import output
from skerry.cli.common import Group, Session, pass_session
from skerry.cli.complete import contexts
from skerry.client import config
from skerry.client.config import Settings
from skerry.client.errors import BadSetting, SkerryError

context = Group("context", help="Keep the addresses and tokens of clouds, and choose one")


@context.command("create", help="Keep a cloud under a name, or change what is kept")
@click.argument("name", shell_complete=contexts)
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input")
@click.option("--token-file", type=click.File(), metavar="FILE", help="Read the token from a file")
@click.option("--use/--no-use", default=True, help="Choose it from now on (default)")
@pass_session
def create(
    session: Session, name: str, token_stdin: bool, token_file: TextIO | None, use: bool
) -> None:
    given = Settings(**{k: v for k, v in session.given.items() if k != "context"})
    stream = sys.stdin if token_stdin else token_file
    if stream is not None:
        try:
            token = stream.read().strip()
        except UnicodeDecodeError:
            raise BadSetting("that is no token: it is not text") from None
        given = given.over(Settings(token=token))
    known = config.load_contexts()
    kept = given.over(config.from_environment()).over(known.named.get(name, Settings()))
    if not kept.url:
        raise BadSetting("a context needs the address of a cloud", hint="Give --url URL.")
    config.save_contexts(known.having(name, kept, use))
    click.echo(f"context {name} kept{' and in use' if use else ''}: {kept.url}")
    session.given["context"] = name
    learn(session)


@context.command("use", help="Choose a context")
@click.argument("name", shell_complete=contexts)
def use(name: str) -> None:
    known = config.load_contexts()
    config.save_contexts(known.having(name, known[name], use=True))
    click.echo(f"context {name} in use: {known[name].url}")


@context.command("list", help="List all contexts")
@pass_session
def list_(session: Session) -> None:
    known = config.load_contexts()
    rows = [
        {
            "name": name,
            "inUse": name == known.current,
            "url": kept.url,
            "tenant": kept.tenant,
            "workspace": kept.workspace,
            "hasToken": bool(kept.token),
        }
        for name, kept in sorted(known.named.items())
    ]
    if session.form.is_document:
        output.document(rows, session.form)
    elif session.form.name == "name":
        click.echo("\n".join(known.named), nl=bool(known.named))
    else:
        cells = [
            [
                "*" if row["inUse"] else "",
                *(str(row[k] or "-") for k in ("name", "url", "tenant", "workspace")),
                "yes" if row["hasToken"] else "no",
            ]
            for row in rows
        ]
        titles = ["", "NAME", "URL", "TENANT", "WORKSPACE", "TOKEN"]
        output.table(titles, cells, header=session.form.header)


@context.command("delete", help="Forget contexts and their tokens")
@click.argument("names", nargs=-1, required=True, shell_complete=contexts, metavar="NAME...")
def delete(names: tuple[str, ...]) -> None:
    known = config.load_contexts()
    for name in names:
        known = known.without(name)
    config.save_contexts(known)
    for name in names:
        config.catalogue_file(name).unlink(missing_ok=True)
        click.echo(f"context {name} deleted")


@context.command("refresh", help="Learn anew which kinds the context's cloud has")
@pass_session
def refresh(session: Session) -> None:
    if not learn(session):
        raise BadSetting("this cloud does not tell its kinds, or there is no context")
    click.echo("catalogue learned")


def learn(session: Session) -> bool:
    """Keep the cloud's own catalogue, so that products added to it have their verbs here.

    A cloud that does not tell, or can't be reached now, is no error: the shipped one is used.
    """
    file = session.catalogue_file
    if file is None:
        return False
    try:
        found = session.client.request("GET", "/catalogue.json").body
    except SkerryError:
        return False
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_bytes(found)
    new.replace(file)
    return True

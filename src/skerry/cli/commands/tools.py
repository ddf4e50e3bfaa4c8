"""``explain``, ``curl``, ``completion`` and ``manual``: helps of all sorts."""

import os
import shutil
import subprocess

import click

from skerry.cli.common import Command, Session, pass_session
from skerry.cli.complete import nouns
from skerry.cli.exits import Failed
from skerry.cli.verbs import explaining


@pass_session
def _explain(session: Session, noun: str, name: str | None) -> None:
    word, *path = noun.split(".")
    kind = session.catalogue.find(word)
    session.noun = kind.noun
    if name is None:
        explaining.show_kind(session, kind, tuple(path))
    else:
        explaining.why(session, session.client.kind(kind.noun), name)


explain = Command(
    "explain",
    callback=_explain,
    params=[
        click.Argument(["noun"], metavar="NOUN[.FIELD...]", shell_complete=nouns),
        click.Argument(["name"], required=False, metavar="[NAME]"),
    ],
    help="Explain a kind field by field; with a name, why that one is where it is.",
)


@pass_session
def _curl(session: Session, path: str, arguments: tuple[str, ...]) -> None:
    program = shutil.which("curl")
    if program is None:
        raise Failed("curl is not installed here")
    wire = session.client.wire
    base = wire.base
    url = path if path.startswith(("http://", "https://")) else f"{base}/{path.lstrip('/')}"
    if url != base and not url.startswith(f"{base}/"):
        raise Failed(
            f"{url} is not at {base}", hint="The token is only sent to its own cloud.", code=2
        )
    config = [f'url = "{_quoted(url)}"']
    if wire.settings.token:
        config.append(f'header = "Authorization: Bearer {_quoted(wire.settings.token)}"')
    if wire.socket:
        config.append(f'unix-socket = "{_quoted(wire.socket)}"')
    if wire.settings.ca_file:
        config.append(f'cacert = "{_quoted(wire.settings.ca_file)}"')
    # By a pipe, since anyone on this machine may read a process' arguments.
    readable, writable = os.pipe()
    with os.fdopen(writable, "w") as stream:
        stream.write("\n".join(config) + "\n")
    command = [program, "--silent", "--show-error", "--config", f"/dev/fd/{readable}", *arguments]
    try:
        done = subprocess.run(command, pass_fds=(readable,), check=False)
    finally:
        os.close(readable)
    click.get_current_context().exit(done.returncode)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "")


curl = Command(
    "curl",
    callback=_curl,
    params=[
        click.Argument(["path"], metavar="PATH"),
        click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED, metavar="[CURL-OPTION...]"),
    ],
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
    help="Call any path of the API with curl and your token.",
)


@click.pass_context
def _completion(ctx: click.Context, shell: str) -> None:
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root()
    click.echo(found(root.command, {}, "skerry", "_SKERRY_COMPLETE").source())


completion = Command(
    "completion",
    callback=_completion,
    params=[click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish"]))],
    help='Print the completion script: eval "$(skerry completion bash)".',
)


@click.pass_context
def _manual(ctx: click.Context) -> None:
    root = ctx.find_root()
    for text in pages(root.command, root):
        click.echo(text)


def pages(command: click.Command, ctx: click.Context) -> list[str]:
    """The help of a command and all below it."""
    found = [f"# {ctx.command_path}\n\n{command.get_help(ctx)}\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            if ctx.parent is None and name in SERVER:
                continue
            below = command.get_command(ctx, name)
            assert below is not None
            inner = click.Context(below, parent=ctx, info_name=name)
            found += pages(below, inner)
    return found


SERVER = frozenset(("up", "down", "serve", "agent", "audit", "doctor"))

manual = Command(
    "manual", callback=_manual, params=[], help="Print the help of every command, to be read whole."
)

"""``skerry``: the root command. It knows each command by name and imports the one called."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from skerry.cli.common import Group, Session, common_options
from skerry.client.errors import SkerryError


class Entry(NamedTuple):
    """A command that is not a noun: where it is and what its line in the help says."""

    home: str
    summary: str
    panel: str


PANELS = ("Run", "Declare", "Prove", "Sign in", "Operate", "Help")
SERVER = "skerry.commands:COMMANDS"
"""The commands that are the server, as a dict by name; looked up only when one is called."""
SERVING = "skerry.serving:COMMANDS"
BACKING = "skerry.backing.commands:COMMANDS"

COMMANDS = {
    "run": Entry("run", "Run a command as a job, its output here", "Run"),
    "logs": Entry("logs", "Show what something wrote, search all logs", "Run"),
    "top": Entry("top", "Show what runs, what it uses and costs", "Run"),
    "metrics": Entry("metrics", "Draw what something used", "Run"),
    "usage": Entry("usage", "Show what was billed, by day or hour", "Run"),
    "ssh": Entry("shells", "Open a shell in what runs", "Run"),
    "exec": Entry("shells", "Run a command beside what runs", "Run"),
    "port-forward": Entry("shells", "Bring ports of what runs here", "Run"),
    "quote": Entry("quote", "Say price and place before anything starts", "Run"),
    "apply": Entry("apply", "Make what is like what files say", "Declare"),
    "diff": Entry("apply", "Show what apply would change", "Declare"),
    "export": Entry("export", "Write what is there as files to apply elsewhere", "Declare"),
    "explain": Entry("tools", "Explain a kind, or why a resource is where it is", "Declare"),
    "receipt": Entry("proofs", "Fetch the receipt of a job", "Prove"),
    "verify": Entry("proofs", "Check a receipt or an audit offline", "Prove"),
    "key": Entry("proofs", "Show the operator's public key", "Prove"),
    "audit": Entry(SERVER, "Check the log, export all that happened in a tenant", "Prove"),
    "login": Entry("account", "Sign in with a password", "Sign in"),
    "join": Entry("account", "Accept an invitation by its link", "Sign in"),
    "whoami": Entry("account", "Show who the token is", "Sign in"),
    "session": Entry("sessions", "List and end your own sessions", "Sign in"),
    "context": Entry("context", "Keep clouds by name and choose one", "Sign in"),
    "status": Entry("account", "Show how the cloud is", "Sign in"),
    "alert": Entry("alerts", "List what needs a person's eye", "Operate"),
    "utilisation": Entry("utilisation", "Show what sites have, lease out and use", "Operate"),
    "up": Entry(SERVER, "Start a cloud on this machine", "Operate"),
    "serve": Entry(SERVING, "Run one node of a cloud of many", "Operate"),
    "backup": Entry(BACKING, "Keep a whole cloud in one file", "Operate"),
    "restore": Entry(BACKING, "Bring a cloud back from a backup", "Operate"),
    "down": Entry(SERVER, "Stop the cloud on this machine", "Operate"),
    "agent": Entry(SERVER, "Offer this machine to a cloud", "Operate"),
    "doctor": Entry(SERVER, "Find what is wrong here, and what to do", "Operate"),
    "curl": Entry("tools", "Call any path of the API with curl", "Help"),
    "completion": Entry("tools", "Print the completion script of a shell", "Help"),
    "manual": Entry("tools", "Print the help of every command", "Help"),
}


class Root(Group):
    """All commands: those above, and a group for each noun of the catalogue."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        nouns = [noun for noun, _, _, _ in ctx.ensure_object(Session).catalogue.summaries]
        return [*COMMANDS, *(noun for noun in nouns if noun not in COMMANDS)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            return _load(ctx, name)
        catalogue = ctx.ensure_object(Session).catalogue
        if name not in catalogue:
            return None
        from skerry.cli.verbs.noun import NounGroup

        return NounGroup(catalogue[name], catalogue)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 3)
            tail = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}.{tail}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for panel in PANELS:
            with formatter.section(panel):
                rows = [(n, e.summary) for n, e in COMMANDS.items() if e.panel == panel]
                formatter.write_dl(rows, col_max=22)
        kinds = ctx.ensure_object(Session).catalogue.summaries
        if kinds:
            with formatter.section("Resources: skerry NOUN list|get|create|update|delete|explain"):
                formatter.write_dl([(n, text) for n, _, _, text in kinds], col_max=22)


def _load(ctx: click.Context, name: str) -> click.Command:
    home = COMMANDS[name].home
    if ":" in home:
        module, _, table = home.partition(":")
        command = getattr(importlib.import_module(module), table).get(name)
        if command is None:
            ctx.fail(f"{name} is not part of this version")
        assert isinstance(command, click.Command)
        return command
    if name == "quote":
        from skerry.cli.commands.quote import QuoteGroup

        catalogue = ctx.ensure_object(Session).catalogue
        return QuoteGroup(catalogue["quote"], catalogue)
    found = importlib.import_module(f"skerry.cli.commands.{home}")
    command = getattr(found, "COMMANDS", {}).get(name) or getattr(found, name)
    assert isinstance(command, click.Command)
    return command


@click.pass_context
def _nothing(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from skerry import __version__

        click.echo(f"skerry {__version__}")
        ctx.exit()


root = Root(
    "skerry",
    callback=_nothing,
    invoke_without_command=True,
    params=[
        *common_options(root=True),
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            callback=_version,
            help="Show the version",
        ),
    ],
    help="Skerry: turn computers you own into a cloud that is matched, metered, billed and proved.",
    context_settings={
        "auto_envvar_prefix": "SKERRY",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)


def invoke(args: Sequence[str], *, program: bool = False) -> int:
    """Run the command line; the exit code. Everything a user can cause is told in words."""
    session = Session()
    session.program = program
    try:
        with root.make_context("skerry", list(args), obj=session) as ctx:
            root.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.Abort, KeyboardInterrupt, OSError, SkerryError, click.ClickException) as error:
        from skerry.cli import exits

        return exits.leave(error, session.noun, session.form.is_document)
    return 0


def main() -> None:
    """The console script."""
    instruction = os.environ.get("_SKERRY_COMPLETE")
    if instruction:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(root, {}, "skerry", "_SKERRY_COMPLETE", instruction))
    sys.exit(invoke(sys.argv[1:], program=True))


if __name__ == "__main__":
    main()

"""What every command has: the common options, the session they make, and the base classes."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.form import Form

if TYPE_CHECKING:
    from skerry.cli.progress import Progress
    from skerry.client.catalogue import Catalogue
    from skerry.client.config import Settings
    from skerry.client.sync import Client

PANEL_GLOBAL = "Common options"


class Session:
    """What the common options of one invocation say. Nothing is read or opened before its use."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.form = Form()
        self.program = False
        """This process is the command, and nothing else is done in it."""
        self.quiet = False
        self.debug = False
        self.noun = ""
        """The kind that the command is about, for errors."""

    @cached_property
    def settings(self) -> "Settings":
        """Flags over environment over context."""
        from skerry.client import config
        from skerry.client.config import Settings

        given = {k: v for k, v in self.given.items() if k != "context"}
        given["url"] = given.get("url", "").rstrip("/")
        return config.resolve(Settings(**given), self.given.get("context", ""))

    @cached_property
    def client(self) -> "Client":
        """A client with these settings. At a terminal, a cloud that isn't there is told at once."""
        from skerry.client.sync import Client

        if self.program:
            _spare_http2()
        if self.debug:
            self._log()
        # Its connections end with the process; a thread may still be reading a log on one.
        return Client(**vars(self.settings), await_start=False, catalogue_file=self._told_catalogue)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The kinds of the context's cloud if it told them, else those this version knows."""
        from skerry.client import catalogue

        return catalogue.load(self._told_catalogue)

    @property
    def _told_catalogue(self) -> Path | None:
        file = self.catalogue_file
        return file if file is not None and file.exists() else None

    @property
    def catalogue_file(self) -> Path | None:
        """Where the context's catalogue is kept; None without a context."""
        from skerry.client import config

        if "SKERRY_CATALOGUE" in os.environ:
            return None
        name = self.given.get("context") or os.environ.get("SKERRY_CONTEXT", "")
        name = name or config.load_contexts().current
        return config.catalogue_file(name) if name else None

    def progress(self) -> "Progress":
        from skerry.cli.progress import renderer

        return renderer(self.quiet)

    def note(self, text: str) -> None:
        """Something worth knowing, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def confirm(self, question: str, yes: bool) -> None:
        """Ask before something that can't be undone. Without a terminal, refuse and name the flag.

        Raises ``Failed`` with the code for wrong usage, or ``Abort`` if the answer is no.
        """
        if yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            from skerry.cli.exits import Failed

            raise Failed(f"{question} needs a yes", hint="Run it again with --yes.", code=2)
        click.confirm(question, abort=True, err=True)

    @staticmethod
    def _log() -> None:
        import logging

        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log = logging.getLogger("skerry.client")
        log.handlers = [handler]
        log.setLevel(logging.DEBUG)


def _spare_http2() -> None:
    """Keep the HTTP library from importing its HTTP/2, which no command speaks: a fifth of the time
    that a command takes. It does without where it can't be imported."""
    for side in ("_sync", "_async"):
        sys.modules.setdefault(f"httpcore2.{side}.http2", None)  # type: ignore[arg-type]


def pass_session(body: Callable[..., None]) -> Callable[..., None]:
    """Give a command's body the session of its invocation first."""

    def call(**values: Any) -> None:
        body(click.get_current_context().ensure_object(Session), **values)

    return call


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            ctx.ensure_object(Session).given[name] = value

    return store


def _flag(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def store(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            setattr(ctx.ensure_object(Session), name, True)

    return store


def _form(ctx: click.Context, _: click.Parameter, words: Sequence[str]) -> None:
    session = ctx.ensure_object(Session)
    for word in words:
        session.form = session.form.having(word, getattr(ctx.command, "forms", ()))


def _json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        session = ctx.ensure_object(Session)
        session.form = session.form.having("json")


class CommonOption(click.Option):
    """An option that every command has. The environment is asked once, at the root."""

    panel = PANEL_GLOBAL


def common_options(root: bool = False) -> list[click.Parameter]:
    """Fresh options, for the root and again for each command, where flags come last."""

    def option(*names: str, env: str = "", **how: Any) -> CommonOption:
        return CommonOption(
            names,
            expose_value=False,
            allow_from_autoenv=False,
            envvar=env if root else None,
            is_eager=True,
            **how,
        )

    return [
        option(
            "-o",
            "--output",
            env="SKERRY_OUTPUT",
            multiple=True,
            metavar="FORM",
            help="table, wide, json, yaml, name; columns=a,b; noheader",
            callback=_form,
        ),
        option("--json", is_flag=True, help="Same as -o json", callback=_json),
        option("--context", metavar="NAME", help="Use this context", callback=_keep("context")),
        option("--url", metavar="URL", help="Address of the cloud", callback=_keep("url")),
        option("--token", metavar="TOKEN", help="Token to present", callback=_keep("token")),
        option("--tenant", metavar="NAME", help="Whose resources", callback=_keep("tenant")),
        option(
            "--workspace", metavar="NAME", help="In which workspace", callback=_keep("workspace")
        ),
        option("--ca-file", metavar="FILE", help="Trust this CA", callback=_keep("ca_file")),
        option(
            "-q", "--quiet", env="SKERRY_QUIET", is_flag=True, help="Say nothing but the answer",
            callback=_flag("quiet"),
        ),
        option(
            "--debug", env="SKERRY_DEBUG", is_flag=True, help="Show every request, without secrets",
            callback=_flag("debug"),
        ),
    ]  # fmt: skip


RESERVED = frozenset(
    word.removeprefix("--")
    for option in common_options()
    for word in option.opts
    if word.startswith("--")
)


class Command(click.Command):
    """A command with the common options, shown in a panel of their own."""

    forms: Sequence[str] = ()
    """What ``-o`` takes here beside what it takes everywhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                panels.setdefault(getattr(param, "panel", "Options"), []).append(record)
        for title in sorted(panels, key=_rank):
            with formatter.section(title):
                formatter.write_dl(panels[title])


def _rank(title: str) -> int:
    return {"Options": 1, PANEL_GLOBAL: 2}.get(title, 0)


class Group(click.Group):
    """A group whose commands are ``Command``s; ``ls``, ``rm`` and ``describe`` are other words."""

    command_class = Command
    aliases = {"ls": "list", "rm": "delete", "describe": "get"}

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found = super().get_command(ctx, name)
        if found is None and name in self.aliases:
            found = super().get_command(ctx, self.aliases[name])
        return found


Group.group_class = type

"""The group of a kind: ``skerry NOUN VERB``."""

import importlib
from typing import TYPE_CHECKING

import click

from skerry.cli.common import Group

if TYPE_CHECKING:
    from skerry.client.catalogue import Catalogue, Kind

STANDARD = ("list", "get", "create", "update", "delete", "wait", "explain")
EXTRA = {
    ("site", "join"): "skerry.hosting:join",
    ("route", "ca"): "skerry.cli.commands.routes:ca",
    ("invoice", "issue"): "skerry.cli.commands.invoicing:issue",
    ("invoice", "get"): "skerry.cli.commands.invoicing:get",
    ("invoice", "register"): "skerry.cli.commands.invoicing:register",
    ("service", "scale"): "skerry.cli.commands.services:scale",
    ("service", "logs"): "skerry.cli.commands.services:logs",
}
"""Verbs of a noun that are commands by themselves, imported only when they are called."""
_NEEDS = {
    "list": "list", "get": "get", "create": "put", "update": "put", "delete": "delete",
    "wait": "get",
}  # fmt: skip


class NounGroup(Group):
    """The verbs of one kind, each made when it is called."""

    def __init__(self, kind: "Kind", catalogue: "Catalogue") -> None:
        mark = f" ({kind.version}, may change)" if kind.experimental else ""
        super().__init__(kind.noun, help=f"{kind.summary}{mark}")
        self.kind = kind
        self.catalogue = catalogue

    def list_commands(self, ctx: click.Context) -> list[str]:
        kind = self.kind
        standard = [v for v in STANDARD if _NEEDS.get(v, "get") in kind.ops or v == "explain"]
        if kind.history is False and "wait" in standard:
            standard.remove("wait")
        extra = [verb for noun, verb in EXTRA if noun == kind.noun]
        found = [*standard, *extra, *kind.actions, *kind.views]
        return list(dict.fromkeys(found))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        name = self.aliases.get(name, name)
        if name not in self.list_commands(ctx):
            return None
        return self.verb(name)

    def verb(self, name: str) -> click.Command:
        """Make the command of a verb."""
        from skerry.cli.verbs import changing, explaining, reading, viewing, writing

        kind = self.kind
        if (home := EXTRA.get((kind.noun, name))) is not None:
            module, _, what = home.partition(":")
            command = getattr(importlib.import_module(module), what)
            assert isinstance(command, click.Command)
            return command
        match name:
            case "list":
                return reading.list_(kind)
            case "get":
                return reading.get(kind)
            case "create":
                return writing.create(kind, self.catalogue)
            case "update":
                return writing.update(kind, self.catalogue)
            case "delete":
                return changing.delete(kind)
            case "wait":
                return changing.wait(kind)
            case "explain":
                return explaining.explain(kind)
        if name in kind.actions:
            return changing.act(kind, kind.actions[name], self.catalogue)
        return viewing.view(kind, kind.views[name])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            assert command is not None
            rows.append((name, command.get_short_help_str(70)))
        with formatter.section("Verbs"):
            formatter.write_dl(rows)

"""``-o``: in which form an answer is printed."""

from collections.abc import Sequence
from typing import NamedTuple

import click

FORMS = ("table", "wide", "json", "yaml", "name")


class Form(NamedTuple):
    """How answers are printed. ``name`` empty: the command's own way."""

    name: str = ""
    columns: tuple[str, ...] = ()
    header: bool = True

    @property
    def is_document(self) -> bool:
        """Whether stdout carries the API's documents and nothing else."""
        return self.name in ("json", "yaml")

    @property
    def is_table(self) -> bool:
        return self.name in ("table", "wide") or bool(self.columns)

    def having(self, word: str, more: Sequence[str] = ()) -> "Form":
        """With one value of ``-o`` added; ``more`` are forms that only this command has."""
        name, _, value = word.partition("=")
        if name == "columns" and value:
            return Form(self.name, tuple(v for v in value.split(",") if v), self.header)
        if word == "noheader":
            return Form(self.name, self.columns, False)
        if word in FORMS or word in more:
            return Form(word, self.columns, self.header)
        raise click.BadParameter(
            f"{word!r} is not one of {', '.join((*FORMS, *more))}, columns=NAME,…, noheader",
            param_hint="'-o' / '--output'",
        )

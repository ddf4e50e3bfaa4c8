"""Secrets on a command line: named there, never written there.

What stands among a process's arguments can be read by everybody on the machine, and stays in the
shell's history. So a sealed field takes ``@FILE``, ``-`` (standard input) or, in a map, ``KEY``
alone: the environment variable of that name, else a question at the terminal.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

HOW = "@FILE, or - for standard input"


def read(key: str, text: str) -> str:
    """The value that ``text`` tells how to find. Raises ``ValueError`` in words."""
    if text == "-":
        return line(sys.stdin.read())
    if text.startswith("@"):
        try:
            return line(Path(text[1:]).expanduser().read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{key}: {text[1:]} can't be read: {error}") from None
    if text:
        raise ValueError(
            f"{key}: its value must not stand here, where others can read it. Write {HOW}"
        )
    if key in os.environ:
        return os.environ[key]
    if sys.stdin.isatty():
        return str(click.prompt(key, hide_input=True, err=True))
    raise ValueError(f"{key}: there is no environment variable {key}. Set it, or write {HOW}")


def line(text: str) -> str:
    """A single line without its end; several lines, such as a key file, as they are."""
    return text[:-1] if text.endswith("\n") and text.count("\n") == 1 else text


class SealedText(click.ParamType[str]):
    """A sealed value: where to find it. With ``file`` it is always a file's content, and its name
    stands by itself."""

    name = "@file|-"

    def __init__(self, file: bool = False) -> None:
        self._file = file

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        field = (param.opts[0] if param else "").lstrip("-")
        try:
            text = str(value)
            if self._file and text and text != "-":
                text = "@" + text.removeprefix("@")
            return read(field, text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SealedPair(click.ParamType[tuple[str, str]]):
    """``KEY``, ``KEY=@FILE`` or ``KEY=-``."""

    name = "key[=@file]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, _, text = str(value).partition("=")
        try:
            if not key:
                raise ValueError(f"{value!r} is not KEY or KEY=@FILE")
            return key, read(key, text)
        except ValueError as error:
            self.fail(str(error), param, ctx)

"""``--since``: how far back, for commands that look back."""

import re

import click

from skerry.client.units import parse_seconds

_DURATION = re.compile(r"[0-9.]+\s*[A-Za-z]*")


def since(default: str, help: str) -> click.Option:
    return click.Option(
        ["--since"], metavar="TIME", default=default, show_default=True,
        help=f"{help}: 15m, 1h, 7d, or a time such as 2026-11-21T08:00:00Z",
    )  # fmt: skip


def ago(word: str) -> str:
    """As the API takes it: ``-3600s`` for ``1h``; a time as it is. Raises ``BadSetting`` for what
    looks like a duration and is none."""
    return f"-{max(parse_seconds(word), 1)}s" if _DURATION.fullmatch(word) else word

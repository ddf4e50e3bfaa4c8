"""Answers on stdout: ``-o table|wide|json|yaml|name``, ``columns=a,b``, ``noheader``."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from skerry.cli import formats
from skerry.cli.form import Form
from skerry.client.catalogue import Kind

Row = Sequence[str]


def document(value: Any, form: Form) -> None:
    """Print JSON values in the form asked; JSON unless YAML."""
    if form.name == "yaml":
        import yaml

        text = yaml.safe_dump(
            plain(value), sort_keys=False, allow_unicode=True, default_flow_style=False
        )
        click.echo(text, nl=False)
    else:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Without subclasses of dict, which YAML would name."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def columns_of(kind: Kind, form: Form) -> list[tuple[str, str]]:
    """(title, path) of each column of a kind's table."""
    own = [(c.title.upper(), c.path, c.wide) for c in kind.columns]
    if not own and kind.history:
        own = [("STATE", "status.state", False)]
    above = [(word.upper(), f"metadata.{word}", False) for word in kind.parameters]
    first = [("NAME", "metadata.name", False), *above]
    last = [("AGE", "metadata.createdAt", False)] if kind.history else []
    last.append(("REF", "metadata.ref", True))
    # A kind that places a standard column itself gets it there; a name is always first.
    own = [c for c in own if c[0] not in {title for title, _, _ in first}]
    every = [*first, *own, *(c for c in last if c[0] not in {title for title, _, _ in own})]
    if form.columns:
        known = {title.lower().replace(" ", "-"): (title, path) for title, path, _ in every}
        return [known.get(name.lower(), (name.upper(), name)) for name in form.columns]
    return [(title, path) for title, path, wide in every if not wide or form.name == "wide"]


def resources(kind: Kind, found: Iterable[Mapping[str, Any]], form: Form) -> None:
    """Print resources as a list. In JSON it is an array, empty or not."""
    if form.is_document:
        document(list(found), form)
        return
    if form.name == "name":
        for item in found:
            click.echo(item["metadata"]["name"])
        return
    columns = columns_of(kind, form)
    rows = [[formats.cell(item, path) for _, path in columns] for item in found]
    table([title for title, _ in columns], rows, header=form.header)


def table(titles: Row, rows: Sequence[Row], *, header: bool = True, err: bool = False) -> None:
    """Print columns three blanks apart."""
    for line in lines(titles, rows, header=header):
        click.echo(line, err=err)


def lines(titles: Row, rows: Sequence[Row], *, header: bool = True) -> list[str]:
    """The lines of a table; none ends in blanks."""
    every = [list(titles), *map(list, rows)] if header else [list(row) for row in rows]
    if not every:
        return []
    clean = [[formats.printable(text).replace("\n", " ") for text in line] for line in every]
    widths = [max(len(line[i]) for line in clean) for i in range(len(clean[0]))]
    return [
        "   ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in clean
    ]


def described(value: Mapping[str, Any], depth: int = 0, currency: str = "") -> list[str]:
    """Nested values as indented ``key: value`` lines."""
    lines: list[str] = []
    pad = "  " * depth
    currency = str(value.get("currency") or currency)
    simple = [k for k, v in value.items() if not _nested(v)]
    width = max((len(k) for k in simple), default=0) + 1
    for key, inner in value.items():
        if not _nested(inner):
            text = formats.scalar(key, inner, currency) if inner not in EMPTY else "-"
            first, *more = text.split("\n")
            lines.append(f"{pad}{key + ':':<{width}} {first}")
            lines += [f"{pad}{'':<{width}} {line}" for line in more]
        elif isinstance(inner, Mapping):
            lines += [f"{pad}{key}:", *described(inner, depth + 1, currency)]
        else:
            lines.append(f"{pad}{key}:")
            for item in inner:
                block = described(item, depth + 2, currency) if isinstance(item, Mapping) else []
                block = block or [f"{pad}    {item}"]
                lines += [f"{pad}  - {block[0].strip()}", *block[1:]]
    return lines


EMPTY: tuple[Any, ...] = (None, "", {}, [])
_AMOUNT = {"currency", "amountNano"}


def _nested(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and set(value) != _AMOUNT
    return isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value)


def raw(data: bytes, *, err: bool = False) -> None:
    """Bytes exactly as they are."""
    stream = sys.stderr.buffer if err else sys.stdout.buffer
    stream.write(data)
    stream.flush()

"""``logs search``: lines of all logs of a workspace, by the words in them."""

import shlex
from collections.abc import Mapping
from typing import Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.rooms import room
from skerry.cli.since import ago, since
from skerry.client.errors import BadSetting

_PAGE = 1000


@pass_session
def _search(
    session: Session, words: tuple[str, ...], since: str, until: str, of: str, limit: int
) -> None:
    query = {"text": shlex.join(words), "from": ago(since)}
    if until:
        query["to"] = ago(until)
    if of:
        query["kind"], slash, query["name"] = of.partition("/")
        if not slash:
            raise BadSetting(f"{of!r} names no kind", hint=f"Write KIND/NAME, such as job/{of}.")
    lines, last = _pages(session, query, limit)
    if session.form.is_document:
        output.document(lines, session.form)
    else:
        for line in reversed(lines):
            click.echo(_text(line))
    if cut := last.get("cut"):
        size, when = formats.size(cut["bytes"]), formats.moment(cut["until"])
        session.note(f"The workspace wrote more than is kept: {size} up to {when} are gone.")
    if "next" in last:
        session.note(f"These are the newest {len(lines)}; there may be more: --limit, --until.")


def _pages(
    session: Session, query: Mapping[str, str], limit: int
) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Up to so many lines, newest first, and the last answer. A page may be empty, and say where
    to go on."""
    lines: list[Mapping[str, Any]] = []
    path = room(session, "logs")
    cursor: dict[str, str] = {}
    while True:
        page = str(min(limit - len(lines), _PAGE))
        found: Mapping[str, Any] = session.client.get(path, **query, **cursor, limit=page)
        lines += found["items"]
        if "next" not in found or len(lines) >= limit:
            return lines, found
        cursor = {"cursor": found["next"]}


def _text(line: Mapping[str, Any]) -> str:
    """Safe for a terminal; tabs stay."""
    words = "\t".join(map(formats.printable, str(line["text"]).split("\t")))
    whose = f"{line['kind']}/{line['name']}[{line['rank']}]"
    return f"{formats.moment(line['at'])} {whose} {words}"


search = Command(
    "search",
    callback=_search,
    params=[
        click.Argument(["words"], nargs=-1, metavar="[WORDS]..."),
        since("1d", "Lines from then on"),
        click.Option(["--until"], metavar="TIME", default="", help="Lines up to then"),
        click.Option(
            ["--of"], metavar="KIND/NAME", default="", help="Only of this and what it owns"
        ),
        click.Option(
            ["--limit"], type=click.IntRange(1, 100_000), default=200, show_default=True,
            help="The newest so many",
        ),
    ],
    help="Find lines in which all the words stand, whole, in whatever case; 'several words' in "
    "quotes stand side by side. The oldest comes first.",
)  # fmt: skip

"""The views of a kind: logs, artifacts, cost, decision, receipt, and whatever else it declares.

A view is printed as it is: JSON as a document (or as text to read), bytes as bytes, to stdout or
``--to`` a file. Those with a renderer here are shown better, by the view's name alone.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Session
from skerry.cli.verbs.base import Verb
from skerry.cli.verbs.billing import cost_text, invoice_text
from skerry.cli.verbs.charting import metrics_text
from skerry.cli.verbs.deciding import decision_text
from skerry.client.errors import BadSetting

if TYPE_CHECKING:
    from skerry.client.catalogue import Kind, View
    from skerry.client.sync import KindClient


def view(kind: "Kind", declared: "View") -> click.Command:
    """``skerry NOUN VIEW``."""
    special = SPECIAL.get((declared.name, declared.media))
    if special is not None:
        return special(kind, declared)
    verb = Verb(kind, declared.name, declared.summary).named()
    if declared.deep:
        verb.takes(click.Argument(["path"], required=False, metavar="[PATH]"))
    verb.takes(
        *(
            click.Option([f"--{name}", f"query_{name}"], metavar="TEXT", help=meaning)
            for name, meaning in declared.query.items()
        ),
        _to("--into" if "to" in declared.query else "--to"),
    )

    def body(session: Session, client: "KindClient", name: str, **values: Any) -> None:
        query = {
            key.removeprefix("query_"): value
            for key, value in values.items()
            if key.startswith("query_") and value is not None
        }
        path = "/".join(filter(None, (declared.name, values.get("path"))))
        if declared.media == "application/json" and not values.get("path"):
            _document(session, client.view(name, path, **query), values["to"], declared.name)
        else:
            with destination(values["to"]) as write:
                client.download(name, path, write, **query)

    return verb.command(body)


def _to(option: str = "--to") -> click.Parameter:
    return click.Option(
        [option, "to"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="Write it to this file",
    )  # fmt: skip


def _document(session: Session, found: Any, to: Path | None, view: str) -> None:
    if to is not None:
        import json

        with destination(to) as write:
            write(json.dumps(found, indent=2, ensure_ascii=False).encode() + b"\n")
    elif session.form.is_document:
        output.document(found, session.form)
    elif view in TEXTS:
        click.echo(TEXTS[view](found))
    else:
        click.echo("\n".join(output.described(found, 0, formats.any_currency(found))))


@contextlib.contextmanager
def destination(to: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Where bytes go: stdout, or a file that is there whole or not at all."""
    if to is None:
        yield output.raw
        return
    handle, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), 0o666 & ~_umask())
            yield stream.write
        os.replace(name, to)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _logs(kind: "Kind", declared: "View") -> click.Command:
    from skerry.cli.commands.logs import log_options, show

    verb = Verb(kind, declared.name, declared.summary).named().takes(*log_options())

    def body(session: Session, client: "KindClient", name: str, **values: Any) -> None:
        show(session, client, name, **values)

    return verb.command(body)


def _files(kind: "Kind", declared: "View") -> click.Command:
    verb = Verb(kind, declared.name, declared.summary).named().takes(
        click.Argument(["paths"], nargs=-1, metavar="[RANK/PATH]..."),
        click.Option(
            ["--to"], type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
            help="Fetch them (or those named) into this folder",
        ),
    )  # fmt: skip
    return verb.command(_fetch)


def _fetch(
    session: Session,
    client: "KindClient",
    name: str,
    paths: tuple[str, ...],
    to: Path | None,
) -> None:
    """List artifacts; fetch them into a folder; or write the one that is named to stdout."""
    if to is None and len(paths) == 1:
        client.download(name, f"files/{_ranked(paths[0])}", output.raw)
        return
    found = client.view(name, "files")["items"]
    if paths:
        wanted = {_ranked(path) for path in paths}
        found = [f for f in found if f"{f['rank']}/{f['path']}" in wanted]
        for missing in sorted(wanted - {f"{f['rank']}/{f['path']}" for f in found}):
            raise BadSetting(f"there is no artifact {missing}", hint="List them without a path.")
    if to is None:
        if session.form.is_document:
            output.document(found, session.form)
        else:
            rows = [
                [f"{f['rank']}/{f['path']}", formats.size(f["size"]), formats.age(f["modifiedAt"])]
                for f in found
            ]
            output.table(["FILE", "SIZE", "AGE"], rows, header=session.form.header)
        return
    ranks = {f["rank"] for f in found}
    for file in found:
        target = below(to, f"{file['rank']}/{file['path']}" if len(ranks) > 1 else file["path"])
        target.parent.mkdir(parents=True, exist_ok=True)
        with destination(target) as write:
            client.download(name, f"files/{file['rank']}/{file['path']}", write)
        click.echo(target)


def below(folder: Path, path: str) -> Path:
    """A path in a folder. Refuses one that leads out of it, whoever named it."""
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise BadSetting(f"the artifact {path!r} would be written outside {folder}")
    return target


def _ranked(path: str) -> str:
    return path if path.split("/")[0].isdigit() and "/" in path else f"0/{path}"


TEXTS: dict[str, Callable[[Any], str]] = {
    "cost": cost_text,
    "decision": decision_text,
    "document": invoice_text,
    "metrics": metrics_text,
}
SPECIAL = {("logs", "application/x-ndjson"): _logs, ("files", "application/json"): _files}

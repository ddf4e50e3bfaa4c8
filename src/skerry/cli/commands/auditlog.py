"""``audit log`` and ``audit event``: who did what in a tenant, newest first, and each in full."""

from typing import Any
from urllib.parse import urlencode

import click

from skerry.cli import formats, output
from skerry.cli.commands.proofs import PROOF
from skerry.cli.common import Command, Session, pass_session
from skerry.client.catalogue import segment

_MOST = 500


def _events(session: Session) -> str:
    return f"{PROOF}/tenants/{segment(session.settings.tenant, 'tenant')}/events"


@pass_session
def _log(session: Session, limit: int, **filters: str) -> None:
    asked = {name: value for name, value in filters.items() if value} | {"limit": limit}
    asked["from"] = asked.pop("begin", "")
    asked["to"] = asked.pop("end", "")
    query = urlencode({name: value for name, value in asked.items() if value})
    found: Any = session.client.get(f"{_events(session)}?{query}")["items"]
    if session.form.is_document:
        output.document(found, session.form)
        return
    rows = [
        [one["at"], one["actor"], one.get("address", "-"), one["verb"], one["kind"],
         formats.short(one["ref"]), str(one["position"])]
        for one in found
    ]  # fmt: skip
    titles = ["AT", "WHO", "FROM", "VERB", "KIND", "OF", "POSITION"]
    output.table(titles, rows, header=session.form.header)


@pass_session
def _event(session: Session, position: int) -> None:
    found: Any = session.client.get(f"{_events(session)}/{position}")
    if session.form.is_document:
        output.document(found, session.form)
    else:
        click.echo("\n".join(output.described(found)))


def _filter(*names: str, help: str) -> click.Option:
    return click.Option(list(names), default="", help=help)


log = Command(
    "log",
    callback=_log,
    params=[
        _filter("--from", "begin", help="From this time on, such as 2026-10-01 or -1d"),
        _filter("--to", "end", help="Until before this time; else now"),
        _filter("--kinds", help="Only of these kinds, with commas between them"),
        _filter("--verb", help="Only this verb, such as put, deleted or logs"),
        _filter("--actor", help="Only what this one did, as ann@acme; @ is any account"),
        _filter("--search", help="Only what has this in its ref"),
        click.Option(["--limit"], type=click.IntRange(1, _MOST), default=50, help="At most so many",
                     show_default=True),
    ],
    help="List who did what in a tenant, newest first.",
)  # fmt: skip
event = Command(
    "event",
    callback=_event,
    params=[click.Argument(["position"], type=click.IntRange(0))],
    help="Show one event with all that its leaf in the transparency log hashes.",
)

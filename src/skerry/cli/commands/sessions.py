"""``session``: what one is signed in with, and where."""

from typing import Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Group, Session, pass_session
from skerry.client.catalogue import segment

PATH = "/providers/skerry.identity/v1/sessions"


@pass_session
def _list(session: Session) -> None:
    found: Any = session.client.get(PATH)["items"]
    form = session.form
    if form.is_document:
        output.document(found, form)
        return
    if form.name == "name":
        click.echo("".join(f"{one['id']}\n" for one in found), nl=False)
        return
    rows = [
        [
            one["id"],
            one["token"] or ("this session" if one["current"] else "session"),
            one["by"] or "-",
            one["address"] or "-",
            formats.age(one["openedAt"]),
            formats.age(one["lastUsedAt"]) if one["lastUsedAt"] else "-",
            formats.moment(one["expiresAt"]) if one["expiresAt"] else "never",
        ]
        for one in found
    ]
    titles = ["ID", "WHAT", "BY", "FROM", "OPENED", "USED", "EXPIRES"]
    output.table(titles, rows, header=form.header)


@pass_session
def _delete(session: Session, ids: tuple[str, ...]) -> None:
    for one in ids:
        session.client.request("DELETE", f"{PATH}/{segment(one, 'session')}")
        session.note(f"session {one} is over")


session = Group(
    "session",
    help="Your own sessions and tokens, and where they were opened.",
    commands={
        "list": Command("list", callback=_list, params=[], help="List them, newest first."),
        "delete": Command(
            "delete",
            callback=_delete,
            params=[click.Argument(["ids"], metavar="ID...", nargs=-1, required=True)],
            help="End sessions. Tokens end with `skerry token delete`.",
        ),
    },
)

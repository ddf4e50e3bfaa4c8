"""``alert``: what needs a person's eye."""

from typing import Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Group, Session, pass_session
from skerry.cli.rooms import room


@pass_session
def _list(session: Session, everybody: bool) -> None:
    found: Any = session.client.get(room(session, "alerts", "" if everybody else "tenant"))["items"]
    form = session.form
    if form.is_document:
        output.document(found, form)
        return
    wide = form.name == "wide"
    titles = ["RAISED", "REASON", "ABOUT", "MESSAGE", "WHAT TO DO"]
    rows = [
        [
            formats.age(item["raisedAt"]),
            item["reason"],
            item["subject"] if wide else _short(item["subject"]),
            item["message"],
            item["remedy"],
        ]
        for item in found
    ]
    output.table(titles, rows, header=form.header)


def _short(subject: str) -> str:
    """``jobs/train`` of a whole ref; what is none as it is."""
    parts = subject.split("/")
    return "/".join(parts[-2:]) if len(parts) > 4 else subject


alert = Group(
    "alert",
    help="What needs a person's eye, and what to do about it.",
    commands={
        "list": Command(
            "list",
            callback=_list,
            params=[
                click.Option(["--all", "everybody"], is_flag=True,
                             help="Of all tenants and the cloud itself, for operators"),
            ],
            help="List open alerts, the newest first. They close when what they tell of is over.",
        )
    },
)  # fmt: skip

"""``alert``: what needs a person's eye."""

from typing import Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Group, Session, pass_session
from skerry.cli.rooms import room
from skerry.client.catalogue import segment


@pass_session
def _list(session: Session, everybody: bool, cleared: bool) -> None:
    path = room(session, "alerts", "" if everybody else "tenant")
    found: Any = session.client.get(f"{path}?phase=cleared" if cleared else path)["items"]
    form = session.form
    if form.is_document:
        output.document(found, form)
        return
    wide = form.name == "wide"
    titles = ["RAISED", "REASON", "ABOUT", "MESSAGE", "WHAT TO DO", *(["NAME"] if wide else [])]
    rows = [
        [
            formats.age(item["status"]["raisedAt"]),
            item["spec"]["reason"],
            item["spec"]["subject"] if wide else formats.short(item["spec"]["subject"]),
            item["status"]["message"],
            item["status"]["remedy"],
            *([item["metadata"]["name"]] if wide else []),
        ]
        for item in found
    ]
    output.table(titles, rows, header=form.header)


@pass_session
def _get(session: Session, name: str, everybody: bool) -> None:
    scope = "" if everybody else "tenant"
    found = session.client.get(f"{room(session, 'alerts', scope)}/{segment(name, 'alert')}")
    if session.form.is_document:
        output.document(found, session.form)
    else:
        click.echo("\n".join(output.described(found)))


EVERYBODY = click.Option(
    ["--all", "everybody"], is_flag=True, help="Of all tenants and the cloud itself, for operators"
)
alert = Group(
    "alert",
    help="What needs a person's eye, and what to do about it.",
    commands={
        "list": Command(
            "list",
            callback=_list,
            params=[
                EVERYBODY,
                click.Option(["--cleared"], is_flag=True, help="Those that are over"),
            ],
            help="List open alerts, the newest first. They close when what they tell of is over.",
        ),
        "get": Command(
            "get",
            callback=_get,
            params=[click.Argument(["name"]), EVERYBODY],
            help="Show an alert, open or over. `list -o wide` tells their names.",
        ),
    },
)  # fmt: skip

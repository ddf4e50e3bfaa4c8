"""``usage``: what a tenant was billed for, over time."""

from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.rooms import room


@pass_session
def _usage(session: Session, step: str, since: str, until: str | None, only: str | None) -> None:
    asked = {"step": step, "from": since}
    asked |= {"to": until} if until else {}
    asked |= {"workspace": only} if only else {}
    path = f"{room(session, 'usage', 'tenant')}?{urlencode(asked)}"
    found: Any = session.client.get(path)["items"]
    if session.form.is_document:
        output.document(found, session.form)
        return
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for item in found:
        key = (item["at"], item["workspace"], item["product"], item["currency"])
        sums[key] += item["amountNano"]
    shown = len("2026-11-22") if step == "day" else len("2026-11-22T09:00")
    rows = [
        [at[:shown].replace("T", " "), workspace, product, formats.money(amount, currency)]
        for (at, workspace, product, currency), amount in sums.items()
    ]
    output.table(["FROM", "WORKSPACE", "PRODUCT", "AMOUNT"], rows, header=session.form.header)


usage = Command(
    "usage",
    callback=_usage,
    params=[
        click.Option(["--step"], type=click.Choice(["day", "hour"]), default="day",
                     show_default=True, help="By day or by hour (UTC)"),
        click.Option(["--from", "since"], default="-30d", show_default=True, metavar="TIME",
                     help="Since when: a time, or -7d"),
        click.Option(["--to", "until"], metavar="TIME", help="Until when; now, if not given"),
        click.Option(["--only"], metavar="WORKSPACE", help="Only this workspace"),
    ],
    help="Show what was billed, by day or hour, workspace and product; -o json has every meter.",
)  # fmt: skip

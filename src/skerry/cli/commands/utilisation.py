"""``utilisation``: what the sites have, what of it is leased, how much was busy."""

from collections.abc import Mapping
from typing import Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.rooms import room
from skerry.cli.since import ago, since
from skerry.cli.verbs.charting import spark

_POINTS = 24
_SHOWN = (("cpu", "cores"), ("memory", "bytes"), ("gpu", "GPUs"))


@pass_session
def _utilisation(session: Session, since: str, step: str) -> None:
    asked = {"from": ago(since), **({"step": step} if step else {})}
    found: Any = session.client.get(room(session, "utilisation", ""), **asked)
    if session.form.is_document:
        output.document(found, session.form)
        return
    titles = ["SITE", "HOSTS", "WHAT", "HAS", "LEASED", "BUSY", "ON AVERAGE", "OVER TIME"]
    rows = [row for site in [*found["sites"], {"name": "(all)", **found}] for row in _rows(site)]
    output.table(titles, rows, header=session.form.header)


def _rows(site: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for name, unit in _SHOWN:
        has = site["has"][name]
        if not has:
            continue
        known = [value for value in site["used"][name] if value is not None]
        mean = sum(known) / len(known) if known else None
        rows.append(
            [
                site["name"],
                str(site["hosts"]),
                name,
                formats.size(has) if unit == "bytes" else f"{has:g} {unit}",
                _share(site["leased"][name], has),
                _share(known[-1] if known else None, has),
                _share(mean, has),
                spark(site["used"][name], _POINTS),
            ]
        )
    return rows


def _share(value: float | None, has: float) -> str:
    return "-" if value is None else f"{value / has:.0%}"


utilisation = Command(
    "utilisation",
    callback=_utilisation,
    params=[
        since("1d", "From then on"),
        click.Option(["--step"], default="", help="Seconds between two points"),
    ],
    help="What the sites have, what of it is leased, and how much was busy. For operators.",
)  # fmt: skip

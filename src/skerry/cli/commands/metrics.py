"""``metrics``: what something used, drawn in the terminal."""

import shutil
from typing import Any

import click

from skerry.cli import output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.inside import WHERE, meant
from skerry.cli.since import ago, since
from skerry.cli.verbs.charting import POINTS, metrics_text

_FIGURES = 48
"""Columns of a terminal beside the chart."""


@pass_session
def _metrics(session: Session, name: str, since: str, step: str, series: str, tasks: bool) -> None:
    start = ago(since)
    known = session.catalogue.showing("metrics")
    target, name = meant(session, name, known, "nothing is measured of")
    query = {"from": start, "series": series, "by": "task" if tasks else "", "step": step}
    if not step and start.startswith("-"):
        query["step"] = str(max(-(-int(start[1:-1]) // _width()), 1))
    found: Any = session.client.get(
        f"{target.item(name)}/metrics", **{key: value for key, value in query.items() if value}
    )
    if session.form.is_document:
        output.document(found, session.form)
    else:
        click.echo(metrics_text(found))


def _width() -> int:
    """Points that fit."""
    columns = shutil.get_terminal_size((POINTS + _FIGURES, 24)).columns
    return max(min(columns - _FIGURES, POINTS), 10)


metrics = Command(
    "metrics",
    callback=_metrics,
    params=[
        click.Argument(["name"], metavar="NAME"),
        since("1h", "From then on"),
        click.Option(["--step"], metavar="SECONDS", default="", help="Between two points"),
        click.Option(["--series"], metavar="NAMES", default="", help="Only these, such as cpu,gpu"),
        click.Option(["--tasks"], is_flag=True, help="Each task by itself as well"),
    ],
    help=f"Draw what something used: cores, memory, GPU, network, requests. {WHERE}.",
)

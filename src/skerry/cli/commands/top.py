"""``top``: what runs, what it uses now, what it has cost so far."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from skerry.cli import formats, output
from skerry.cli.common import Command, Session, pass_session
from skerry.cli.form import Form
from skerry.cli.rooms import room
from skerry.cli.verbs.charting import quantity

EVERY = 5.0
"""Seconds between two looks. What is measured changes every 15."""
Item = Mapping[str, Any]


def _use(name: str, unit: str) -> Callable[[Item], str]:
    return lambda item: quantity(item["uses"].get(name), unit)


def _cost(field: str) -> Callable[[Item], str]:
    def shown(item: Item) -> str:
        cost = item.get("cost")
        return formats.money(cost[field], cost["currency"]) if cost else "-"

    return shown


_USES = (
    ("CPU", _use("cpu", "cores"), False),
    ("MEMORY", _use("memory", "bytes"), False),
    ("GPU", _use("gpu", "ratio"), False),
    ("GPU MEMORY", _use("gpuMemory", "bytes"), True),
    ("DISK", _use("disk", "bytes"), True),
    ("IN", _use("received", "bytes/s"), False),
    ("OUT", _use("sent", "bytes/s"), False),
)
_RUNNING = (
    ("NAME", lambda item: f"{item['kind']}/{item['name']}", False),
    ("TASKS", lambda item: str(item["tasks"]), False),
    *_USES,
    ("REQUESTS", _use("requests", "requests/s"), False),
    ("FAILURES", _use("failures", "requests/s"), True),
    ("COST", _cost("amountNano"), False),
    ("PER HOUR", _cost("perHourNano"), False),
    ("AT", lambda item: ",".join(item["at"]) or "-", True),
)
_TENANTS = (
    ("TENANT", lambda item: str(item["name"]), False),
    ("TASKS", lambda item: str(item["tasks"]), False),
    *_USES,
)
_HOSTS = (
    ("HOST", lambda item: str(item["at"]), False),
    ("CORES", lambda item: _has(item, "millicores", lambda n: f"{n / 1000:g}"), False),
    *_USES,
    ("OF MEMORY", lambda item: _has(item, "memory", formats.size), False),
    ("GPUS", lambda item: _has(item, "gpus", str), False),
)
_Columns = Sequence[tuple[str, Callable[[Item], str], bool]]
_ORDER: dict[str, Callable[[Item], Any]] = {
    "name": lambda item: (item["kind"], item["name"]),
    "cpu": lambda item: -item["uses"].get("cpu", -1.0),
    "memory": lambda item: -item["uses"].get("memory", -1.0),
    "gpu": lambda item: -item["uses"].get("gpu", -1.0),
    "requests": lambda item: -item["uses"].get("requests", -1.0),
    "cost": lambda item: -(item.get("cost") or {}).get("amountNano", -1),
}


def _has(item: Item, name: str, shown: Callable[[int], str]) -> str:
    return shown(item["has"][name]) if item["has"].get(name) else "-"


@pass_session
def _top(session: Session, hosts: bool, sort: str, once: bool) -> None:
    def look() -> list[str]:
        if hosts:
            found: Any = session.client.get(room(session, "top", ""))
            below = _table(_TENANTS, found["tenants"], session.form)
            return [*_table(_HOSTS, found["hosts"], session.form), "", *below]
        items = sorted(session.client.get(room(session, "top"))["items"], key=_ORDER[sort])
        return _table(_RUNNING, items, session.form)

    if session.form.is_document:
        path = room(session, "top", "" if hosts else "workspace")
        found = session.client.get(path)
        output.document(found if hosts else found["items"], session.form)
    elif once or not sys.stdout.isatty():
        click.echo("\n".join(look()))
    else:
        _live(look)


def _table(columns: _Columns, items: Sequence[Item], form: Form) -> list[str]:
    if form.columns:
        wanted = [name.upper().replace("-", " ") for name in form.columns]
        columns = [column for name in wanted for column in columns if column[0] == name]
    else:
        columns = [c for c in columns if form.name == "wide" or not c[2]]
    rows = [[shown(item) for _, shown, _ in columns] for item in items]
    return output.lines([title for title, _, _ in columns], rows, header=form.header)


def _live(look: Callable[[], list[str]]) -> None:
    """Draw it over and over, until Ctrl-C."""
    import time

    from rich.live import Live
    from rich.text import Text

    def drawn() -> Text:
        return Text("\n".join(look()), no_wrap=True, overflow="crop")

    try:
        with Live(drawn(), screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(EVERY)
                live.update(drawn(), refresh=True)
    except KeyboardInterrupt:
        return


top = Command(
    "top",
    callback=_top,
    params=[
        click.Option(["--hosts"], is_flag=True, help="Hosts and tenants, for operators"),
        click.Option(["--sort"], type=click.Choice(list(_ORDER)), default="name",
                     show_default=True, help="What comes first"),
        click.Option(["--once"], is_flag=True, help="Print it once, as where there is no terminal"),
    ],
    help="Show what runs, what it uses now and has cost so far. On a terminal until Ctrl-C.",
)  # fmt: skip

"""Now: what is used at this moment, and the counters as their sources last told them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from skerry.series.columns import COLUMNS, SERIES, Series
from skerry.series.layout import Floats, lay_out
from skerry.series.ticks import REACH, STEP, slot
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.series")
FRESH = 4
"""Ticks after which a subject that is not spoken of any more is not there any more: a minute."""

Used = Mapping[str, float]
"""By the series' name; what is unknown is left out."""


class Subject(NamedTuple):
    """A subject of which something was said just now, and the resource that it belongs to."""

    row: Row
    values: Used


async def used(tx: Tx, tenant: str = "", workspace: str = "", sort: str = "") -> list[Subject]:
    """Everything that is there, with its newest value of each series; empty means any."""
    now = await tx.now()
    start = slot(now) - timedelta(seconds=STEP * (FRESH - 1))
    rows = await tx.fetch(_sql.live_subjects, now - timedelta(minutes=20), tenant, workspace, sort)
    if not rows:
        return []
    since = start - timedelta(seconds=STEP * REACH)
    ticks = await tx.fetch(_sql.ticks_of, since, now, sorted({row["source"] for row in rows}))
    values: dict[int, dict[str, float]] = {}
    for laid in lay_out(ticks, start, FRESH):
        newest = {name: _newest(points) for name, points in laid.points.items()}
        for place, subject in enumerate(laid.subjects.tolist()):
            values[subject] = {
                name: float(column[place])
                for name, column in newest.items()
                if column[place] == column[place]
            }
    found = [(row, values.get(row["id"])) for row in rows]
    return [Subject(row, named(columns)) for row, columns in found if columns]


def _newest(points: Floats) -> Floats:
    """The last value known in each row."""
    found = points[:, 0]
    for column in range(1, points.shape[1]):
        found = np.where(np.isnan(points[:, column]), found, points[:, column])
    return found


def named(columns: Mapping[str, float]) -> dict[str, float]:
    """Columns under the names of their series."""
    shown = {}
    for series in SERIES:
        if series.name == "latency":
            if columns.get("requests") and "waited" in columns:
                shown[series.name] = columns["waited"] / columns["requests"]
        elif series.column in columns:
            shown[series.name] = columns[series.column]
    return shown


def together(every: Sequence[Used]) -> dict[str, float]:
    """Several as one: sums, and means of what is a share. Latency is not of several things."""
    shown = {}
    for series in SERIES:
        values = [one[series.name] for one in every if series.name in one]
        if values and series.name != "latency":
            shown[series.name] = _combined(series, values)
        elif len(values) == 1:
            shown[series.name] = values[0]
    return shown


def _combined(series: Series, values: Sequence[float]) -> float:
    return sum(values) / len(values) if series.over_tasks == "mean" else sum(values)


class Told(NamedTuple):
    """What a source last told: subjects and columns side by side, counters as they came."""

    source: str
    subjects: Sequence[int]
    columns: Mapping[str, Sequence[float]]


async def told(tx: Tx) -> list[Told]:
    """The newest word of each source that has spoken just now."""
    now = await tx.now()
    rows = await tx.fetch(_sql.newest_ticks, now - timedelta(seconds=STEP * FRESH))
    return [
        Told(
            row["source"],
            row["subjects"],
            {name: row[name] for name in COLUMNS if row[name] is not None},
        )
        for row in rows
    ]


async def owners(tx: Tx, ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """Subjects by their numbers, with kind, name and ref of what they belong to."""
    return {row["id"]: row for row in await tx.fetch(_sql.subjects, ids)}

"""Reading: the points of some subjects over a time, at any step, packed or not.

Steps below five minutes read samples, others read rollups and, for what is not rolled up yet, the
means of samples. What is not packed at all is laid out from ticks as packing will do it, so a
point reads the same before and after.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from skerry.series.columns import BY_NAME, COLUMNS, OF_REQUESTS, TASKS, Series
from skerry.series.layout import Floats, lay_out, mean, peak
from skerry.series.packing import BACK, COARSE, FINE, KEEP_TICKS, SLOTS
from skerry.series.ticks import STEP, slot
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.series")
MOST_POINTS = 2000
MOST_CELLS = 4_000_000
"""Points of all subjects and series that one question may touch."""


@dataclass(frozen=True)
class Span:
    """A time and a step, on the grid."""

    start: datetime
    step: int
    """Seconds; a multiple of ``resolution``."""
    count: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.step * self.count)

    @property
    def resolution(self) -> int:
        """Seconds between two points as they are kept."""
        return STEP if self.step < FINE else FINE

    @property
    def points(self) -> int:
        """Points as they are kept."""
        return self.count * self.step // self.resolution

    @classmethod
    def over(cls, start: datetime, end: datetime, step: int) -> "Span":
        """The span that holds ``start`` and ends with ``end``, its step made one of the grid."""
        unit = STEP if step < FINE else FINE
        step = -(-step // unit) * unit
        first = slot(start, step)
        count = math.ceil((end - first).total_seconds() / step)
        return cls(first, step, max(count, 1))


@dataclass
class Points:
    """The points of subjects, as they are kept: for each column a row for each subject."""

    span: Span
    subjects: Sequence[Mapping[str, Any]]
    means: dict[str, Floats] = field(default_factory=dict)
    peaks: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows = {subject["id"]: i for i, subject in enumerate(self.subjects)}

    def put(self, column: str, rows: Any, at: Any, values: Floats, peaks: Floats) -> None:
        """Fill parts of one column: for each, the row it is in, the place it begins at, and as many
        values as the others have. What lies outside the span is left out."""
        shape = len(self.subjects), self.span.points
        places = np.asarray(at)[:, None] + np.arange(values.shape[1])
        inside = (places >= 0) & (places < shape[1])
        if not inside.any():
            return
        where = np.broadcast_to(np.asarray(rows)[:, None], places.shape)[inside], places[inside]
        for table, given in ((self.means, values), (self.peaks, peaks)):
            if column not in table:
                table[column] = np.full(shape, np.nan)
            table[column][where] = given[inside]

    def put_all(self, found: Sequence[Row], names: Iterable[str], peaks: str = "") -> None:
        """Fill in what rows of the tables say: one array for each column that is known, and for its
        peaks, if they are apart, one of that name and this ending."""
        rows = np.array([self._rows[row["subject"]] for row in found])
        places = np.array([self.place(row["start"]) for row in found])
        for name in names:
            known = [i for i, row in enumerate(found) if row[name] is not None]
            if known:
                values = _arrays([found[i][name] for i in known])
                highest = _arrays([found[i][f"{name}{peaks}"] for i in known]) if peaks else values
                self.put(name, rows[known], places[known], values, highest)

    def place(self, at: datetime) -> int:
        return int((at - self.span.start).total_seconds()) // self.span.resolution

    def row(self, subject: int) -> int:
        return self._rows[subject]

    def rows(self, subjects: Any) -> tuple[list[int], list[int]]:
        """Where those that are asked for stand, there and here."""
        found = [(i, self._rows[s]) for i, s in enumerate(subjects.tolist()) if s in self._rows]
        return [i for i, _ in found], [row for _, row in found]


def _arrays(sent: Sequence[bytes]) -> Floats:
    """Arrays of ``real``, all of one length, as Postgres sends them: ten times faster than by way
    of lists. Twenty bytes of dimensions, then for each element its size and its value."""
    width = (len(sent[0]) - 20) // 8
    layout = np.dtype([("head", "V20"), ("each", [("size", ">i4"), ("value", ">f4")], (width,))])
    return np.frombuffer(b"".join(sent), layout)["each"]["value"].astype(float)


async def read(
    tx: Tx, subjects: Sequence[Mapping[str, Any]], wanted: Sequence[Series], span: Span
) -> Points:
    """All that is known of them. The caller has seen to it that it is not too much."""
    points = Points(span, subjects)
    columns = {series.column for series in wanted}
    if "waited" in columns:
        columns.add("requests")
    ids = [subject["id"] for subject in subjects]
    before = timedelta(seconds=COARSE)
    if span.resolution == STEP:
        rows = await tx.fetch(_sql.samples, ids, span.start - before, span.end, list(columns))
        points.put_all(rows, columns)
    else:
        await _coarse(tx, points, ids, columns)
    await _live(tx, points, columns)
    return points


async def _coarse(tx: Tx, points: Points, ids: list[int], columns: set[str]) -> None:
    """From rollups, and from samples of hours that are not rolled up yet."""
    span = points.span
    before = timedelta(seconds=COARSE)
    until = await tx.fetchval(_sql.packed, "rollup")
    rows = await tx.fetch(_sql.means, ids, max(span.start, until or span.start), span.end)
    if rows:
        which = [points.row(row["subject"]) for row in rows]
        at = [points.place(row["start"]) for row in rows]
        means, peaks = (np.array([row[name] for row in rows], float) for name in ("mean", "peak"))
        for i, name in enumerate(COLUMNS):
            if name in columns and not np.isnan(means[:, i]).all():
                points.put(name, which, at, means[:, i : i + 1], peaks[:, i : i + 1])
    rows = await tx.fetch(_sql.rollups, ids, span.start - before, span.end, list(columns))
    points.put_all(rows, columns, "_peak")


async def _live(tx: Tx, points: Points, columns: set[str]) -> None:
    """What is not packed yet."""
    span, now = points.span, await tx.now()
    until = await tx.fetchval(_sql.packed, "sample")
    start = slot(max(until or now - KEEP_TICKS, now - KEEP_TICKS), FINE)
    if span.end <= start:
        return
    sources = sorted({subject["source"] for subject in points.subjects})
    ticks = await tx.fetch(_sql.ticks_of, start - BACK, now, sources)
    windows = int((now - start).total_seconds()) // FINE + 1
    for laid in lay_out(ticks, start, windows * SLOTS):
        there, here = points.rows(laid.subjects)
        if not here:
            continue
        at = [points.place(start)] * len(here)
        for name in columns & laid.points.keys():
            found = laid.points[name][there]
            if span.resolution == STEP:
                points.put(name, here, at, found, found)
            else:
                blocks = found.reshape(len(here), windows, SLOTS)
                points.put(name, here, at, mean(blocks), peak(blocks))


def total(points: Points, series: Series) -> tuple[Floats, Floats]:
    """Over all subjects that the series is of: means and peaks, as they are kept."""
    rows = _rows_of(points, series)
    nothing = np.full(points.span.points, np.nan)
    if series.name == "latency":
        waited, requests = (
            _summed(points.means[c][rows]) if c in points.means else nothing
            for c in ("waited", "requests")
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(requests > 0, waited / requests, np.nan)
        return ratio, ratio
    if series.column not in points.means:
        return nothing, nothing
    means, peaks = points.means[series.column][rows], points.peaks[series.column][rows]
    if series.over_tasks == "mean":
        return mean(means.T), peak(peaks.T)
    return _summed(means), _summed(peaks)


def _rows_of(points: Points, series: Series) -> list[int]:
    """Requests are counted at routes. The rest is measured where tasks or hosts are; only of a
    route alone its own bytes are told."""
    sorts = [subject["sort"] for subject in points.subjects]
    only_routes = set(sorts) == {"route"}
    of_routes = series.name in OF_REQUESTS
    return [i for i, s in enumerate(sorts) if (s == "route") == (of_routes or only_routes)]


def _summed(points: Floats) -> Floats:
    known = ~np.isnan(points)
    return np.where(known.any(axis=0), np.where(known, points, 0.0).sum(axis=0), np.nan)


def tasks(points: Points) -> Floats:
    """How many tasks were seen at each instant; unknown where none was."""
    rows = [i for i, subject in enumerate(points.subjects) if subject["sort"] == "task"]
    seen = np.zeros((len(rows), points.span.points), bool)
    for column in points.means.values():
        seen |= ~np.isnan(column[rows])
    count = seen.sum(axis=0).astype(float)
    return np.where(count > 0, count, np.nan)


def stepped(points: Floats, span: Span, *, peaks: bool = False) -> list[float | None]:
    """At the step that was asked for, with None for what is unknown."""
    blocks = points.reshape(span.count, span.step // span.resolution)
    found = peak(blocks) if peaks else mean(blocks)
    return [None if value != value else _short(value) for value in found.tolist()]


def _short(value: float) -> float:
    """Without digits that mean nothing: samples are kept with seven."""
    return float(f"{value:.7g}")


def series_named(names: Sequence[str]) -> list[Series]:
    """Raises ``KeyError`` for a name that is none."""
    return [BY_NAME[name] for name in names if name != TASKS]

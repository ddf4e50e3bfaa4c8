"""Ticks laid out in time: from what a source said at each instant to the points of each subject.

Pure: arrays in, arrays out. Packing writes them down; reading lays out what is not packed yet.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skerry.series.columns import COLUMNS, COUNTERS
from skerry.series.ticks import REACH, STEP

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Laid:
    """The points of many subjects. Each matrix has a row for a subject and a column for an
    instant; a series that nobody knows anything of is left out."""

    subjects: NDArray[np.int64]
    points: Mapping[str, Floats]


def lay_out(ticks: Iterable[Mapping[str, Any]], start: datetime, slots: int) -> Iterator[Laid]:
    """For each source, the points from ``start`` on. ``ticks`` are rows of the table, ordered by
    source and time, from ``REACH`` ticks before ``start``."""
    for _, said in groupby(ticks, key=lambda tick: tick["source"]):
        yield _source(list(said), start, slots)


def _source(ticks: Sequence[Mapping[str, Any]], start: datetime, slots: int) -> Laid:
    width = REACH + slots
    subjects = np.unique(np.concatenate([np.array(t["subjects"], np.int64) for t in ticks]))
    taken = np.full(width, np.nan)
    places = []
    for tick in ticks:
        place = round((tick["at"] - start).total_seconds() / STEP) + REACH
        places.append(place if 0 <= place < width else None)
        if places[-1] is not None:
            taken[place] = (tick["taken_at"] - start).total_seconds()
    points = {}
    for name in COLUMNS:
        raw = np.full((len(subjects), width), np.nan)
        for tick, where in zip(ticks, places, strict=True):
            if where is not None and tick[name] is not None:
                raw[np.searchsorted(subjects, tick["subjects"]), where] = tick[name]
        found = _rates(raw, taken) if name in COUNTERS else raw[:, REACH:]
        if not np.isnan(found).all():
            points[name] = found
    return Laid(subjects, points)


def _rates(raw: Floats, taken: Floats) -> Floats:
    """A counter's growth per second since it was last known. One that went back has begun again
    from zero, so all that it shows has come since."""
    width = raw.shape[1]
    rates = np.full((raw.shape[0], width - REACH), np.nan)
    for slot in range(REACH, width):
        rate = rates[:, slot - REACH]
        for back in range(1, REACH + 1):
            seconds = taken[slot] - taken[slot - back]
            if not seconds > 0:
                continue
            before, now = raw[:, slot - back], raw[:, slot]
            grown = np.where(now < before, now, now - before) / seconds
            np.copyto(rate, grown, where=np.isnan(rate))
    return rates


def known(points: Floats) -> NDArray[np.bool_]:
    """Which rows know anything."""
    some: NDArray[np.bool_] = np.any(~np.isnan(points), axis=1)
    return some


def mean(points: Floats) -> Floats:
    """Along the last axis, over what is known."""
    there = ~np.isnan(points)
    count = there.sum(axis=-1)
    total = np.where(there, points, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def peak(points: Floats) -> Floats:
    """Along the last axis, over what is known."""
    highest = np.where(np.isnan(points), -np.inf, points).max(axis=-1)
    return np.where(np.isinf(highest), np.nan, highest)

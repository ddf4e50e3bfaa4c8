"""Points are exactly what a slow and simple reading of the ticks would give, however they are cut
into windows; and nothing that was stored is lost where packing breaks off."""

import math
from datetime import timedelta
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.series.columns import COLUMNS
from skerry.series.layout import lay_out
from skerry.series.packing import BACK, FINE, SLOTS, keep, pack
from skerry.series.retention import Retention
from skerry.series.ticks import REACH, STEP
from skerry.store import Database
from tests.series.test_samples import START, Cloud, run

WINDOWS = 3
Said = dict[int, dict[int, tuple[float, float]]]
"""By slot, then by subject: the counter of processor time, and memory; NaN for unknown."""


@st.composite
def said(draw: st.DrawFn) -> Said:
    """Ticks that are missing, subjects that come, go and start again, values that are not told."""
    last: dict[int, float] = {}
    found: Said = {}
    for slot in range(-REACH, WINDOWS * SLOTS):
        if draw(st.integers(0, 5)) == 0:
            continue
        for subject in draw(st.sets(st.integers(1, 3), min_size=1)):
            grown = draw(st.sampled_from((0.0, 0.0, 3.0, 15.0, 30.0, -1.0)))
            last[subject] = 2.0 if grown < 0 else last.get(subject, 50.0) + grown
            told = math.nan if draw(st.integers(0, 9)) == 0 else last[subject]
            memory = draw(st.sampled_from((math.nan, 0.0, 7.0)))
            found.setdefault(slot, {})[subject] = (told, memory)
    return found


def rows(said: Said, start: int, end: int) -> list[dict[str, Any]]:
    """As the table has them."""
    made = []
    for slot in range(start, end):
        if slot in said:
            at = START + timedelta(seconds=slot * STEP)
            subjects = list(said[slot])
            made.append(
                dict.fromkeys(COLUMNS)
                | {"at": at, "taken_at": at, "source": "one", "subjects": subjects}
                | {"cpu": [said[slot][s][0] for s in subjects]}
                | {"memory": [said[slot][s][1] for s in subjects]}
            )
    return made


def simply(said: Said, subject: int, slot: int) -> float:
    """The rate at one instant, straight from what it means."""
    nothing = (math.nan, math.nan)
    now = said.get(slot, {}).get(subject, nothing)[0]
    for back in range(1, REACH + 1):
        before = said.get(slot - back, {}).get(subject, nothing)[0]
        if now == now and before == before:
            return (now if now < before else now - before) / (back * STEP)
    return math.nan


def points(said: Said, start: int, end: int, slots: int) -> dict[tuple[str, int], list[float]]:
    begin = START + timedelta(seconds=start * STEP)
    return {
        (name, subject): laid.points[name][i].tolist()
        for laid in lay_out(rows(said, start - REACH, end), begin, slots)
        for name in laid.points
        for i, subject in enumerate(laid.subjects.tolist())
    }


@given(said())
@settings(max_examples=40)
def test_points_are_what_they_mean_however_windows_are_cut(said: Said) -> None:
    assert BACK.total_seconds() == REACH * STEP
    whole = points(said, 0, WINDOWS * SLOTS, WINDOWS * SLOTS)
    unknown = [math.nan] * WINDOWS * SLOTS
    for subject in (1, 2, 3):
        meant = [simply(said, subject, slot) for slot in range(WINDOWS * SLOTS)]
        assert np.allclose(whole.get(("cpu", subject), unknown), meant, equal_nan=True)
        cut: list[float] = []
        for window in range(0, WINDOWS * SLOTS, SLOTS):
            laid = points(said, window, window + SLOTS, SLOTS)
            cut += laid.get(("cpu", subject), [math.nan] * SLOTS)
        assert np.allclose(cut, meant, equal_nan=True)


@pytest.fixture
async def cloud(db: Database) -> Cloud:
    cloud = Cloud(db)
    await cloud.begin()
    return cloud


@pytest.mark.parametrize("table", ["sample", "rollup"])
async def test_packing_that_is_cut_off_is_done_again_whole(cloud: Cloud, table: str) -> None:
    """As after kill -9: the database gives up what the connection had begun."""
    await run(cloud, 2 * FINE, 1.5)
    await cloud.let_pass(3 * 3600)
    await cloud.db.execute(
        f"create function cut() returns trigger language plpgsql as $$ begin"
        f" perform pg_terminate_backend(pg_backend_pid()); return new; end $$;"
        f" create trigger cut before insert on {table} for each row execute function cut()"
    )
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:10:00Z", "step": "300"}
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await pack(cloud.db)
    await keep(cloud.db, Retention())
    await cloud.db.execute(f"drop trigger cut on {table}")
    await pack(cloud.db)
    await keep(cloud.db, Retention())
    assert await cloud.values("cpu", **span) == [3.0, 3.0]
    assert await cloud.db.fetchval("select count(*) from sample") == 4
    assert await cloud.db.fetchval("select count(*) from rollup") == 2

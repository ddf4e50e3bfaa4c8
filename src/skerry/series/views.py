"""Views of what something uses and used, for any kind to declare.

``METRICS`` is for kinds whose resources run: all workloads and routes of a resource and of what it
owns count. ``HOST_METRICS`` is for places; their name is the source that speaks for them, and a
site's are those of all its hosts together.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skerry.kernel.errors import InvalidRequest, Source
from skerry.kernel.history import stamp
from skerry.kernel.views import Answer, Asked, View
from skerry.series.columns import BY_NAME, SERIES, TASKS, Series
from skerry.series.packing import FINE
from skerry.series.reading import (
    MOST_CELLS,
    MOST_POINTS,
    Points,
    Span,
    read,
    series_named,
    stepped,
    tasks,
    total,
)
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.series")
_AGO = re.compile(r"-(\d{1,6})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_USUAL_POINTS = 240
_MOST_APART = 64
"""Tasks that are shown one by one."""
LATE = timedelta(minutes=20)
"""How far what is known of a subject may lag behind its ticks."""

QUERY = {
    "series": f"names with commas between them: {', '.join(BY_NAME)}, {TASKS}; all that are known",
    "from": "a time (RFC 3339), or -1h: so long ago; an hour ago",
    "to": "a time; now",
    "step": "seconds between two points; about 240 points",
    "by": "task: each task by itself as well",
}
HOST_QUERY = {**QUERY, "by": "gpu: each device by itself as well"}


@dataclass(frozen=True)
class Question:
    names: tuple[str, ...]
    """Empty: all that are known."""
    span: Span
    apart: str
    """``task`` or ``gpu``: what to tell by itself as well; empty: nothing."""


def moment(text: str, now: datetime, parameter: str) -> datetime:
    """A time as parameters say it. Raises ``InvalidRequest``."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return min(max(found, now - timedelta(days=366)), now + timedelta(days=366))
    except ValueError:
        pass
    raise InvalidRequest(
        f"{parameter}={text[:40]!r} is no time",
        hint="Write 2026-11-21T08:00:00Z, or -1h for an hour ago.",
        sources=[Source(parameter=parameter)],
    )


def question(query: Mapping[str, str], now: datetime) -> Question:
    """What the parameters ask. Raises ``InvalidRequest``."""
    start = moment(query.get("from", "-1h"), now, "from")
    end = moment(query["to"], now, "to") if "to" in query else now
    if not start < end:
        raise InvalidRequest("the time ends before it begins", sources=[Source(parameter="from")])
    seconds = (end - start).total_seconds()
    text = query.get("step", "")
    if text and not (text.isdecimal() and 1 <= int(text) <= 366 * 86400):
        raise InvalidRequest(
            f"step={text[:40]!r} is no number of seconds", sources=[Source(parameter="step")]
        )
    span = Span.over(start, end, int(text) if text else max(int(seconds / _USUAL_POINTS), 1))
    if span.count > MOST_POINTS:
        raise InvalidRequest(
            f"that is {span.count} points, and {MOST_POINTS} are the most",
            hint="Ask for a longer step or a shorter time.",
            sources=[Source(parameter="step")],
        )
    names = tuple(dict.fromkeys(filter(None, query.get("series", "").split(","))))
    for name in names:
        if name not in BY_NAME and name != TASKS:
            raise InvalidRequest(
                f"there is no series {name[:40]!r}",
                hint=f"There are {', '.join([*BY_NAME, TASKS])}.",
                sources=[Source(parameter="series")],
            )
    if query.get("by", "task") not in ("task", "gpu"):
        raise InvalidRequest("by is 'task', 'gpu' or left out", sources=[Source(parameter="by")])
    return Question(names, span, query.get("by", ""))


async def answer(
    tx: Tx, asked: Question, subjects: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The answer to a question about these subjects."""
    span = asked.span
    wanted = series_named(asked.names) if asked.names and set(asked.names) != {TASKS} else SERIES
    if len(subjects) * span.points * len(wanted) > MOST_CELLS:
        raise InvalidRequest(
            f"that is {len(subjects)} tasks at {span.points} instants: too much for one answer",
            hint=f"Ask for fewer series, a shorter time, or a step of {FINE} seconds or more.",
        )
    points = await read(tx, subjects, wanted, span)
    found: dict[str, Any] = {
        "from": stamp(span.start),
        "to": stamp(span.end),
        "step": span.step,
        "series": _series(points, wanted, asked.names),
    }
    if asked.apart == "task":
        shown = [s for s in subjects if s["sort"] == "task"][-_MOST_APART:]
        found["tasks"] = [_apart(points, s, wanted, asked.names) for s in shown]
    return found


def _series(points: Points, wanted: Sequence[Series], names: Sequence[str]) -> list[dict[str, Any]]:
    shown = []
    for series in wanted:
        means, peaks = total(points, series)
        if series.name in names or (not names and (means == means).any()):
            shown.append(
                {
                    "name": series.name,
                    "unit": series.unit,
                    "values": stepped(means, points.span),
                    "peaks": stepped(peaks, points.span, peaks=True),
                }
            )
    if not names or TASKS in names:
        count = stepped(tasks(points), points.span, peaks=True)
        if TASKS in names or any(value is not None for value in count):
            shown.append({"name": TASKS, "unit": "tasks", "values": count, "peaks": count})
    return shown


def _apart(
    points: Points, subject: Mapping[str, Any], wanted: Sequence[Series], names: Sequence[str]
) -> dict[str, Any]:
    row = [points.row(subject["id"])]
    one = Points(
        points.span,
        [subject],
        {name: column[row] for name, column in points.means.items()},
        {name: column[row] for name, column in points.peaks.items()},
    )
    return {
        "workload": subject["name"],
        "rank": subject["rank"],
        "at": subject["source"],
        "series": _series(one, wanted, [n for n in names if n != TASKS] or ()),
    }


async def _metrics(asked: Asked) -> Answer:
    async with asked.db.transaction(readonly=True) as tx:
        about = question(asked.query, await tx.now())
        subjects = await tx.fetch(
            _sql.subjects_of, asked.resource.uid, about.span.start - LATE, about.span.end
        )
        return await answer(tx, about, subjects)


async def _host_metrics(asked: Asked) -> Answer:
    async with asked.db.transaction(readonly=True) as tx:
        about = question(asked.query, await tx.now())
        source = source_of(asked)
        found = dict(await answer(tx, about, await tx.fetch(_sql.subjects_at, source)))
        if about.apart == "gpu":
            devices = await tx.fetch(_sql.gpus_at, source, about.span.start - LATE)
            found["devices"] = await _devices(tx, about, devices[:_MOST_APART])
        return found


async def _devices(
    tx: Tx, asked: Question, devices: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    wanted = series_named(("gpu", "gpuMemory"))
    points = await read(tx, devices, wanted, asked.span)
    return [
        {
            "uuid": device["name"],
            "at": device["source"],
            "series": _apart(points, device, wanted, ("gpu", "gpuMemory"))["series"],
        }
        for device in devices
    ]


def source_of(asked: Asked) -> str:
    """The source that speaks for a place: a site's name, or `site/host` for a host below one."""
    above = asked.resources.path(asked.resource).parents
    return "/".join((*above, asked.resource.name))


METRICS = View("metrics", "What it used, over time", _metrics, query=QUERY)
HOST_METRICS = View("metrics", "What its hosts used, over time", _host_metrics, query=HOST_QUERY)

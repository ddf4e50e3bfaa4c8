"""How well the places are used: what they have, what of it is leased, what was busy over time.

Three different things, in the same units: a place may be leased out and idle. What hosts have is
what they have now; of GPUs, the share that is busy counts each as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from skerry.api.edge import JSON, Edge
from skerry.identity.authorize import authorize
from skerry.identity.roles import Target
from skerry.kernel.errors import InvalidRequest
from skerry.kernel.history import stamp
from skerry.market.ask import Used
from skerry.market.offers import row_of
from skerry.series.layout import Floats
from skerry.series.reading import MOST_CELLS, Points, read, series_named, stepped
from skerry.series.views import LATE, question
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.api", "operating.sql")
PROVIDER = "skerry.series/v1"
PATH = f"/providers/{PROVIDER}/utilisation"
SERIES = ("cpu", "memory", "gpu")
Amounts = Mapping[str, float]
"""Cores, bytes of memory and of disk, GPUs."""


async def utilisation(edge: Edge, request: Request) -> Response:
    """GET: the whole cloud, and each site. For its operators."""
    who = await edge.principal(request)
    authorize(who, "get", Target(PROVIDER, resource="utilisation"))
    asked = {name: text for name, text in request.query_params.items() if name != "series"}
    async with edge.db.transaction(readonly=True) as tx:
        span = question({"from": "-1d", **asked}, await tx.now()).span
        hosts = await tx.fetch(_sql.hosts, span.start - LATE, span.end)
        if len(hosts) * span.points * len(SERIES) > MOST_CELLS:
            raise InvalidRequest(
                f"that is {len(hosts)} hosts at {span.points} instants: too much for one answer",
                hint="Ask for a shorter time, or a step of 300 seconds or more.",
            )
        points = await read(tx, hosts, series_named(SERIES), span)
        has = {row["at"]: row["capacity"] or {} for row in await tx.fetch(_sql.capacity)}
        leased = await _leased(tx)
    sites = sorted({at.partition("/")[0] for at in (*has, *(row["source"] for row in hosts))})
    found: dict[str, Any] = {
        "from": stamp(span.start),
        "to": stamp(span.end),
        "step": span.step,
        **_of(points, has, leased.values(), has),
        "sites": [_site(name, points, has, leased) for name in sites],
    }
    return Response(msgspec.json.encode(found), media_type=JSON)


async def _leased(tx: Tx) -> dict[str, Used]:
    """What is reserved or leased, by place."""
    found: dict[str, Used] = {}
    for record in await tx.fetch(_sql.offers):
        row = row_of(record)
        found[row.offer.at] = _more(found.get(row.offer.at, Used()), row.used)
    return found


def _more(one: Used, other: Used) -> Used:
    gpus = {"": sum(one.gpus.values()) + sum(other.gpus.values())}
    return Used(
        millicores=one.millicores + other.millicores,
        memory=one.memory + other.memory,
        disk=one.disk + other.disk,
        gpus=gpus,
    )


def _site(
    name: str, points: Points, has: Mapping[str, Any], leased: Mapping[str, Used]
) -> dict[str, Any]:
    mine = [at for at in {*has, *leased} if at.partition("/")[0] == name]
    within = {at: has[at] for at in mine if at in has}
    return {
        "name": name,
        **_of(points, within, [leased[at] for at in mine if at in leased], has, name),
    }


def _of(
    points: Points, has: Mapping[str, Any], leased: Iterable[Used], all_has: Mapping[str, Any],
    site: str = "",
) -> dict[str, Any]:  # fmt: skip
    rows = [
        points.row(subject["id"])
        for subject in points.subjects
        if site in ("", subject["source"].partition("/")[0])
    ]
    taken = tuple(leased)
    return {
        "hosts": len(has),
        "has": _amounts(
            sum(one.get("millicores", 0) for one in has.values()),
            sum(one.get("memory", 0) for one in has.values()),
            sum(one.get("disk", 0) for one in has.values()),
            sum(len(one.get("gpus", ())) for one in has.values()),
        ),
        "leased": _amounts(
            sum(one.millicores for one in taken),
            sum(one.memory for one in taken),
            sum(one.disk for one in taken),
            sum(sum(one.gpus.values()) for one in taken),
        ),
        "used": {name: stepped(_busy(points, name, rows, all_has), points.span) for name in SERIES},
    }


def _amounts(millicores: int, memory: int, disk: int, gpus: int) -> Amounts:
    return {"cpu": millicores / 1000, "memory": memory, "disk": disk, "gpu": gpus}


def _busy(points: Points, name: str, rows: Sequence[int], has: Mapping[str, Any]) -> Floats:
    """Of some hosts together; unknown where nothing is known of any."""
    if name not in points.means or not rows:
        return np.full(points.span.points, np.nan)
    values = points.means[name][list(rows)]
    if name == "gpu":
        devices = [_gpus(points.subjects[row], has) for row in rows]
        values = values * np.array(devices, float)[:, None]
    known = ~np.isnan(values)
    return np.where(known.any(axis=0), np.where(known, values, 0.0).sum(axis=0), np.nan)


def _gpus(host: Row | Mapping[str, Any], has: Mapping[str, Any]) -> int:
    return len((has.get(host["source"]) or {}).get("gpus", ()))

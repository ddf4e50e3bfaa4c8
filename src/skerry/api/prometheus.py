"""``GET /metrics`` for those who have a Prometheus of their own.

An operator's token reads everything: hosts, tasks, routes, and the health of the server itself. A
tenant's reads the tasks and routes that it may read, and nothing else. Labels are names of things
that are there now, so series come and go with them; beyond ``MOST`` tasks the rest is left out, and
``skerry_left_out`` says how many.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from skerry import __version__
from skerry.api import operating
from skerry.api.edge import Edge
from skerry.api.exposition import MEDIA, Own, family, labels
from skerry.api.rooms import PROVIDER, Room
from skerry.identity.authorize import authorize, can
from skerry.identity.roles import Target
from skerry.series import current
from skerry.series.current import Told
from skerry.sites import devices
from skerry.store import Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.api", "prometheus.sql")
MOST = 10_000
"""Tasks, hosts and routes of one answer."""

_TASK = (
    ("cpu", "cpu_seconds_total", "counter", "Seconds of processor time"),
    ("memory", "memory_bytes", "gauge", "Memory in use"),
    ("received", "network_receive_bytes_total", "counter", "Bytes that came in from the network"),
    ("sent", "network_transmit_bytes_total", "counter", "Bytes that went out to the network"),
    ("gpu", "gpu_utilization_ratio", "gauge", "Share of its GPUs that is busy"),
    ("gpu_memory", "gpu_memory_bytes", "gauge", "GPU memory in use"),
    ("disk", "disk_bytes", "gauge", "Disk taken"),
)
_ROUTE = (
    ("requests", "requests_total", "counter", "Requests answered"),
    ("failures", "request_failures_total", "counter", "Requests answered with 5xx"),
    ("waited", "request_seconds_total", "counter", "Seconds until requests were answered"),
    ("received", "receive_bytes_total", "counter", "Bytes of requests"),
    ("sent", "transmit_bytes_total", "counter", "Bytes of answers"),
)
_FAMILIES = {"task": _TASK, "host": _TASK, "route": _ROUTE}


def exporter(own: Own) -> Callable[[Edge, Request], Any]:
    """The handler; ``own`` is what this process counts of itself."""

    async def metrics(edge: Edge, request: Request) -> Response:
        who = await edge.principal(request)
        everything = can(who, "get", Target(PROVIDER, resource="metrics"))
        tenant = "" if everything else who.tenant
        target = Target(PROVIDER, tenant, resource="metrics", spread=True)
        if not everything and not who.grants.know(target):
            authorize(who, "get", target)
        told, subjects, left_out = await _told(edge, tenant)
        room = Room(edge, who, tenant, "", everything)
        owners = {row["owner"] for row in subjects.values() if row["owner"] is not None}
        visible = set(await room.visible(owners))
        lines = await asyncio.to_thread(lambda: list(_of_subjects(told, subjects, visible)))
        lines += family("skerry_left_out", "gauge", "Tasks beyond what one answer tells",
                        [("", float(left_out))])  # fmt: skip
        if everything:
            lines += [*await of_devices(edge.db), *await _of_server(edge)]
            lines += await operating.metrics(edge)
            lines.append(own.text())
        return Response("".join(lines), media_type=MEDIA)

    return metrics


async def _told(edge: Edge, tenant: str) -> tuple[list[Told], Mapping[int, Mapping[str, Any]], int]:
    async with edge.db.transaction(readonly=True) as tx:
        told = await current.told(tx)
        ids = sorted(subject for one in told for subject in one.subjects)
        subjects = await current.owners(tx, ids)
    if tenant:
        subjects = {id: row for id, row in subjects.items() if row["tenant"] == tenant}
    kept = dict(sorted(subjects.items())[:MOST])
    return told, kept, len(subjects) - len(kept)


def _of_subjects(
    told: list[Told], subjects: Mapping[int, Mapping[str, Any]], visible: set[UUID]
) -> Iterator[str]:
    where = {
        id: labels(_labels(row))
        for id, row in subjects.items()
        if row["owner"] is None or row["owner"] in visible
    }
    for sort, families in _FAMILIES.items():
        for column, name, metric, help in families:
            samples = (
                (where[id], value)
                for one in told
                if column in one.columns
                for id, value in zip(one.subjects, one.columns[column], strict=True)
                if id in where and subjects[id]["sort"] == sort
            )
            yield from family(f"skerry_{sort}_{name}", metric, help, samples)


async def of_devices(db: Database) -> list[str]:
    """Each GPU: how busy it is, and whether somebody leases it or it is sick."""
    async with db.transaction(readonly=True) as tx:
        found, held = await devices.all_devices(tx), await devices.held(tx)
        told = await current.told(tx)
        ids = sorted(subject for one in told for subject in one.subjects)
        subjects = await current.owners(tx, ids)
    where = {
        one.gpu.uuid: labels(
            {"site": one.site, "host": one.host, "uuid": one.gpu.uuid, "model": one.gpu.sku}
        )
        for one in found[:MOST]
    }

    def said(column: str) -> list[tuple[str, float]]:
        return [
            (where[subjects[id]["name"]], value)
            for one in told
            if column in one.columns
            for id, value in zip(one.subjects, one.columns[column], strict=True)
            if id in subjects and subjects[id]["sort"] == "gpu" and subjects[id]["name"] in where
        ]

    sick = [(where[one.gpu.uuid], float(bool(one.gpu.sick))) for one in found[:MOST]]
    leased = [(text, float(uuid in held)) for uuid, text in where.items()]
    return [
        text
        for name, help, samples in (
            ("utilisation", "Share of the device that is busy", said("gpu")),
            ("memory_used_bytes", "Memory of the device in use", said("gpu_memory")),
            ("leased", "Whether a task runs on the device", leased),
            ("sick", "Whether the device is not to be used", sick),
        )
        for text in family(f"skerry_gpu_{name}", "gauge", help, samples)
    ]


def _labels(row: Mapping[str, Any]) -> dict[str, object]:
    if row["sort"] == "host":
        return {"at": row["source"]}
    about = {"tenant": row["tenant"], "workspace": row["workspace"]}
    if row["sort"] == "route":
        return {**about, "route": row["resource"], "gateway": row["source"]}
    task = {"kind": row["kind"], "name": row["resource"], "task": row["rank"]}
    return {**about, **task, "at": row["source"]}


async def _of_server(edge: Edge) -> list[str]:
    """The health of the whole cloud, as its database knows it."""
    flows = await edge.db.fetch(_sql.flows)
    alerts = await edge.db.fetch(_sql.alerts)
    places = await edge.db.fetch(_sql.places)
    feed = await edge.db.fetchrow(_sql.feed)
    size = await edge.db.fetchval("select pg_database_size(current_database())")
    assert feed is not None

    def by(rows: list[Row], value: str, *names: str) -> list[tuple[str, float]]:
        return [(labels({n: row[n] for n in names}), float(row[value])) for row in rows]

    told: tuple[tuple[str, str, str, list[tuple[str, float]]], ...] = (
        ("flows", "gauge", "Resources with work in progress", by(flows, "count", "kind")),
        ("flows_due", "gauge", "Flows whose next step is due", by(flows, "due", "kind")),
        ("flows_failing", "gauge", "Flows whose last step failed", by(flows, "failing", "kind")),
        ("flows_overdue", "gauge", "Flows past their deadline", by(flows, "overdue", "kind")),
        ("alerts_open", "gauge", "Open alerts", by(alerts, "count", "reason")),
        ("last_contact_seconds", "gauge", "Since a place was heard", by(places, "silent", "at")),
        ("feed_lag_seconds", "gauge", "Age of the oldest change without a position",
         [("", float(feed["lag"]))]),
        ("feed_position", "gauge", "Newest position of the feed", [("", float(feed["position"]))]),
        ("database_bytes", "gauge", "Size of the database", [("", float(size))]),
        ("build_info", "gauge", "Version", [(labels({"version": __version__}), 1.0)]),
    )  # fmt: skip
    return [
        text
        for name, sort, help, samples in told
        for text in family(f"skerry_{name}", sort, help, samples)
    ]

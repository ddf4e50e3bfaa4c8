"""How the cloud is, for those who operate it: ``GET …/status`` for people, and what ``/metrics``
tells of the server beside what runs on it."""

import asyncio
import os
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from skerry import __version__
from skerry.api.edge import JSON, Edge
from skerry.api.exposition import family, labels
from skerry.identity.authorize import authorize
from skerry.identity.roles import Target
from skerry.kernel.history import stamp
from skerry.settings import Settings
from skerry.store.queries import load

_sql = load("skerry.api", "operating.sql")
PROVIDER = "skerry.series/v1"
PATH = f"/providers/{PROVIDER}/status"


async def status(edge: Edge, request: Request) -> Response:
    """GET: processes, places, queue, alerts, log, ledger, disk, versions."""
    who = await edge.principal(request)
    authorize(who, "get", Target(PROVIDER, resource="status"))
    async with edge.db.transaction(readonly=True) as tx:
        nodes, places = await tx.fetch(_sql.nodes), await tx.fetch(_sql.places)
        queue, alerts = await tx.fetchrow(_sql.queue), await tx.fetchrow(_sql.alerts)
        log, ledger = await tx.fetchrow(_sql.log), await tx.fetch(_sql.ledger)
        metering = await tx.fetchrow(_sql.metering)
        size = await tx.fetchval("select pg_database_size(current_database())")
    assert queue is not None
    assert alerts is not None
    assert log is not None
    assert metering is not None
    free, total = await disk(edge)
    told: dict[str, Any] = {
        "version": __version__,
        "processes": [
            {
                "name": row["name"],
                "roles": list(row["roles"]),
                "version": row["version"],
                "startedAt": stamp(row["started_at"]),
            }
            for row in nodes
        ],
        "places": [
            {
                "at": row["at"],
                "version": row["agent_version"],
                "silentSeconds": _round(row["silent"]),
                "clockAheadSeconds": _round(row["clock_ahead"]),
            }
            for row in places
        ],
        "queue": {
            **{name: queue[name] for name in ("flows", "due", "failing", "overdue")},
            "waitedSeconds": _round(queue["waited"]),
        },
        "alerts": {"open": alerts["open"]},
        "log": {
            "size": log["size"] or 0,
            "waiting": log["positions"] + log["unsequenced"] - (log["size"] or 0),
            "checkpointAgeSeconds": _round(log["age"]),
        },
        "ledger": {
            "balanced": all(row["posted"] == row["pending"] == 0 for row in ledger),
            "metered": metering["streams"],
            "settledSecondsAgo": _round(metering["behind"]),
        },
        "disk": {"freeBytes": free, "totalBytes": total, "databaseBytes": size},
    }
    return Response(msgspec.json.encode(told), media_type=JSON)


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


async def disk(edge: Edge) -> tuple[int, int]:
    """Bytes free and in all, where this server keeps its data."""
    room = await asyncio.to_thread(os.statvfs, edge.services[Settings].data)
    return room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize


async def metrics(edge: Edge) -> list[str]:
    """Log, ledger, queue, processes and disk, in Prometheus' format."""
    async with edge.db.transaction(readonly=True) as tx:
        nodes, log = await tx.fetch(_sql.nodes), await tx.fetchrow(_sql.log)
        queue, holds = await tx.fetchrow(_sql.queue), await tx.fetch(_sql.holds)
        ledger, metering = await tx.fetch(_sql.ledger), await tx.fetchrow(_sql.metering)
    assert log is not None
    assert queue is not None
    assert metering is not None
    free, total = await disk(edge)
    size = log["size"] or 0
    of_log = [("", float(log["age"]))] if log["age"] is not None else []

    def by_currency(name: str) -> list[tuple[str, float]]:
        return [(labels({"currency": row["currency"]}), float(row[name])) for row in ledger]

    at = [(labels({"node": r["name"], "version": r["version"], "roles": ",".join(r["roles"])}), 1.0)
          for r in nodes]  # fmt: skip
    told: tuple[tuple[str, str, list[tuple[str, float]]], ...] = (
        ("node_up", "Server processes that are there", at),
        ("queue_wait_seconds", "Since the oldest flow is due that no worker has taken",
         [("", float(queue["waited"]))]),
        ("log_leaves", "Changes in the published log", [("", float(size))]),
        ("log_lag_leaves", "Changes that the published log lacks",
         [("", float(log["positions"] + log["unsequenced"] - size))]),
        ("log_checkpoint_age_seconds", "Since the last checkpoint was signed", of_log),
        ("ledger_imbalance_nano", "Debits less credits posted; anything but 0 is wrong",
         by_currency("posted")),
        ("ledger_accounts", "Accounts", by_currency("accounts")),
        ("ledger_holds", "Money set aside for what runs",
         [(labels({"state": row["state"]}), float(row["count"])) for row in holds]),
        ("metered_streams", "Meters that run", [("", float(metering["streams"]))]),
        ("settlement_lag_seconds", "Since which nothing of the slowest meter is charged",
         [("", float(metering["behind"]))]),
        ("disk_free_bytes", "Free where this server keeps its data", [("", float(free))]),
        ("disk_total_bytes", "Size of that disk", [("", float(total))]),
    )  # fmt: skip
    return [
        text
        for name, help, samples in told
        for text in family(f"skerry_{name}", "gauge", help, samples)
    ]

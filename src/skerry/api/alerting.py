"""Alerts as resources: what needs a person, with a name, a spec (what it is about) and a status
(what is wrong, since when, what to do). Skerry alone writes them; they are read like any other.

Who may read a tenant's alerts sees all of them; who may not, but may read what an alert is about,
sees that one.
"""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from skerry.api import requests, watch
from skerry.api.edge import JSON, Edge
from skerry.kernel.errors import Forbidden, InvalidRequest, NotFound, Source
from skerry.kernel.history import stamp
from skerry.store.database import Row
from skerry.store.queries import load

if TYPE_CHECKING:
    from skerry.api.rooms import Room

_sql = load("skerry.api", "alerting.sql")
_PHASES = ("open", "cleared")


async def listed(edge: Edge, request: Request) -> Response:
    """GET: the newest 500 of a tenant, or, for operators, of everybody; or, from now on, each that
    is raised or cleared."""
    room = await _room(edge, request)
    if requests.flag(request, "watch"):
        await _still(edge, request)
        return await watch.alerts(edge, request, room.tenant, lambda: _still(edge, request))
    phase = request.query_params.get("phase", "open")
    if phase not in _PHASES:
        raise InvalidRequest("phase is open or cleared", sources=[Source(parameter="phase")])
    rows = await edge.db.fetch(_sql.listed, room.tenant, phase == "cleared")
    items = [_document(row) for row in await _visible(edge, room, rows)]
    return Response(msgspec.json.encode({"items": items}), media_type=JSON)


async def one(edge: Edge, request: Request) -> Response:
    """GET: one of them, open or cleared."""
    room = await _room(edge, request)
    name = request.path_params["alert"]
    try:
        rows = await edge.db.fetch(_sql.one, uuid.UUID(name), room.tenant)
    except ValueError:
        rows = []
    if not (seen := await _visible(edge, room, rows)):
        raise NotFound(f"alert {name[:128]!r} does not exist", hint="skerry alert list")
    return Response(msgspec.json.encode(_document(seen[0])), media_type=JSON)


async def _room(edge: Edge, request: Request) -> "Room":
    from skerry.api.rooms import Room  # which lists our paths among its own

    return await Room.enter(edge, request, "alerts")


async def _still(edge: Edge, request: Request) -> watch.Visible:
    """Raises ``Forbidden`` for who may not see all of them: what an alert is about may be gone by
    the time that it is told of."""
    room = await _room(edge, request)
    if not room.everything:
        raise Forbidden("You may read some of these alerts, not watch all of them.")
    return lambda _: True


async def _visible(edge: Edge, room: "Room", rows: Sequence[Row]) -> list[Row]:
    if room.everything:
        return list(rows)
    about = await edge.db.fetch(_sql.by_ref, [row["subject"] for row in rows])
    uids = {row["ref"]: row["uid"] for row in about}
    visible = await room.visible(uids.values())
    return [row for row in rows if uids.get(row["subject"]) in visible]


def _document(row: Row) -> dict[str, Any]:
    above = f"tenants/{row['tenant']}/" if row["tenant"] else ""
    metadata = {
        "name": str(row["id"]),
        "provider": "skerry.series/v1",
        "resource": f"alerts/{row['id']}",
        "apiVersion": "v1",
        "kind": "alert",
        "ref": f"skerry.series/v1/{above}alerts/{row['id']}",
        **({"tenant": row["tenant"]} if row["tenant"] else {}),
        "createdAt": stamp(row["raised_at"]),
        "lastModifiedAt": stamp(row["cleared_at"] or row["raised_at"]),
    }
    status = {
        "state": "active",
        "phase": "cleared" if row["cleared_at"] else "open",
        "message": row["message"],
        "remedy": row["remedy"],
        "raisedAt": stamp(row["raised_at"]),
        **({"clearedAt": stamp(row["cleared_at"])} if row["cleared_at"] else {}),
    }
    spec = {"subject": row["subject"], "reason": row["reason"]}
    return {"metadata": metadata, "spec": spec, "status": status}

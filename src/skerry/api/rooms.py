"""What goes on, over many resources at once: what runs now, logs, alerts, usage over time.

Nothing here belongs to one resource, so authorisation has two steps. Who may read the room itself
sees all of it. Who may not, but has some right in the workspace or tenant, sees of it what belongs
to resources that they may read; in a place where they have no right at all, there is nothing.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from skerry.api import alerting, operating, utilising
from skerry.api.edge import JSON, Edge
from skerry.identity.authorize import Principal, authorize, can
from skerry.identity.roles import Target
from skerry.kernel.errors import InvalidRequest, NotFound, Source
from skerry.kernel.history import stamp
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.rows import from_row
from skerry.ledger.cost import costs
from skerry.ledger.invoices import decimal
from skerry.ledger.meters import unit_of
from skerry.series import current
from skerry.series.lines import Line
from skerry.series.search import Cursor, Search, cut_of, family, search
from skerry.series.views import moment
from skerry.series.words import parse
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.api")
PROVIDER = "skerry.series/v1"
BASE = f"/providers/{PROVIDER}"
TENANT = f"{BASE}/tenants/{{tenant}}"
WORKSPACE = f"{TENANT}/workspaces/{{workspace}}"
_MOST_LINES = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Room:
    """Who looks, where, and whether they may see all of it."""

    edge: Edge
    who: Principal
    tenant: str
    workspace: str
    everything: bool

    @classmethod
    async def enter(cls, edge: Edge, request: Request, name: str) -> "Room":
        """Raises ``Unauthenticated``, ``NotFound`` or ``Forbidden``."""
        who = await edge.principal(request)
        tenant = request.path_params.get("tenant", "")
        workspace = request.path_params.get("workspace", "")
        region = edge.resources.region if workspace else ""
        target = Target(PROVIDER, tenant, workspace, region, name)
        everything = can(who, "get", target)
        if not everything and not (tenant and who.grants.know(target)):
            authorize(who, "get", target)
        room = cls(edge, who, tenant, workspace, everything)
        async with edge.db.transaction() as tx:
            await room._exists(tx)
        return room

    async def _exists(self, tx: Tx) -> None:
        for noun, name in (("workspace", self.workspace), ("tenant", self.tenant)):
            if name:
                kind = self.edge.resources.registry[noun]
                at = Path(self.tenant if noun == "workspace" else "", name=name)
                if await self.edge.resources.find(tx, self.edge.resources.ref(kind, at)) is None:
                    raise NotFound(f"{noun} {name[:128]!r} does not exist")
                return

    async def visible(self, uids: Collection[uuid.UUID]) -> Collection[uuid.UUID]:
        """Those of these resources that they may read."""
        if self.everything:
            return uids
        edge = self.edge
        allowed = set()
        for row in await edge.db.fetch(_sql.resources, list(uids)):
            resource = from_row(row)
            kind = edge.resources.registry.by_noun.get(resource.kind)
            if kind is not None:
                about = edge.about(kind, edge.resources.path(resource), resource.region)
                if can(self.who, "get", about):
                    allowed.add(resource.uid)
        return allowed


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type=JSON)


def _limit(request: Request, usual: int, most: int) -> int:
    text = request.query_params.get("limit", str(usual))
    if not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise InvalidRequest(
            f"limit is {text[:40]!r}, and must be a number from 1 to {most}",
            sources=[Source(parameter="limit")],
        )
    return int(text)


async def top(edge: Edge, request: Request) -> Response:
    """What runs in a workspace, what it uses now and has cost so far: what tenants asked for, with
    all that it owns. Who may not read that sees what they may read of it."""
    room = await Room.enter(edge, request, "top")
    async with edge.db.transaction(readonly=True) as tx:
        live = await current.used(tx, room.tenant, room.workspace)
    uids = {subject.row[name] for subject in live for name in ("owner", "root_uid")}
    visible = await room.visible(uids - {None})
    shown: dict[uuid.UUID, list[current.Subject]] = {}
    for subject in live:
        for name in ("root_uid", "owner"):
            if (uid := subject.row[name]) in visible:
                shown.setdefault(uid, []).append(subject)
                break
    rows = {row["uid"]: row for row in await edge.db.fetch(_sql.resources, list(shown))}
    async with edge.db.transaction(readonly=True) as tx:
        currency, spent = await costs(tx, room.tenant, rows.keys())
    items = [_running(row, shown[uid], currency, spent.get(uid)) for uid, row in rows.items()]
    return _json({"items": sorted(items, key=lambda item: (item["kind"], item["name"]))})


def _running(
    row: Row, subjects: list[current.Subject], currency: str, spent: tuple[int, int] | None
) -> dict[str, Any]:
    tasks = [subject for subject in subjects if subject.row["sort"] == "task"]
    item = {
        "kind": row["kind"],
        "name": row["name"],
        "ref": row["ref"],
        "tasks": len(tasks),
        "at": sorted({subject.row["source"] for subject in tasks}),
        "uses": current.together([subject.values for subject in subjects]),
    }
    if spent is not None:
        amount, hourly = spent
        item["cost"] = {"currency": currency, "amountNano": amount, "perHourNano": hourly}
    return item


async def hosts(edge: Edge, request: Request) -> Response:
    """What every host uses now and what it has, and what tenants use of them. For operators."""
    await Room.enter(edge, request, "top")
    async with edge.db.transaction(readonly=True) as tx:
        live = await current.used(tx)
        has = {row["at"]: row["capacity"] for row in await tx.fetch(_sql.capacities)}
    found, tenants = [], dict[str, list[current.Subject]]()
    for subject in live:
        source, sort = subject.row["source"], subject.row["sort"]
        if sort == "host":
            capacity = has.get(source) or {}
            total = {name: capacity[name] for name in ("millicores", "memory") if name in capacity}
            gpus = len(capacity.get("gpus", ()))
            found.append({"at": source, "has": {**total, "gpus": gpus}, "uses": subject.values})
        elif sort == "task":
            tenants.setdefault(subject.row["tenant"], []).append(subject)
    using = [
        {"name": name, "tasks": len(tasks), "uses": current.together([t.values for t in tasks])}
        for name, tasks in sorted(tenants.items())
    ]
    return _json({"hosts": sorted(found, key=lambda host: str(host["at"])), "tenants": using})


async def logs(edge: Edge, request: Request) -> Response:
    """Lines of a workspace in which all words stand, newest first."""
    room = await Room.enter(edge, request, "logs")
    where = ref_of(edge.resources.registry["workspace"], Path(room.tenant, name=room.workspace))
    await edge.looks.tell(
        room.who, "logs", tenant=room.tenant, workspace=room.workspace, subject=where
    )
    asked = request.query_params
    now = await edge.db.fetchval("select skerry_now()")
    owners = None
    if asked.get("name") or asked.get("kind"):
        if not (asked.get("name") and asked.get("kind") in edge.resources.registry.by_noun):
            raise InvalidRequest(
                "kind and name go together: the lines of one resource",
                hint="Such as ?kind=job&name=train.",
                sources=[Source(parameter="kind" if asked.get("name") else "name")],
            )
        owners = await family(edge.db, room.tenant, room.workspace, asked["kind"], asked["name"])
    wanted = Search(
        room.tenant,
        room.workspace,
        parse(asked.get("text", "")),
        moment(asked.get("from", "-7d"), now, "from"),
        moment(asked["to"], now, "to") if "to" in asked else now + timedelta(seconds=1),
        owners,
        _limit(request, 200, _MOST_LINES),
        Cursor.read(asked["cursor"]) if asked.get("cursor") else None,
    )
    found = await search(edge.db, wanted, room.visible)
    rows = await edge.db.fetch(_sql.resources, list({row["owner"] for row, _ in found.lines}))
    names = {row["uid"]: (row["kind"], row["name"]) for row in rows}
    answer: dict[str, Any] = {"items": [_line(row, line, names) for row, line in found.lines]}
    if found.next is not None:
        answer["next"] = str(found.next)
    if (cut := await cut_of(edge.db, room.tenant, room.workspace)) is not None:
        answer["cut"] = {"until": stamp(cut["until"]), "bytes": cut["bytes"]}
    return _json(answer)


def _line(row: Row, line: Line, names: Mapping[uuid.UUID, tuple[str, str]]) -> dict[str, Any]:
    kind, name = names.get(row["owner"], ("", ""))
    return {
        "at": stamp(_EPOCH + timedelta(milliseconds=line.at)),
        "kind": kind,
        "name": name,
        "workload": row["workload"],
        "rank": row["rank"],
        "offset": line.offset,
        "stream": "stderr" if line.error else "stdout",
        "text": line.text,
    }


_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


async def usage(edge: Edge, request: Request) -> Response:
    """What a tenant was billed for, over time, by meter."""
    room = await Room.enter(edge, request, "usage")
    authorize(room.who, "get", Target(PROVIDER, room.tenant, resource="usage"))
    asked = request.query_params
    now = await edge.db.fetchval("select skerry_now()")
    start = moment(asked.get("from", "-30d"), now, "from")
    end = moment(asked["to"], now, "to") if "to" in asked else now
    step = asked.get("step", "day")
    if step not in _STEPS or (end - start) / _STEPS[step] > 1000:
        raise InvalidRequest(
            "step is hour or day, for at most 1000 of them", sources=[Source(parameter="step")]
        )
    rows = await edge.db.fetch(
        _sql.usage, room.tenant, start, end, _STEPS[step], asked.get("workspace", "")
    )
    items = [
        {
            "at": stamp(row["at"]),
            "workspace": row["workspace"],
            "product": row["product"],
            "meter": row["meter"],
            "quantity": decimal(row["quantity"], row["per"]),
            "unit": unit_of(row["meter"]),
            "currency": row["currency"],
            "amountNano": row["amount"],
        }
        for row in rows
    ]
    return _json({"from": stamp(start), "to": stamp(end), "step": step, "items": items})


PATHS = {
    f"{BASE}/top": hosts,
    operating.PATH: operating.status,
    utilising.PATH: utilising.utilisation,
    f"{BASE}/alerts": alerting.listed,
    f"{BASE}/alerts/{{alert}}": alerting.one,
    f"{TENANT}/alerts": alerting.listed,
    f"{TENANT}/alerts/{{alert}}": alerting.one,
    f"{TENANT}/usage": usage,
    f"{WORKSPACE}/top": top,
    f"{WORKSPACE}/logs": logs,
}

"""The change feed read backwards: what happened in a tenant, newest first, page by page.

It shows what watching shows (``watch``): positions, verbs, and only resources that the caller may
read. Positions are those of the feed and the log.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from skerry.api.edge import JSON, Edge
from skerry.api.watch import Visible, resource_in
from skerry.kernel.errors import InvalidRequest, NotFound, Source
from skerry.kernel.history import stamp
from skerry.series.views import moment
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.api")
_MOST = 500
LOGIN = "login"
"""The kind of change whose body tells where somebody came from."""
_CURSOR = re.compile(r"(\d{1,17})\.(\d{1,18})")
_POSITION = re.compile(r"\d{1,18}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def page(
    edge: Edge, request: Request, tenant: str, kinds: frozenset[str], visible: Visible
) -> Response:
    """One page; ``next`` is there as long as there is more."""
    asked = request.query_params
    limit = asked.get("limit", "100")
    if not limit.isdecimal() or not 1 <= int(limit[:9]) <= _MOST:
        raise InvalidRequest(
            f"limit is {limit[:40]!r}, and must be a number from 1 to {_MOST}",
            sources=[Source(parameter="limit")],
        )
    now = await edge.db.fetchval("select skerry_now()")
    since = moment(asked["from"], now, "from") if "from" in asked else _EPOCH
    at, position = _before(asked, now)
    rows = await edge.db.fetch(
        _sql.happened, tenant, since, at, position, sorted(kinds) or None,
        asked.get("workspace", ""), int(limit), asked.get("verb", ""), asked.get("actor", ""),
        asked.get("search", ""),
    )  # fmt: skip
    items = [item for row in rows if (item := _item(edge, row, visible)) is not None]
    answer: dict[str, Any] = {"items": items}
    if len(rows) == int(limit):
        last = rows[-1]
        micros = (last["at"] - _EPOCH) // timedelta(microseconds=1)
        answer["next"] = f"{micros}.{last['position']}"
    return Response(msgspec.json.encode(answer), media_type=JSON)


async def one(edge: Edge, tenant: str, position: str, visible: Visible) -> Response:
    """One event with the text and salt that its leaf hashes: what shows, with the log's tiles and
    checkpoint, that it was logged and has not been altered since."""
    found = _POSITION.fullmatch(position)
    row = await edge.db.fetchrow(_sql.at_position, int(position), tenant) if found else None
    item = _item(edge, row, visible) if row is not None else None
    if row is None or item is None:
        raise NotFound(f"there is no event {position[:40]!r} in {tenant}")
    hashed = {"subject": row["subject"], **{key: row[key] for key in ("tenant", "workspace")}}
    item |= hashed | {"body": row["body"], "salt": row["salt"].hex(), "leaf": row["leaf"].decode()}
    return Response(msgspec.json.encode(item), media_type=JSON)


def _before(asked: Mapping[str, str], now: datetime) -> tuple[datetime, int]:
    if cursor := asked.get("cursor"):
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise InvalidRequest(
                f"{cursor[:40]!r} is no cursor",
                hint="Send `next` of the answer before as it is.",
                sources=[Source(parameter="cursor")],
            )
        return _EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    end = moment(asked["to"], now, "to") if "to" in asked else now + timedelta(days=1)
    return end, 2**62


def _item(edge: Edge, row: Row, visible: Visible) -> dict[str, Any] | None:
    known, address = row["kind"] in edge.resources.registry.by_noun, row["address"]
    if known or row["kind"] == LOGIN:
        body = msgspec.json.decode(row["body"])
        if known and not visible(resource_in(body)):
            return None
        address = address or body.get("address", "")
    return {
        "position": row["position"],
        "at": stamp(row["at"]),
        "kind": row["kind"],
        "ref": row["subject"],
        "verb": row["verb"],
        "version": row["version"],
        "actor": row["actor"],
        **({"address": address} if address else {}),
    }

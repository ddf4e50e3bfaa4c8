"""What goes on, for OpenAPI: what runs now, logs, alerts, usage over time, metrics."""

from collections.abc import Mapping
from typing import Any

from skerry.api import operating, rooms, utilising
from skerry.api.openapi_common import (
    READING,
    TEXT,
    TIME,
    Schema,
    json_content,
    path_parameters,
    problems,
    query,
    required,
)
from skerry.kernel import errors

_NUMBER: Schema = {"type": "number"}
_INTEGER: Schema = {"type": "integer"}
_USES: Schema = {
    "type": "object",
    "description": "The newest value of each series that is known",
    "additionalProperties": _NUMBER,
}
_PHASE = query("phase", "open (as they are, if nothing is said) or cleared")
_WATCH = query("watch", "Each that is raised or cleared, as it happens", {"type": "boolean"})
_AFTER = query("from", "With watch: from after this position; -1 is the very beginning")
_FROM = query("from", "A time (RFC 3339), or -1h: so long ago")
_TO = query("to", "A time; now")


def paths() -> Mapping[str, Schema]:
    return {
        f"{rooms.BASE}/top": _read("top_hosts", "What every host uses now", _hosts()),
        operating.PATH: _read("status", "How the cloud is, for its operators", _status()),
        utilising.PATH: _read(
            "utilisation", "What the sites have, what of it is leased, and was busy over time",
            _utilised(), "", _FROM, _TO,
            query("step", "Seconds between two points; about 240 points"),
        ),
        f"{rooms.WORKSPACE}/top": _read(
            "top", "What runs in a workspace, and what it uses now", _running(), "workspace"
        ),
        f"{rooms.WORKSPACE}/logs": _read(
            "search_logs", "Lines of logs in which all words stand, newest first", _lines(),
            "workspace",
            query("text", 'Words, all of which stand in a line; "quoted": side by side'),
            _FROM, _TO,
            query("kind", "With name: only lines of this resource and of what it owns"),
            query("name", "With kind"),
            query("limit", "Lines of a page", {"type": "integer", "minimum": 1, "maximum": 1000}),
            query("cursor", "`next` of the page before"),
        ),
        f"{rooms.BASE}/alerts": _read(
            "list_alerts", "Alerts of everybody", _alerts(), "", _PHASE, _WATCH, _AFTER
        ),
        f"{rooms.TENANT}/alerts": _read(
            "list_tenant_alerts", "Alerts of a tenant", _alerts(), "tenant", _PHASE, _WATCH, _AFTER
        ),
        f"{rooms.BASE}/alerts/{{alert}}": _named("get_alert", "One alert", "alert"),
        f"{rooms.TENANT}/alerts/{{alert}}": _named(
            "get_tenant_alert", "One alert of a tenant", "tenant", "alert"
        ),
        f"{rooms.TENANT}/usage": _read(
            "usage", "What a tenant was billed for, over time", _usage(), "tenant", _FROM, _TO,
            query("step", "hour or day"),
            query("workspace", "Of this workspace only"),
        ),
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Metrics for Prometheus: all for operators, one's own for tenants",
                "responses": {
                    "200": {"description": "Metrics", "content": {"text/plain": {"schema": TEXT}}},
                    **problems(READING),
                },
            }
        },
    }  # fmt: skip


def _read(name: str, summary: str, answer: Schema, scope: str = "", *asked: Schema) -> Schema:
    above = {"": (), "tenant": ("tenant",), "workspace": ("tenant", "workspace")}[scope]
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": json_content(answer, summary),
            **problems((*READING, errors.InvalidRequest)),
        },
    }
    if asked:
        operation["parameters"] = list(asked)
    if _WATCH in asked:
        operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": TEXT}
        operation["responses"] |= problems((errors.Gone,))
    return {"parameters": path_parameters(above), "get": operation} if above else {"get": operation}


def _items(item: Schema, **more: Schema) -> Schema:
    every = {"items": {"type": "array", "items": item}, **more}
    return required(every, *more)


def _utilised() -> Schema:
    amounts = required(dict.fromkeys(("cpu", "memory", "disk", "gpu"), _NUMBER))
    points = {"type": "array", "items": {"type": ["number", "null"]}}
    whole = {
        "hosts": _INTEGER,
        "has": {**amounts, "description": "Cores, bytes, bytes, GPUs"},
        "leased": amounts,
        "used": required(dict.fromkeys(utilising.SERIES, points)),
    }
    site = required({"name": TEXT, **whole})
    sites = {"type": "array", "items": site}
    return required({"from": TIME, "to": TIME, "step": _INTEGER, **whole, "sites": sites})


def _hosts() -> Schema:
    host = required({"at": TEXT, "has": {"type": "object"}, "uses": _USES})
    tenant = required({"name": TEXT, "tasks": _INTEGER, "uses": _USES})
    return required(
        {
            "hosts": {"type": "array", "items": host},
            "tenants": {"type": "array", "items": tenant},
        }
    )


def _status() -> Schema:
    def numbers(*names: str) -> Schema:
        return required(dict.fromkeys(names, _INTEGER))

    silence = {"type": ["number", "null"]}
    process = required(
        {
            **dict.fromkeys(("name", "version"), TEXT),
            "roles": {"type": "array", "items": TEXT},
            "startedAt": TIME,
        }
    )
    place = required(
        {
            **dict.fromkeys(("at", "version"), TEXT),
            **dict.fromkeys(("silentSeconds", "clockAheadSeconds"), silence),
        }
    )
    return required(
        {
            "version": TEXT,
            "processes": {"type": "array", "items": process},
            "places": {"type": "array", "items": place},
            "queue": {"type": "object", "description": "Work in progress"},
            "alerts": numbers("open"),
            "log": {"type": "object", "description": "The published log, and what it lacks"},
            "ledger": {"type": "object", "description": "Whether it balances, how far it is"},
            "disk": numbers("freeBytes", "totalBytes", "databaseBytes"),
        }
    )


def _running() -> Schema:
    at = {"type": "array", "items": TEXT}
    cost = required({"currency": TEXT, **dict.fromkeys(("amountNano", "perHourNano"), _INTEGER)})
    cost["description"] = "What it cost so far, and costs an hour; none where nothing was metered"
    return _items(
        required({**dict.fromkeys(("kind", "name", "ref"), TEXT), "tasks": _INTEGER, "at": at,
                  "uses": _USES, "cost": cost}, "cost")
    )  # fmt: skip


def _lines() -> Schema:
    line = required(
        {
            "at": TIME,
            **dict.fromkeys(("kind", "name", "workload", "text"), TEXT),
            **dict.fromkeys(("rank", "offset"), _INTEGER),
            "stream": {"enum": ["stdout", "stderr"]},
        }
    )
    cut = {
        **required({"until": TIME, "bytes": _INTEGER}),
        "description": "What was let go because the workspace wrote more than its share",
    }
    return _items(line, next={**TEXT, "description": "The cursor of the next page"}, cut=cut)


def _alert() -> Schema:
    names = ("name", "provider", "resource", "apiVersion", "kind", "ref", "tenant")
    metadata = {**dict.fromkeys(names, TEXT), "createdAt": TIME, "lastModifiedAt": TIME}
    status = {
        "state": TEXT,
        "phase": {"enum": ["open", "cleared"]},
        **dict.fromkeys(("message", "remedy"), TEXT),
        **dict.fromkeys(("raisedAt", "clearedAt"), TIME),
    }
    return required(
        {
            "metadata": required(metadata, "tenant"),
            "spec": required(dict.fromkeys(("subject", "reason"), TEXT)),
            "status": required(status, "clearedAt"),
        }
    )


def _alerts() -> Schema:
    return _items(_alert())


def _named(name: str, summary: str, *above: str) -> Schema:
    read = _read(name, summary, _alert())["get"]
    read["responses"] |= problems((errors.NotFound,))
    return {"parameters": path_parameters(above), "get": read}


def _usage() -> Schema:
    item = required(
        {
            "at": TIME,
            **dict.fromkeys(
                ("workspace", "product", "meter", "quantity", "unit", "currency"), TEXT
            ),
            "amountNano": _INTEGER,
        }
    )
    return required(
        {"from": TIME, "to": TIME, "step": TEXT, "items": {"type": "array", "items": item}}
    )

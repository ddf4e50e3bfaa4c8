"""The log of deliveries: every try, when, and what came of it."""

from collections.abc import Mapping
from typing import Any

from skerry.kernel.history import stamp
from skerry.kernel.views import Asked
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.notices")


async def attempts_of_notice(asked: Asked) -> Mapping[str, Any]:
    rows = await asked.db.fetch(_sql.attempts_of_notice, asked.resource.uid)
    return {"items": [_attempt(row) for row in rows]}


async def attempts_of_webhook(asked: Asked) -> Mapping[str, Any]:
    rows = await asked.db.fetch(_sql.attempts_of_webhook, asked.resource.uid)
    return {"items": [_attempt(row) for row in rows]}


def _attempt(row: Row) -> dict[str, Any]:
    return {
        "at": stamp(row["at"]),
        "notice": row["notice"],
        "topic": row["topic"],
        "target": row["target"],
        "try": row["number"],
        "outcome": "delivered" if row["ok"] else "failed",
        **({"code": row["code"]} if row["code"] else {}),
        "said": row["said"],
        "milliseconds": row["milliseconds"],
    }

"""What the hand did, written down: for each queue at one moment one row, and one change that covers
it, which the audit builds again from the row."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from skerry.kernel import changes
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")


async def record(
    tx: Tx, queue: str, verb: str, now: datetime, what: Mapping[str, Any], tenant: str = ""
) -> None:
    """Write down what was done for a queue, in its tenant's history or another's."""
    id = uuid.uuid4()
    body = {"id": str(id), "at": now.isoformat(), "queue": queue, **what}
    change = changes.change_of(
        now,
        kind="queueing",
        subject=str(id),
        verb=verb,
        tenant=tenant or queue.partition("/")[0],
        actor="system",
        body=body,
    )
    await tx.execute(_sql.add_round, id, now, queue, changes.canonical(body).decode(), *change)


@changes.witness("queueing")
async def _rebuild(tx: Tx, subject: str) -> Mapping[str, Any] | None:
    row = await tx.fetchrow(_sql.round, uuid.UUID(subject))
    if row is None:
        return None
    try:
        body: dict[str, Any] = msgspec.json.decode(row["body"])
    except msgspec.DecodeError as error:
        return {"id": subject, "unreadable": str(error)}
    return {**body, "id": subject, "at": row["at"].isoformat(), "queue": row["queue"]}

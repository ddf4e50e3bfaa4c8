"""How far a notice is, as its resource shows it."""

import uuid

from skerry.kernel.resources import Resource, Resources
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.notices")


async def progress(tx: Tx, resources: Resources, notice: uuid.UUID) -> Resource:
    """Write into a notice's status what its deliveries have come to."""
    rows = await tx.fetch(_sql.deliveries_of, notice)
    phases = {row["phase"] for row in rows}
    phase = (
        "sending" if phases & {"waiting", "folded"}
        else "failed" if "failed" in phases
        else "sent" if "sent" in phases
        else "listed"
    )  # fmt: skip
    deliveries = [
        {
            "channel": row["channel"],
            "target": row["target"],
            "phase": row["phase"],
            **({"tries": row["tries"]} if row["tries"] else {}),
            **({"problem": row["error"]} if row["error"] else {}),
        }
        for row in rows
    ]
    return await resources.set_status(tx, notice, status={"phase": phase, "deliveries": deliveries})

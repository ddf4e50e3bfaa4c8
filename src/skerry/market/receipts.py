"""Receipts: what was asked, why it was placed there, what it used and what it cost, proved.

A receipt rests on changes that stand in the log: the resource as it ended, each decision and lease
of it and of what it owns, and the ledger's batches, of which it shows only its own records with
their paths. ``skerry verify`` checks it with nothing but the operator's public key.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from skerry.kernel.errors import Conflict, NotFound
from skerry.kernel.views import Asked
from skerry.ledger.evidence import evidence
from skerry.proof import receipts
from skerry.proof.log import Log
from skerry.proof.receipts import Item, Section
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.market", "receipts.sql")


async def receipt(asked: Asked) -> Mapping[str, Any]:
    """The receipt of a metered resource, over everything so far.

    Raises ``Conflict`` before anything of it was placed, ``Unavailable`` where the newest change
    is not in a signed checkpoint within seconds.
    """
    resource = asked.resource
    async with asked.db.transaction() as tx:
        leases = await tx.fetch(_sql.leases_below, resource.uid)
        if not leases:
            raise Conflict(
                f"{resource.kind} {resource.name!r} has not been placed yet",
                hint="There is a receipt once it has run.",
            )
        sections = [
            Section("resource", "attested-host", await _last(tx, resource.kind, [resource.ref])),
            Section(
                "decisions", "declared", await _last(tx, "decision", _texts(leases, "decision"))
            ),
            Section("leases", "declared", await _last(tx, "lease", _texts(leases, "ref"))),
        ]
        for lease in leases:
            sections += await _usage(tx, lease["id"])
    return await receipts.build(
        asked.db,
        asked.services[Log],
        title=f"{resource.kind} {resource.name} of {resource.tenant}",
        subject=resource.ref,
        sections=[section for section in sections if section.change_ids],
    )


def _texts(rows: Iterable[Mapping[str, Any]], column: str) -> list[str]:
    return list(dict.fromkeys(str(row[column]) for row in rows if row[column] is not None))


async def _last(tx: Tx, kind: str, subjects: list[str]) -> list[uuid.UUID]:
    """The newest change of each subject."""
    rows = await tx.fetch(_sql.last_changes, kind, subjects)
    if len(rows) < len(subjects):
        raise NotFound(f"the log has nothing of some {kind}; run skerry audit verify")
    return [row["id"] for row in rows]


async def _usage(tx: Tx, lease: uuid.UUID) -> list[Section]:
    """The ledger's records of a lease: transfers and usage, each in its batch."""
    found = await evidence(tx, lease)
    items = [
        Item(change_id=batch.change, pointer="", index=item.index, data=item.text, path=item.path)
        for batch in found
        for item in batch.items
    ]
    if not items:
        return []
    return [Section("ledger", "attested-host", [batch.change for batch in found], items)]

"""Receipts: one JSON file that proves a set of changes to whoever has the operator's public key.

Each section has an evidence class and the statements it rests on. This package does not know what
they mean: a statement is a change, given with everything its leaf hashes, and with its place in
the log. An *item* is one text beneath a statement, such as a usage record of a settlement, with
the path to the batch root that stands in the statement's body. The whole is sealed: the operator
signs the digest of every part. ``verify`` is the format's definition, and what checks it.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from skerry.kernel.errors import NotFound, Unavailable
from skerry.proof.log import Log, Published
from skerry.proof.note import Signer
from skerry.proof.verify import FORMAT, seal_text
from skerry.store import Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.proof")

Evidence = Literal["declared", "attested-host", "attested-hardware"]


@dataclass(frozen=True)
class Item:
    """One text of a batch: ``path`` and ``index`` come from ``tree.Batch`` over all its texts.

    ``pointer`` is the JSON pointer of the batch's ``{"root": hex, "size": n}`` in the body of the
    change ``change_id``, which must be one of the section's.
    """

    change_id: uuid.UUID
    pointer: str
    index: int
    data: str
    path: Sequence[str]


@dataclass(frozen=True)
class Section:
    """What one part of a receipt rests on, and who vouches for it."""

    name: str
    evidence: Evidence
    change_ids: Sequence[uuid.UUID]
    items: Sequence[Item] = ()


async def build(
    db: Database,
    log: Log,
    *,
    title: str,
    subject: str,
    sections: Sequence[Section],
    wait_seconds: float = 10.0,
) -> dict[str, Any]:
    """Make a receipt over changes that are in the log, or will be within ``wait_seconds``.

    Raises NotFound for a change that does not exist and Unavailable (503) where one is not yet in
    a signed checkpoint: the caller may try again.
    """
    ids = [id for section in sections for id in section.change_ids]
    published, rows = await _covered(db, log, list(dict.fromkeys(ids)), wait_seconds)
    paths = await log.inclusions([row["position"] for row in rows], published.size)
    statements = {row["id"]: statement(row, path) for row, path in zip(rows, paths, strict=True)}
    issued_at = await db.fetchval("select skerry_now()")
    receipt = {
        "format": FORMAT,
        "origin": log.signer.name,
        "title": title,
        "subject": subject,
        "issuedAt": issued_at.isoformat(),
        "checkpoint": published.note,
        "sections": [_section(section, statements) for section in sections],
    }
    return seal(log.signer, receipt)


def seal(signer: Signer, receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt with the operator's signature over all its parts."""
    return {**receipt, "seal": signer.sign(seal_text(receipt))}


async def _covered(
    db: Database, log: Log, ids: list[uuid.UUID], seconds: float
) -> tuple[Published, list[Row]]:
    """The changes, and a signed checkpoint that covers them all."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        rows = await db.fetch(_sql.statements, ids)
        if missing := [str(id) for id in ids if id not in {row["id"] for row in rows}]:
            raise NotFound(f"there is no change {', '.join(missing)}")
        last = await log.checkpoint()
        positions = [row["position"] for row in rows]
        if last is not None and all(p is not None and p < last.size for p in positions):
            return await log.witnessed(max(positions, default=0) + 1) or last, rows
        if clock() >= deadline:
            raise Unavailable(
                "what this receipt is about is not in a signed checkpoint yet",
                hint="A checkpoint follows within seconds: try again, and see the alerts if not.",
            )
        await asyncio.sleep(0.1)


def statement(row: Row, path: Sequence[bytes]) -> dict[str, Any]:
    """A change with everything its leaf hashes, and its path."""
    return {
        "position": row["position"],
        "subject": row["subject"],
        "tenant": row["tenant"],
        "workspace": row["workspace"],
        "actor": row["actor"],
        "body": row["body"],
        "salt": row["salt"].hex(),
        "leaf": row["leaf"].decode(),
        "path": [step.hex() for step in path],
    }


def _section(section: Section, statements: Mapping[uuid.UUID, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": section.name,
        "evidence": section.evidence,
        "statements": [statements[id] for id in section.change_ids],
        "items": [
            {
                "statement": list(section.change_ids).index(item.change_id),
                "pointer": item.pointer,
                "index": item.index,
                "data": item.data,
                "path": list(item.path),
            }
            for item in section.items
        ],
    }

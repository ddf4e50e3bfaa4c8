"""Decisions written down: each with the versions of everything it followed from.

A decision names the policies that bound it (``Policy.sources``), the states of the offers it saw
(a kept snapshot and what had changed since), its time and its ask; ``recompute`` fetches all of
that, runs ``match`` again and compares. One row of ``change`` covers it: what the audit rebuilds
includes the snapshot's digest, computed again from the states that the decision names.

A refusal is written down when it differs from the last one of the same asker. One that waits and
asks again every few seconds is no news while it is refused the same way.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from skerry.kernel import changes
from skerry.kernel.errors import NotFound
from skerry.kernel.hooks import Caller
from skerry.kernel.rows import Resource
from skerry.market.ask import Row, canonical
from skerry.market.columns import row_digest
from skerry.market.decision import Decision
from skerry.market.match import match
from skerry.market.offers import row_of
from skerry.market.snapshot import Change, Snapshot, named
from skerry.store import Tx
from skerry.store.database import Row as Record
from skerry.store.queries import load

_sql = load("skerry.market", "decisions.sql")
_offers = load("skerry.market", "offers.sql")

Purpose = Literal["placement", "quote"]
Outcome = Literal["placed", "quoted", "unplaced", "unaffordable"]
Member = tuple[str, int]
_BODY = msgspec.json.Decoder(Decision)
_MEMBERS = msgspec.json.Decoder(list[Member])


@dataclass(frozen=True)
class Recorded:
    """A decision as it is stored."""

    id: uuid.UUID
    at: datetime
    tenant: str
    workspace: str
    owner: uuid.UUID
    subject: str
    purpose: Purpose
    outcome: Outcome
    base: str
    changes: tuple[Member, ...]
    decision: Decision


class Tampered(Exception):
    """What a decision was made from is not what it says."""


async def save(
    tx: Tx,
    decision: Decision,
    snapshot: Snapshot,
    owner: Resource,
    *,
    purpose: Purpose,
    outcome: Outcome,
    by: Caller,
) -> Recorded:
    """Write a decision down, or give the owner's last one if it is refused as it was then."""
    if outcome not in ("placed", "quoted"):
        last = await last_of(tx, owner.uid)
        if last is not None and _alike(last, decision, outcome):
            return last
    recorded = Recorded(
        id=uuid.uuid4(),
        at=decision.at,
        tenant=owner.tenant,
        workspace=owner.workspace,
        owner=owner.uid,
        subject=owner.ref,
        purpose=purpose,
        outcome=outcome,
        base=snapshot.base or snapshot.digest,
        changes=tuple((c.offer, c.version) for c in _sorted(snapshot)),
        decision=decision,
    )
    r = recorded
    change = changes.change_of(
        await tx.now(),
        kind="decision",
        subject=str(r.id),
        verb=outcome,
        tenant=r.tenant,
        workspace=r.workspace,
        actor=by.subject,
        body=_body(r, decision.snapshot),
    )
    await tx.execute(
        _sql.add, r.id, r.at, r.tenant, r.workspace, r.owner, r.subject, purpose, outcome, r.base,
        canonical(r.changes).decode(), canonical(decision).decode(), *change,
    )  # fmt: skip
    return recorded


def _sorted(snapshot: Snapshot) -> list[Change]:
    found = snapshot.changes or {}
    return [found[id] for id in sorted(found)]


def _alike(last: Recorded, now: Decision, outcome: Outcome) -> bool:
    """Whether the same ask, under the same policy, is refused for the same reasons."""
    then = last.decision
    return (
        last.outcome == outcome
        and (then.ask, then.policy, then.refused) == (now.ask, now.policy, now.refused)
        and [n.offer for n in then.nearest] == [n.offer for n in now.nearest]
    )


def _body(recorded: Recorded, snapshot: str) -> dict[str, Any]:
    """What the log's leaf covers. ``snapshot``: the digest, as said or as computed again."""
    r = recorded
    return {
        "id": str(r.id),
        "at": r.at.isoformat(),
        "tenant": r.tenant,
        "workspace": r.workspace,
        "owner": str(r.owner),
        "subject": r.subject,
        "purpose": r.purpose,
        "outcome": r.outcome,
        "base": r.base,
        "snapshot": snapshot,
        "decision": msgspec.to_builtins(r.decision),
    }


def _recorded(record: Record) -> Recorded:
    values = dict(record)
    values["decision"] = _BODY.decode(values.pop("body"))
    values["changes"] = tuple(_MEMBERS.decode(values["changes"]))
    return Recorded(**values)


async def get(tx: Tx, id: uuid.UUID) -> Recorded:
    """Raises ``NotFound``."""
    record = await tx.fetchrow(_sql.find, id)
    if record is None:
        raise NotFound(f"decision {id} does not exist")
    return _recorded(record)


async def last_of(tx: Tx, owner: uuid.UUID) -> Recorded | None:
    """The newest decision of a resource."""
    record = await tx.fetchrow(_sql.last_of, owner)
    return _recorded(record) if record else None


async def all_of(tx: Tx, owner: uuid.UUID, limit: int = 100) -> list[Recorded]:
    """A resource's decisions, newest first."""
    return [_recorded(record) for record in await tx.fetch(_sql.all_of, owner, limit)]


async def recompute(tx: Tx, id: uuid.UUID) -> tuple[Recorded, Decision]:
    """A decision, and the one that follows from what it says it was made from.

    They are equal, or somebody altered the decision. Raises ``Tampered`` if the offers it names
    are no longer what they were.
    """
    recorded = await get(tx, id)
    members = await _base_members(tx, recorded.base)
    members.update(recorded.changes)
    rows = await _rows(tx, [(offer, version) for offer, version in members.items() if version])
    said = recorded.decision
    again = match(said.ask, Snapshot.of(rows), said.policy, said.at)
    digest = await _digest(tx, recorded)
    return recorded, msgspec.structs.replace(again, snapshot=digest)


async def _base_members(tx: Tx, digest: str) -> dict[str, int]:
    """The offers of a kept snapshot by version; checks that it is the one of that digest."""
    text = await tx.fetchval(_offers.snapshot, digest)
    if text is None:
        raise Tampered(f"snapshot {digest} is missing")
    members = dict(_MEMBERS.decode(text))
    digests = await _digests(tx, list(members.items()))
    lines = "".join(f"{o}\0{v}\0{digests.get((o, v))}\n" for o, v in sorted(members.items()))
    if "sha256:" + hashlib.sha256(lines.encode()).hexdigest() != digest:
        raise Tampered(f"snapshot {digest} does not hold what its digest says")
    return members


async def _rows(tx: Tx, members: list[Member]) -> list[Row]:
    found: dict[Member, Row] = {}
    for record in await tx.fetch(_offers.states, *_columns(members)):
        row = row_of(record)
        if row_digest(row) != record["digest"]:
            raise Tampered(f"version {row.version} of offer {row.offer.id} was altered")
        found[row.offer.id, row.version] = row
    if len(found) != len(members):
        raise Tampered(f"{len(members) - len(found)} states of offers are missing")
    return list(found.values())


async def _digests(tx: Tx, members: list[Member]) -> dict[Member, str]:
    records = await tx.fetch(_offers.digests, *_columns(members))
    return {(r["offer"], r["version"]): r["digest"] for r in records}


def _columns(members: list[Member]) -> tuple[list[str], list[int]]:
    return [offer for offer, _ in members], [version for _, version in members]


async def _digest(tx: Tx, recorded: Recorded) -> str:
    """The digest of the snapshot that the row names, from the states in the database."""
    if not recorded.changes:
        return recorded.base
    digests = await _digests(tx, list(recorded.changes))
    return named(
        recorded.base,
        {
            offer: Change(offer=offer, version=version, digest=digests.get((offer, version), ""))
            for offer, version in recorded.changes
        },
    )


@changes.witness("decision")
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    record = await tx.fetchrow(_sql.find, uuid.UUID(subject))
    if record is None:
        return None
    try:
        recorded = _recorded(record)
    except msgspec.MsgspecError as error:
        return {"id": subject, "unreadable": str(error)}
    return _body(recorded, await _digest(tx, recorded))

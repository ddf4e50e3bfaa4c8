"""Records: the exact texts that a batch's Merkle root is computed over.

Canonical JSON (sorted keys, no blanks), one text per transfer and per usage row. A receipt carries
such a text and its path to the root; the audit builds every text again from the live rows. The
database's own ``usage_text`` writes the same for usage, since a settlement hashes many; a test
holds the two together.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from skerry.kernel.changes import canonical
from skerry.ledger.transfers import Entry


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """So much of one meter was used in one window, and this is what it cost.

    Stream and start identify it, and the stream is named by lease, meter, sort and its own start:
    the same usage can't be recorded twice.
    """

    stream: uuid.UUID
    lease: uuid.UUID
    tenant: str
    workspace: str
    product: str
    resource: str
    uid: uuid.UUID
    root: uuid.UUID
    """The resource that the tenant asked for and that is billed; ``uid`` may be one it owns."""
    meter: str
    sku: str
    site: str
    region: str
    start: datetime
    end: datetime
    quantity: int
    """In the meter's base units."""
    price: int
    """Nano for ``per`` base units."""
    per: int
    price_version: int
    amount: int
    """Charged, in nano."""
    unbilled: int
    """Due, but not charged since the tenant's money had ended; in nano."""
    currency: str
    period: str
    """``2026-10``: the month whose invoice it stands on."""
    devices: tuple[str, ...] = ()
    """Of GPUs: the UUIDs of those that were used."""


def iso(at: datetime) -> str:
    """UTC with microseconds, always 27 characters."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _TransferText(msgspec.Struct, frozen=True):
    """Its fields in the order of their names: JSON that is canonical as it is written."""

    amount: int
    code: str
    credit: uuid.UUID
    debit: uuid.UUID
    expires: str | None
    id: uuid.UUID
    pending: uuid.UUID | None
    subject: str
    type: str
    verb: str


def transfer_text(entry: Entry) -> str:
    expires = iso(entry.expires_at) if entry.expires_at else None
    e = entry
    text = _TransferText(
        e.amount, e.code, e.credit, e.debit, expires, e.id, e.pending, e.subject, "transfer", e.verb
    )
    return msgspec.json.encode(text).decode()


def usage_text(record: UsageRecord) -> str:
    fields = msgspec.to_builtins(record) | {
        "start": iso(record.start),
        "end": iso(record.end),
        "type": "usage",
    }
    if not record.devices:
        del fields["devices"]
    return canonical(fields).decode()


def usage_record(row: Mapping[str, Any]) -> UsageRecord:
    """From a row of the ``usage_of_*`` queries."""
    told = {name: row[name] for name in UsageRecord.__struct_fields__}
    period, devices = row["period"].strftime("%Y-%m"), tuple(row["devices"])
    return UsageRecord(**{**told, "period": period, "devices": devices})

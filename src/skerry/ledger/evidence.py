"""What a receipt carries of the ledger: a lease's transfers and usage, each with its path to the
root that the log holds."""

import uuid
from collections import defaultdict

import msgspec

from skerry.ledger.records import transfer_text, usage_record, usage_text
from skerry.ledger.transfers import Entry
from skerry.proof.tree import cut, inclusion, leaf_hash, memory
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "batches.sql")


class Item(msgspec.Struct, frozen=True):
    """One record: its exact text, its number in the batch, and the hashes that lead to the root
    (hex)."""

    text: str
    index: int
    path: list[str]


class Evidence(msgspec.Struct, frozen=True):
    """The records of a lease in one batch. ``change`` is the change whose body holds the batch's
    ``root`` and ``size`` (at the body's top level)."""

    batch: int
    change: uuid.UUID
    items: list[Item]


async def evidence(tx: Tx, lease: uuid.UUID) -> list[Evidence]:
    """Everything the ledger wrote for a lease, oldest batch first.

    A record that was altered since is in no batch any more and is left out: the audit names it.
    """
    texts: dict[int, list[str]] = defaultdict(list)
    for row in await tx.fetch(_sql.transfers_of_subject, str(lease)):
        fields = {name: row[name] for name in Entry.__struct_fields__}
        texts[row["batch"]].append(transfer_text(Entry(**fields)))
    for row in await tx.fetch(_sql.usage_of_lease, lease):
        texts[row["batch"]].append(usage_text(usage_record(row)))
    found = []
    for row in await tx.fetch(_sql.batches, sorted(texts)):
        found.append(Evidence(row["id"], row["change_id"], _items(texts[row["id"]], row["hashes"])))
    return found


def _items(texts: list[str], sealed: bytes) -> list[Item]:
    hashes = cut(sealed)
    place = {digest: index for index, digest in enumerate(hashes)}
    node = memory(hashes)
    items = []
    for text in texts:
        index = place.get(leaf_hash(text.encode()))
        if index is not None:
            path = [step.hex() for step in inclusion(index, len(hashes), node)]
            items.append(Item(text, index, path))
    return items

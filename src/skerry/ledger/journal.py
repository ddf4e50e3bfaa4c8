"""Writing to the ledger: the door for callers with a transaction of their own, and the one batch
that both doors write.

``post`` does its transfers with the caller's other changes or not at all (a lease and its hold).
``Draft`` is a batch being written: transfers, and the usage rows that a settlement put under the
same number. ``seal`` ends it with one row of ``change`` that holds the Merkle root over all its
records, in the order of transfers by id, then usage by stream and start.

Two transactions never wait for each other in a circle: a lease is locked before accounts, and
accounts in the order of their ids.
"""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar

import asyncpg
import msgspec

from skerry.kernel import changes
from skerry.kernel.errors import Conflict
from skerry.ledger import money
from skerry.ledger.chart import account_of
from skerry.ledger.records import transfer_text, usage_record, usage_text
from skerry.ledger.transfers import Account, Books, Delta, Entry, Result, Transfer, touched
from skerry.proof.audit import explain
from skerry.proof.tree import cut, leaf_hash, root
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "accounts.sql")
_batches = load("skerry.ledger", "batches.sql")

KIND = "ledger.batch"
_COLUMNS = tuple(map(attrgetter, Entry.__struct_fields__))


class Refused(Conflict):
    """The ledger will not do it. ``result`` says which transfer and why."""

    def __init__(self, detail: str, result: Result, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.result = result


class InsufficientFunds(Refused):
    """An account would be overdrawn, beyond what its terms allow."""


async def post(tx: Tx, transfers: Sequence[Transfer], *, actor: str = "system") -> list[Result]:
    """Do all of the transfers in the caller's transaction, as one batch.

    Raises ``InsufficientFunds`` or ``Refused`` if one can't be done; none is then.
    """
    draft = await Draft.open(tx)
    results = await draft.post(transfers)
    await draft.seal(actor=actor)
    return results


async def load_books(tx: Tx, transfers: Sequence[Transfer]) -> Books:
    """Lock the accounts that the transfers touch and read all that decides about them."""
    # Those that an ending does not name are found at what it ends, which never changes.
    pendings = [t.pending for t in transfers if t.pending is not None]
    unnamed = [t.pending for t in transfers if t.pending and None in (t.debit, t.credit)]
    begun = [entry_of(r) for r in await tx.fetch(_sql.transfers_by_id, unnamed)] if unnamed else []
    ids = touched(transfers, {entry.id: entry for entry in begun})
    accounts = await lock(tx, ids)
    # Whatever ended a pending transfer, or came before under the same id, held these locks too.
    rows = await tx.fetch(_sql.transfers_by_id, [*pendings, *(t.id for t in transfers)])
    return Books(
        accounts=accounts,
        now=await tx.now(),
        stored={row["id"]: entry_of(row) for row in rows},
        ended={row["id"] for row in rows if row["ended"]},
    )


async def lock(tx: Tx, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Account]:
    """Those of the accounts that there are, held until the transaction ends."""
    rows = await tx.fetch(_sql.accounts_locked, list(ids))
    return {row["id"]: account_of(row) for row in rows}


def entry_of(row: Row) -> Entry:
    """Of a row that may have more columns than an entry."""
    return Entry(**{name: row[name] for name in Entry.__struct_fields__})


class Draft:
    """A batch in the making, inside one transaction."""

    MOST: ClassVar[int] = 1_000
    """Transfers in a batch of the writer."""

    def __init__(self, tx: Tx, id: int, at: datetime) -> None:
        self.tx = tx
        self.id = id
        self.at = at
        self._entries: list[Entry] = []
        self._deltas: dict[uuid.UUID, Delta] = {}
        self._usage = False

    @classmethod
    async def open(cls, tx: Tx) -> "Draft":
        return cls(tx, await tx.fetchval(_batches.next_id), await tx.now())

    def with_usage(self) -> None:
        """Say that usage rows were written under this batch's number."""
        self._usage = True

    async def post(self, transfers: Sequence[Transfer]) -> list[Result]:
        """All, or an exception that says which one failed and why. ``seal`` writes them."""
        if not transfers:
            return []
        return self.enter(await load_books(self.tx, transfers), transfers)

    def enter(self, books: Books, transfers: Sequence[Transfer]) -> list[Result]:
        """``post`` on books that the caller has loaded."""
        results = books.apply(transfers)
        for transfer, result in zip(transfers, results, strict=True):
            if not result.ok and result.outcome != "chain-broken":
                raise _refusal(transfers, transfer, result, books)
        self.take(books)
        return results

    def take(self, books: Books) -> None:
        """What these books decided is the batch."""
        self._entries = books.new
        self._deltas = {id: delta for id, delta in books.deltas.items() if delta != Delta()}

    async def seal(self, *, actor: str = "system") -> int | None:
        """Write the batch, all in one statement, as one change; its number, or None if there is
        nothing of it."""
        hashes = [
            leaf_hash(transfer_text(entry).encode())
            for entry in sorted(self._entries, key=lambda e: e.id.int)
        ]
        if self._usage:
            hashes += cut(await self.tx.fetchval(_batches.usage_hashes, self.id) or b"")
        if not hashes:
            return None
        top = root(hashes).hex()
        change = changes.change_of(
            await self.tx.now(),
            kind=KIND,
            subject=subject_of(self.id),
            verb="post",
            tenant="",
            actor=actor,
            body=body_of(top, len(hashes), len(self._entries)),
        )
        deltas = self._deltas.values()
        try:
            await self.tx.execute(
                _batches.write,
                self.id,
                self.at,
                len(hashes),
                top,
                b"".join(hashes),
                *([column(entry) for entry in self._entries] for column in _COLUMNS),
                list(self._deltas),
                [d.debits_pending for d in deltas],
                [d.debits_posted for d in deltas],
                [d.credits_pending for d in deltas],
                [d.credits_posted for d in deltas],
                *change,
            )
        except asyncpg.UniqueViolationError as error:
            raise Conflict("another transfer was just written under the same id") from error
        return self.id


def _refusal(all: Sequence[Transfer], transfer: Transfer, result: Result, books: Books) -> Refused:
    if result.outcome != "exceeds-credits":
        return Refused(f"transfer {transfer.id} was refused: {result.outcome}", result)
    assert transfer.debit is not None
    account = books.accounts[transfer.debit]
    left = max(account.available or 0, 0)
    needed = sum(t.amount or 0 for t in all if t.debit == transfer.debit)
    return InsufficientFunds(
        f"{money.text(needed)} {account.currency} are needed and "
        f"{money.text(left)} {account.currency} are left in {account.owner}'s {account.code}",
        result,
        hint="Pay in, ask the operator for more credit, or stop something that holds money.",
    )


def subject_of(batch: int) -> str:
    return f"ledger/batches/{batch}"


def body_of(top: str, size: int, transfers: int) -> dict[str, Any]:
    return {"root": top, "size": size, "transfers": transfers, "usage": size - transfers}


async def texts_of(tx: Tx, batch: int) -> list[str]:
    """The records of a batch as the live rows tell them now, in its order."""
    transfers = await tx.fetch(_batches.transfers_of, batch)
    found = [transfer_text(Entry(**dict(row))) for row in transfers]
    usage = await tx.fetch(_batches.usage_of_batch, batch)
    return found + [usage_text(usage_record(row)) for row in usage]


@changes.witness(KIND)
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    batch = int(subject.rpartition("/")[2])
    texts = await texts_of(tx, batch)
    if not texts:
        return None
    top = root([leaf_hash(text.encode()) for text in texts]).hex()
    count = sum(1 for text in texts if '"type":"transfer"' in text)
    return body_of(top, len(texts), count)


class Altered(msgspec.Struct, frozen=True):
    """A record of a batch that is not what was sealed."""

    batch: int
    text: str
    """As the rows have it now; empty if the row is gone."""


async def altered(tx: Tx, batch: int) -> list[Altered]:
    """Name the records of a batch that differ from the hashes sealed with it."""
    sealed = await tx.fetchval(_batches.hashes_of, batch) or b""
    expected = set(cut(sealed))
    found: list[Altered] = []
    seen = set()
    for text in await texts_of(tx, batch):
        digest = hashlib.sha256(b"\x00" + text.encode()).digest()
        if digest in expected:
            seen.add(digest)
        else:
            found.append(Altered(batch, text))
    missing = len(expected - seen) - len(found)
    return found + [Altered(batch, "")] * max(missing, 0)


@explain(KIND)
async def _explain(tx: Tx, subject: str) -> list[str]:
    found = await altered(tx, int(subject.rpartition("/")[2]))
    return [f"is not what was sealed: {a.text}" if a.text else "a record is gone" for a in found]

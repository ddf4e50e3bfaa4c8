"""Transfers and the rules they keep, as a pure function of the accounts they touch.

Five verbs. ``move`` moves money at once. ``pending`` reserves it on both accounts and ends exactly
once: ``post`` moves all or part of it and gives the rest back, ``void`` gives all back, ``expire``
does so after its time has passed. A *chain* is done as a whole or not at all.

A transfer's id is its idempotency: the same transfer again is answered ``exists`` and changes
nothing; another transfer under that id is refused. A refused transfer leaves no trace.

``Books`` holds what a batch needs to know and decides transfer by transfer. Both doors to the
ledger, and the tests, run this same code; the database only stores what it decided.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Literal

import msgspec

from skerry.ledger.money import MOST

Verb = Literal["move", "pending", "post", "void", "expire"]
Guard = Literal["none", "debits", "credits"]
Outcome = Literal[
    "done",
    "exists",
    "id-in-use",
    "account-unknown",
    "same-account",
    "currencies-differ",
    "amount-invalid",
    "exceeds-credits",
    "exceeds-debits",
    "pending-unknown",
    "pending-ended",
    "pending-expired",
    "not-yet-expired",
    "exceeds-pending",
    "chain-broken",
]


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A wish. For ``post``, ``void`` and ``expire`` the accounts are those of the pending one, and
    a ``post`` without amount takes all of it."""

    id: uuid.UUID
    verb: Verb = "move"
    debit: uuid.UUID | None = None
    credit: uuid.UUID | None = None
    amount: int | None = None
    pending: uuid.UUID | None = None
    expires_at: datetime | None = None
    code: str
    """What it is for: ``payment``, ``hold``, ``usage``, ``release``, ``rounding``, …"""
    subject: str = ""
    """Whose: a lease, an invoice."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer as it was done and is stored."""

    id: uuid.UUID
    verb: Verb
    debit: uuid.UUID
    credit: uuid.UUID
    amount: int
    pending: uuid.UUID | None
    expires_at: datetime | None
    code: str
    subject: str


class Result(msgspec.Struct, frozen=True):
    id: uuid.UUID
    outcome: Outcome

    @property
    def ok(self) -> bool:
        return self.outcome in ("done", "exists")


@dataclass
class Account:
    """Counters in nano. A *guard* of ``debits`` keeps debits from exceeding credits by more than
    ``allowance`` (0 = prepaid; a limit = credit); ``credits`` is the mirror of it."""

    id: uuid.UUID
    owner: str
    workspace: str
    code: str
    currency: str
    guard: Guard = "none"
    allowance: int = 0
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    @property
    def balance(self) -> int:
        """Credits less debits, of what is posted."""
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> int | None:
        """How much more may be debited; None: any amount."""
        if self.guard != "debits":
            return None
        return self.allowance + self.balance - self.debits_pending

    @property
    def receivable(self) -> int | None:
        """How much more may be credited; None: any amount."""
        if self.guard != "credits":
            return None
        return self.allowance - self.balance - self.credits_pending


@dataclass
class Delta:
    """What a batch changes on one account."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    def add(self, debit: bool, pending: int, posted: int) -> None:
        if debit:
            self.debits_pending += pending
            self.debits_posted += posted
        else:
            self.credits_pending += pending
            self.credits_posted += posted


class _Refused(Exception):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


@dataclass
class Books:
    """The accounts, transfers and endings that a batch may touch, locked by whoever loaded them."""

    accounts: Mapping[uuid.UUID, Account]
    now: datetime
    stored: dict[uuid.UUID, Entry] = field(default_factory=dict)
    """Transfers that exist: those whose ids come again, and the pending ones that are to end."""
    ended: set[uuid.UUID] = field(default_factory=set)
    """Pending transfers that have ended."""
    new: list[Entry] = field(default_factory=list)
    """What this batch adds, in order."""
    deltas: dict[uuid.UUID, Delta] = field(default_factory=dict)

    def apply(self, chain: Sequence[Transfer]) -> list[Result]:
        """Do the whole chain, or none of it and say which link failed."""
        done: list[Entry] = []
        results: list[Result] = []
        for position, transfer in enumerate(chain):
            try:
                entry = self._decide(transfer)
            except _Refused as refused:
                for made in reversed(done):
                    self._undo(made)
                broken = [Result(t.id, "chain-broken") for t in chain]
                broken[position] = Result(transfer.id, refused.outcome)
                return broken
            if entry is None:
                results.append(Result(transfer.id, "exists"))
                continue
            self._book(entry, 1)
            self.stored[entry.id] = entry
            if entry.pending is not None:
                self.ended.add(entry.pending)
            done.append(entry)
            results.append(Result(transfer.id, "done"))
        self.new += done
        return results

    def _undo(self, entry: Entry) -> None:
        self._book(entry, -1)
        del self.stored[entry.id]
        if entry.pending is not None:
            self.ended.discard(entry.pending)

    def _decide(self, transfer: Transfer) -> Entry | None:
        """The entry it makes; None if it was made before."""
        before = self.stored.get(transfer.id)
        if before is not None:
            if not self._same(transfer, before):
                raise _Refused("id-in-use")
            return None
        if transfer.verb in ("move", "pending"):
            return self._begin(transfer)
        return self._end(transfer)

    def _same(self, transfer: Transfer, entry: Entry) -> bool:
        """Whether the wish is the one that was stored under its id."""
        if (transfer.verb, transfer.pending, transfer.code, transfer.subject) != (
            entry.verb,
            entry.pending,
            entry.code,
            entry.subject,
        ):
            return False
        if entry.pending is None:
            wish = (transfer.debit, transfer.credit, transfer.amount)
            expiry = transfer.expires_at if transfer.verb == "pending" else None
            return wish == (entry.debit, entry.credit, entry.amount) and expiry == entry.expires_at
        whole = self.stored[entry.pending].amount
        amount = whole if transfer.amount is None else transfer.amount
        return _fits(transfer, entry) and amount == entry.amount

    def _begin(self, transfer: Transfer) -> Entry:
        debit = self.accounts.get(transfer.debit) if transfer.debit else None
        credit = self.accounts.get(transfer.credit) if transfer.credit else None
        if debit is None or credit is None:
            raise _Refused("account-unknown")
        if debit.id == credit.id:
            raise _Refused("same-account")
        if debit.currency != credit.currency:
            raise _Refused("currencies-differ")
        amount = transfer.amount
        if amount is None or not 0 <= amount <= MOST or transfer.pending is not None:
            raise _Refused("amount-invalid")
        if debit.available is not None and amount > max(debit.available, 0):
            raise _Refused("exceeds-credits")
        if credit.receivable is not None and amount > max(credit.receivable, 0):
            raise _Refused("exceeds-debits")
        return _entry(transfer, debit.id, credit.id, amount)

    def _end(self, transfer: Transfer) -> Entry:
        pending = self.stored.get(transfer.pending) if transfer.pending else None
        if pending is None or pending.verb != "pending" or not _fits(transfer, pending):
            raise _Refused("pending-unknown")
        if pending.id in self.ended:
            raise _Refused("pending-ended")
        late = pending.expires_at is not None and self.now >= pending.expires_at
        if transfer.verb == "expire" and not late:
            raise _Refused("not-yet-expired")
        if transfer.verb != "post":
            if transfer.amount is not None:
                raise _Refused("amount-invalid")
            return _entry(transfer, pending.debit, pending.credit, pending.amount)
        if late:
            raise _Refused("pending-expired")
        amount = pending.amount if transfer.amount is None else transfer.amount
        if amount < 0:
            raise _Refused("amount-invalid")
        if amount > pending.amount:
            raise _Refused("exceeds-pending")
        return _entry(transfer, pending.debit, pending.credit, amount)

    def _book(self, entry: Entry, sign: int) -> None:
        """Add (or, with -1, take back) the entry's effect on both accounts."""
        pending, posted = effect(entry, self.stored)
        for id, debit in ((entry.debit, True), (entry.credit, False)):
            self.deltas.setdefault(id, Delta()).add(debit, sign * pending, sign * posted)
            account = self.accounts[id]
            if debit:
                account.debits_pending += sign * pending
                account.debits_posted += sign * posted
            else:
                account.credits_pending += sign * pending
                account.credits_posted += sign * posted


def effect(entry: Entry, stored: Mapping[uuid.UUID, Entry]) -> tuple[int, int]:
    """What an entry adds to pending and to posted, alike on its debit and its credit account."""
    if entry.verb == "move":
        return 0, entry.amount
    if entry.verb == "pending":
        return entry.amount, 0
    assert entry.pending is not None
    held = stored[entry.pending].amount
    return -held, entry.amount if entry.verb == "post" else 0


def _entry(transfer: Transfer, debit: uuid.UUID, credit: uuid.UUID, amount: int) -> Entry:
    return Entry(
        id=transfer.id,
        verb=transfer.verb,
        debit=debit,
        credit=credit,
        amount=amount,
        pending=transfer.pending,
        expires_at=transfer.expires_at if transfer.verb == "pending" else None,
        code=transfer.code,
        subject=transfer.subject,
    )


def _fits(transfer: Transfer, pending: Entry) -> bool:
    """An ending may leave the accounts out, but not name others."""
    return transfer.debit in (None, pending.debit) and transfer.credit in (None, pending.credit)


_number = attrgetter("int")  # the order of UUIDs, which compare far more slowly


def touched(transfers: Iterable[Transfer], stored: Mapping[uuid.UUID, Entry]) -> list[uuid.UUID]:
    """The accounts that a batch touches, sorted: the order in which they are locked."""
    ids: set[uuid.UUID] = set()
    for transfer in transfers:
        for id in (transfer.debit, transfer.credit):
            if id is not None:
                ids.add(id)
        before = stored.get(transfer.pending) if transfer.pending else None
        if before is not None:
            ids |= {before.debit, before.credit}
    return sorted(ids, key=_number)

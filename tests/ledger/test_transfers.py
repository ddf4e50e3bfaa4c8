"""The rules of transfers, against a plain model, without a database."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from skerry.ledger.transfers import Account, Books, Entry, Result, Transfer, effect, touched

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def uid(n: int) -> uuid.UUID:
    return uuid.UUID(int=n)


def accounts() -> dict[uuid.UUID, Account]:
    """One that may not go below zero, one with credit, a mirror of the first, one without guard."""
    return {
        uid(1): Account(uid(1), "a", "", "funds", "EUR", "debits", 0),
        uid(2): Account(uid(2), "b", "", "funds", "EUR", "debits", 50),
        uid(3): Account(uid(3), "", "", "cash", "EUR", "credits", 0),
        uid(4): Account(uid(4), "", "", "promo", "EUR"),
        uid(5): Account(uid(5), "c", "", "funds", "USD"),
    }


def books(**more: object) -> Books:
    return Books(accounts(), EPOCH, **more)  # type: ignore[arg-type]


def move(n: int, debit: int, credit: int, amount: int, **more: object) -> Transfer:
    fields = {"verb": "move", "code": "test"} | more
    return Transfer(id=uid(n), debit=uid(debit), credit=uid(credit), amount=amount, **fields)  # type: ignore[arg-type]


def ending(n: int, verb: str, pending: int, **more: object) -> Transfer:
    return Transfer(id=uid(n), verb=verb, pending=uid(pending), code="test", **more)  # type: ignore[arg-type]


def outcomes(results: list[Result]) -> list[str]:
    return [result.outcome for result in results]


class Machine(RuleBasedStateMachine):
    """Any interleaving of verbs keeps the invariants, and a second submission has no effect."""

    def __init__(self) -> None:
        super().__init__()
        self.books = books()
        self.sent: dict[uuid.UUID, Transfer] = {}

    amount = st.integers(0, 60)
    number = st.integers(100, 130)
    account = st.integers(1, 4)

    @rule(n=number, debit=account, credit=account, amount=amount, wait=st.booleans(),
          ttl=st.none() | st.integers(1, 5))  # fmt: skip
    def begin(
        self, n: int, debit: int, credit: int, amount: int, wait: bool, ttl: int | None
    ) -> None:
        expires = self.books.now + timedelta(seconds=ttl) if wait and ttl else None
        self.send([move(n, debit, credit, amount, verb="pending" if wait else "move",
                        expires_at=expires)])  # fmt: skip

    @rule(n=number, of=number, verb=st.sampled_from(["post", "void", "expire"]),
          amount=st.none() | amount)  # fmt: skip
    def end(self, n: int, of: int, verb: str, amount: int | None) -> None:
        self.send([ending(n, verb, of, amount=amount if verb == "post" else None)])

    @rule(first=number, second=number, amounts=st.tuples(amount, amount), via=account)
    def chain(self, first: int, second: int, amounts: tuple[int, int], via: int) -> None:
        self.send([move(first, 4, via, amounts[0]), move(second, via, 2, amounts[1])])

    @rule(seconds=st.integers(1, 5))
    def wait(self, seconds: int) -> None:
        self.books.now += timedelta(seconds=seconds)

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        if self.sent:
            transfer = data.draw(st.sampled_from(sorted(self.sent.values(), key=lambda t: t.id)))
            before = repr(self.books.accounts)
            assert outcomes(self.books.apply([transfer])) == ["exists"]
            assert repr(self.books.accounts) == before

    def send(self, transfers: list[Transfer]) -> None:
        before = repr((self.books.accounts, self.books.stored, self.books.ended))
        results = self.books.apply(transfers)
        if all(result.ok for result in results):
            self.sent |= {transfer.id: transfer for transfer in transfers}
        else:
            assert repr((self.books.accounts, self.books.stored, self.books.ended)) == before
            assert not any(result.ok for result in results)

    @invariant()
    def adds_up_to_zero(self) -> None:
        assert sum(account.balance for account in self.books.accounts.values()) == 0

    @invariant()
    def counters_are_the_sums_of_the_entries(self) -> None:
        for account in self.books.accounts.values():
            debits = [effect(e, self.books.stored) for e in self.books.new if e.debit == account.id]
            credits = [
                effect(e, self.books.stored) for e in self.books.new if e.credit == account.id
            ]
            assert account.debits_pending == sum(p for p, _ in debits) >= 0
            assert account.debits_posted == sum(p for _, p in debits)
            assert account.credits_pending == sum(p for p, _ in credits) >= 0
            assert account.credits_posted == sum(p for _, p in credits)

    @invariant()
    def guards_hold(self) -> None:
        for account in self.books.accounts.values():
            assert account.available is None or account.available >= 0
            assert account.receivable is None or account.receivable >= 0

    @invariant()
    def a_pending_transfer_ends_once_and_gives_no_more_than_it_held(self) -> None:
        ends = [entry for entry in self.books.new if entry.pending is not None]
        assert len({entry.pending for entry in ends}) == len(ends)
        assert {entry.pending for entry in ends} == self.books.ended
        for entry in ends:
            assert entry.amount <= self.books.stored[entry.pending].amount  # type: ignore[index]


TestMachine = Machine.TestCase


def test_money_comes_from_somewhere() -> None:
    b = books()
    assert outcomes(b.apply([move(1, 4, 1, 30)])) == ["done"]
    assert outcomes(b.apply([move(2, 1, 4, 31)])) == ["exceeds-credits"]
    assert outcomes(b.apply([move(3, 2, 4, 50)])) == ["done"]
    assert outcomes(b.apply([move(4, 2, 4, 1)])) == ["exceeds-credits"]
    assert outcomes(b.apply([move(5, 1, 3, 1)])) == ["exceeds-debits"]


def test_another_body_under_the_same_id_is_refused() -> None:
    b = books()
    b.apply([move(1, 4, 1, 30)])
    b.apply([move(2, 4, 1, 30, verb="pending")])
    b.apply([ending(3, "post", 2, amount=10)])
    assert outcomes(b.apply([move(1, 4, 1, 31)])) == ["id-in-use"]
    assert outcomes(b.apply([move(1, 4, 1, 30, code="other")])) == ["id-in-use"]
    assert outcomes(b.apply([move(1, 4, 2, 30)])) == ["id-in-use"]
    assert outcomes(b.apply([ending(3, "post", 2, amount=10)])) == ["exists"]
    assert outcomes(b.apply([ending(3, "post", 2, amount=10, debit=uid(4))])) == ["exists"]
    assert outcomes(b.apply([ending(3, "post", 2, amount=10, debit=uid(3))])) == ["id-in-use"]
    assert outcomes(b.apply([ending(3, "post", 2)])) == ["id-in-use"]


def test_what_makes_no_sense_is_refused() -> None:
    b = books()
    assert outcomes(b.apply([move(1, 9, 1, 1)])) == ["account-unknown"]
    assert outcomes(b.apply([Transfer(id=uid(1), code="x", amount=1)])) == ["account-unknown"]
    assert outcomes(b.apply([move(1, 4, 4, 1)])) == ["same-account"]
    assert outcomes(b.apply([move(1, 4, 5, 1)])) == ["currencies-differ"]
    assert outcomes(b.apply([move(1, 4, 1, -1)])) == ["amount-invalid"]
    assert outcomes(b.apply([move(1, 4, 1, 2**63)])) == ["amount-invalid"]
    assert outcomes(b.apply([move(1, 4, 1, 1, pending=uid(7))])) == ["amount-invalid"]


def test_a_pending_transfer_is_posted_voided_or_expired() -> None:
    b = books()
    b.apply([move(1, 4, 1, 30)])
    held = b.apply([move(2, 1, 4, 30, verb="pending", expires_at=EPOCH + timedelta(seconds=9))])
    assert outcomes(held) == ["done"]
    assert outcomes(b.apply([move(3, 1, 4, 1)])) == ["exceeds-credits"]
    assert outcomes(b.apply([ending(4, "post", 2, amount=31)])) == ["exceeds-pending"]
    assert outcomes(b.apply([ending(4, "post", 2, amount=-1)])) == ["amount-invalid"]
    assert outcomes(b.apply([ending(4, "void", 2, amount=3)])) == ["amount-invalid"]
    assert outcomes(b.apply([ending(4, "post", 1)])) == ["pending-unknown"]
    assert outcomes(b.apply([ending(4, "post", 2, credit=uid(3))])) == ["pending-unknown"]
    assert outcomes(b.apply([ending(4, "expire", 2)])) == ["not-yet-expired"]
    b.now += timedelta(seconds=9)
    assert outcomes(b.apply([ending(4, "post", 2)])) == ["pending-expired"]
    assert outcomes(b.apply([ending(4, "expire", 2)])) == ["done"]
    assert outcomes(b.apply([ending(5, "void", 2)])) == ["pending-ended"]
    assert b.accounts[uid(1)].available == 30


def test_a_chain_is_done_as_a_whole_or_not_at_all() -> None:
    b = books()
    results = b.apply([move(1, 4, 1, 10), move(2, 1, 4, 10, verb="pending"),
                       ending(3, "void", 2), move(4, 1, 4, 11)])  # fmt: skip
    assert outcomes(results) == ["chain-broken"] * 3 + ["exceeds-credits"]
    assert b.accounts == accounts()
    assert not b.new
    assert outcomes(b.apply([move(1, 4, 1, 10), move(2, 1, 4, 10)])) == ["done", "done"]


def test_accounts_are_locked_in_one_order() -> None:
    stored = {uid(2): Entry(id=uid(2), verb="pending", debit=uid(9), credit=uid(8), amount=1,
                            pending=None, expires_at=None, code="", subject="")}  # fmt: skip
    assert touched([move(1, 4, 1, 1), ending(3, "void", 2), ending(4, "void", 7)], stored) == [
        uid(1), uid(4), uid(8), uid(9),
    ]  # fmt: skip

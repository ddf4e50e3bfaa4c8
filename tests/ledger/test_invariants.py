"""The ledger under any sequence of what can happen to it, and a crash at any statement of it.

The numbers are those of the invariants that the product promises. One sequence is the life of one
tenant on a real database that it shares with all sequences before it; after each step one statement
looks for whatever breaks an invariant, and at the end the month is invoiced.

1. All balances add up to nothing, and each is the sum of its transfers.
2. Nobody spends what is held or was never paid in, and what is held is what the holds have left.
3. The same again does nothing; something else under the same name is refused.
4. What was set aside ends once: posted, voided or expired, and at most that much is posted.
8. What a tenant is charged is what its product earned; rounding is less than a cent a line.
9. The invoice is its lines, is the ledger, is the export.
10. A stream costs what its quantity costs, however it was cut.
11. No time is billed twice, nor outside of what ran and was seen.
14. After a crash at any statement, all of that holds.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)

from skerry.kernel.errors import Conflict
from skerry.ledger import chart, focus, holds, invoices, journal, money, settle, streams
from skerry.ledger.chart import Terms
from skerry.ledger.ids import named
from skerry.ledger.settler import Settler
from skerry.ledger.transfers import Transfer
from skerry.ledger.windows import micros, month_of
from skerry.store import Database, Tx
from tests.dying import DyingTx, Killed
from tests.harness.sequences import run_sequences
from tests.ledger.world import HOURLY, START, charges, lease_of, pay_in, prices, set_clock

FUNDS = HOURLY // 2 + 500
MANY = 150
LONG = 4_000
"""Sequences: 500 and 10,000 with those of market and log."""

BROKEN = """
with own as (select * from account where owner = $1),
fresh as (
  select t.*, p.amount as pended from transfer t left join transfer p on p.id = t.pending
  where t.batch > $2
), sums as (
  select a.id,
    coalesce(sum(case t.verb when 'pending' then t.amount when 'move' then 0 else -t.pended end)
      filter (where t.debit = a.id), 0) as debits_pending,
    coalesce(sum(t.amount) filter (where t.debit = a.id and t.verb in ('move', 'post')), 0)
      as debits_posted,
    coalesce(sum(case t.verb when 'pending' then t.amount when 'move' then 0 else -t.pended end)
      filter (where t.credit = a.id), 0) as credits_pending,
    coalesce(sum(t.amount) filter (where t.credit = a.id and t.verb in ('move', 'post')), 0)
      as credits_posted
  from own a left join fresh t on a.id in (t.debit, t.credit) group by a.id
), used as (
  select s.*, coalesce(sum(u.quantity), 0) as used, coalesce(sum(u.amount), 0) as charged,
    coalesce(sum(u.unbilled), 0) as forgiven
  from hold h join stream s on s.lease = h.lease left join usage u on u.stream = s.id
  where h.tenant = $1 group by s.id
)
select '1: the counters of ' || o.code || ' are not its transfers' as broken
from own o join sums s on s.id = o.id
where (o.debits_pending, o.debits_posted, o.credits_pending, o.credits_posted)
  <> (s.debits_pending, s.debits_posted, s.credits_pending, s.credits_posted)
union all
select '2: ' || code || ' is overdrawn' from own
where guard = 'debits' and credits_posted - debits_posted - debits_pending + allowance < 0
union all
select '2: held is not what the holds have left' where
  (select coalesce(sum(credits_pending + credits_posted - debits_posted), 0) from own
    where code = 'held')
  <> (select coalesce(sum(h.amount - coalesce(
      (select sum(s.posted) from stream s where s.lease = h.lease), 0)), 0)
    from hold h where h.tenant = $1)
union all
select '4: a pending transfer ended ' || count(*) || ' times, or by more than it held' from fresh
where pending is not null group by pending having count(*) > 1 or bool_or(amount > pended)
union all
select '8: ' || coalesce(sum(charged), 0) || ' was charged, not what was earned' from used
having coalesce(sum(charged), 0) <> (select coalesce(sum(credits_posted - debits_posted), 0)
  from own where code like 'revenue:%')
union all
select '10: stream ' || meter || ' is not the price of its quantity' from used
where quantity <> used or posted <> charged or unbilled <> forgiven
  or posted + unbilled <> div(price::numeric * quantity, per)
union all
select '11: stream ' || meter || ' bills time twice, or time that was not' from used
where rate is not null and (settled_until > coalesce(ended_at, settled_until)
  or billed_us > extract(epoch from settled_until - started_at) * 1000000
  or quantity <> div(rate::numeric * billed_us, 1000000))
union all
select '11: two windows of one stream overlap' from used s
join usage a on a.stream = s.id and a.ends_at > a.starts_at
join usage b on b.stream = s.id and b.starts_at > a.starts_at and b.starts_at < a.ends_at
  and b.ends_at > b.starts_at
"""


class Books(RuleBasedStateMachine):
    """One tenant with prepaid money, two leases, one site."""

    loop: Any
    db: Database
    number = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).number += 1
        self.tenant = f"t{self.number}"
        self.site = f"site-{self.number}"
        self.slots: dict[int, str] = {}
        self.paid = 0
        self.pending: dict[int, str] = {}
        self.gaps: list[tuple[datetime, datetime]] = []
        self.started: dict[int, datetime] = {}
        self.crash: int | None = None
        self.loop(self._open())

    async def _open(self) -> None:
        self.now = await self.db.fetchval("select skerry_now()")
        self.batch = await self.db.fetchval("select coalesce(max(id), 0) from batch")
        async with self.db.transaction() as tx:
            await chart.set_terms(tx, self.tenant, Terms("prepaid", None, "EUR"))
            await chart.ensure(tx, [(self.tenant, "held", "EUR", "lab"),
                                    (self.tenant, "revenue:run", "EUR", "")])  # fmt: skip
            await pay_in(tx, self.tenant, FUNDS)

    def do(self, work: Callable[[Tx], Awaitable[Any]]) -> Any:
        """In a transaction of its own; if a crash is due, first in one that dies on its way."""
        after, self.crash = self.crash, None
        if after is not None:
            try:
                self.loop(self._in(work, after))
            except Killed:
                self.nothing_is_broken()
            else:
                return None  # it was shorter than that: it is done
        return self.loop(self._in(work, None))

    async def _in(self, work: Callable[[Any], Awaitable[Any]], after: int | None) -> Any:
        async with self.db.transaction() as tx:
            return await work(tx if after is None else DyingTx(tx, after))

    def lease(self, slot: int) -> Any:
        return lease_of(f"l{slot}", self.tenant, "lab")

    @rule(after=st.integers(0, 14))
    def the_next_step_crashes(self, after: int) -> None:
        self.crash = after

    @rule(slot=st.integers(0, 1), part=st.sampled_from((8, 4, 2, 1)), limited=st.booleans())
    def reserve(self, slot: int, part: int, limited: bool) -> None:
        amount = HOURLY // part
        lease = self.lease(slot)

        async def work(tx: Tx) -> Any:
            return await holds.reserve(
                tx, lease, amount, ceiling=amount if limited else None, horizon=600
            )

        before = self.slots.get(slot)
        try:
            self.do(work)
        except journal.InsufficientFunds:
            assert before is None
        except Conflict:
            # 3: another amount, or a lease that is past that.
            assert before is not None
        else:
            assert before in (None, "reserved")
            self.slots[slot] = "reserved"

    @rule(slot=st.integers(0, 1))
    def start(self, slot: int) -> None:
        at = self.now

        async def work(tx: Tx) -> None:
            await holds.start(
                tx, self.lease(slot).id, await charges(tx), source=self.site, region="eu", at=at
            )

        if slot not in self.slots:
            self.reserve(slot, 8, False)
        if self.slots.get(slot) == "reserved":
            self.do(work)
            self.slots[slot], self.started[slot] = "open", at

    @rule(seconds=st.sampled_from((1, 60, 601, 4000)), seen=st.sampled_from((True, True, False)))
    def time_passes(self, seconds: int, seen: bool) -> None:
        before, self.now = self.now, self.now + timedelta(seconds=seconds, microseconds=7)
        # Ahead of the model by what the test itself takes, never behind it.
        self.loop(self.db.shift_clock(timedelta(seconds=seconds, microseconds=7)))
        if not self.started:
            return
        if seen:
            self.do(lambda tx: streams.seen(tx, self.site, self.now))
        else:
            self.do(lambda tx: streams.gap(tx, self.site, before, self.now))
            self.gaps.append((before, self.now))

    @rule(slot=st.integers(0, 1))
    def settle(self, slot: int) -> None:
        if slot in self.slots:
            self.do(lambda tx: settle.settle(tx, self.lease(slot).id, self.now))

    @rule()
    def everything_is_settled(self) -> None:
        self.loop(Settler(self.db).tick())

    @rule(slot=st.integers(0, 1), back=st.sampled_from((0, 0, 30, 10_000)))
    def finish(self, slot: int, back: int) -> None:
        """The end may be learned late: after what was settled since."""
        if slot not in self.slots:
            return
        at = self.now - timedelta(seconds=back)
        self.do(lambda tx: settle.finish(tx, self.lease(slot).id, at))
        if slot in self.started and self.slots[slot] == "open":
            self.loop(self._billed_exactly(slot, at))
        self.slots[slot] = "closed"

    async def _billed_exactly(self, slot: int, at: datetime) -> None:
        """11: the seconds between start and end in which the site was seen, and no other."""
        start = self.started[slot]
        end = max(start, at)
        rows = await self.db.fetch(
            "select billed_us, ended_at from stream where lease = $1", self.lease(slot).id
        )
        for row in rows:
            assert row["ended_at"] == end
            assert row["billed_us"] == micros(start, end, self.gaps)

    @rule(again=st.booleans(), other=st.booleans())
    def pay(self, again: bool, other: bool) -> None:
        """3: a payment that comes twice counts once; another one under its name is refused."""
        self.paid += not (again and self.paid)
        amount = 1000 + self.paid + other
        name = f"payment-{self.paid}"
        told = self.outcome(lambda tx: pay_in(tx, self.tenant, amount, name))
        assert told in (("done", "id-in-use") if again else ("done",))

    @rule(number=st.integers(0, 1), limit=st.sampled_from((None, 60)))
    def set_aside(self, number: int, limit: int | None) -> None:
        """Pending money that nobody has a lease for: from cash to the tenant."""
        if number in self.pending:
            return
        funds = chart.funds(self.tenant, "EUR")
        wish = Transfer(
            id=named("aside", self.tenant, number), verb="pending", debit=self._cash, credit=funds,
            amount=500, code="payment",
            expires_at=self.now + timedelta(seconds=limit) if limit else None,
        )  # fmt: skip
        self.do(lambda tx: journal.post(tx, [wish]))
        self.pending[number] = "open"

    @property
    def _cash(self) -> uuid.UUID:
        return chart.account_id("", "cash", "EUR")

    @rule(
        number=st.integers(0, 1),
        verb=st.sampled_from(("post", "void", "expire")),
        amount=st.sampled_from((None, 0, 499, 501)),
    )
    def end_it(self, number: int, verb: Any, amount: int | None) -> None:
        """4: whatever comes second is refused, as is more than was set aside."""
        if number not in self.pending:
            return
        wish = Transfer(
            id=named("end", self.tenant, number, verb, amount), verb=verb, code="payment",
            pending=named("aside", self.tenant, number),
            amount=amount if verb == "post" else None,
        )  # fmt: skip
        told = self.outcome(lambda tx: journal.post(tx, [wish]))
        if told == "done":
            key = f"{verb} {wish.amount}"
            assert self.pending[number] in ("open", key)  # 3: or it is the same again
            self.pending[number] = key
        else:
            assert told in (
                "pending-ended",
                "exceeds-pending",
                "pending-expired",
                "not-yet-expired",
            )

    def outcome(self, work: Callable[[Tx], Awaitable[Any]]) -> str:
        try:
            self.do(work)
        except journal.Refused as refused:
            return refused.result.outcome
        return "done"

    @invariant()
    def nothing_is_broken(self) -> None:
        rows = self.loop(self.db.fetch(BROKEN, self.tenant, self.batch))
        assert [row["broken"] for row in rows] == []

    def teardown(self) -> None:
        for slot, state in self.slots.items():
            if state != "closed":
                self.finish(slot, 0)
        self.nothing_is_broken()
        self.loop(self._invoiced())

    async def _invoiced(self) -> None:
        """1, 8 and 9: all adds up; usage, ledger, lines, total and export say the same."""
        assert (
            await self.db.fetchval("select sum(credits_posted - debits_posted) from account") == 0
        )
        async with self.db.transaction() as tx:
            found = [
                await invoices.invoice(tx, self.tenant, month)
                for month in await invoices.months(tx, self.tenant)
            ]
        exact = sum(money.parse(made.exact) for made in found)
        account = await self.db.fetchval(
            "select coalesce(sum(credits_posted - debits_posted), 0)::bigint from account"
            " where owner = $1 and code like 'revenue:%'",
            self.tenant,
        )
        assert exact == account
        for made in found:
            lines = [(money.parse(line.exact), money.parse(line.amount)) for line in made.lines]
            assert all(abs(exact - amount) < money.NANO // 100 for exact, amount in lines)
            assert all(amount >= 0 for _, amount in lines)
            assert money.parse(made.total) == sum(amount for _, amount in lines)
            billed = focus.table(made)["BilledCost"].to_pylist() if made.lines else []
            assert sum(billed, Decimal(0)) == Decimal(made.total)
            assert month_of(START) <= invoices.month_named(made.period)


def _run(pg_url: str, sequences: int, steps: int) -> None:
    with asyncio.Runner() as runner:
        db = runner.run(Database.open(pg_url))

        async def opened() -> None:
            await set_clock(db, START)
            async with db.transaction() as tx:
                await prices(tx)
                await chart.ensure(tx, [("", "cash", "EUR", "")])

        runner.run(opened())

        class Here(Books):
            loop = staticmethod(runner.run)

        Here.db = db
        run_sequences(Here, sequences, steps)
        runner.run(db.close())


def test_any_sequence_keeps_the_invariants(pg_url: str) -> None:
    _run(pg_url, MANY, 10)


@pytest.mark.long
def test_any_of_very_many_sequences_keeps_the_invariants(pg_url: str) -> None:
    _run(pg_url, LONG, 12)

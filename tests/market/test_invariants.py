"""Capacity, leases and the money held for them, under any sequence of what can happen and a crash
at any statement of it. The numbers are those of the invariants that the product promises.

2. What is held is what the open leases hold.
5. An owner has at most one open lease.
6. A lease's price is below the ceiling, its place within the policy, and whoever matches again what
   the decision names comes to the same.
7. What is reserved and leased is what the offer counts, and never more than there is; a reservation
   ends within a minute.
12. The seller can't close before its notice has passed; meanwhile the terms stay.
14. After a crash at any statement, all of that holds.

One sequence begins where the last one ended, with all leases closed.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)

from skerry.kernel.errors import Conflict
from skerry.market import decisions, offers
from skerry.market.ask import Fixed, Used
from skerry.market.lease import Lease, Refusal
from skerry.store import Database
from tests.dying import DyingDatabase, Killed
from tests.harness.sequences import run_sequences
from tests.market.conftest import Cloud, opened
from tests.market.supply import EURO, ask, instance, pool

NOTICE = 600
OFFERS = ("alpha", "cloud.small", "us", "fleet.n0", "fleet.n1")
NODE: dict[str, Any] = {"millicores": 5000, "core_price": EURO // 3}
"""Dear, so that they are for gangs that nobody else has room for."""
MANY = 150
LONG = 3_000
"""Sequences: 500 and 10,000 with those of ledger and log."""


class Life(RuleBasedStateMachine):
    """One cloud with three offers and two nodes, four owners and a policy that keeps out the
    cheapest."""

    run: Any
    cloud: Cloud
    owners: list[Any]

    def __init__(self) -> None:
        super().__init__()
        self.leases: dict[int, Lease] = {}
        self.crash: int | None = None
        self.run(self.cloud.offer(instance(count=2, price=EURO // 50)))

    def do(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """If a crash is due, first in a transaction that dies on its way."""
        after, self.crash = self.crash, None
        if after is not None:
            db = self.cloud.db
            self.cloud.db = DyingDatabase(db, after)
            try:
                return self.run(work())
            except Killed:
                pass
            finally:
                self.cloud.db = db
            self.nothing_is_taken_twice()
        return self.run(work())

    @rule(after=st.integers(0, 20))
    def the_next_step_crashes(self, after: int) -> None:
        self.crash = after

    def teardown(self) -> None:
        for lease in self.leases.values():
            self.run(self.cloud.close(lease, "done"))

    @rule(
        owner=st.integers(0, 3),
        millicores=st.sampled_from((500, 1000, 2000, 9000)),
        ceiling=st.sampled_from((None, EURO // 60, EURO)),
        duration=st.sampled_from((0, 120, 7200)),
        tasks=st.sampled_from((1, 1, 1, 4)),
    )
    def reserve(self, owner, millicores, ceiling, duration, tasks) -> None:
        wanted = ask(millicores=millicores, price_ceiling=ceiling, duration=duration, tasks=tasks)
        got = self.do(lambda: self.cloud.reserve(wanted, self.owners[owner]))
        before = self.leases.get(owner)
        if before is not None and before.state != "closed":
            assert got == before
        elif isinstance(got, Refusal):
            assert got.message
        else:
            self.leases[owner] = got

    @rule(owner=st.integers(0, 3))
    def confirm(self, owner) -> None:
        lease = self.leases.get(owner)
        if lease is None:
            return
        if lease.state == "closed":
            with pytest.raises(Conflict):
                self.do(lambda: self.cloud.confirm(lease))
        else:
            self.leases[owner] = self.do(lambda: self.cloud.confirm(lease))

    @rule(owner=st.integers(0, 3))
    def drain(self, owner) -> None:
        async def ask_back(lease: Lease) -> Lease:
            async with self.cloud.db.transaction() as tx:
                return await self.cloud.market.drain(tx, lease.id)

        if owner in self.leases:
            self.leases[owner] = self.do(lambda: ask_back(self.leases[owner]))

    @rule(owner=st.integers(0, 3), reason=st.sampled_from(("done", "tenant", "provider", "funds")))
    def close(self, owner, reason) -> None:
        lease = self.leases.get(owner)
        if lease is None:
            return
        try:
            self.leases[owner] = self.do(lambda: self.cloud.close(lease, reason))
        except Conflict:
            now = self.run(self._now())
            assert reason == "provider"
            assert lease.drains_until is None or now < lease.drains_until

    @rule(seconds=st.sampled_from((20, 59, 61, NOTICE)))
    def time_passes(self, seconds) -> None:
        self.run(self.cloud.db.shift_clock(timedelta(seconds=seconds)))
        self.run(self.cloud.market.sweep(self.cloud.db))
        for owner, lease in self.leases.items():
            now = self.leases[owner] = self.run(self._refresh(lease))
            assert (now.ask, now.choice, now.takes) == (lease.ask, lease.choice, lease.takes)

    @rule(count=st.integers(0, 3))
    def the_seller_has_more_or_less(self, count) -> None:
        offer = instance(price=EURO // 50)
        supply = offer.supply
        assert isinstance(supply, Fixed)
        taken = self.run(self.cloud.used(offer.id)).count
        # What is leased can't be taken away by offering less.
        supply = msgspec.structs.replace(supply, count=max(count, taken))
        self.run(self.cloud.offer(msgspec.structs.replace(offer, supply=supply)))

    @rule(owner=st.integers(0, 3))
    def an_auditor_comes_to_the_same(self, owner) -> None:
        async def again(lease: Lease) -> None:
            async with self.cloud.db.transaction() as tx:
                id = await tx.fetchval("select decision from lease where id = $1", lease.id)
                recorded, computed = await decisions.recompute(tx, id)
            assert recorded.decision == computed

        if owner in self.leases:
            self.run(again(self.leases[owner]))

    async def _now(self) -> Any:
        return await self.cloud.db.fetchval("select skerry_now()")

    async def _refresh(self, lease: Lease) -> Lease:
        async with self.cloud.db.transaction() as tx:
            return await self.cloud.market.get(tx, lease.id)

    @invariant()
    def nothing_is_taken_twice(self) -> None:
        self.run(self._check())

    async def _check(self) -> None:
        known = {x.id: x for x in self.leases.values() if x.state != "closed"}
        async with self.cloud.db.transaction() as tx:
            rows = await tx.fetch(
                "select l.id, l.owner, l.state, l.made_at, h.amount, skerry_now() as now"
                " from lease l join hold h on h.lease = l.id where l.state <> 'closed'"
            )
            offered = [await offers.read(tx, id) for id in OFFERS]
        assert {row["id"]: row["state"] for row in rows} == {x.id: x.state for x in known.values()}
        assert len({row["owner"] for row in rows}) == len(rows)
        for row in rows:
            lease = known[row["id"]]
            assert lease.choice.place.jurisdiction in ("DE", "FR")
            ceiling = lease.ask.price_ceiling
            assert ceiling is None or lease.choice.price.per_hour <= ceiling
            assert row["state"] != "reserved" or row["now"] - row["made_at"] < timedelta(seconds=60)
        for offer in offered:
            assert offer is not None
            total = Used()
            for part in (part for lease in known.values() for part in lease.taken):
                if part.offer == offer.offer.id:
                    total = offers.more(total, part.takes)
            assert offer.used == total
            assert offers.fits(offer.offer, offer.used)
        assert await self.cloud.held() == sum(row["amount"] for row in rows)


async def _opened(db: Database, directory: FilePath) -> tuple[Cloud, list[Any]]:
    cloud = await opened(db, directory)
    await cloud.put("policy", "home", {"jurisdictions": ["EU"]})
    await cloud.offer(
        pool(millicores=3000, notice=NOTICE),
        instance("us", jurisdiction="US", price=0),
        *(pool(f"fleet.n{n}", site="fleet", node=f"n{n}", **NODE) for n in range(2)),
    )
    return cloud, [await cloud.thing(f"t{n}") for n in range(4)]


def _run(pg_url: str, sequences: int, steps: int) -> None:
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as directory:
        db = runner.run(Database.open(pg_url))

        class Here(Life):
            run = staticmethod(runner.run)

        Here.cloud, Here.owners = runner.run(_opened(db, FilePath(directory)))
        run_sequences(Here, sequences, steps)
        runner.run(db.close())


def test_any_sequence_keeps_the_invariants(pg_url: str):
    _run(pg_url, MANY, 6)


@pytest.mark.long
def test_any_of_very_many_sequences_keeps_the_invariants(pg_url: str):
    _run(pg_url, LONG, 10)

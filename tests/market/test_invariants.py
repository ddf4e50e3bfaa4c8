"""Capacity, leases and the money held for them, under any sequence of what can happen.

The invariants of the market (one open lease for each owner, its price and place as asked and
allowed, never more taken than there is, no reservation beyond its time, no draining cut short) are
checked after each step against the database itself.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from skerry.kernel.errors import Conflict
from skerry.market import offers
from skerry.market.ask import Fixed, Used
from skerry.market.lease import Lease, Refusal
from skerry.store import Database
from tests.market.conftest import Cloud, opened
from tests.market.supply import EURO, ask, instance, pool

CLEAR = (
    "truncate lease, decision, offer, offer_state, offer_terms, offer_snapshot;"
    "delete from resource where kind in ('thing', 'lease', 'policy')"
)
NOTICE = 600


class Life(RuleBasedStateMachine):
    """One cloud with three offers, six owners and a policy that keeps out the cheapest."""

    run: Any
    cloud: Cloud

    def __init__(self) -> None:
        super().__init__()
        self.leases: dict[int, Lease] = {}
        self.owners: list[Any] = []
        self.do(self._begin())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.run(work)

    async def _begin(self) -> None:
        for statement in CLEAR.split(";"):
            await self.cloud.db.execute(statement)
        self.cloud.market = type(self.cloud.market)(self.cloud.resources)
        await self.cloud.put("policy", "home", {"jurisdictions": ["EU"]})
        await self.cloud.offer(
            pool(millicores=3000, notice=NOTICE),
            instance(count=2, price=EURO // 50),
            instance("us", jurisdiction="US", price=0),
        )
        self.owners = [await self.cloud.thing(f"t{n}") for n in range(6)]

    def teardown(self) -> None:
        for lease in self.leases.values():
            self.do(self.cloud.close(lease, "done"))

    async def _refresh(self, lease: Lease) -> Lease:
        async with self.cloud.db.transaction() as tx:
            return await self.cloud.market.get(tx, lease.id)

    @rule(
        owner=st.integers(0, 5),
        millicores=st.sampled_from((500, 1000, 2000, 9000)),
        ceiling=st.sampled_from((None, EURO // 60, EURO)),
        duration=st.sampled_from((0, 120, 7200)),
    )
    def reserve(self, owner, millicores, ceiling, duration) -> None:
        wanted = ask(millicores=millicores, price_ceiling=ceiling, duration=duration)
        got = self.do(self.cloud.reserve(wanted, self.owners[owner]))
        before = self.leases.get(owner)
        if before is not None and before.state != "closed":
            assert got == before
        elif isinstance(got, Refusal):
            assert got.message
        else:
            self.leases[owner] = got

    @rule(owner=st.integers(0, 5))
    def confirm(self, owner) -> None:
        lease = self.leases.get(owner)
        if lease is None:
            return
        if lease.state == "closed":
            with pytest.raises(Conflict):
                self.do(self.cloud.confirm(lease))
        else:
            self.leases[owner] = self.do(self.cloud.confirm(lease))

    @rule(owner=st.integers(0, 5))
    def drain(self, owner) -> None:
        async def ask_back(lease: Lease) -> Lease:
            async with self.cloud.db.transaction() as tx:
                return await self.cloud.market.drain(tx, lease.id)

        if owner in self.leases:
            self.leases[owner] = self.do(ask_back(self.leases[owner]))

    @rule(owner=st.integers(0, 5), reason=st.sampled_from(("done", "tenant", "provider", "funds")))
    def close(self, owner, reason) -> None:
        lease = self.leases.get(owner)
        if lease is None:
            return
        try:
            self.leases[owner] = self.do(self.cloud.close(lease, reason))
        except Conflict:
            now = self.do(self._now())
            assert reason == "provider"
            assert lease.drains_until is None or now < lease.drains_until

    @rule(seconds=st.sampled_from((20, 59, 61, NOTICE)))
    def time_passes(self, seconds) -> None:
        self.do(self.cloud.db.shift_clock(timedelta(seconds=seconds)))
        self.do(self.cloud.market.sweep(self.cloud.db))
        self.leases = {n: self.do(self._refresh(lease)) for n, lease in self.leases.items()}

    @rule(count=st.integers(0, 3))
    def the_seller_has_more_or_less(self, count) -> None:
        offer = instance(price=EURO // 50)
        supply = offer.supply
        assert isinstance(supply, Fixed)
        taken = self.do(self.cloud.used(offer.id)).count
        # What is leased can't be taken away by offering less.
        supply = msgspec.structs.replace(supply, count=max(count, taken))
        self.do(self.cloud.offer(msgspec.structs.replace(offer, supply=supply)))

    @precondition(lambda self: any(x.state == "closed" for x in self.leases.values()))
    @rule()
    def close_all_again(self) -> None:
        for owner, lease in self.leases.items():
            if lease.state == "closed":
                assert self.do(self.cloud.close(lease, "failed")) == self.leases[owner]

    async def _now(self) -> Any:
        async with self.cloud.db.transaction() as tx:
            return await tx.now()

    @invariant()
    def nothing_is_taken_twice(self) -> None:
        self.do(self._check())

    async def _check(self) -> None:
        alive = [x for x in self.leases.values() if x.state != "closed"]
        now = await self._now()
        held = 0
        for id in ("alpha", "cloud.small", "us"):
            async with self.cloud.db.transaction() as tx:
                row = await offers.read(tx, id)
            assert row is not None
            total = Used()
            for lease in alive:
                if lease.offer == id:
                    total = offers.more(total, lease.takes)
            assert row.used == total
            assert offers.fits(row.offer, row.used)
        for lease in alive:
            stored = await self._refresh(lease)
            assert stored == lease
            assert stored.choice.place.jurisdiction in ("DE", "FR")
            ceiling = stored.ask.price_ceiling
            assert ceiling is None or stored.choice.price.per_hour <= ceiling
            assert stored.state != "reserved" or now - stored.made_at < timedelta(seconds=121)
            held += await self.cloud.db.fetchval(
                "select amount from hold where lease = $1 and state <> 'closed'", lease.id
            )
        owners = await self.cloud.db.fetchval(
            "select count(*) from (select owner, part from lease where state <> 'closed'"
            " group by 1, 2 having count(*) > 1) twice"
        )
        assert owners == 0
        assert await self.cloud.held() == held


def test_any_sequence_keeps_the_invariants(pg_url: str):
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as directory:
        db = runner.run(Database.open(pg_url))

        class Here(Life):
            run = staticmethod(runner.run)
            cloud = runner.run(opened(db, FilePath(directory)))

        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=25,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(db.close())

"""Leases: a match made binding.

``reserve`` does it in the caller's transaction: match against the live snapshot, lock the chosen
offer and look again (if it changed meanwhile, match again with what it is now), take the capacity,
put the money aside, write the decision down. ``confirm`` turns the reservation into a lease with
frozen terms; ``close`` gives capacity and money back. Each may be repeated.

What is reserved and leased of an offer is never more than it has: it only grows under the offer's
row lock, after a look at the row itself. Locks are taken in one order: owner, the lease's hold,
lease, offers by id, the ledger's accounts.

A gang over several nodes is one lease with a share of each node's offer (``taking``).
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary, proxy

import asyncpg
import msgspec
import structlog

from skerry.kernel.errors import Conflict, NotFound, Unavailable, ValidationError
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import agreements, chart, holds, price_lists, settle
from skerry.ledger.budgets import BudgetExhausted
from skerry.ledger.journal import InsufficientFunds
from skerry.ledger.publish import publish_invoice
from skerry.market import decisions, offers, policies, taking
from skerry.market.agreed import of_overlays
from skerry.market.ask import Ask, canonical
from skerry.market.decision import Decision
from skerry.market.decisions import Outcome, Recorded
from skerry.market.lease import (
    Lease,
    Reason,
    Refusal,
    lease_of,
    made_of,
    refusal_of,
    set_aside,
    why_refused,
)
from skerry.market.live import LiveSnapshot
from skerry.market.match import match
from skerry.market.queues import entries
from skerry.market.shown import show_closed, show_draining, show_lease
from skerry.market.snapshot import Snapshot
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.market", "leases.sql")
_log = structlog.get_logger("market")

RESERVED_SECONDS = 45.0
SWEEP_SECONDS = 10.0
"""Together below a minute: by then a dead reservation is free again."""
TRIES = 32
"""Offers that may be found full, one after the other, before an ask gives up for now."""


class _Moved(Exception):
    """The chosen offer changed, and the answer with it."""

    def __init__(self, found: "Found") -> None:
        self.found = found


@dataclass(frozen=True)
class Found:
    """A decision and the snapshot that it was taken on."""

    decision: Decision
    snapshot: Snapshot


class Market:
    """What the packages above call. One per process: ``Market.of(resources)``."""

    _made: "WeakKeyDictionary[Resources, Market]" = WeakKeyDictionary()

    def __init__(self, resources: Resources) -> None:
        self._resources: Resources = proxy(resources)
        self.live = LiveSnapshot()

    @classmethod
    def of(cls, resources: Resources) -> "Market":
        """The market that goes with these resources."""
        return cls._made.setdefault(resources, cls(resources))

    async def decide(self, tx: Tx, ask: Ask, tenant: str, workspace: str) -> Found:
        """What ``reserve`` would decide now. Takes nothing and writes nothing down."""
        policy = await policies.binding(tx, tenant, workspace)
        # Read only: who opens the tenant's account here would lock it before the offer.
        terms = await chart.terms_of(tx, tenant)
        currency = terms.currency if terms else (await price_lists.at(tx)).currency
        if ask.currency not in ("", currency):
            raise ValidationError(f"{tenant} is billed in {currency}, not in {ask.currency}")
        overlays = await agreements.prices(tx, tenant)
        spot = (await price_lists.at(tx)).preemptible if ask.spot else 1000
        ask = msgspec.structs.replace(
            ask, currency=currency, agreed=of_overlays(overlays), spot_permille=spot
        )
        snapshot = await self.live.current(tx)
        return Found(match(ask, snapshot, policy, await tx.now()), snapshot)

    async def reserve(
        self,
        tx: Tx,
        ask: Ask,
        owner: Resource,
        *,
        part: str = "",
        seconds: float | None = RESERVED_SECONDS,
        by: Caller = SYSTEM,
    ) -> Lease | Refusal:
        """Take capacity and money for a resource, or say why not. Commit in either case.

        An owner that has an open lease (for this ``part``) is given that one. The reservation
        frees itself after ``seconds`` unless it is confirmed; None: it is, at once. Raises
        ``Unavailable`` where too many ask at once, ``ValidationError`` for an ask in a currency
        that is not the tenant's.
        """
        # Two that reserve for one owner take turns.
        await self._resources.by_uid(tx, owner.uid, lock=True)
        lease = await self.open_lease(tx, owner.uid, part)
        if lease is not None:
            return lease if seconds is not None else await self.confirm(tx, lease.id)
        found = await self.decide(tx, ask, owner.tenant, owner.workspace)
        for _ in range(TRIES):
            if found.decision.chosen is None:
                return await self._unplaced(tx, found, owner, by)
            try:
                async with tx.savepoint():
                    return await self._take(tx, found, owner, part, seconds, by)
            except _Moved as moved:
                found = moved.found
            except (BudgetExhausted, InsufficientFunds) as error:
                return await self._unaffordable(tx, found, owner, error, by)
        raise Unavailable("the market is too busy just now", hint="Try again in a moment.")

    async def _take(
        self, tx: Tx, found: Found, owner: Resource, part: str, seconds: float | None, by: Caller
    ) -> Lease:
        decision, snapshot = found.decision, found.snapshot
        assert decision.chosen is not None
        locked = await offers.lock_all(tx, decision.chosen.versions)
        if any(locked[id].row.version != v for id, v in decision.chosen.versions.items()):
            gone = [id for id, one in locked.items() if one.retired]
            fresh = [(one.row, one.digest) for one in locked.values() if not one.retired]
            snapshot = snapshot.replaced(fresh, gone)
            decision = match(decision.ask, snapshot, decision.policy, decision.at)
            if decision.chosen is None or not locked.keys() >= decision.chosen.versions.keys():
                raise _Moved(Found(decision, snapshot))
        recorded = await decisions.save(
            tx, decision, snapshot, owner, purpose="placement", outcome="placed", by=by
        )
        return await self._lease(tx, recorded, locked, owner, part, seconds, by)

    async def _lease(
        self,
        tx: Tx,
        recorded: Recorded,
        locked: Mapping[str, offers.Locked],
        owner: Resource,
        part: str,
        seconds: float | None,
        by: Caller,
    ) -> Lease:
        """Take what was decided of locked offers, and the money with it."""
        choice, ask = recorded.decision.chosen, recorded.decision.ask
        assert choice is not None
        takes = taking.takes_of(choice, ask, locked)
        lease = made_of(recorded, owner, part, takes, await tx.now(), seconds)
        await taking.take(tx, lease, locked)
        await tx.execute(
            _sql.add, lease.id, lease.decision, lease.offer, lease.owner, part, lease.tenant,
            lease.workspace, canonical(lease.takes).decode(), lease.state, lease.made_at,
            lease.expires_at, lease.confirmed_at,
        )  # fmt: skip
        await taking.keep_shares(tx, lease)
        if lease.state == "active":
            await show_lease(tx, self._resources, lease)
        amount, ceiling, horizon = set_aside(ask, lease.charges, choice.notice)
        await holds.reserve(
            tx,
            holds.Lease(
                id=lease.id,
                tenant=owner.tenant,
                workspace=owner.workspace,
                product=self._resources.registry[owner.kind].provider.rpartition(".")[2],
                resource=owner.ref,
                resource_uid=owner.uid,
                root_uid=owner.root_uid,
            ),
            amount,
            ceiling=ceiling,
            horizon=horizon,
            actor=by.subject,
        )
        await publish_invoice(tx, self._resources, owner.tenant)
        return lease

    async def _unplaced(self, tx: Tx, found: Found, owner: Resource, by: Caller) -> Refusal:
        message, hint = why_refused(found.decision)
        recorded = await self._refused(tx, found, owner, "unplaced", by)
        return refusal_of(recorded, "NoOffer", message, hint)

    async def _unaffordable(
        self, tx: Tx, found: Found, owner: Resource, error: Conflict, by: Caller
    ) -> Refusal:
        recorded = await self._refused(tx, found, owner, "unaffordable", by)
        hint = error.hint
        choice, ask = found.decision.chosen, found.decision.ask
        left = await holds.available(tx, owner.tenant, owner.workspace)
        if choice is not None and ask.duration and left and choice.price.per_hour:
            minutes = left * 60 // choice.price.per_hour
            hint = f"What is left pays for {minutes} minutes of it: lower the time limit. {hint}"
        return refusal_of(recorded, "NoMoney", error.detail, hint)

    async def _refused(
        self, tx: Tx, found: Found, owner: Resource, outcome: Outcome, by: Caller
    ) -> Recorded:
        return await decisions.save(
            tx, found.decision, found.snapshot, owner, purpose="placement", outcome=outcome, by=by
        )

    async def reserve_quoted(
        self,
        tx: Tx,
        quoted: Recorded,
        owner: Resource,
        *,
        seconds: float = RESERVED_SECONDS,
        by: Caller = SYSTEM,
    ) -> Lease:
        """Take what was quoted for ``owner``, at the quoted price.

        Raises ``Conflict`` if it is no longer to be had as it stands.
        """
        choice = quoted.decision.chosen
        if choice is None:
            raise Conflict("nothing was offered", hint="Quote again.")
        policy = await policies.binding(tx, owner.tenant, owner.workspace)
        if policy != quoted.decision.policy:
            raise Conflict("a policy has changed since it was quoted", hint="Quote again.")
        locked = await offers.lock_all(tx, choice.versions)
        for id in choice.versions:
            if id not in locked or locked[id].retired:
                raise Conflict(f"offer {id} is no longer there", hint="Quote again.")
            if closed := locked[id].row.offer.closed:
                raise Conflict(f"offer {id} is closed: {closed}", hint="Quote again.")
        return await self._lease(tx, quoted, locked, owner, "", seconds, by)

    async def open_lease(self, tx: Tx, owner: uuid.UUID, part: str = "") -> Lease | None:
        """The lease of a resource that is not closed."""
        record = await tx.fetchrow(_sql.open_of, owner, part)
        return lease_of(record) if record else None

    async def leases_of(self, tx: Tx, owner: uuid.UUID, limit: int = 100) -> list[Lease]:
        """A resource's leases, newest first."""
        return [lease_of(record) for record in await tx.fetch(_sql.all_of, owner, limit)]

    async def get(self, tx: Tx, id: uuid.UUID, *, lock: bool = False) -> Lease:
        """Raises ``NotFound``."""
        record = await tx.fetchrow(_sql.lock if lock else _sql.find, id)
        if record is None:
            raise NotFound(f"lease {id} does not exist")
        return lease_of(record)

    async def extend(self, tx: Tx, id: uuid.UUID, seconds: float = RESERVED_SECONDS) -> None:
        """Keep a reservation for so long from now. Raises ``Conflict`` if it has ended."""
        lease = await self.get(tx, id, lock=True)
        if lease.state == "closed":
            raise Conflict(f"lease {id} is closed ({lease.reason})")
        if lease.state == "reserved":
            await tx.execute(_sql.extend, id, await tx.now() + timedelta(seconds=seconds))

    async def confirm(self, tx: Tx, id: uuid.UUID) -> Lease:
        """Turn a reservation into a lease. Raises ``Conflict`` if it has ended meanwhile."""
        lease = await self.get(tx, id, lock=True)
        if lease.state == "closed":
            raise Conflict(f"lease {id} is closed ({lease.reason})", hint="Reserve again.")
        if lease.state != "reserved":
            return lease
        await tx.execute(_sql.confirm, id, await tx.now())
        lease = await self.get(tx, id)
        await show_lease(tx, self._resources, lease)
        return lease

    async def drain(self, tx: Tx, id: uuid.UUID, notice: int = 0) -> Lease:
        """The seller wants it back: from now on the notice runs, at the same price; that of its
        terms, or ``notice`` seconds if those are more."""
        lease = await self.get(tx, id, lock=True)
        if lease.state != "active":
            return lease
        until = await tx.now() + timedelta(seconds=max(notice, lease.choice.notice))
        await tx.execute(_sql.drain, id, until)
        await show_draining(tx, self._resources, lease, until)
        return await self.get(tx, id)

    async def close(
        self,
        tx: Tx,
        id: uuid.UUID,
        reason: Reason,
        *,
        ended_at: datetime | None = None,
        show: bool = True,
    ) -> Lease:
        """End a lease: charge it to ``ended_at`` (by default now), give back capacity and money.

        One that is closed stays as it is. For the reason ``provider`` it must have drained:
        raises ``Conflict`` before the notice is over.
        """
        await holds.lock(tx, id)
        lease = await self.get(tx, id, lock=True)
        if lease.state == "closed":
            return lease
        now = await tx.now()
        drained = lease.drains_until is not None and now >= lease.drains_until
        if reason == "provider" and lease.choice.notice and not drained:
            raise Conflict(
                f"lease {id} can be taken back after {lease.choice.notice} seconds of notice",
                hint="Drain it first.",
            )
        await taking.give_back(tx, lease)
        await settle.finish(tx, id, ended_at or now)
        await tx.execute(_sql.close, id, reason, now)
        ran = now - lease.confirmed_at if reason == "done" and lease.confirmed_at else None
        await entries.drop(tx, lease.owner, ran)
        if show and lease.confirmed_at is not None:
            await show_closed(tx, self._resources, lease, reason, now)
        return await self.get(tx, id)

    async def sweep(self, db: Database) -> int:
        """Free the reservations whose time is over; says how many."""
        count = 0
        for row in await db.fetch(_sql.expired):
            async with db.transaction() as tx:
                await holds.lock(tx, row["id"])
                lease = await self.get(tx, row["id"], lock=True)
                # It may have been confirmed, extended or closed since.
                over = lease.expires_at is not None and lease.expires_at <= await tx.now()
                if lease.state == "reserved" and over:
                    await self.close(tx, lease.id, "expired")
                    count += 1
        await taking.heal(db)
        return count

    async def run(self, db: Database) -> None:
        """Sweep until cancelled, and keep the live snapshot warm."""
        while True:
            try:
                await self.sweep(db)
                async with db.transaction() as tx:
                    await self.live.current(tx)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                _log.warning("database away, sweeping later", error=str(error))
            await asyncio.sleep(SWEEP_SECONDS)

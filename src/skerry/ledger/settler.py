"""Settling everything, each minute.

A tick brings every running lease up to the minute that just ended: usage rows and streams in one
statement per some thousand leases, transfers summed up per workspace and product, one batch and so
one leaf of the log for each such chunk. It keeps holds topped up, and tells who has to be stopped
since the tenant's money ends: *exhausted* leases still have some seconds of running set aside.

A chunk is one transaction. A crash loses at most that, and the next tick does it again: windows
follow each other, so nothing is charged twice. Any number of settlers may run; a lease that one has
locked is left out by the others.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime

import asyncpg
import msgspec
import structlog

from skerry.kernel import alerts
from skerry.kernel.errors import Problem
from skerry.kernel.resources import Resources
from skerry.ledger import budgets, chart, holds, invoices, issuing, settle, shortage, vouchers
from skerry.ledger.ids import named
from skerry.ledger.journal import Draft
from skerry.ledger.publish import publish
from skerry.ledger.purse import purses
from skerry.ledger.transfers import Transfer
from skerry.ledger.windows import month_of, month_start
from skerry.store import Database, Tx
from skerry.store.cancelling import apart
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "settler.sql")
_accounts = load("skerry.ledger", "accounts.sql")
_log = structlog.get_logger()

GRACE = 120
"""A lease is exhausted when its hold covers less than this many seconds: two ticks."""
_FIRST = uuid.UUID(int=0)


class Exhausted(msgspec.Struct, frozen=True):
    """A lease whose money ends: stop it. What it has left covers ``seconds`` more."""

    lease: uuid.UUID
    tenant: str
    workspace: str
    seconds: int


OnExhausted = Callable[[Tx, Exhausted], Awaitable[None]]


class Tick(msgspec.Struct):
    """What a tick did."""

    until: datetime
    leases: int = 0
    charged: int = 0
    topped_up: int = 0
    exhausted: list[Exhausted] = []
    warnings: list[tuple[budgets.Budget, int]] = []
    closed: list[str] = []
    """Numbers of invoices."""


async def _nobody(tx: Tx, exhausted: Exhausted) -> None:
    return None


class Settler:
    """``on_exhausted`` is called in a transaction of its own, which holds no lock of the ledger,
    and again at every tick until the lease has ended; it writes the intent to stop and reaches
    nothing outside. With ``resources``, invoices and price lists are shown as resources, too."""

    def __init__(
        self,
        db: Database,
        *,
        resources: Resources | None = None,
        on_exhausted: OnExhausted = _nobody,
        chunk: int = 5_000,
        parallel: int = 2,
    ) -> None:
        self._db = db
        self._resources = resources
        self._on_exhausted = on_exhausted
        self._chunk = chunk
        self._parallel = parallel
        self._settled: datetime | None = None
        self._reminded: date | None = None

    async def run(self) -> None:
        """Tick at every full minute until cancelled. A lost database is waited for."""
        while True:
            lost = False
            try:
                await apart(self.tick())
                now = await self._now()
            except* (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as group:
                _log.warning("settler.database_lost", error=str(group.exceptions[0]))
                lost = True
            await asyncio.sleep(1 if lost else 60 - now.second - now.microsecond / 1e6)

    async def tick(self) -> Tick:
        """Settle up to the last full minute; free reservations that expired; close the invoices
        that are due."""
        now = await self._now()
        tick = Tick(until=now.replace(second=0, microsecond=0))
        await self._expire()
        month = month_start(month_of(now))
        if self._settled is None or self._settled < month:
            # Up to midnight first: a window never reaches over the end of a month.
            await self._settle(month, tick)
        await self._settle(tick.until, tick)
        self._settled = tick.until
        await self._tell(tick)
        await self._close(tick)
        await self._look_after(tick)
        await self._publish()
        return tick

    async def _now(self) -> datetime:
        now: datetime = await self._db.fetchval("select skerry_now()")
        return now

    async def _expire(self) -> None:
        async with self._db.transaction() as tx:
            leases = await holds.expired(tx)
        for lease in leases:
            async with self._db.transaction() as tx:
                if (await holds.lock(tx, lease)).state == "reserved":
                    await holds.release(tx, lease)

    async def _look_after(self, tick: Tick) -> None:
        """What comes with time: vouchers that end, tenants without money, invoices overdue."""
        today = tick.until.date()

        async def remind(tx: Tx) -> None:
            if self._reminded != today:
                await issuing.remind(tx)
                tx.after_commit(reminded)

        def reminded() -> None:
            self._reminded = today

        async def look(tx: Tx) -> None:
            await shortage.look(tx, (one.tenant for one in tick.exhausted))

        for work in (vouchers.expire, look, remind):
            try:
                async with self._db.transaction() as tx:
                    await work(tx)
            except Problem as problem:
                # None of them may keep the next minute from being charged.
                _log.error("settler.not_looked_after", problem=problem.detail)

    async def _publish(self) -> None:
        if self._resources is None:
            return
        try:
            async with self._db.transaction() as tx:
                await publish(tx, self._resources)
        except Problem as problem:
            # Another settler was faster, or a tenant went away: the next tick looks again.
            _log.info("settler.publishing_waits", reason=problem.detail)

    async def _close(self, tick: Tick) -> None:
        async with self._db.transaction() as tx:
            due = await invoices.to_close(tx)
        for tenant, month in due:
            try:
                async with self._db.transaction() as tx:
                    tick.closed.append((await invoices.close(tx, tenant, month)).number)
            except Problem as problem:
                _log.info("settler.invoice_waits", tenant=tenant, reason=problem.detail)

    async def _settle(self, until: datetime, tick: Tick) -> None:
        tick.leases = 0
        ends = [
            (row["tenant"], row["lease"]) for row in await self._db.fetch(_sql.chunks, self._chunk)
        ]
        ranges = list(zip([("", _FIRST), *ends], [*ends, (None, None)], strict=True))
        odd: list[uuid.UUID] = []

        async def work() -> None:
            while ranges:
                odd.extend(await self._settle_range(*ranges.pop(0), until, tick))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._parallel, len(ranges))):
                group.create_task(work())
        for lease in odd:
            await self._settle_one(lease, until, tick)

    async def _settle_range(
        self,
        after: tuple[str, uuid.UUID],
        upto: tuple[str | None, uuid.UUID | None],
        until: datetime,
        tick: Tick,
    ) -> list[uuid.UUID]:
        """One chunk; those of its leases that have to be settled by themselves."""
        leases: list[uuid.UUID] = []
        try:
            async with self._db.transaction() as tx:
                await tx.execute(_sql.plan_for_many)
                await settle.open_month(tx)
                rows = await tx.fetch(_sql.leases_between, *after, *upto)
                leases = [row["lease"] for row in rows]
                return await self._settle_chunk(tx, leases, until, tick) if leases else []
        except Problem as problem:
            _log.error("settler.chunk_refused", problem=problem.detail)
            return leases
        finally:
            tick.leases += len(leases)

    async def _settle_chunk(
        self, tx: Tx, leases: list[uuid.UUID], until: datetime, tick: Tick
    ) -> list[uuid.UUID]:
        """All of them at once, but for those that need a closer look: they are the answer."""
        draft = await Draft.open(tx)
        this_month = month_of(await tx.now())
        found = await tx.fetch(_sql.settle_leases, leases, until, draft.id, this_month)
        charges = [row for row in found if row["what"] == "charge"]
        low = [row for row in found if row["what"] == "low"]
        odd = [row["lease"] for row in found if row["what"] == "odd"]
        if not charges:
            return odd
        draft.with_usage()
        await chart.ensure(
            tx, sorted({account for row in charges for account in _accounts_of(row)})
        )
        await _lock(tx, charges, low)
        tops = await _top_ups(tx, low)
        await draft.post([*_charging(draft.id, charges), *_topping(draft.id, low, tops)])
        await settle.spend(
            tx,
            [(r["tenant"], r["workspace"], r["currency"], r["period"], r["amount"])
             for r in charges],
        )  # fmt: skip
        given = {lease: amount for lease, amount in tops.items() if amount}
        if given:
            await tx.execute(_sql.grow_holds, list(given), list(given.values()))
        await draft.seal()
        tick.charged += sum(row["amount"] for row in charges)
        tick.topped_up += sum(given.values())
        tick.exhausted += _exhausted(low, tops)
        tick.warnings += await budgets.warn(tx, sorted({row["tenant"] for row in charges}))
        return odd

    async def _settle_one(self, lease: uuid.UUID, until: datetime, tick: Tick) -> None:
        """A lease that is not covered, or not as it should be: by itself."""
        try:
            async with self._db.transaction() as tx:
                done = await settle.settle(tx, lease, until)
                tick.charged += done.charged
                seconds = 0 if done.unbilled > 0 else done.seconds
                if seconds is not None and seconds < GRACE:
                    hold = await holds.get(tx, lease)
                    tick.exhausted.append(Exhausted(lease, hold.tenant, hold.workspace, seconds))
        except Problem as problem:
            # One lease must not keep the others from being settled.
            async with self._db.transaction() as tx:
                await alerts.raise_alert(
                    tx,
                    subject=f"lease {lease}",
                    reason="unsettled",
                    message=f"Lease {lease} can't be settled: {problem.detail}",
                    remedy="Run `skerry audit verify`: the ledger's rows disagree with each other.",
                )

    async def _tell(self, tick: Tick) -> None:
        for one in tick.exhausted:
            try:
                async with self._db.transaction() as tx:
                    await self._on_exhausted(tx, one)
            except Problem as problem:
                _log.error("settler.not_told", lease=str(one.lease), problem=problem.detail)


def _accounts_of(row: Row) -> list[tuple[str, str, str, str]]:
    return [
        (row["tenant"], "held", row["currency"], row["workspace"]),
        (row["tenant"], f"revenue:{row['product']}", row["currency"], ""),
    ]


async def _lock(tx: Tx, charges: Sequence[Row], low: Sequence[Row]) -> None:
    """All accounts of the chunk at once, in order: no lock is taken after."""
    ids = {chart.account_id(*account) for row in charges for account in _accounts_of(row)}
    ids |= {chart.funds(row["tenant"], row["currency"]) for row in low}
    await tx.fetch(_accounts.accounts_locked, sorted(ids))


async def _top_ups(tx: Tx, low: Sequence[Row]) -> dict[uuid.UUID, int]:
    """How much each low hold gets, as far as its workspace can still set aside, in order."""
    tenants = sorted({(row["tenant"], row["currency"]) for row in low})
    found = await purses(tx, tenants) if tenants else {}
    tops = {}
    for row in low:
        wish = row["hourly"] * row["horizon"] // 3600 - row["remaining"]
        if row["room"] is not None:
            wish = min(wish, row["room"])
        tops[row["lease"]] = found[row["tenant"]].take(row["workspace"], wish)
    return tops


def _charging(batch: int, charges: Sequence[Row]) -> list[Transfer]:
    sums: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for row in charges:
        sums[row["tenant"], row["workspace"], row["product"], row["currency"]] += row["amount"]
    return [
        Transfer(
            id=named("usage", batch, *key),
            debit=chart.held(tenant, workspace, currency),
            credit=chart.revenue(tenant, product, currency),
            amount=amount,
            code="usage",
        )
        for key, amount in sums.items()
        for tenant, workspace, product, currency in [key]
        if amount
    ]


def _topping(batch: int, low: Sequence[Row], tops: dict[uuid.UUID, int]) -> list[Transfer]:
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in low:
        sums[row["tenant"], row["workspace"], row["currency"]] += tops[row["lease"]]
    return [
        Transfer(
            id=named("top-up", batch, tenant, workspace, currency),
            debit=chart.funds(tenant, currency),
            credit=chart.held(tenant, workspace, currency),
            amount=amount,
            code="hold",
        )
        for (tenant, workspace, currency), amount in sums.items()
        if amount
    ]


def _exhausted(low: Sequence[Row], tops: dict[uuid.UUID, int]) -> Iterable[Exhausted]:
    for row in low:
        remaining = row["remaining"] + tops[row["lease"]]
        capped = row["room"] is not None and tops[row["lease"]] == row["room"]
        seconds = remaining * 3600 // max(row["hourly"], 1)
        if seconds < GRACE and not capped:
            yield Exhausted(row["lease"], row["tenant"], row["workspace"], seconds)

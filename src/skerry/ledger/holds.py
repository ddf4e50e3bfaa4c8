"""Holds: money put aside for a lease before it costs anything.

Life of a hold: ``reserve`` (with the lease, in its transaction: a pending transfer that expires if
nothing starts), ``start`` (the process runs: the money moves to the workspace's held account and
metering begins), charges drawn from it by settlement, top-ups that keep an hour of running
covered, and ``settle.finish`` at the end, which gives the rest back. ``release`` ends one that
never ran.

A lease's hold row is also its lock: whoever settles or ends the lease holds it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from skerry.kernel.errors import Conflict, NotFound
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.ledger import chart, price_lists, streams
from skerry.ledger.budgets import of_tenants
from skerry.ledger.ids import named
from skerry.ledger.journal import Draft
from skerry.ledger.journal import lock as lock_accounts
from skerry.ledger.purse import purse_of
from skerry.ledger.streams import Charge
from skerry.ledger.transfers import Books, Entry, Transfer
from skerry.ledger.windows import month_of
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "holds.sql")

HORIZON = 3600
"""Seconds of running that a lease without an end keeps covered."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of a lease: for whom, and under which resource it is billed."""

    id: uuid.UUID
    tenant: str
    workspace: str
    product: str
    """``run``: revenue is kept per product."""
    resource: str
    """The ref of the resource that the lease serves."""
    resource_uid: uuid.UUID
    root_uid: uuid.UUID
    """The resource the tenant asked for; the same, unless another resource owns this one."""


@dataclass(frozen=True)
class Hold:
    """A lease's money. ``amount`` is what was put aside so far, drawn or not."""

    lease: uuid.UUID
    tenant: str
    workspace: str
    product: str
    resource_uid: uuid.UUID
    currency: str
    pending: uuid.UUID
    state: str
    amount: int
    ceiling: int | None
    horizon: int
    expires_at: datetime | None
    drawn: int

    @property
    def remaining(self) -> int:
        return self.amount - self.drawn

    @property
    def funds(self) -> uuid.UUID:
        return chart.funds(self.tenant, self.currency)

    @property
    def held(self) -> uuid.UUID:
        return chart.held(self.tenant, self.workspace, self.currency)

    @property
    def revenue(self) -> uuid.UUID:
        return chart.revenue(self.tenant, self.product, self.currency)

    @property
    def accounts(self) -> list[tuple[str, str, str, str]]:
        """What ``chart.ensure`` needs, to charge this lease."""
        return [
            (self.tenant, "held", self.currency, self.workspace),
            (self.tenant, f"revenue:{self.product}", self.currency, ""),
        ]


async def drawn_of(tx: Tx, leases: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """What each of these leases was charged so far, in nano."""
    rows = await tx.fetch(_sql.drawn_of, list(leases))
    return {row["lease"]: row["drawn"] for row in rows}


async def terms(tx: Tx, tenant: str) -> chart.Terms:
    """The tenant's terms. One that has none yet is post-paid and may owe what the price list says;
    the operator's own may owe any amount. Writes nothing."""
    found = await chart.terms_of(tx, tenant)
    if found is not None:
        return found
    prices = await price_lists.at(tx)
    limit = None if tenant == OPERATOR_TENANT else prices.credit_limit
    return chart.Terms("postpaid", limit, prices.currency)


async def open_tenant(tx: Tx, tenant: str) -> chart.Terms:
    """The tenant's terms, given to it now if it had none."""
    found = await terms(tx, tenant)
    return found if found.version else await chart.set_terms(tx, tenant, found)


async def available(tx: Tx, tenant: str, workspace: str) -> int | None:
    """What a workspace can still set aside, in nano; None: any amount. Writes nothing.

    Exact while the tenant's funds are locked, a good guess otherwise (for quotes).
    """
    found = await terms(tx, tenant)
    if not found.version:
        return found.credit_limit
    return (await purse_of(tx, tenant, found.currency)).left(workspace)


async def reserve(
    tx: Tx,
    lease: Lease,
    amount: int,
    *,
    ceiling: int | None = None,
    horizon: int = HORIZON,
    expires_at: datetime | None = None,
    actor: str = "system",
) -> Hold:
    """Put ``amount`` nano aside for a lease, or refuse.

    ``ceiling`` is the most the lease can ever cost (a job with a time limit); with ``amount`` equal
    to it, the hold is never topped up. Without one, ``horizon`` seconds (at least 600) are kept
    covered. After
    ``expires_at`` the money is free again unless the lease has started.

    Raises ``BudgetExhausted`` or ``InsufficientFunds``. The same lease and amount again is answered
    with the hold there is; another amount is a ``Conflict``.
    """
    found = await open_tenant(tx, lease.tenant)
    currency = found.currency
    draft = await Draft.open(tx)
    hold = Hold(
        lease=lease.id,
        tenant=lease.tenant,
        workspace=lease.workspace,
        product=lease.product,
        resource_uid=lease.resource_uid,
        currency=currency,
        pending=named("hold", lease.id),
        state="reserved",
        amount=amount,
        ceiling=ceiling,
        horizon=horizon,
        expires_at=expires_at,
        drawn=0,
    )
    await chart.ensure(tx, [(lease.tenant, "held", currency, lease.workspace)])
    before = await find(tx, lease.id)
    if before is not None:
        if before.amount != amount or before.state != "reserved":
            raise Conflict(f"lease {lease.id} has a hold already")
        return before
    month = month_of(await tx.now())
    budgeted = await of_tenants(tx, [lease.tenant], month)
    # The tenant's other requests wait from here on, so the least that can be follows.
    accounts = await lock_accounts(tx, sorted([hold.funds, hold.held]))
    if budgeted or found.mode == "prepaid":
        (await purse_of(tx, lease.tenant, currency)).check(lease.workspace, amount)
    # Its transfer can't have been made before: it is written with the hold.
    draft.enter(Books(accounts=accounts, now=await tx.now()), [_reserving(hold)])
    await draft.seal(actor=actor)
    await tx.execute(
        _sql.add, lease.id, lease.tenant, lease.workspace, lease.product, lease.resource,
        lease.resource_uid, lease.root_uid, currency, hold.pending, amount, ceiling, horizon,
        expires_at,
    )  # fmt: skip
    return hold


def _reserving(hold: Hold) -> Transfer:
    return Transfer(
        id=hold.pending,
        verb="pending",
        debit=hold.funds,
        credit=hold.held,
        amount=hold.amount,
        expires_at=hold.expires_at,
        code="hold",
        subject=str(hold.lease),
    )


async def start(
    tx: Tx,
    lease: uuid.UUID,
    charges: Sequence[Charge],
    *,
    source: str,
    region: str = "",
    at: datetime,
    devices: Sequence[str] = (),
    actor: str = "system",
) -> None:
    """The lease's process runs since ``at``, on these ``devices``: take the reserved money over and
    begin metering.

    Also resumes a lease whose streams were stopped: it may be called again with a later ``at``.
    A reservation that expired meanwhile is made anew if the money is still there, else this raises
    ``InsufficientFunds`` or ``BudgetExhausted``.
    """
    row = await tx.fetchrow(_sql.locked, lease)
    if row is None:
        raise NotFound(f"lease {lease} has no hold")
    hold = _hold(row)
    if hold.state == "closed":
        raise Conflict(f"lease {lease} has ended")
    if hold.state == "reserved":
        await tx.execute(_sql.open, lease)
    await streams.add(tx, lease, charges, source=source, region=region, at=at, devices=devices)
    if hold.state == "reserved":
        draft = await Draft.open(tx)
        await _take(tx, draft, hold)
        await draft.seal(actor=actor)


async def _take(tx: Tx, draft: Draft, hold: Hold) -> None:
    """Move what was reserved. The hold's lock is ours, so its reservation has not ended."""
    accounts = await lock_accounts(tx, sorted([hold.funds, hold.held]))
    subject = str(hold.lease)
    take = Transfer(
        id=named("take", hold.lease), verb="post", debit=hold.funds, credit=hold.held,
        pending=hold.pending, code="hold", subject=subject,
    )  # fmt: skip
    now, taking = await tx.now(), [take]
    if hold.expires_at is not None and now >= hold.expires_at:
        # The expired reservation still counts as held, so nothing more must fit.
        (await purse_of(tx, hold.tenant, hold.currency)).check(hold.workspace, 0)
        retake = Transfer(
            id=named("retake", hold.lease), debit=hold.funds, credit=hold.held,
            amount=hold.amount, code="hold", subject=subject,
        )  # fmt: skip
        taking = [msgspec.structs.replace(take, verb="expire"), retake]
    reserved = Entry(**msgspec.structs.asdict(_reserving(hold)))
    draft.enter(Books(accounts=accounts, now=now, stored={hold.pending: reserved}), taking)


async def release(tx: Tx, lease: uuid.UUID, *, actor: str = "system") -> None:
    """End a hold whose lease never ran. One that is closed already stays so.

    Raises ``Conflict`` for a lease that has started: settle that one, with ``final``.
    """
    hold = await lock(tx, lease)
    if hold.state == "closed":
        return
    if hold.state == "open":
        raise Conflict(f"lease {lease} has run; it is settled, not released")
    expired = hold.expires_at is not None and await tx.now() >= hold.expires_at
    draft = await Draft.open(tx)
    await draft.post(
        [
            Transfer(
                id=named("release", lease),
                verb="expire" if expired else "void",
                pending=hold.pending,
                code="release",
                subject=str(lease),
            )
        ]
    )
    await draft.seal(actor=actor)
    await tx.execute(_sql.close, lease, 0, await tx.now())


async def expired(tx: Tx, limit: int = 500) -> list[uuid.UUID]:
    """Leases whose reservations have run out."""
    return [row["lease"] for row in await tx.fetch(_sql.expired, await tx.now(), limit)]


async def find(tx: Tx, lease: uuid.UUID) -> Hold | None:
    row = await tx.fetchrow(_sql.find, lease)
    return _hold(row) if row else None


async def get(tx: Tx, lease: uuid.UUID) -> Hold:
    """Raises ``NotFound``."""
    found = await find(tx, lease)
    if found is None:
        raise NotFound(f"lease {lease} has no hold")
    return found


async def lock(tx: Tx, lease: uuid.UUID) -> Hold:
    """The hold, locked until the transaction ends."""
    await tx.execute(_sql.lock, lease)
    return await get(tx, lease)


async def grow(tx: Tx, lease: uuid.UUID, by: int) -> None:
    """Note that more was put aside (or less, if negative)."""
    await tx.execute(_sql.grow, lease, by)


async def close(tx: Tx, lease: uuid.UUID, returned: int) -> None:
    """Note that what remained went back."""
    await tx.execute(_sql.close, lease, -returned, await tx.now())


def _hold(row: Row) -> Hold:
    values = {name: row[name] for name in Hold.__dataclass_fields__}
    values["drawn"] = int(row["drawn"])
    return Hold(**values)

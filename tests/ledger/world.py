"""A small cloud for the ledger's tests: a price list, a tenant, leases that run."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.kernel import changes
from skerry.ledger import chart, holds, journal, price_lists, settle, streams
from skerry.ledger.chart import Terms
from skerry.ledger.holds import Hold, Lease
from skerry.ledger.ids import named
from skerry.ledger.prices import PriceList
from skerry.ledger.streams import Charge
from skerry.ledger.transfers import Transfer
from skerry.store import Database, Tx

START = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EURO = 10**9


async def set_clock(db: Database, to: datetime) -> None:
    """Put the database's clock near ``to``; it goes on from there."""
    await db.execute("update clock set shift = $1 - clock_timestamp()", to)


async def prices(tx: Tx) -> PriceList:
    await price_lists.load(tx, price_lists.shipped())
    return await price_lists.at(tx)


async def pay_in(tx: Tx, tenant: str, amount: int, name: str = "payment") -> None:
    await chart.ensure(tx, [("", "cash", "EUR", "")])
    cash = chart.account_id("", "cash", "EUR")
    funds = chart.funds(tenant, "EUR")
    await journal.post(
        tx,
        [Transfer(id=named(name, tenant), debit=cash, credit=funds, amount=amount, code="payment")],
    )


async def open_cloud(db: Database, tenant: str = "acme", funds: int | None = None) -> None:
    """A cloud at ``START`` with one tenant: prepaid with ``funds``, or without any limit."""
    await set_clock(db, START)
    async with db.transaction() as tx:
        await prices(tx)
        mode = "postpaid" if funds is None else "prepaid"
        await chart.set_terms(tx, tenant, Terms(mode, None, "EUR"))
        if funds:
            await pay_in(tx, tenant, funds)


def lease_of(name: str, tenant: str = "acme", workspace: str = "lab") -> Lease:
    uid = named("job", tenant, workspace, name)
    return Lease(
        id=named("lease", tenant, workspace, name),
        tenant=tenant,
        workspace=workspace,
        product="run",
        resource=f"skerry.run/v1/tenants/{tenant}/workspaces/{workspace}/jobs/{name}",
        resource_uid=uid,
        root_uid=uid,
    )


async def charges(tx: Tx, millicores: int = 1000, memory: int = 1 << 30) -> list[Charge]:
    """One core and one GiB: 0.0136 EUR an hour."""
    found = await prices(tx)
    cpu, ram = found.price("cpu-hour"), found.price("memory-gib-hour")
    assert cpu is not None
    assert ram is not None
    return [Charge.running(cpu, millicores), Charge.running(ram, memory)]


HOURLY = 13_600_000


async def run(
    db: Database,
    name: str = "one",
    *,
    tenant: str = "acme",
    workspace: str = "lab",
    at: datetime = START,
    hold: int = HOURLY,
    source: str = "here",
    **more: Any,
) -> Lease:
    """A lease that started."""
    lease = lease_of(name, tenant, workspace)
    async with db.transaction() as tx:
        await holds.reserve(tx, lease, hold, **more)
        await holds.start(tx, lease.id, await charges(tx), source=source, region="eu", at=at)
    return lease


async def see(db: Database, until: datetime, source: str = "here") -> None:
    async with db.transaction() as tx:
        await streams.seen(tx, source, until)


async def finish(db: Database, lease: Lease, at: datetime) -> settle.Settled:
    async with db.transaction() as tx:
        return await settle.finish(tx, lease.id, at)


async def hold_of(db: Database, lease: Lease) -> Hold:
    async with db.transaction() as tx:
        return await holds.get(tx, lease.id)


async def balance(db: Database, code: str, tenant: str = "acme") -> int:
    """Over all workspaces."""
    return int(
        await db.fetchval(
            "select coalesce(sum(credits_posted - debits_posted), 0) from account "
            "where owner = $1 and code = $2",
            tenant,
            code,
        )
    )


async def usage(db: Database, lease: Lease) -> list[Any]:
    return await db.fetch(
        "select s.meter, u.* from usage u join stream s on s.id = u.stream where s.lease = $1 "
        "order by s.meter, u.starts_at, u.ends_at",
        lease.id,
    )


async def budget(
    db: Database, name: str, amount: str, *, tenant: str = "acme", workspace: str = "", **spec: Any
) -> uuid.UUID:
    """Put a budget as the kernel would store it."""
    uid = uuid.uuid4()
    full = {"amount": amount} | ({"workspace": workspace} if workspace else {}) | spec
    await db.execute(
        "insert into resource (uid, kind, ref, name, tenant, workspace, region, parent_ref, "
        "root_uid, created_by, labels, annotations, extensions, spec, spec_version, status, state, "
        "conditions, version, generation, created_at, modified_at) "
        "values ($1, 'budget', $2, $3, $4, '', '', '', $1, 'test', '{}', '{}', '{}', $5, 'v1', "
        "'{}', 'active', '[]', 1, 1, now(), now())",
        uid,
        f"budget/{tenant}/{name}",
        name,
        tenant,
        full,
    )
    return uid


async def verified(db: Database) -> None:
    """The log covers every row, and the books add up."""
    async with db.transaction() as tx:
        for row in await tx.fetch(
            "select kind, subject, body from change where kind like 'ledger.%'"
        ):
            body = await changes.WITNESSES[row["kind"]](tx, row["subject"])
            assert body is not None, row["subject"]
            assert changes.canonical(body).decode() == row["body"], row["subject"]
    assert await db.fetchval("select sum(credits_posted - debits_posted) from account") == 0
    held = await db.fetchval(
        "select coalesce(sum(credits_pending + credits_posted - debits_posted), 0) "
        "from account where code = 'held'"
    )
    remaining = await db.fetchval(
        "select coalesce(sum(h.amount), 0) - coalesce((select sum(posted) from stream), 0) "
        "from hold h"
    )
    assert held == remaining
    assert await db.fetchval("select count(*) from account where code = 'held' and "
                             "credits_pending + credits_posted < debits_posted") == 0  # fmt: skip
    spent = await db.fetchval("select coalesce(sum(amount), 0) from spending")
    assert spent == await db.fetchval("select coalesce(sum(amount), 0) from usage")

"""When a tenant's money is gone: what it stored stays, and everybody is told until when for sure.

What runs is stopped as its money ends. Data is not: it stays at least ``KEPT`` days, unbilled, with
what it costs an hour on the tenant's account. The tenant is told at once, the operator again when
the days are over. Nothing ever removes it but an operator's (or the tenant's) own command. Money
that comes in ends the shortage.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from skerry import notices
from skerry.kernel import alerts, changes
from skerry.kernel.history import stamp
from skerry.ledger import holds, money
from skerry.ledger.purse import purse_of
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "shortage.sql")

KIND = "ledger.shortage"
KEPT = timedelta(days=30)


async def look(tx: Tx, exhausted: Iterable[str]) -> None:
    """Begin the shortage of those tenants whose leases were just exhausted and whose funds are
    gone; end it for those that have money again; tell of those whose days are over."""
    now = await tx.now()
    for tenant in sorted(set(exhausted)):
        if await _available(tx, tenant) <= 0:
            await _begin(tx, tenant, now)
    for row in await tx.fetch(_sql.open):
        tenant = row["tenant"]
        # Less than an hour of what ran is what came back from the holds of what was stopped.
        if await _available(tx, tenant) >= max(row["needed"], 1):
            await tx.execute(_sql.end, tenant, now)
            await alerts.clear(tx, _subject(tenant))
            await _record(tx, tenant, row["since"], "end")
        elif now >= row["keep_until"] and not row["told_over"]:
            await tx.execute(_sql.told, tenant)
            await alerts.raise_alert(
                tx,
                subject=_subject(tenant),
                reason="over",
                message=f"The days for which the data of {tenant} was promised to be kept are "
                f"over since {row['keep_until']:%Y-%m-%d}. It is still there.",
                remedy=f"Ask {tenant} once more, or delete its volumes: nothing else will.",
            )


async def of(tx: Tx, tenant: str) -> dict[str, str]:
    """What the tenant's account shows of a shortage; nothing if there is none."""
    row = await tx.fetchrow(_sql.of, tenant)
    if row is None:
        return {"phase": "funded"}
    return {
        "phase": "out-of-money",
        "dataKeptUntil": stamp(row["keep_until"]),
        "keptPerHour": money.text(row["kept_hourly"]),
    }


async def _available(tx: Tx, tenant: str) -> int:
    """What the tenant can set aside, in nano; the most there is where nothing limits it."""
    terms = await holds.terms(tx, tenant)
    if not terms.version:
        return money.MOST
    left = (await purse_of(tx, tenant, terms.currency)).funds
    return money.MOST if left is None else left


async def _begin(tx: Tx, tenant: str, now: datetime) -> None:
    until = now + KEPT
    hourly = await tx.fetchval(_sql.begin, tenant, now, until)
    if hourly is None:
        return
    currency = (await holds.terms(tx, tenant)).currency
    words = (
        f"The money of {tenant} is used up, and what ran was stopped. What it stored stays at "
        f"least until {until:%Y-%m-%d}; keeping it costs {money.text(hourly)} {currency} an hour, "
        "which is not charged meanwhile."
    )
    remedy = "Pay in, or ask the operator for credit; then start again what was stopped."
    await alerts.raise_alert(
        tx, subject=_subject(tenant), reason="out-of-money", message=words, remedy=remedy,
        tenant=tenant, quiet=True,
    )  # fmt: skip
    await notices.post(
        tx,
        topic="account.out-of-money",
        tenant=tenant,
        subject=f"The money of {tenant} is used up",
        text=f"{words}\n\n{remedy}",
        facts={"tenant": tenant, "dataKeptUntil": stamp(until)},
        dedupe=f"shortage/{tenant}/{stamp(now)}",
    )
    await _record(tx, tenant, now, "begin")


def _subject(tenant: str) -> str:
    return f"the money of {tenant}"


async def _record(tx: Tx, tenant: str, since: datetime, verb: str) -> None:
    subject = f"ledger/shortages/{tenant}/{stamp(since)}/{verb}"
    body = await _body(tx, tenant, since, verb)
    assert body is not None
    await changes.record(
        tx, kind=KIND, subject=subject, verb=verb, tenant=tenant, actor="system", body=body
    )


async def _body(tx: Tx, tenant: str, since: datetime, verb: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.body, tenant, since)
    if row is None or (verb == "end" and row["ended_at"] is None):
        return None
    body = {
        "tenant": tenant,
        "since": stamp(row["since"]),
        "keepUntil": stamp(row["keep_until"]),
        "keptPerHour": money.text(row["kept_hourly"]),
    }
    return body | ({"endedAt": stamp(row["ended_at"])} if verb == "end" else {})


@changes.witness(KIND)
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    _, _, tenant, since, verb = subject.split("/")
    return await _body(tx, tenant, datetime.fromisoformat(since), verb)

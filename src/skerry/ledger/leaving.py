"""A tenant's beginning and end, as its money sees them.

A tenant has its account from the start. It can't be deleted while a sum is on its way: money that
is set aside, a month that was used and not invoiced, an invoice that is not paid. Whoever deletes
it is told what is open and how to close it. Afterwards its documents stay, under its name; so no
other tenant ever gets that name.

A cloud without a seller sends no invoices, and nothing but money set aside keeps its tenants.
"""

from datetime import date

from skerry.kernel import alerts
from skerry.kernel.errors import Conflict, Unavailable
from skerry.kernel.hooks import Caller
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import agreements, holds, issuing, money, publish
from skerry.ledger.windows import month_of, month_start, next_month
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "leaving.sql")


class Money:
    """What billing has to do with it."""

    async def begun(self, tx: Tx, resources: Resources, tenant: Resource) -> None:
        if "billing-account" not in resources.registry.by_noun:
            return
        if await tx.fetchval(_sql.known, tenant.name):
            raise Conflict(
                f"a tenant {tenant.name!r} was billed here before, and its documents stay",
                hint="Use another name.",
            )
        try:
            await publish.account(tx, resources, tenant.name)
        except Unavailable:
            # No price list holds yet, so there are no terms: the settler gives them with the first.
            return

    async def leaving(self, tx: Tx, resources: Resources, tenant: Resource, by: Caller) -> None:
        if "billing-account" not in resources.registry.by_noun:
            return
        await _check(tx, tenant.name)
        for row in await tx.fetch(_sql.resources, tenant.name):
            await resources.delete(tx, await resources.by_uid(tx, row["uid"]), by)
        await _tell_of_credit(tx, tenant.name)


async def _check(tx: Tx, tenant: str) -> None:
    """Raise ``Conflict`` for the first thing that is open."""
    if await tx.fetchval(_sql.runs, tenant):
        raise Conflict(
            f"money of {tenant} is still set aside for what ran",
            hint="Its last seconds are being charged: try again in a minute.",
        )
    if not await tx.fetchval(_sql.sells, issuing.SELLER):
        return
    now = month_of(await tx.now())
    for month, words in await _not_invoiced(tx, tenant, now):
        over = month < now
        when = "" if over else f" from {next_month(month)} on, when the month is over"
        suspend = "" if over else f"Suspend it (skerry tenant update {tenant} --suspended); i"
        raise Conflict(
            f"{tenant} {words} in {month:%Y-%m}, which is not invoiced",
            hint=f"{suspend or 'I'}ssue it{when}: skerry invoice issue --period {month:%Y-%m} "
            f"--only {tenant}; then delete the tenant.",
        )
    for found in await issuing.standings(tx, tenant=tenant):
        if found.open > 0:
            amount = money.coins(found.open, found.currency)
            name = f"{found.number.lower()} --tenant {tenant}"
            raise Conflict(
                f"{amount} {found.currency} of invoice {found.number} are not paid",
                hint=f"Record the payment (skerry invoice pay {name} --amount {amount} --reference "
                f'"…") or give it up (skerry invoice credit {name} --reason "…"); then delete the '
                "tenant.",
            )


async def _not_invoiced(tx: Tx, tenant: str, now: date) -> list[tuple[date, str]]:
    """Months that are owed something, oldest first, and why."""
    currency = (await holds.terms(tx, tenant)).currency
    found = {
        row["period"]: f"used {money.text(int(row['amount']))} {currency}"
        for row in await tx.fetch(_sql.used, tenant)
    }
    issued = {row["period"] for row in await tx.fetch(_sql.issued, tenant)}
    began = await tx.fetchval(_sql.began, tenant)
    month = month_of(began) if began else now
    while month <= now:
        agreed = await agreements.of_tenant(tx, tenant, month_start(month))
        if any(a.commitment for a in agreed):
            found.setdefault(month, "has a commitment")
        month = next_month(month)
    return sorted((month, words) for month, words in found.items() if month not in issued)


async def _tell_of_credit(tx: Tx, tenant: str) -> None:
    """What a tenant paid in and never used is owed to it, whether it is here or not."""
    currency = (await holds.terms(tx, tenant)).currency
    left, _ = await issuing.credit_left(tx, tenant, currency)
    if left > 0:
        await alerts.raise_alert(
            tx,
            subject=f"the credit of {tenant}",
            reason="left",
            message=f"{tenant} was deleted with {money.text(left)} {currency} of its own money.",
            remedy="Pay it back.",
        )

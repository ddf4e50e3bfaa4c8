"""What a prepaid tenant's credit covers, once its invoice has put tax on top.

Usage is charged without tax while it runs; the invoice adds tax to all of it. So that the credit
pays that invoice, a prepaid tenant can set aside only what is left of its credit *before tax*: with
19 %, 119 EUR paid in are 100 EUR of use. Credit that was given lowers the invoice before tax, so it
counts whole. Tax follows seller and customer as on the invoice; a customer that is not written down
yet is taken to be at home, and a cloud without a seller sends no invoices and adds none.

An agreement's free units are left out: they come back with the invoice, not before.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from skerry.kernel.errors import Conflict
from skerry.ledger import chart, money, vat
from skerry.ledger.parties import Customer, SellerSpec
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "taxed.sql")
_WHOLE = 10_000
"""Rates are in hundredths of a percent."""
_ROUNDING = 2
"""So many coins stay aside, since lines and tax are rounded to whole ones."""


def left(paid: int, given: int, used: int, rate: int) -> int:
    """How much more can be used before tax, in nano. ``paid`` and ``given`` are what no invoice has
    used up, ``used`` what no invoice has said yet, with what is held."""
    return max(paid, 0) * _WHOLE // (_WHOLE + rate) + given - used


async def limits(tx: Tx, tenants: Sequence[tuple[str, str]]) -> dict[str, int]:
    """For those of the tenants (each with its currency) that are prepaid and pay tax: the most that
    can be set aside, in nano. Exact while their funds are locked."""
    seller = await tx.fetchval(_sql.seller)
    if seller is None:
        return {}
    ids = {chart.funds(tenant, currency): tenant for tenant, currency in tenants}
    found = {}
    for row in await tx.fetch(_sql.prepaid, list(ids)):
        rate = _rate(seller, row["customer"])
        if not rate:
            continue
        used = int(row["held"] + row["unsaid"])
        credit = int(row["funds"]) + used
        given = min(max(int(row["given"]), 0), max(credit, 0))
        paid = credit - given - _ROUNDING * money.coin(row["currency"])
        found[row["tenant"]] = left(paid, given, used, rate)
    return found


def _rate(seller: dict[str, Any], customer: dict[str, Any] | None) -> int:
    sells = msgspec.convert(seller, SellerSpec)
    buys = msgspec.convert(customer, Customer) if customer else sells
    try:
        return vat.treatment(sells, buys).rate
    except Conflict:
        # A rate that nobody said: such a month can't be invoiced either, until somebody does.
        return 0

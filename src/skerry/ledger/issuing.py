"""Issuing: the moment from which an invoice exists for the world.

In one transaction a month's bill is closed, the document composed, the ledger moved and the number
taken. The row of the number's series is locked first and held to the end, so invoices are issued
one after the other, no number is missing and none is given twice, whoever issues at once and
wherever a process dies. A tenant's month has one invoice; issuing it again answers with it.

What was issued never changes. It is corrected by credit notes, which together never come to more
than their invoice. Payments are rows of their own; whether an invoice is open, overdue, paid or
credited is computed from them when asked.
"""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, NotFound
from skerry.ledger import (
    accounting,
    agreements,
    chart,
    invoices,
    issued,
    money,
    telling,
    vat,
)
from skerry.ledger.issued import Issued
from skerry.ledger.parties import Customer, SellerSpec
from skerry.ledger.standing import Standing
from skerry.ledger.windows import month_start
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "issuing.sql")

KIND, PAYMENT = "ledger.issued", "ledger.payment"
SELLER = ACCOUNT = "main"


async def draft(tx: Tx, tenant: str, month: date) -> Issued:
    """What would be issued of a month now. Raises ``NotFound`` if it would be nothing."""
    bill = await invoices.invoice(tx, tenant, month)
    made, _, _ = await _composed(tx, bill, await _today(tx))
    return made


async def find(tx: Tx, tenant: str, month: date) -> str | None:
    """The number of the month's invoice, if it was issued."""
    return (await of_months(tx, tenant, [month])).get(month)


async def of_months(tx: Tx, tenant: str, months: Sequence[date]) -> dict[date, str]:
    """The number of each month's invoice, of those that were issued."""
    rows = await tx.fetch(_sql.of_months, tenant, list(months))
    return {row["period"]: row["number"] for row in rows}


async def issue(tx: Tx, tenant: str, month: date, *, actor: str = "system") -> tuple[Issued, bool]:
    """Issue the invoice of a past month; whether this call did. Raises ``Conflict`` while the month
    runs, is not settled, or seller or customer are not known, and ``NotFound`` if it owes nothing
    for it."""
    seller = await _seller(tx)
    series = f"{seller.number_prefix}{(await _today(tx)).year}"
    await _lock(tx, series)
    number = await find(tx, tenant, month)
    if number is not None:
        return await get(tx, number), False
    agreed = await agreements.of_tenant(tx, tenant, month_start(month))
    # What is promised is invoiced if nothing was used, and its month is closed as any other.
    promised = any(a.commitment for a in agreed)
    bill = await invoices.close(tx, tenant, month, actor=actor, even_empty=promised)
    made, funds, promo = await _composed(tx, bill, await _today(tx))
    made = msgspec.structs.replace(made, number=await _number(tx, series))
    prepaid = await accounting.post_invoice(tx, made, funds, actor=actor)
    made = issued.with_prepaid(made, prepaid)
    await _add(tx, made, series, actor, promo=promo, prepaid=prepaid)
    return made, True


async def credit(
    tx: Tx, number: str, *, net: int | None, reason: str, actor: str = "system"
) -> Issued:
    """Issue a credit note for all that is left of an invoice, or for ``net`` nano of it, and the
    tax on that. Raises ``Conflict`` if it would be more than is left."""
    seller = await _seller(tx)
    series = f"C{seller.number_prefix}{(await _today(tx)).year}"
    await _lock(tx, series)
    await tx.execute(_sql.lock_invoice, number)
    found = await standing(tx, number)
    invoice = issued.decode(found.document)
    if found.type == "credit-note":
        raise Conflict(f"{number} is a credit note itself", hint="Credit its invoice.")
    left = found.net - found.credited_net
    if net is None:
        net = left
    coins = f"{money.coins(left, found.currency)} {found.currency}"
    if net > left or left <= 0:
        raise Conflict(
            f"{money.text(net)} {found.currency} are more than what is left of invoice {number}: "
            f"{coins} before tax",
            hint="A credit note takes back what was invoiced, no more.",
        )
    tax = _tax_of(found, invoice, net, left)
    whole = net == found.net
    made = issued.credit_note(
        invoice, net=net, tax=tax, whole=whole, reason=reason, today=await _today(tx)
    )
    made = msgspec.structs.replace(made, number=await _number(tx, series))
    excess = max(net + tax - max(found.open, 0), 0)
    await accounting.post_credit(tx, made, actor=actor)
    await _add(tx, made, series, actor, excess=excess)
    if net + tax >= found.open:
        await telling.settled(tx, number)
    return made


def _tax_of(found: Standing, invoice: Issued, net: int, left: int) -> int:
    """On a part; the last part takes what is left, so that the parts add up to the whole."""
    rest = found.vat - found.credited_vat
    if net == left:
        return rest
    return min(invoice.tax.treatment.tax(net, found.currency), rest)


async def pay(
    tx: Tx, number: str, amount: int, *, received_on: date, reference: str, actor: str = "system"
) -> Standing:
    """Record that money came in for an invoice. The same reference, day and amount again is the
    same payment. Raises ``Conflict`` for more than is open."""
    await tx.execute(_sql.lock_invoice, number)
    found = await standing(tx, number)
    id = accounting.payment_id(number, amount, received_on, reference)
    if await tx.fetchrow(_sql.payment, id) is not None:
        return found
    if amount > found.open:
        raise Conflict(
            f"{money.text(amount)} {found.currency} came in; {money.text(found.open)} are open of "
            f"invoice {number}",
            hint="Record what was owed here, and the rest as a credit of the tenant.",
        )
    await accounting.post_payment(tx, found.tenant, found.currency, id, amount, number, actor=actor)
    await tx.execute(_sql.pay, id, number, amount, received_on, reference, await tx.now())
    await changes.record(
        tx, kind=PAYMENT, subject=f"ledger/payments/{id}", verb="record", tenant=found.tenant,
        actor=actor, body=_payment(number, amount, received_on, reference),
    )  # fmt: skip
    paid = await standing(tx, number)
    if paid.open <= 0:
        await telling.settled(tx, number)
    return paid


async def remind(tx: Tx) -> list[str]:
    """Tell, once each, of invoices that have become overdue; their numbers."""
    today = await _today(tx)
    late = [one for one in await standings(tx, due_before=today) if one.phase(today) == "overdue"]
    return [one.number for one in late if await telling.overdue(tx, one)]


async def get(tx: Tx, number: str) -> Issued:
    """Raises ``NotFound``."""
    document = await tx.fetchval(_sql.document, number)
    if document is None:
        raise NotFound(f"no invoice has the number {number[:40]!r}")
    return issued.decode(document)


async def standing(tx: Tx, number: str) -> Standing:
    """Raises ``NotFound``."""
    found = await standings(tx, numbers=[number])
    if not found:
        raise NotFound(f"no invoice has the number {number[:40]!r}")
    return found[0]


async def standings(
    tx: Tx,
    *,
    tenant: str | None = None,
    numbers: Sequence[str] | None = None,
    month: date | None = None,
    due_before: date | None = None,
) -> list[Standing]:
    """Issued documents in the order of their numbers; with ``due_before`` invoices alone."""
    rows = await tx.fetch(_sql.standings, tenant, numbers, month, due_before)
    fields = Standing.__struct_fields__
    return [Standing(**{name: row[name] for name in fields}) for row in rows]


async def credit_left(tx: Tx, tenant: str, currency: str) -> tuple[int, int]:
    """What a tenant paid in, and what it was given, that no invoice has used yet; in nano."""
    row = await tx.fetchrow(_sql.credit, tenant, chart.funds(tenant, currency))
    assert row is not None
    return max(int(row["paid"]), 0), max(int(row["given"]), 0)


async def payments(tx: Tx, number: str) -> list[Row]:
    return await tx.fetch(_sql.payments, number)


async def _composed(tx: Tx, bill: invoices.Invoice, today: date) -> tuple[Issued, int, int]:
    """The document without number; the tenant's credit, paid and then given, that it may use."""
    month = invoices.month_named(bill.period)
    agreed = await agreements.of_tenant(tx, bill.tenant, month_start(month))
    if not bill.lines and not any(a.commitment for a in agreed):
        raise NotFound(f"{bill.tenant} used nothing in {bill.period}")
    seller = await _seller(tx)
    customer = await _customer(tx, bill.tenant)
    paid, given = await credit_left(tx, bill.tenant, bill.currency)
    made = issued.compose(
        bill,
        seller=seller,
        customer=customer,
        treatment=vat.treatment(seller, customer),
        agreements=agreed,
        promo=given,
        today=today,
        bill_sha256=await tx.fetchval(_sql.bill_hash, bill.tenant, month) or "",
    )
    used = sum(money.parse(a.amount) for a in made.allowances)
    return made, paid, used


async def _seller(tx: Tx) -> SellerSpec:
    row = await tx.fetchrow(_sql.record, "seller", "", SELLER)
    if row is None:
        raise Conflict(
            "who sells is not known",
            hint="Write it: skerry seller create main (docs/invoices.md).",
        )
    return msgspec.convert(row["spec"], SellerSpec)


async def _customer(tx: Tx, tenant: str) -> Customer:
    row = await tx.fetchrow(_sql.record, "billing-account", tenant, ACCOUNT)
    spec = row["spec"].get("customer") if row is not None else None
    if not spec:
        raise Conflict(
            f"the legal name and address of {tenant} are not known",
            hint=f"Write them: skerry billing-account update {ACCOUNT} --tenant {tenant} "
            '--customer.legal-name "…" --customer.street "…" --customer.city "…" '
            "--customer.country DE (docs/invoices.md).",
        )
    return msgspec.convert(spec, Customer)


async def _lock(tx: Tx, series: str) -> None:
    await tx.execute(_sql.open_series, series)
    await tx.fetchval(_sql.lock_series, series)


async def _number(tx: Tx, series: str) -> str:
    serial = await tx.fetchval(_sql.next_number, series)
    return f"{series}-{serial:06d}"


async def _add(
    tx: Tx, made: Issued, series: str, actor: str, *, promo: int = 0, prepaid: int = 0,
    excess: int = 0,
) -> None:  # fmt: skip
    document = changes.canonical(made).decode()
    await tx.execute(
        _sql.add, made.number, series, int(made.number.rpartition("-")[2]), made.type, made.tenant,
        invoices.month_named(made.period), made.corrects or None, made.currency, made.nano("net"),
        made.nano("vat"), made.nano("gross"), promo, prepaid, excess,
        date.fromisoformat(made.issued_on), date.fromisoformat(made.due_on), document,
        await tx.now(),
    )  # fmt: skip
    await changes.record(
        tx,
        kind=KIND,
        subject=f"ledger/issued/{made.number}",
        verb="issue",
        tenant=made.tenant,
        actor=actor,
        body=_body(document),
    )
    await telling.issued(tx, made)


async def _today(tx: Tx) -> date:
    return (await tx.now()).date()


def _body(document: str) -> dict[str, Any]:
    made = issued.decode(document)
    return {
        "number": made.number,
        "type": made.type,
        "currency": made.currency,
        "gross": made.gross,
        "sha256": hashlib.sha256(document.encode()).hexdigest(),
    }


def _payment(number: str, amount: int, received_on: date, reference: str) -> dict[str, Any]:
    return {
        "number": number,
        "amount": money.text(amount),
        "receivedOn": received_on.isoformat(),
        "reference": reference,
    }


@changes.witness(KIND)
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    document = await tx.fetchval(_sql.document, subject.removeprefix("ledger/issued/"))
    return _body(document) if document is not None else None


@changes.witness(PAYMENT)
async def _rebuild_payment(tx: Tx, subject: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.payment, uuid.UUID(subject.rpartition("/")[2]))
    return _payment(**dict(row)) if row is not None else None

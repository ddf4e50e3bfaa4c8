"""The invoice that is sent: a document of its own, composed from a closed month by pure functions.

The month's bill says, lease by lease, what was used. What goes to the customer and to the tax
office says it in a line for each thing that was sold at one price, takes off what was agreed to be
free and what was given away, adds a commitment that was not reached, and puts the tax on top, once.
Only ``issuing`` gives it a number, and from then on it never changes.

All amounts are decimal strings of whole coins; unit prices have as many decimals as they need.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

import msgspec

from skerry.ledger import money
from skerry.ledger.agreements import Agreement
from skerry.ledger.invoices import Invoice, Line
from skerry.ledger.parties import Customer, SellerSpec
from skerry.ledger.vat import Treatment

Type = Literal["invoice", "credit-note"]


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class IssuedLine(_Document, frozen=True, kw_only=True):
    name: str
    description: str
    quantity: str
    unit: str
    unit_price: str
    start: str
    """A day, and so is ``end``, which is the last one."""
    end: str
    listed: str
    """Quantity at the unit price."""
    allowance: str = "0.00"
    """What of it is free."""
    allowance_reason: str = ""
    amount: str
    """``listed`` less ``allowance``."""
    sort: str = "usage"
    """``usage``, ``commitment`` or ``credit``."""


class Allowance(_Document, frozen=True, kw_only=True):
    """Taken off the whole."""

    reason: str
    amount: str


class Tax(_Document, frozen=True, kw_only=True):
    treatment: Treatment
    net: str
    tax: str


class Issued(_Document, frozen=True, kw_only=True):
    number: str
    """Empty: a draft."""
    type: Type
    tenant: str
    period: str
    start: str
    end: str
    issued_on: str
    due_on: str
    currency: str
    seller: SellerSpec
    customer: Customer
    lines: tuple[IssuedLine, ...]
    allowances: tuple[Allowance, ...] = ()
    tax: Tax
    lines_total: str
    net: str
    vat: str
    gross: str
    prepaid: str
    """What was paid before: taken from the tenant's credit."""
    payable: str
    corrects: str = ""
    """The invoice that a credit note corrects, the day it was issued, and why."""
    corrects_issued_on: str = ""
    reason: str = ""
    bill: str = ""
    """The month's bill that stands behind it, and its hash."""
    bill_sha256: str = ""

    def nano(self, field: str) -> int:
        """One of its amounts in nano."""
        amount: str = getattr(self, field)
        return money.parse(amount)


def decode(document: str) -> Issued:
    return msgspec.json.decode(document, type=Issued)


def compose(
    bill: Invoice,
    *,
    seller: SellerSpec,
    customer: Customer,
    treatment: Treatment,
    agreements: Sequence[Agreement],
    promo: int,
    today: date,
    bill_sha256: str = "",
) -> Issued:
    """The invoice of a month, without number and before credit is counted. ``promo`` is what the
    tenant was given and has not used up, in nano."""
    currency = bill.currency
    start, last = _days(bill.start, bill.end)
    lines = usage_lines(bill, agreements)
    net = sum(money.parse(line.amount) for line in lines)
    promised = sum(a.commitment for a in agreements)
    if promised > net:
        lines.append(_commitment(promised, net, currency, start, last))
        net = promised
    given = max(min(promo - promo % money.coin(currency), net), 0)
    lines_total, net = net, net - given
    tax = treatment.tax(net, currency)
    coins = _coins(currency)
    return Issued(
        number="",
        type="invoice",
        tenant=bill.tenant,
        period=bill.period,
        start=start.isoformat(),
        end=last.isoformat(),
        issued_on=today.isoformat(),
        due_on=(today + timedelta(days=customer.payment_days)).isoformat(),
        currency=currency,
        seller=seller,
        customer=customer,
        lines=tuple(lines),
        allowances=(Allowance(reason="Credit given", amount=coins(given)),) if given else (),
        tax=Tax(treatment=treatment, net=coins(net), tax=coins(tax)),
        lines_total=coins(lines_total),
        net=coins(net),
        vat=coins(tax),
        gross=coins(net + tax),
        prepaid=coins(0),
        payable=coins(net + tax),
        bill=bill.number,
        bill_sha256=bill_sha256,
    )


def with_prepaid(made: Issued, prepaid: int) -> Issued:
    """With what the tenant's credit pays of it."""
    coins = _coins(made.currency)
    payable = coins(made.nano("gross") - prepaid)
    return msgspec.structs.replace(made, prepaid=coins(prepaid), payable=payable)


def credit_note(
    invoice: Issued, *, net: int, tax: int, whole: bool, reason: str, today: date
) -> Issued:
    """What takes ``net`` and ``tax`` of an invoice back. ``whole``: all of it, line by line."""
    coins = _coins(invoice.currency)
    line = IssuedLine(
        name=f"Credit for invoice {invoice.number}",
        description=reason,
        quantity="1",
        unit="each",
        unit_price=coins(net),
        start=invoice.start,
        end=invoice.end,
        listed=coins(net),
        allowance=coins(0),
        amount=coins(net),
        sort="credit",
    )
    return msgspec.structs.replace(
        invoice,
        number="",
        type="credit-note",
        issued_on=today.isoformat(),
        due_on=today.isoformat(),
        lines=invoice.lines if whole else (line,),
        allowances=invoice.allowances if whole else (),
        tax=msgspec.structs.replace(invoice.tax, net=coins(net), tax=coins(tax)),
        lines_total=invoice.lines_total if whole else coins(net),
        net=coins(net),
        vat=coins(tax),
        gross=coins(net + tax),
        prepaid=coins(0),
        payable=coins(net + tax),
        corrects=invoice.number,
        corrects_issued_on=invoice.issued_on,
        reason=reason,
    )


def usage_lines(bill: Invoice, agreements: Sequence[Agreement]) -> list[IssuedLine]:
    """One line for what was sold under one name at one price, with what of it is free."""
    left = {id(a): a.free for a in agreements if a.free}
    made = []
    ordered = sorted(bill.lines, key=lambda line: line.group)
    for _, found in groupby(ordered, key=lambda line: line.group):
        lines = list(found)
        first = lines[0]
        quantity = sum(money.parse(line.quantity) for line in lines)
        amount = sum(money.parse(line.amount) for line in lines)
        taken, reasons = 0, []
        for agreement in agreements:
            if not agreement.covers(first.meter, first.sku) or not left.get(id(agreement)):
                continue
            part = min(left[id(agreement)], max(quantity - taken, 0))
            if part > 0:
                left[id(agreement)] -= part
                taken += part
                reasons.append(f"{money.text(part, least=0)} {first.unit} free, as agreed")
        made.append(_usage_line(bill, lines, quantity, amount, taken, reasons, agreements))
    return made


def _usage_line(
    bill: Invoice,
    lines: Sequence[Line],
    quantity: int,
    amount: int,
    taken: int,
    reasons: Iterable[str],
    agreements: Sequence[Agreement],
) -> IssuedLine:
    first, coins = lines[0], _coins(bill.currency)
    free = 0
    if taken and amount > 0:
        free = money.rounded(money.half_even(amount * taken, quantity), bill.currency)
    start, _ = _days(min(line.start for line in lines), bill.end)
    _, last = _days(bill.start, max(line.end for line in lines))
    price = money.parse(first.unit_price)
    notes = [f"Workspace {first.workspace}", _counted(len({line.resource for line in lines}))]
    if any(a.price == price and a.covers(first.meter, first.sku) for a in agreements):
        notes.append("at the agreed price")
    if first.adjusts:
        notes.append(f"adjustment for {first.adjusts}")
    return IssuedLine(
        name=_plain(f"{first.product}: {first.meter} {first.sku}"),
        description=", ".join(notes),
        quantity=money.text(quantity, least=0),
        unit=first.unit,
        unit_price=first.unit_price,
        start=start.isoformat(),
        end=max(start, last).isoformat(),
        listed=coins(amount),
        allowance=coins(free),
        allowance_reason="; ".join(reasons) if free else "",
        amount=coins(amount - free),
    )


def _commitment(promised: int, net: int, currency: str, start: date, last: date) -> IssuedLine:
    coins = _coins(currency)
    return IssuedLine(
        name="Commitment not reached",
        description=f"{coins(promised)} {currency} a month are agreed, {coins(net)} were used",
        quantity="1",
        unit="each",
        unit_price=coins(promised - net),
        start=start.isoformat(),
        end=last.isoformat(),
        listed=coins(promised - net),
        allowance=coins(0),
        amount=coins(promised - net),
        sort="commitment",
    )


def _coins(currency: str) -> Callable[[int], str]:
    """How this currency writes its amounts."""
    return lambda nano: money.coins(nano, currency)


def _plain(words: str) -> str:
    """Without what XML can't hold: a model's name is what a machine says of itself."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _counted(resources: int) -> str:
    return "1 resource" if resources == 1 else f"{resources} resources"


def _days(start: str, end: str) -> tuple[date, date]:
    """The first and the last day of a time that ends just before ``end``."""
    last = datetime.fromisoformat(end) - timedelta(microseconds=1)
    return datetime.fromisoformat(start).date(), last.date()

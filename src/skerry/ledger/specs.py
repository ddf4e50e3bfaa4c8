"""What billing's kinds look like. Amounts are decimal strings in the tenant's currency."""

from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.ledger.parties import Customer

Amount = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?$",
        description="A decimal such as 12.50, in the tenant's currency",
    ),
]
_WORKSPACE = Meta(max_length=64, description="Only this workspace; empty: the whole tenant")
_PERCENT = Annotated[int, Meta(ge=1, le=100)]


class BudgetSpec(Spec):
    amount: Annotated[Amount, Meta(description="The most that may be spent in a month")]
    currency: Annotated[
        str, Meta(pattern="^([A-Z]{3})?$", description="The tenant's; empty means the same")
    ] = ""
    workspace: Annotated[str, _WORKSPACE] = ""
    thresholds: Annotated[
        tuple[_PERCENT, ...],
        Meta(max_length=10, description="Percent of the amount at which to warn; 50, 80 and 100"),
    ] = (50, 80, 100)


class BudgetStatus(Status):
    phase: Annotated[str, Meta(description="ok, warning or exhausted")] = ""
    spent: Annotated[str, Meta(description="This month")] = ""
    held: Annotated[str, Meta(description="Set aside for what runs")] = ""
    left: Annotated[str, Meta(description="What can still be set aside this month")] = ""
    currency: Annotated[str, Meta(description="Of all these amounts, ISO 4217")] = ""
    reached: Annotated[
        tuple[int, ...], Meta(description="Thresholds that spending has reached this month")
    ] = ()


class AccountSpec(Spec):
    mode: Annotated[
        Literal["prepaid", "postpaid"],
        Meta(description="Whether the tenant pays before it uses or after"),
    ]
    credit_limit: Annotated[
        str,
        Meta(
            pattern=r"^([0-9]{1,9}(\.[0-9]{1,9})?)?$",
            description="What a post-paid tenant may owe; empty: any amount",
        ),
    ] = ""
    customer: Annotated[Customer | None, Meta(description="Whom its invoices are made out to")] = (
        None
    )


class AccountStatus(Status):
    phase: Annotated[str, Meta(description="funded or out-of-money")] = ""
    data_kept_until: Annotated[
        str, Meta(description="Out of money: until when its data is kept at least")
    ] = ""
    kept_per_hour: Annotated[
        str, Meta(description="Out of money: what keeping its data costs an hour, uncharged")
    ] = ""
    balance: Annotated[str, Meta(description="What the tenant has; below zero: what it owes")] = ""
    due: Annotated[
        str, Meta(description="Tax and commitments that were invoiced and not paid, beside it")
    ] = ""
    held: Annotated[str, Meta(description="Set aside for what runs")] = ""
    available: Annotated[
        str, Meta(description="What can still be set aside, before tax; empty: any")
    ] = ""
    this_month: Annotated[str, Meta(description="Cost this month so far")] = ""
    per_hour: Annotated[str, Meta(description="What runs now costs so much an hour")] = ""
    currency: Annotated[str, Meta(description="Of all these amounts, ISO 4217")] = ""


class CreditSpec(Spec):
    amount: Annotated[Amount, Meta(description="How much")]
    source: Annotated[
        Literal["payment", "promo"], Meta(description="Money that came in, or a gift")
    ] = "payment"
    note: Annotated[str, Meta(max_length=500, description="Such as a bank reference")] = ""


class CreditStatus(Status):
    transfer: Annotated[str, Meta(description="Its id in the ledger")] = ""


class InvoiceSpec(Spec):
    """A month's bill is what was used in the month it is named after; what was issued has a number,
    and is named after that."""

    number: Annotated[str, Meta(max_length=40, description="Of an issued one")] = ""


class InvoiceStatus(Status):
    type: Annotated[str, Meta(description="bill (of a month), invoice or credit-note")] = ""
    phase: Annotated[
        str,
        Meta(
            description="A bill: draft, closed or issued; an invoice: open, overdue, paid or "
            "credited; a credit note: issued"
        ),
    ] = ""
    number: Annotated[str, Meta(description="Its number, once it is closed or issued")] = ""
    period: Annotated[str, Meta(description="The month, such as 2026-11")] = ""
    total: Annotated[str, Meta(description="What is owed: with tax, once it is issued")] = ""
    net: Annotated[str, Meta(description="Of an issued one: before tax")] = ""
    vat: Annotated[str, Meta(description="Of an issued one: the tax")] = ""
    open: Annotated[str, Meta(description="Of an issued one: what is still to be paid")] = ""
    issued_on: Annotated[str, Meta(description="The day it was issued")] = ""
    due_on: Annotated[str, Meta(description="The last day on which it is paid in time")] = ""
    corrects: Annotated[str, Meta(description="Of a credit note: the invoice")] = ""
    exact: Annotated[str, Meta(description="Before it was rounded to whole cents")] = ""
    currency: Annotated[str, Meta(description="Of all these amounts, ISO 4217")] = ""
    lines: Annotated[int, Meta(description="How many lines it has")] = 0
    as_of: Annotated[str, Meta(description="When it was computed or closed")] = ""


class IssueSpec(Spec, kw_only=True):
    period: Annotated[
        str, Meta(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="The month, such as 2026-10")
    ]
    draft: Annotated[bool, Meta(description="Only say what would be issued")] = False


class CreditNoteSpec(Spec, kw_only=True):
    reason: Annotated[str, Meta(min_length=1, max_length=300, description="Printed on it")]
    amount: Annotated[
        str,
        Meta(
            pattern=r"^([0-9]{1,10}(\.[0-9]{1,3})?)?$",
            description="Before tax; empty: all that is left of the invoice",
        ),
    ] = ""


class PaymentSpec(Spec, kw_only=True):
    amount: Annotated[Amount, Meta(description="What came in, with tax")]
    reference: Annotated[
        str, Meta(min_length=1, max_length=200, description="Of the bank; the same is booked once")
    ]
    received_on: Annotated[
        str,
        Meta(pattern="^(20[0-9]{2}-[0-9]{2}-[0-9]{2})?$", description="The day; empty: today"),
    ] = ""


class PriceListSpec(Spec):
    version: Annotated[int, Meta(ge=1, description="Versions follow each other")]


class PriceEntry(Status):
    meter: Annotated[str, Meta(description="What is counted")]
    unit: Annotated[str, Meta(description="What the price is for, such as core-hour")]
    price: Annotated[str, Meta(description="The price of one unit")]
    sku: Annotated[str, Meta(description="Only for this variant, such as a GPU model")] = ""
    region: Annotated[str, Meta(description="Only in this region")] = ""
    site: Annotated[str, Meta(description="Only at this site")] = ""


class PriceListStatus(Status):
    phase: Annotated[str, Meta(description="current, future or past")] = ""
    currency: Annotated[str, Meta(description="Of its prices, ISO 4217")] = ""
    effective_at: Annotated[str, Meta(description="From when on it holds for new leases")] = ""
    prices: Annotated[tuple[PriceEntry, ...], Meta(description="All of them")] = ()

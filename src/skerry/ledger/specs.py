"""What billing's kinds look like. Amounts are decimal strings in the tenant's currency."""

from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status

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


class AccountStatus(Status):
    balance: Annotated[str, Meta(description="What the tenant has; below zero: what it owes")] = ""
    held: Annotated[str, Meta(description="Set aside for what runs")] = ""
    available: Annotated[str, Meta(description="What can still be set aside; empty: any")] = ""
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
    """Nothing: an invoice is what was used in the month it is named after."""


class InvoiceStatus(Status):
    phase: Annotated[str, Meta(description="draft or closed")] = ""
    number: Annotated[str, Meta(description="Its number, once it is closed")] = ""
    period: Annotated[str, Meta(description="The month, such as 2026-11")] = ""
    total: Annotated[str, Meta(description="What is owed")] = ""
    exact: Annotated[str, Meta(description="Before each line was rounded to whole cents")] = ""
    currency: Annotated[str, Meta(description="Of all these amounts, ISO 4217")] = ""
    lines: Annotated[int, Meta(description="How many lines it has")] = 0
    as_of: Annotated[str, Meta(description="When it was computed or closed")] = ""


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

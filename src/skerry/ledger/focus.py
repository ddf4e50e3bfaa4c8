"""The invoice as FOCUS 1.2, the FinOps Foundation's format for cost and usage data.

One row per invoice line, so that the sum of ``BilledCost`` of an ``InvoiceId`` is the invoice's
total. Types are exact: decimals with 18 places (a unit price times a quantity needs no rounding),
timestamps in UTC. A draft's rows have no ``InvoiceId``. Written as Parquet, since CSV loses types.
"""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skerry.ledger.invoices import Invoice, Line
from skerry.ledger.issued import Issued

_DECIMAL = pa.decimal128(38, 18)
_TIME = pa.timestamp("us", tz="UTC")
_TEXT = pa.string()
_TAGS = pa.map_(pa.string(), pa.string())

_SERVICES = {
    "run": ("Compute", "Serverless Compute"),
    "compute": ("Compute", "Virtual Machines"),
    "storage": ("Storage", "Block Storage"),
    "network": ("Networking", "Network Infrastructure"),
    "database": ("Databases", "Relational Databases"),
    "inference": ("AI and Machine Learning", "Generative AI"),
}
_OTHER = ("Other", "Other (Other)")

Column = tuple[str, pa.DataType, Callable[[Invoice, Line], Any]]


def _list_cost(line: Line) -> Decimal:
    return Decimal(line.unit_price) * Decimal(line.quantity)


def _correction(line: Line) -> str | None:
    """FOCUS calls a correction what belongs to a period that was invoiced before."""
    return "Correction" if line.adjusts else None


COLUMNS: tuple[Column, ...] = (
    ("AvailabilityZone", _TEXT, lambda i, x: x.site or None),
    ("BilledCost", _DECIMAL, lambda i, x: Decimal(x.amount)),
    ("BillingAccountId", _TEXT, lambda i, x: i.tenant),
    ("BillingAccountName", _TEXT, lambda i, x: i.tenant),
    ("BillingAccountType", _TEXT, lambda i, x: "Tenant"),
    ("BillingCurrency", _TEXT, lambda i, x: i.currency),
    ("BillingPeriodEnd", _TIME, lambda i, x: _time(i.end)),
    ("BillingPeriodStart", _TIME, lambda i, x: _time(i.start)),
    ("ChargeCategory", _TEXT, lambda i, x: "Usage"),
    ("ChargeClass", _TEXT, lambda i, x: _correction(x)),
    ("ChargeDescription", _TEXT, lambda i, x: _description(x)),
    ("ChargeFrequency", _TEXT, lambda i, x: "Usage-Based"),
    ("ChargePeriodEnd", _TIME, lambda i, x: _time(x.end)),
    ("ChargePeriodStart", _TIME, lambda i, x: _time(x.start)),
    ("ConsumedQuantity", _DECIMAL, lambda i, x: None if x.adjusts else Decimal(x.quantity)),
    ("ConsumedUnit", _TEXT, lambda i, x: None if x.adjusts else unit(x)),
    ("ContractedCost", _DECIMAL, lambda i, x: _list_cost(x)),
    ("ContractedUnitPrice", _DECIMAL, lambda i, x: Decimal(x.unit_price)),
    ("EffectiveCost", _DECIMAL, lambda i, x: Decimal(x.exact)),
    ("InvoiceId", _TEXT, lambda i, x: i.number if i.state == "closed" else None),
    ("InvoiceIssuerName", _TEXT, lambda i, x: i.issuer),
    ("ListCost", _DECIMAL, lambda i, x: _list_cost(x)),
    ("ListUnitPrice", _DECIMAL, lambda i, x: Decimal(x.unit_price)),
    ("PricingCategory", _TEXT, lambda i, x: "Standard"),
    ("PricingCurrency", _TEXT, lambda i, x: i.currency),
    ("PricingCurrencyContractedUnitPrice", _DECIMAL, lambda i, x: Decimal(x.unit_price)),
    ("PricingCurrencyEffectiveCost", _DECIMAL, lambda i, x: Decimal(x.exact)),
    ("PricingCurrencyListUnitPrice", _DECIMAL, lambda i, x: Decimal(x.unit_price)),
    ("PricingQuantity", _DECIMAL, lambda i, x: Decimal(x.quantity)),
    ("PricingUnit", _TEXT, lambda i, x: unit(x)),
    ("ProviderName", _TEXT, lambda i, x: i.issuer),
    ("PublisherName", _TEXT, lambda i, x: i.issuer),
    ("RegionId", _TEXT, lambda i, x: x.region or None),
    ("RegionName", _TEXT, lambda i, x: x.region or None),
    ("ResourceId", _TEXT, lambda i, x: x.resource),
    ("ResourceName", _TEXT, lambda i, x: x.resource.rpartition("/")[2]),
    ("ResourceType", _TEXT, lambda i, x: x.product),
    ("ServiceCategory", _TEXT, lambda i, x: _SERVICES.get(x.product, _OTHER)[0]),
    ("ServiceName", _TEXT, lambda i, x: x.product),
    ("ServiceSubcategory", _TEXT, lambda i, x: _SERVICES.get(x.product, _OTHER)[1]),
    ("SkuId", _TEXT, lambda i, x: _sku(x)),
    ("SkuMeter", _TEXT, lambda i, x: x.meter),
    ("SkuPriceDetails", _TEXT, lambda i, x: None),
    ("SkuPriceId", _TEXT, lambda i, x: f"{_sku(x)}@{x.price_version}"),
    ("SubAccountId", _TEXT, lambda i, x: x.workspace),
    ("SubAccountName", _TEXT, lambda i, x: x.workspace),
    ("SubAccountType", _TEXT, lambda i, x: "Workspace"),
    ("Tags", _TAGS, lambda i, x: [("skerry/lease", x.lease)]),
    ("x_Devices", _TEXT, lambda i, x: " ".join(x.devices or ()) or None),
    ("x_Lease", _TEXT, lambda i, x: x.lease),
    ("x_UsageRoot", _TEXT, lambda i, x: x.usage.root or None),
)  # fmt: skip


def table(invoice: Invoice, issued: Issued | None = None) -> pa.Table:
    """The invoice's lines as a FOCUS table. With what was ``issued`` of it, under that number, and
    with rows for all that stands beside usage there, so that they add up to its gross sum. A credit
    note has rows of its own alone, since it takes nothing back that was used."""
    usage = issued is None or issued.type == "invoice"
    columns = {
        name: [value(invoice, line) for line in invoice.lines] if usage else []
        for name, _, value in COLUMNS
    }
    for extra in extras(issued) if issued else ():
        for name, values in columns.items():
            values.append(extra.get(name))
    if issued is not None:
        # One who provides and one who invoices under two names would be two (BilledCost-C-005).
        for name in ("InvoiceIssuerName", "ProviderName", "PublisherName"):
            columns[name] = [issued.seller.legal_name] * len(columns[name])
        if issued.number:
            columns["InvoiceId"] = [issued.number] * len(columns["InvoiceId"])
    arrays = {name: pa.array(columns[name], type=kind) for name, kind, _ in COLUMNS}
    return pa.table(arrays, metadata={"FocusVersion": "1.2", "DataGenerator": "Skerry"})


def extras(issued: Issued) -> Iterator[dict[str, Any]]:
    """Rows for what is free, given, promised, credited, and for the tax."""
    sign = -1 if issued.type == "credit-note" else 1
    if sign < 0:
        net = Decimal(issued.net)
        yield _extra(issued, "Credit", f"Credit for invoice {issued.corrects}", -net)
    else:
        for line in issued.lines:
            if Decimal(line.allowance):
                yield _extra(issued, "Credit", line.allowance_reason, -Decimal(line.allowance))
            if line.sort == "commitment":
                yield _extra(issued, "Purchase", line.name, Decimal(line.amount))
        for allowance in issued.allowances:
            yield _extra(issued, "Credit", allowance.reason, -Decimal(allowance.amount))
    if Decimal(issued.vat):
        rate = f"VAT {issued.tax.treatment.percent} %"
        yield _extra(issued, "Tax", rate, sign * Decimal(issued.vat))


def _extra(issued: Issued, category: str, words: str, amount: Decimal) -> dict[str, Any]:
    start = datetime.fromisoformat(issued.start).replace(tzinfo=UTC)
    end = datetime.fromisoformat(issued.end).replace(tzinfo=UTC) + timedelta(days=1)
    return {
        "BilledCost": amount, "EffectiveCost": amount, "ContractedCost": amount, "ListCost": amount,
        "BillingAccountId": issued.tenant, "BillingAccountName": issued.tenant,
        "BillingAccountType": "Tenant", "BillingCurrency": issued.currency,
        "BillingPeriodStart": start, "BillingPeriodEnd": end, "ChargePeriodStart": start,
        "ChargePeriodEnd": end, "ChargeCategory": category, "ChargeDescription": words,
        "ChargeFrequency": "One-Time" if category == "Credit" else "Recurring",
        "PricingCurrency": issued.currency, "PricingCurrencyEffectiveCost": amount,
        "ServiceCategory": "Other", "ServiceName": "Billing", "ServiceSubcategory": "Other (Other)",
    }  # fmt: skip


def parquet(invoice: Invoice, issued: Issued | None = None) -> bytes:
    """The table as a Parquet file."""
    out = io.BytesIO()
    pq.write_table(table(invoice, issued), out)
    return out.getvalue()


def unit(line: Line) -> str:
    """The unit of sale in FOCUS' unit format: ``core-Hours``, ``GiB-Months``, ``1000000 token``."""
    thing, _, time = line.unit.rpartition("-")
    if thing and time in ("hour", "month"):
        return f"{thing.replace('-', ' ')}-{time.title()}s"
    if line.unit == "GiB":
        return line.unit
    counted, _, ending = line.meter.rpartition("-")
    counted = counted.replace("-", " ")
    return {"million": f"1000000 {counted}", "each": counted}.get(ending, "Units")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _sku(line: Line) -> str:
    return f"{line.meter}/{line.sku}" if line.sku else line.meter


def _description(line: Line) -> str:
    what = f"{line.quantity} {line.unit} of {_sku(line)} for {line.resource.rpartition('/')[2]}"
    return f"{what}, adjustment for {line.adjusts}" if line.adjusts else what

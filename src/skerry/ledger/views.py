"""An invoice as it is read: the document, the page, the export, what a tax office reads.

What writes PDF, XML and Parquet is imported when somebody asks: its libraries take 60 MiB, which an
idle cloud has better use for.
"""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from skerry.kernel.errors import Conflict, InvalidRequest, Source
from skerry.kernel.history import stamp
from skerry.kernel.views import Asked
from skerry.ledger import invoice_page, invoices, issued, issuing, money
from skerry.ledger.invoices import Invoice
from skerry.ledger.issued import Issued
from skerry.ledger.specs import InvoiceSpec
from skerry.series.views import moment
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "views.sql")


async def document(asked: Asked) -> Mapping[str, Any]:
    found: dict[str, Any]
    if _number(asked):
        found = msgspec.to_builtins(await _issued(asked))
    else:
        found = msgspec.to_builtins(await _bill(asked))
    return found


async def html(asked: Asked) -> bytes:
    return invoice_page.page(await _bill(asked)).encode()


async def export(asked: Asked) -> bytes:
    if _number(asked):
        return await asyncio.to_thread(_parquet, await _bill(asked), await _issued(asked))
    return await asyncio.to_thread(_parquet, await _bill(asked))


async def xml(asked: Asked) -> bytes:
    syntax = asked.query.get("syntax", "cii")
    if syntax not in ("cii", "ubl"):
        raise InvalidRequest(
            f"syntax={syntax[:20]!r} is neither cii nor ubl", sources=[Source(parameter="syntax")]
        )
    made = await _issued(asked)
    if not made.number:
        raise Conflict(
            f"{asked.resource.name} is not issued",
            hint="A program must not take a draft for an invoice; its pdf says that it is one.",
        )
    return await asyncio.to_thread(_xml, made, syntax)


async def pdf(asked: Asked) -> bytes:
    return await asyncio.to_thread(_pdf, await _issued(asked))


def _xml(made: Issued, syntax: str) -> bytes:
    from skerry.ledger import einvoice

    return einvoice.xml(made, "ubl" if syntax == "ubl" else "cii")


def _pdf(made: Issued) -> bytes:
    from skerry.ledger import invoice_pdf

    return invoice_pdf.pdf(made)


def _parquet(bill: Invoice, made: Issued | None = None) -> bytes:
    from skerry.ledger import focus

    return focus.parquet(bill, made)


async def register(asked: Asked) -> Mapping[str, Any]:
    """All that was issued, in the order of numbers; of one month if asked."""
    period = asked.query.get("period", "")
    month = invoices.month_named(period) if period else None
    async with asked.db.transaction(readonly=True) as tx:
        found = await issuing.standings(tx, month=month)
        today = (await tx.now()).date()
    return {
        "items": [
            {
                "number": one.number,
                "type": one.type,
                "tenant": one.tenant,
                "period": f"{one.period:%Y-%m}",
                "issuedOn": one.issued_on.isoformat(),
                "dueOn": one.due_on.isoformat(),
                "net": money.coins(one.net, one.currency),
                "vat": money.coins(one.vat, one.currency),
                "gross": money.coins(one.gross, one.currency),
                "open": money.coins(max(one.open, 0), one.currency),
                "currency": one.currency,
                "phase": one.phase(today),
            }
            for one in found
        ]
    }


async def payments(asked: Asked) -> Mapping[str, Any]:
    """What came in for an issued invoice, and the credit notes that correct it; nothing of a month
    that was not issued."""
    number = _number(asked)
    async with asked.db.transaction(readonly=True) as tx:
        paid = await issuing.payments(tx, number) if number else []
        found = await tx.fetch(_sql.corrections, number) if number else []
    notes = [issued.decode(row["document"]) for row in found]
    return {
        "items": [
            {
                "amount": money.text(row["amount"]),
                "receivedOn": row["received_on"].isoformat(),
                "reference": row["reference"],
            }
            for row in paid
        ],
        "creditNotes": [
            {"number": n.number, "issuedOn": n.issued_on, "gross": n.gross, "reason": n.reason}
            for n in notes
        ],
    }


async def revenue(asked: Asked) -> Mapping[str, Any]:
    """Of all tenants, newest first: by month what was used, invoiced and is open, or by day what
    each was charged for each product."""
    step = asked.query.get("step", "month")
    if step == "day":
        return await _charged_by_day(asked)
    if step != "month":
        raise InvalidRequest("step is month or day", sources=[Source(parameter="step")])
    first, last = (_month_asked(asked, name) for name in ("from", "to"))
    async with asked.db.transaction(readonly=True) as tx:
        rows = await tx.fetch(_sql.revenue, first, last)
    return {
        "items": [
            {
                "period": f"{row['period']:%Y-%m}",
                "tenant": row["tenant"],
                "currency": row["currency"],
                "usedNano": int(row["used"]),
                "invoicedNano": int(row["invoiced"]),
                "openNano": max(int(row["open"]), 0),
            }
            for row in rows
        ]
    }


async def _charged_by_day(asked: Asked) -> Mapping[str, Any]:
    async with asked.db.transaction(readonly=True) as tx:
        now = await tx.now()
        start = moment(asked.query.get("from", "-30d"), now, "from")
        end = moment(asked.query["to"], now, "to") if "to" in asked.query else now
        rows = await tx.fetch(_sql.charged_by_day, start, end)
    return {
        "items": [
            {
                "at": stamp(row["day"]),
                "tenant": row["tenant"],
                "product": row["product"],
                "currency": row["currency"],
                "amountNano": int(row["amount"]),
            }
            for row in rows
        ]
    }


def _month_asked(asked: Asked, name: str) -> date | None:
    return invoices.month_named(asked.query[name]) if name in asked.query else None


def _number(asked: Asked) -> str:
    return asked.resource.typed(InvoiceSpec).number


async def _bill(asked: Asked) -> Invoice:
    """Of the month, or of the month that an issued one is about."""
    number = _number(asked)
    async with asked.db.transaction() as tx:
        name = (await issuing.get(tx, number)).period if number else asked.resource.name
        return await invoices.invoice(tx, asked.resource.tenant, invoices.month_named(name))


async def _issued(asked: Asked) -> Issued:
    """What was issued; of a month's bill, its invoice or a draft of it; of the seller, the document
    of the number asked for, whose tenant may be gone."""
    async with asked.db.transaction() as tx:
        if asked.resource.kind == "seller":
            return await issuing.get(tx, asked.query.get("number", "").upper())
        return await issued_of(tx, asked.resource.tenant, asked.resource.name, _number(asked))


async def issued_of(tx: Tx, tenant: str, name: str, number: str) -> Issued:
    if not number:
        month = invoices.month_named(name)
        number = await issuing.find(tx, tenant, month) or ""
        if not number:
            return await issuing.draft(tx, tenant, month)
    return await issuing.get(tx, number)

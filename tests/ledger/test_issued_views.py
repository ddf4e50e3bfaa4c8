"""Issued invoices as they are read, and what may not be done to them."""

import io
import json
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from pypdf import PdfReader

from skerry.kernel.errors import Conflict, InvalidRequest, NotFound, Problem
from skerry.kernel.flows import Services
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.views import Asked
from skerry.store import Database
from tests.ledger.en16931 import broken_rules
from tests.ledger.selling import (
    GERMAN,
    OPERATOR,
    REGISTRY,
    act,
    cloud,
    issue,
    november,
    put,
    used,
)


async def viewed(
    db: Database, resources: Resources, noun: str, name: str, view: str, **query: str
) -> Any:
    kind = REGISTRY[noun]
    tenant = "" if kind.scope == "global" else "acme"
    async with db.transaction() as tx:
        found = await resources.get(tx, resources.ref(kind, Path(tenant=tenant, name=name)))
    asked = Asked(db, resources, Services(), found, OPERATOR, query=query)
    (declared,) = [v for v in kind.views if v.name == view]
    return await declared.answer(asked)


async def issued(db: Database, folder: FilePath) -> Resources:
    resources = await cloud(db, folder, acme=GERMAN)
    await put(
        db, resources, "agreement", "free",
        {"meter": "cpu-hour", "free": "40", "startsOn": "2026-01-01"},
    )  # fmt: skip
    await used(db, hours=100)
    await november(db)
    await issue(db, resources)
    return resources


async def test_an_issued_invoice_in_every_form(db: Database, tmp_path: FilePath) -> None:
    resources = await issued(db, tmp_path)
    told = await viewed(db, resources, "invoice", "2026-000001", "document")
    assert json.loads(json.dumps(told))["gross"] == "1.05"
    for syntax in ("cii", "ubl"):
        xml = await viewed(db, resources, "invoice", "2026-000001", "xml", syntax=syntax)
        assert broken_rules(xml, syntax) == []
    pdf = await viewed(db, resources, "invoice", "2026-000001", "pdf")
    assert "factur-x.xml" in PdfReader(io.BytesIO(pdf)).attachments
    page = await viewed(db, resources, "invoice", "2026-000001", "page")
    assert b"Invoice for October 2026" in page
    focus = pq.read_table(
        io.BytesIO(await viewed(db, resources, "invoice", "2026-000001", "focus"))
    )
    assert sum(focus["BilledCost"].to_pylist()) == Decimal("1.05")
    assert set(focus["InvoiceId"].to_pylist()) == {"2026-000001"}
    assert focus["ProviderName"].to_pylist() == focus["InvoiceIssuerName"].to_pylist()
    assert set(focus["ChargeCategory"].to_pylist()) == {"Usage", "Credit", "Tax"}
    (one,) = (await viewed(db, resources, "seller", "main", "register", period="2026-10"))["items"]
    assert (one["number"], one["gross"], one["open"], one["phase"]) == (
        "2026-000001", "1.05", "1.05", "open",
    )  # fmt: skip
    with pytest.raises(InvalidRequest, match="neither cii nor ubl"):
        await viewed(db, resources, "invoice", "2026-000001", "xml", syntax="edifact")
    with pytest.raises(NotFound, match="is no month"):
        await viewed(db, resources, "seller", "main", "register", period="October")


async def test_a_running_month_is_a_draft_on_paper_and_no_xml(
    db: Database, tmp_path: FilePath
) -> None:
    resources = await issued(db, tmp_path)
    async with db.transaction() as tx:
        path = Path(tenant="acme", name="2026-11")
        await resources.put(tx, REGISTRY["invoice"], path, {"spec": {}}, OPERATOR)
    await put(db, resources, "agreement", "least", {"commitment": "9", "startsOn": "2026-11-01"})
    with pytest.raises(Conflict, match="2026-11 is not issued"):
        await viewed(db, resources, "invoice", "2026-11", "xml")
    pdf = await viewed(db, resources, "invoice", "2026-11", "pdf")
    assert "DRAFT" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


IMPOSSIBLE: list[Any] = [
        ("2026-000001", "pay", {"amount": "0", "reference": "x"}, "a payment of nothing"),
        ("2026-000001", "pay", {"amount": "1", "reference": "x", "receivedOn": "2026-12-24"},
         "2026-12-24 has not come yet"),
        ("2026-000001", "pay", {"amount": "1", "reference": "x", "receivedOn": "2026-02-30"},
         "is no day"),
        ("2026-000001", "credit", {"amount": "0.001", "reason": "x"}, "in whole coins"),
        ("2026-000001", "credit", {"reason": "x\ny"}, "can't be printed"),
        ("c2026-000001", "credit", {"reason": "x"}, "is a credit note itself"),
        ("c2026-000001", "pay", {"amount": "1", "reference": "x"}, "0.00 are open"),
        ("2026-10", "pay", {"amount": "1", "reference": "x"}, "is a month's bill"),
    ]  # fmt: skip


async def test_what_can_not_be_done_is_refused(db: Database, tmp_path: FilePath) -> None:
    resources = await issued(db, tmp_path)
    await act(db, resources, "invoice", "2026-000001", "credit", {"reason": "x", "amount": "0.10"})
    async with db.transaction() as tx:
        path = Path(tenant="acme", name="2026-10")
        await resources.put(tx, REGISTRY["invoice"], path, {"spec": {}}, OPERATOR)
    for name, action, body, message in IMPOSSIBLE:
        with pytest.raises(Problem, match=message):
            await act(db, resources, "invoice", name, action, body)


async def test_a_month_that_is_none_is_refused(db: Database, tmp_path: FilePath) -> None:
    """Not answered with nothing, which a month without use is."""
    resources = await cloud(db, tmp_path, acme=GERMAN)
    with pytest.raises(msgspec.ValidationError):
        await issue(db, resources, period="2026-13")
    await put(db, resources, "agreement", "least", {"commitment": "9", "startsOn": "2026-11-01"})
    with pytest.raises(Conflict, match="2026-12 is not over"):
        await issue(db, resources, period="2026-12")


async def test_the_revenue_says_what_was_used_invoiced_and_is_open(
    db: Database, tmp_path: FilePath
) -> None:
    resources = await issued(db, tmp_path)
    body = {"reason": "an outage", "amount": "0.50"}
    await act(db, resources, "invoice", "2026-000001", "credit", body)
    await act(db, resources, "invoice", "2026-000001", "pay", {"amount": "0.1", "reference": "x"})
    told = await viewed(db, resources, "seller", "main", "revenue")
    assert await viewed(db, resources, "invoice", "2026-000001", "payments") == {
        "items": [{"amount": "0.10", "receivedOn": "2026-11-03", "reference": "x"}],
        "creditNotes": [
            {"number": "C2026-000001", "issuedOn": "2026-11-03", "gross": "0.60",
             "reason": "an outage"}
        ],
    }  # fmt: skip
    # 1.36 used, 0.48 of it free; 19 % on 0.88 and on the 0.50 that were credited.
    assert told["items"] == [
        {"period": "2026-10", "tenant": "acme", "currency": "EUR", "usedNano": 1_360_000_000,
         "invoicedNano": 380_000_000, "openNano": 350_000_000}
    ]  # fmt: skip
    assert (await viewed(db, resources, "seller", "main", "revenue", to="2026-09"))["items"] == []
    with pytest.raises(NotFound, match="is no month"):
        await viewed(db, resources, "seller", "main", "revenue", **{"from": "soon"})
    by_day = await viewed(db, resources, "seller", "main", "revenue", step="day")
    assert [(one["tenant"], one["product"], one["amountNano"]) for one in by_day["items"]] == [
        ("acme", "run", 1_360_000_000)
    ]
    with pytest.raises(InvalidRequest, match="month or day"):
        await viewed(db, resources, "seller", "main", "revenue", step="year")

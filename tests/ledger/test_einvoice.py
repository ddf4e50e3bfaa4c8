"""Invoices as XML: valid after EN 16931 in both syntaxes, whoever buys."""

from datetime import date
from typing import Any

import msgspec
import pytest

from skerry.ledger import einvoice, issued, vat
from skerry.ledger.agreements import Agreement
from skerry.ledger.invoices import Invoice, Line, Usage
from skerry.ledger.issued import Issued
from skerry.ledger.money import NANO
from skerry.ledger.parties import Customer, SellerSpec
from tests.ledger.en16931 import broken_rules
from tests.ledger.selling import GERMAN, POLISH, SELLER, SWISS
from tests.ledger.world import START

SMALL = {k: v for k, v in SELLER.items() if k != "vatNumber"} | {
    "taxNumber": "22/815/08150", "exemption": "Kein Ausweis von Umsatzsteuer, § 19 UStG",
}  # fmt: skip
CASES = {
    "standard": (SELLER, GERMAN),
    "reverse-charge": (SELLER, POLISH),
    "one-stop-shop": (SELLER, {k: v for k, v in POLISH.items() if k != "vatNumber"}),
    "not-subject": (SELLER, SWISS),
    "exempt": (SMALL, GERMAN),
    "zero": (SELLER | {"vatRates": [{"country": "DE", "percent": "0"}]}, GERMAN),
    "not-subject-plain": (
        {k: v for k, v in SELLER.items() if k != "registration"} | {"taxNumber": "22/815"},
        SWISS,
    ),
}
METERS = (
    ("cpu-hour", "", "core-hour", "0.012", "240.5", "2.89"),
    ("gpu-hour", "NVIDIA H100 80GB HBM3", "GPU-hour", "2.3", "100", "230.00"),
    ("memory-gib-hour", "", "GiB-hour", "0.0016", "10000.123456789", "16.00"),
    ("egress-gib", "", "GiB", "0.01", "100", "1.00"),
    ("gateway-request-million", "", "million", "1", "2", "2.00"),
    ("storage-gib-month", "", "GiB-month", "0.045", "100", "4.50"),
)


def line(meter: str, sku: str, unit: str, price: str, quantity: str, amount: str) -> Line:
    return Line(
        lease="lease", workspace="lab", product="run", resource=f"jobs/{meter}", resource_id="1",
        meter=meter, sku=sku, site="here", region="eu", start="2026-10-05T12:00:00.000000Z",
        end="2026-10-06T00:00:00.000000Z", quantity=quantity, unit=unit, unit_price=price,
        price_version=1, exact=amount, amount=amount, usage=Usage(records=1),
    )  # fmt: skip


def made(case: str, more: int = 0) -> Issued:
    seller = msgspec.convert(CASES[case][0], SellerSpec)
    customer = msgspec.convert(CASES[case][1], Customer)
    lines = [line(*meter) for meter in METERS]
    lines += [msgspec.structs.replace(line(*METERS[0]), workspace=f"team-{n}") for n in range(more)]
    bill = Invoice(
        number="acme-2026-10", state="closed", issuer="x", tenant="acme", period="2026-10",
        start="2026-10-01T00:00:00.000000Z", end="2026-11-01T00:00:00.000000Z", currency="EUR",
        as_of="2026-11-02T00:00:00.000000Z", lines=tuple(lines), exact="0", rounding="0",
        total="0",
    )  # fmt: skip
    agreed: dict[str, Any] = {"sku": "", "price": None, "starts_at": START, "ends_at": None}
    composed = issued.compose(
        bill,
        seller=seller,
        customer=customer,
        treatment=vat.treatment(seller, customer),
        agreements=[
            Agreement(name="a", meter="gpu-hour", free=10 * NANO, commitment=0, **agreed),
            Agreement(name="b", meter="", free=0, commitment=300 * NANO, **agreed),
        ],
        promo=20 * NANO,
        today=date(2026, 11, 3),
    )
    composed = msgspec.structs.replace(composed, number="2026-000001")
    return issued.with_prepaid(composed, 10 * NANO)


def credited(invoice: Issued, net: int | None) -> Issued:
    whole = net is None
    net = invoice.nano("net") if net is None else net
    tax = invoice.nano("vat") if whole else invoice.tax.treatment.tax(net, "EUR")
    note = issued.credit_note(
        invoice, net=net, tax=tax, whole=whole, reason="an outage", today=date(2026, 11, 9)
    )
    return msgspec.structs.replace(note, number="C2026-000001")


@pytest.mark.parametrize("case", CASES)
def test_every_document_is_valid(case: str) -> None:
    invoice = made(case)
    both = {"cii": (invoice, credited(invoice, 5 * NANO), credited(invoice, None))}
    both["ubl"] = both["cii"][:2]
    for syntax, documents in both.items():
        for document in documents:
            assert broken_rules(einvoice.xml(document, syntax), syntax) == []  # type: ignore[arg-type]


def test_the_rules_do_find_what_is_wrong() -> None:
    wrong = msgspec.structs.replace(made("standard"), payable="1.00")
    for syntax in ("cii", "ubl"):
        found = broken_rules(einvoice.xml(wrong, syntax), syntax)  # type: ignore[arg-type]
        assert any("BR-CO-16" in rule for rule in found)


def test_no_invoice_leaves_the_house_to_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def called(*_: object, **__: object) -> None:
        raise AssertionError("an invoice was sent away")

    monkeypatch.setattr(requests.Session, "request", called)
    for syntax in ("cii", "ubl"):
        assert b"2026-000001" in einvoice.xml(made("standard"), syntax)  # type: ignore[arg-type]


def test_tax_is_rounded_once_half_to_even() -> None:
    german = vat.treatment(msgspec.convert(SELLER, SellerSpec), msgspec.convert(GERMAN, Customer))
    cents = NANO // 100
    assert german.tax(50 * cents, "EUR") == 10 * cents  # 9.5 cents
    assert german.tax(150 * cents, "EUR") == 28 * cents  # 28.5 cents
    assert german.tax(100 * NANO, "JPY") == 19 * NANO

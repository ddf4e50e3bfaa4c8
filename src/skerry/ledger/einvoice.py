"""An issued invoice as XML after EN 16931: Cross Industry Invoice (Factur-X, ZUGFeRD) or UBL (the
syntax of Peppol).

The library builds and checks against its schemas; this says which business term (``BT``, ``BG``)
is what. The rules above the schemas (the standard's own Schematron) are checked by the tests, since
that takes an XSLT 3 processor. The library would send invoices to a public service for them: that
is turned off here, and a test holds it.
"""

from typing import Any, Literal

import facturx

from skerry.ledger import money
from skerry.ledger.issued import Issued, IssuedLine
from skerry.ledger.parties import Customer, Party, SellerSpec, vat_number

Syntax = Literal["cii", "ubl"]
_FLAVORS = {"cii": "factur-x", "ubl": "ubl-2.1"}

_INVOICE, _CREDIT_NOTE = "380", "381"
_TRANSFER = "58"
"""UNCL 4461: a SEPA credit transfer."""
_EMAIL = "EM"
_UNITS = {"GiB": "E62", "million": "MIO", "GiB-month": "C62", "each": "C62"}
"""UN/ECE Recommendation 20; what has no code of its own is counted in ones (C62)."""


def xml(invoice: Issued, syntax: Syntax = "cii") -> bytes:
    """The document, checked against the schema of its syntax."""
    found: bytes = facturx.generate_xml(
        terms(invoice),
        flavor=_FLAVORS[syntax],
        level="en16931",
        check_xsd=True,
        check_schematron=False,
    )
    return found


def terms(invoice: Issued) -> dict[str, Any]:
    """The business terms of EN 16931, by their numbers."""
    i = invoice
    credit = i.type == "credit-note"
    found = {
        "BT-1": i.number or "DRAFT",
        "BT-2": i.issued_on,
        "BT-3": _CREDIT_NOTE if credit else _INVOICE,
        "BT-5": i.currency,
        "BT-10": i.customer.buyer_reference or i.tenant,
        "BT-20": _payment_terms(i),
        "BT-72": i.end,
        "BT-73": i.start,
        "BT-74": i.end,
        "BG-4": _seller(i),
        "BG-7": _party(i.customer, i),
        "BG-23": [_breakdown(i)],
        "BG-25": [_line(n, line, i) for n, line in enumerate(i.lines, 1)],
        "BT-106": i.lines_total,
        "BT-109": i.net,
        "BT-110": i.vat,
        "BT-112": i.gross,
        "BT-115": i.payable,
    }
    if not credit:
        found["BT-9"] = i.due_on
    if i.nano("prepaid"):
        found["BT-113"] = i.prepaid
    if i.allowances:
        found["BT-107"] = money.coins(sum(money.parse(a.amount) for a in i.allowances), i.currency)
        found["BG-20"] = [
            {"amount": a.amount, "reason": a.reason, "reason_code": "95", **_category(i, "vat_")}
            for a in i.allowances
        ]
    if i.seller.iban:
        found |= {
            "BT-81": _TRANSFER,
            "BT-83": i.number,
            "BT-84": i.seller.iban.replace(" ", ""),
            "BT-85": i.seller.legal_name,
        }
        if i.seller.bic:
            found["BT-86"] = i.seller.bic
    if credit:
        found["BG-3"] = [{"BT-25": i.corrects, "BT-26": i.corrects_issued_on}]
        found["BG-1"] = [{"BT-22": f"Credit for invoice {i.corrects}: {i.reason}"}]
    return found


def _payment_terms(i: Issued) -> str:
    if i.type == "credit-note":
        return "The amount is credited."
    if not i.nano("payable"):
        return "Paid: nothing is due."
    return f"Due on {i.due_on} without deduction."


def _seller(i: Issued) -> dict[str, Any]:
    seller: SellerSpec = i.seller
    found = _party(seller, i)
    if seller.tax_number:
        found["tax_identifier"] = seller.tax_number
    if seller.footer:
        found["legal_info"] = seller.footer
    contact = {
        "name": seller.contact or seller.legal_name, "phone": seller.phone, "email": seller.email,
    }  # fmt: skip
    found["contacts"] = [{key: value for key, value in contact.items() if value}]
    return found


def _party(party: Party, i: Issued) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": party.legal_name,
        "addr_l1": party.street,
        "city": party.city,
        "country_code": party.country,
    }
    more = {
        "addr_l2": party.extra_line,
        "postcode": party.postal_code,
        "legal_identifier": party.registration,
    }
    found |= {key: value for key, value in more.items() if value}
    # What is not subject to VAT must name no VAT number (BR-O-02 to 04).
    if party.vat_number and i.tax.treatment.category != "O":
        found["vat_identifier"] = vat_number(party.vat_number, party.country)
    elif not party.registration and not isinstance(party, Customer):
        found["identifiers"] = {None: party.legal_name}
    if party.email:
        found |= {"einvoicing_addr": party.email, "einvoicing_addr_schemeid": _EMAIL}
    return found


def _breakdown(i: Issued) -> dict[str, str]:
    treatment = i.tax.treatment
    found = {"BT-116": i.tax.net, "BT-117": i.tax.tax, "BT-118": treatment.category}
    if treatment.category != "O":
        found["BT-119"] = treatment.percent
    if treatment.reason:
        found["BT-120"] = treatment.reason
    if treatment.reason_code:
        found["BT-121"] = treatment.reason_code
    return found


def _category(i: Issued, prefix: str) -> dict[str, str]:
    treatment = i.tax.treatment
    found: dict[str, str] = {f"{prefix}category_code": treatment.category}
    if treatment.category != "O":
        found[f"{prefix}rate"] = treatment.percent
    return found


def _line(number: int, line: IssuedLine, i: Issued) -> dict[str, Any]:
    treatment = i.tax.treatment
    found: dict[str, Any] = {
        "BT-126": str(number),
        "BT-129": line.quantity,
        "BT-130": _unit(line.unit),
        "BT-131": line.amount,
        "BT-134": line.start,
        "BT-135": line.end,
        "BT-146": line.unit_price,
        "BT-151": treatment.category,
        "BT-153": line.name,
        "BT-154": f"{line.description} (by the {line.unit})",
    }
    if treatment.category != "O":
        found["BT-152"] = treatment.percent
    if money.parse(line.allowance):
        found["BG-27"] = [
            {"amount": line.allowance, "reason": line.allowance_reason, "reason_code": "95"}
        ]
    return found


def _unit(unit: str) -> str:
    if unit in _UNITS:
        return _UNITS[unit]
    # A GiB-hour is no hour, and a unit made of two has no code.
    return "HUR" if unit.endswith("-hour") and not unit.startswith("GiB") else "C62"

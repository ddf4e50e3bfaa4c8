"""What a customer opens: a page to read with the XML inside."""

import io

import msgspec
from pypdf import PdfReader

from skerry.ledger import einvoice
from skerry.ledger.invoice_pdf import pdf
from skerry.ledger.money import NANO
from tests.ledger.test_einvoice import credited, made


def words(document: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(document)).pages]


def test_a_program_finds_the_same_invoice_inside() -> None:
    invoice = made("standard")
    document = pdf(invoice)
    reader = PdfReader(io.BytesIO(document))
    assert reader.attachments["factur-x.xml"] == [einvoice.xml(invoice)]
    metadata = reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "EN 16931" in metadata
    assert "/OutputIntents" in reader.trailer["/Root"]


def test_all_that_the_law_wants_is_on_it() -> None:
    (page,) = words(pdf(made("standard")))
    for told in (
        "Invoice 2026-000001", "Beispiel Cloud GmbH & Co. KG", "Hafenstraße 1", "DE136695976",
        "Größe & Söhne OHG", "70173 Stuttgart", "3 November 2026", "17 November 2026",
        "1 October 2026 to 31 October 2026", "gpu-hour NVIDIA H100", "10 GPU-hour free",
        "VAT 19 %", "53.20 EUR", "333.20 EUR", "323.20 EUR", "DE89 3704 0044 0532 0130 00",
        "Page 1 of 1",
    ):  # fmt: skip
        assert told in page, told


def test_reverse_charge_over_many_pages() -> None:
    pages = words(pdf(made("reverse-charge", more=45)))
    assert len(pages) == 3
    assert all(f"Page {n} of 3" in page for n, page in enumerate(pages, 1))
    assert "Żółw i Łódź Sp. z o.o." in pages[0]
    assert "PL8567346215" in pages[0]
    assert "Reverse charge: the recipient owes the VAT" in pages[-1]


def test_a_credit_note_names_its_invoice() -> None:
    (page,) = words(pdf(credited(made("standard"), 5 * NANO)))
    assert "Credit note C2026-000001" in page
    assert "For invoice 2026-000001 of 3 November 2026: an outage" in page
    assert "5.95 EUR" in page
    assert "Please pay" not in page


def test_a_draft_says_so_and_can_not_be_taken_for_an_invoice() -> None:
    document = pdf(msgspec.structs.replace(made("standard"), number=""))
    assert all("DRAFT" in page for page in words(document))
    assert "Please pay" not in words(document)[-1]
    assert not PdfReader(io.BytesIO(document)).attachments

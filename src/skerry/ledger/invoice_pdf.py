"""An issued invoice to read, print and keep: one PDF/A-3 with the XML inside (Factur-X, ZUGFeRD).

Who opens it sees the page; a program takes the XML out of it. What has no number yet says so across
each page, and carries no XML. The fonts beside this file have Latin, Greek and Cyrillic letters.
"""

from datetime import UTC, date, datetime
from importlib import resources

import facturx
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from skerry.ledger import einvoice, money
from skerry.ledger.issued import Issued, IssuedLine
from skerry.ledger.parties import Party

_FONT = "Sans"
_LEFT, _RIGHT, _TOP, _BOTTOM = 20.0, 20.0, 18.0, 30.0
"""Margins in mm, as are all measures here."""
_WIDTH = 210 - _LEFT - _RIGHT
_COLUMNS = (8.0, 80.0, 36.0, 22.0, 24.0)
_GREY, _FAINT, _INK = (110, 110, 110), (200, 200, 200), (20, 20, 20)


def pdf(invoice: Issued) -> bytes:
    page = _Page(invoice)
    page.add_page()
    _head(page)
    _lines(page)
    _sums(page)
    _notes(page)
    made = bytes(page.output())
    if not invoice.number:
        return made
    whole: bytes = facturx.generate_from_binary(
        made,
        einvoice.xml(invoice),
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        check_schematron=False,
        pdf_metadata={
            "author": invoice.seller.legal_name,
            "title": page.words,
            "subject": f"{page.words} for {invoice.customer.legal_name}",
            "keywords": "Factur-X, EN 16931",
        },
        lang="en",
    )
    return whole


class _Page(FPDF):
    """The paper: what stands on each page, and the few ways in which anything is written."""

    def __init__(self, invoice: Issued) -> None:
        super().__init__(format="A4", unit="mm", enforce_compliance="PDF/A-3B")
        self.invoice = invoice
        note = invoice.type == "credit-note"
        self.words = f"{'Credit note' if note else 'Invoice'} {invoice.number}".rstrip()
        folder = resources.files("skerry.ledger") / "fonts"
        for style, name in (("", "DejaVuSansCondensed"), ("B", "DejaVuSansCondensed-Bold")):
            with resources.as_file(folder / f"{name}.ttf") as file:
                self.add_font(_FONT, style, file)
        self.set_margins(_LEFT, _TOP, _RIGHT)
        self.set_auto_page_break(True, _BOTTOM)
        self.set_lang("en")
        self.set_title(self.words)
        self.set_author(invoice.seller.legal_name)
        self.set_creation_date(datetime.fromisoformat(invoice.issued_on).replace(tzinfo=UTC))

    def face(self, size: float = 9, style: str = "", colour: tuple[int, ...] = _INK) -> None:
        self.set_font(_FONT, style, size)
        self.set_text_color(*colour)

    def say(
        self, words: str, *, x: float, width: float, height: float = 4.6, to: str = "L"
    ) -> None:
        """Words from ``x`` on, as many lines as they take; the next ones stand below."""
        self.set_x(x)
        self.multi_cell(
            width, height, words, align=to, new_x=XPos.LMARGIN, new_y=YPos.NEXT, padding=0
        )

    def rule(self, y: float, colour: tuple[int, ...] = _FAINT, width: float = 0.2) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(width)
        self.line(_LEFT, y, 210 - _RIGHT, y)

    def header(self) -> None:
        if not self.invoice.number:
            self._watermark()
        if self.page_no() > 1:
            self.face(8, colour=_GREY)
            self.set_y(_TOP - 6)
            self.say(self.words or "Draft", x=_LEFT, width=_WIDTH)
            self.set_y(_TOP + 2)

    def footer(self) -> None:
        seller = self.invoice.seller
        numbers = [
            f"VAT {seller.vat_number}" if seller.vat_number else "",
            f"Tax number {seller.tax_number}" if seller.tax_number else "",
            seller.registration,
            seller.phone,
            seller.email,
        ]
        self.rule(297 - _BOTTOM + 4)
        self.set_y(-_BOTTOM + 6)
        self.face(7, colour=_GREY)
        self.say(f"{seller.legal_name} · {_address(seller)}", x=_LEFT, width=_WIDTH, height=3.4)
        self.say(" · ".join(filter(None, numbers)), x=_LEFT, width=_WIDTH, height=3.4)
        if seller.footer:
            self.say(seller.footer, x=_LEFT, width=_WIDTH, height=3.4)
        self.set_y(-10)
        self.say(f"Page {self.page_no()} of {{nb}}", x=_LEFT, width=_WIDTH, to="R")

    def _watermark(self) -> None:
        self.face(110, "B", (235, 235, 235))
        with self.rotation(52, x=105, y=160):
            self.text(105 - self.get_string_width("DRAFT") / 2, 175, "DRAFT")


def _head(page: _Page) -> None:
    i = page.invoice
    page.face(15, "B")
    page.say(i.seller.legal_name, x=_LEFT, width=_WIDTH, height=7)
    page.face(8, colour=_GREY)
    page.say(_address(i.seller), x=_LEFT, width=_WIDTH, height=4)
    page.set_y(44)
    page.face(10)
    buyer = i.customer
    where = " ".join(filter(None, (buyer.postal_code, buyer.city)))
    for words in (buyer.legal_name, buyer.extra_line, buyer.street, where, buyer.country):
        if words:
            page.say(words, x=_LEFT, width=80, height=5)
    below = page.get_y()
    page.set_y(44)
    for name, value in _facts(i):
        top = page.get_y()
        page.face(8.5, colour=_GREY)
        page.say(name, x=115, width=30, height=5)
        page.set_y(top)
        page.face(8.5)
        page.say(value, x=145, width=45, height=5, to="R")
    page.set_y(max(below, page.get_y(), 72) + 6)
    page.face(17, "B")
    page.say(page.words if i.number else f"{page.words} (draft)", x=_LEFT, width=_WIDTH, height=8)
    page.face(9, colour=_GREY)
    told = f"Services from {_day(i.start)} to {_day(i.end)}"
    if i.corrects:
        told = f"For invoice {i.corrects} of {_day(i.corrects_issued_on)}: {i.reason}"
    page.say(told, x=_LEFT, width=_WIDTH)
    page.ln(4)
    _table_head(page)


def _facts(i: Issued) -> list[tuple[str, str]]:
    facts = [
        ("Number", i.number or "none yet"),
        ("Date", _day(i.issued_on)),
        ("" if i.type == "credit-note" else "Due", _day(i.due_on)),
        ("Customer", i.tenant),
        ("Your reference", i.customer.buyer_reference),
        ("Your VAT number", i.customer.vat_number),
    ]
    return [(name, value) for name, value in facts if name and value]


def _table_head(page: _Page) -> None:
    page.face(8, "B")
    _cells(page, ("", "Item", "Quantity", "Unit price", f"Amount {page.invoice.currency}"), 5.5)
    page.rule(page.get_y(), _INK, 0.3)
    page.ln(1.2)


def _lines(page: _Page) -> None:
    for number, line in enumerate(page.invoice.lines, 1):
        _line(page, number, line)


def _line(page: _Page, number: int, line: IssuedLine) -> None:
    free = money.parse(line.allowance)
    span = _span(line.start, line.end)
    told = f"{line.description}, {span}" if span else line.description
    page.face(7.5)
    height = 4.6 + _height(page, told, 3.6) + (4.2 if free else 0) + 2.2
    if page.get_y() + height > 297 - _BOTTOM:
        page.add_page()
        _table_head(page)
    quantity = f"{_number(line.quantity, 3)} {'' if line.unit == 'each' else line.unit}".rstrip()
    page.face(9)
    _cells(
        page,
        (str(number), line.name, quantity, _number(line.unit_price, 9), _number(line.listed)),
        4.6,
    )
    page.face(7.5, colour=_GREY)
    page.say(told, x=_LEFT + _COLUMNS[0], width=_COLUMNS[1] + _COLUMNS[2], height=3.6)
    if free:
        page.face(8)
        top = page.get_y()
        page.say(line.allowance_reason, x=_LEFT + _COLUMNS[0], width=138, height=4.2)
        page.set_y(top)
        page.say(f"−{_number(line.allowance)}", x=166, width=24, height=4.2, to="R")
    page.ln(1.2)
    page.rule(page.get_y())
    page.ln(1)


def _height(page: _Page, words: str, line: float) -> float:
    width = _COLUMNS[1] + _COLUMNS[2]
    found = page.multi_cell(width, line, words, dry_run=True, output="LINES")
    assert isinstance(found, list)
    return line * max(len(found), 1)


def _cells(page: _Page, cells: tuple[str, ...], height: float) -> None:
    x, top, low = _LEFT, page.get_y(), page.get_y()
    for index, (words, width) in enumerate(zip(cells, _COLUMNS, strict=True)):
        page.set_y(top)
        page.say(words, x=x, width=width, height=height, to="L" if index < 2 else "R")
        low = max(low, page.get_y())
        x += width
    page.set_y(low)


def _sums(page: _Page) -> None:
    i = page.invoice
    treatment = i.tax.treatment
    rows = []
    if i.allowances:
        rows.append(("Sum of lines", i.lines_total, ""))
        rows += [(a.reason, f"-{a.amount}", "") for a in i.allowances]
    rows.append(("Net", i.net, ""))
    rate = f"VAT {treatment.percent} %" if treatment.category == "S" else "VAT"
    if treatment.category == "S" and treatment.country != i.seller.country:
        rate = f"VAT {treatment.country} {treatment.percent} %"
    rows += [(rate, i.vat, ""), ("Total", i.gross, "B")]
    if i.nano("prepaid"):
        rows += [("Paid from credit", f"-{i.prepaid}", ""), ("To pay", i.payable, "B")]
    if page.get_y() + 6 * len(rows) + 4 > 297 - _BOTTOM:
        page.add_page()
    page.ln(2)
    for words, amount, style in rows:
        top = page.get_y()
        page.face(10.5 if style else 9, style)
        page.say(words, x=110, width=48, height=5.6)
        page.set_y(top)
        page.say(f"{_number(amount)} {i.currency}", x=150, width=40, height=5.6, to="R")
    page.ln(5)


def _notes(page: _Page) -> None:
    i = page.invoice
    needed = 34 if i.seller.iban else 18
    if page.get_y() + needed > 297 - _BOTTOM:
        page.add_page()
    page.face(9)
    if i.tax.treatment.reason:
        page.say(f"{i.tax.treatment.reason}.", x=_LEFT, width=_WIDTH)
        page.ln(2)
    for words in _payment(i):
        page.say(words, x=_LEFT, width=_WIDTH)
    if i.bill:
        page.ln(3)
        page.face(7.5, colour=_GREY)
        page.say(
            f"Each use that stands behind these lines is in the bill {i.bill}, with its proof.",
            x=_LEFT, width=_WIDTH, height=3.6,
        )  # fmt: skip


def _payment(i: Issued) -> list[str]:
    if i.type == "credit-note":
        return ["The amount is credited to your account."]
    if not i.number:
        return ["This is a draft: nothing is to be paid for it."]
    if not i.nano("payable"):
        return ["Nothing is to be paid: your credit covers it."]
    found = [f"Please pay {_number(i.payable)} {i.currency} by {_day(i.due_on)}."]
    if i.seller.iban:
        found += [f"IBAN {i.seller.iban}"]
        found += [
            f"{name} {value}"
            for name, value in (("BIC", i.seller.bic), ("Bank", i.seller.bank)) if value
        ]  # fmt: skip
        found += [f"Reference {i.number}"]
    return found


def _address(party: Party) -> str:
    where = " ".join(filter(None, (party.postal_code, party.city)))
    return " · ".join(filter(None, (party.street, party.extra_line, where, party.country)))


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%-d %B %Y}"


def _span(start: str, end: str) -> str:
    if start == end:
        return _day(start)
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return f"{first:%-d %b} to {last:%-d %b %Y}"


def _number(text: str, places: int = 2) -> str:
    """With thousands apart, and at most so many decimals."""
    sign, digits = ("−", text[1:]) if text.startswith("-") else ("", text)
    whole, _, part = digits.partition(".")
    if len(part) > places:
        nano = money.half_even(money.parse(digits), 10 ** (9 - places)) * 10 ** (9 - places)
        whole, _, part = money.text(nano, least=0).partition(".")
    return f"{sign}{int(whole):,}{'.' if part else ''}{part}"

"""What became of an issued document: computed from its payments and credit notes, never stored."""

from datetime import date

import msgspec

from skerry.ledger.issued import Type


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An issued document and what became of it. Amounts are nano."""

    number: str
    type: Type
    tenant: str
    period: date
    currency: str
    net: int
    vat: int
    gross: int
    prepaid: int
    paid: int
    paid_on: date | None
    credited_net: int
    credited_vat: int
    applied: int
    """What credit notes took off while it was open; the rest of them is credit again."""
    issued_on: date
    due_on: date
    document: str

    @property
    def open(self) -> int:
        """What is still to be paid."""
        if self.type == "credit-note":
            return 0
        return self.gross - self.prepaid - self.paid - self.applied

    def phase(self, today: date) -> str:
        """``open``, ``overdue``, ``paid`` or ``credited``; a credit note is ``issued``."""
        if self.type == "credit-note":
            return "issued"
        if self.credited_net + self.credited_vat >= self.gross > 0:
            return "credited"
        if self.open <= 0:
            return "paid"
        return "overdue" if today > self.due_on else "open"

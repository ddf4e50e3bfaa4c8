"""Word of invoices: to the customer by notices, to the operator by alerts."""

from skerry import notices
from skerry.kernel import alerts
from skerry.ledger import money
from skerry.ledger.issued import Issued, decode
from skerry.ledger.standing import Standing
from skerry.store import Tx


async def issued(tx: Tx, made: Issued) -> None:
    """Send word of a new document, if this transaction commits."""
    note = made.type == "credit-note"
    what = f"{'Credit note' if note else 'Invoice'} {made.number}"
    owed = f"{made.payable} {made.currency} are to be paid by {made.due_on}."
    if note:
        owed = f"{made.gross} {made.currency} of invoice {made.corrects} are credited."
    elif not made.nano("payable"):
        owed = "Nothing is to be paid: your credit covers it."
    await _post(
        tx,
        made,
        topic="invoice.credited" if note else "invoice.issued",
        subject=f"{what} of {made.seller.legal_name}",
        text=f"{what} for {made.period} comes to {made.gross} {made.currency}. {owed}",
        dedupe=f"issued/{made.number}",
        open=made.payable,
    )


async def overdue(tx: Tx, found: Standing) -> bool:
    """Remind the customer and tell the operator; False if that was done before."""
    made = decode(found.document)
    amount = f"{money.coins(found.open, found.currency)} {found.currency}"
    new = await _post(
        tx,
        made,
        topic="invoice.overdue",
        subject=f"Invoice {made.number} of {made.seller.legal_name} is overdue",
        text=f"Invoice {made.number} for {made.period} was due on {made.due_on}. {amount} of it "
        "are still to be paid. If you have paid meanwhile, there is nothing to do.",
        dedupe=f"overdue/{made.number}",
        open=money.coins(found.open, found.currency),
    )
    if new:
        await alerts.raise_alert(
            tx,
            subject=_subject(made.number),
            reason="overdue",
            message=f"{amount} of invoice {made.number} to {made.customer.legal_name} "
            f"({made.tenant}) were due on {made.due_on}.",
            remedy=f"Record the payment (skerry invoice pay {made.number.lower()} --tenant "
            f"{made.tenant}), or ask for it.",
        )
    return new


async def settled(tx: Tx, number: str) -> None:
    """Nothing is open of it any more."""
    await alerts.clear(tx, _subject(number))


def _subject(number: str) -> str:
    return f"invoice {number}"


async def _post(
    tx: Tx, made: Issued, *, topic: str, subject: str, text: str, dedupe: str, open: str
) -> bool:
    fetch = f"skerry invoice get {made.number.lower()} --tenant {made.tenant} -o pdf"
    return await notices.post(
        tx,
        topic=topic,
        tenant=made.tenant,
        to=(made.customer.email,) if made.customer.email else (),
        subject=subject,
        text=f"{text}\n\nFetch it: {fetch}",
        facts={
            "number": made.number,
            "type": made.type,
            "period": made.period,
            "gross": made.gross,
            "open": open,
            "currency": made.currency,
            "dueOn": made.due_on,
        },
        dedupe=dedupe,
    )

"""Reconciliation: does everything agree with everything else?

Usage, transfers, invoices and their export tell the same story three times, and counters tell it
once more. ``reconcile`` compares them all and names what differs; nothing found is the proof that a
month's figures are the sums of what was metered. ``skerry audit verify`` runs it after comparing
each batch with the log.
"""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from skerry.ledger import focus, invoices, issued, issuing, journal, money
from skerry.ledger.invoices import Invoice
from skerry.ledger.issued import Issued
from skerry.ledger.standing import Standing
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "reconcile.sql")
_AT_ONCE = 100
"""Bills in memory: one of a large tenant has megabytes."""


class Finding(msgspec.Struct, frozen=True):
    """Something that does not agree. ``subject`` names the row, ``detail`` says what is wrong."""

    what: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.what} {self.subject}: {self.detail}"


async def reconcile(tx: Tx, *, records: bool = False) -> list[Finding]:
    """All there is to find, in one snapshot if ``tx`` is a read-only transaction.

    ``records`` compares each transfer and usage row with the hash sealed in its batch, too: the
    audit's witness does that already.
    """
    found = await _books(tx) + await _usage(tx) + await _invoices(tx) + await _issued(tx)
    if records:
        found += await _records(tx)
    return found


async def _books(tx: Tx) -> list[Finding]:
    found = [
        Finding(
            "balance",
            row["currency"],
            f"all balances add up to {_text(row['balance'])} {row['currency']}, not to nothing",
        )
        for row in await tx.fetch(_sql.balances)
    ]
    for row in await tx.fetch(_sql.accounts):
        name = f"{row['owner'] or 'operator'}/{row['code']}".replace("//", "/")
        found.append(
            Finding(
                "account",
                " ".join(filter(None, (name, row["workspace"]))),
                f"its counters say {_text(row['balance'])} {row['currency']}, "
                f"its transfers {_text(row['summed'])}",
            )
        )
    for row in await tx.fetch(_sql.terms):
        found.append(
            Finding(
                "terms",
                row["owner"],
                f"its funds are guarded as {row['guard']} {_text(row['allowance'])}, its terms say "
                f"{row['mode']} {row['credit_limit']}",
            )
        )
    for row in await tx.fetch(_sql.holds):
        found.append(
            Finding(
                "held",
                f"{row['tenant']}/{row['workspace']}",
                f"{_text(row['held'])} are held, its leases' holds come to "
                f"{_text(row['remaining'])}",
            )
        )
    return found


async def _usage(tx: Tx) -> list[Finding]:
    found = [
        Finding("orphan", f"{row['what']} {row['id']}", "belongs to nothing that exists")
        for row in await tx.fetch(_sql.orphans)
    ]
    for row in await tx.fetch(_sql.streams):
        found.append(
            Finding(
                "stream",
                f"lease {row['lease']} {row['meter']}",
                f"counts {row['quantity']} for {_text(row['posted'])}, its usage rows add up to "
                f"{row['used']} for {_text(row['charged'])}",
            )
        )
    for row in await tx.fetch(_sql.windows):
        found.append(
            Finding(
                "usage",
                f"lease {row['lease']} {row['meter']} from {row['starts_at']:%Y-%m-%dT%H:%M:%SZ}",
                f"is charged {_text(row['amount'])}; its price makes {_text(row['due'])} of it",
            )
        )
    for row in await tx.fetch(_sql.batches):
        found.append(
            Finding(
                "settlement",
                f"batch {row['batch']} {row['tenant']}",
                f"usage of {_text(row['used'])} was charged as {_text(row['charged'])}",
            )
        )
    for row in await tx.fetch(_sql.spending):
        found.append(
            Finding(
                "spending",
                f"{row['tenant']}/{row['workspace']} {row['period']:%Y-%m}",
                f"is kept as {_text(row['kept'])}, its usage comes to {_text(row['used'])}",
            )
        )
    return found


async def _invoices(tx: Tx) -> list[Finding]:
    return [
        Finding("invoice", row["number"], wrong)
        for row in await tx.fetch(_sql.all_invoices)
        for wrong in await _wrong_with(tx, row)
    ]


async def _wrong_with(tx: Tx, row: Row) -> list[str]:
    """What is wrong with a closed invoice: with its usage, in itself, or in its export."""
    kept = invoices.decode(row["document"])
    made = await invoices.computed(tx, kept)
    wrong = []
    for line in set(made.lines) - set(kept.lines):
        wrong.append(f"its usage makes {line.meter} of lease {line.lease} {line.amount}")
    for line in set(kept.lines) - set(made.lines):
        wrong.append(f"its line {line.meter} of lease {line.lease} says {line.amount}")
    total = sum(money.parse(line.amount) for line in kept.lines)
    if not money.parse(kept.total) == row["total"] == total:
        wrong.append(f"its lines add up to {_text(total)}, it says {kept.total}")
    exact = sum(money.parse(line.exact) for line in kept.lines)
    if not money.parse(kept.exact) == row["exact"] == exact:
        wrong.append(f"its lines are exactly {_text(exact)}, it says {kept.exact}")
    if row["rounding"] != total - exact:
        wrong.append(f"rounding posted {_text(row['rounding'])}, it needs {_text(total - exact)}")
    billed = _exported(kept)
    if billed != Decimal(kept.total):
        wrong.append(f"its export bills {billed}, it says {kept.total}")
    return wrong


def _exported(kept: Invoice, made: Issued | None = None) -> Decimal:
    billed: list[Decimal] = focus.table(kept, made)["BilledCost"].to_pylist()
    return sum(billed, Decimal(0))


async def _issued(tx: Tx) -> list[Finding]:
    """Numbers without gaps; each issued document in itself, with its bill, with the ledger and with
    its export; and each tenant's money as a whole."""
    found = [
        Finding("series", row["series"], f"numbers are missing before {row['last']}")
        for row in await tx.fetch(_sql.gaps)
    ]
    moved = {row["subject"]: row for row in await tx.fetch(_sql.issued_moves)}
    standings = await issuing.standings(tx)
    for at in range(0, len(standings), _AT_ONCE):
        some = standings[at : at + _AT_ONCE]
        rows = await tx.fetch(_sql.bills_of, [one.number for one in some])
        bills = {row["number"]: invoices.decode(row["document"]) for row in rows}
        for one in some:
            made, bill = issued.decode(one.document), bills.get(one.number)
            for wrong in _wrong_with_issued(one, made, bill, moved.get(one.number)):
                found.append(Finding("issued", one.number, wrong))
    for row in await tx.fetch(_sql.standing_money):
        found.append(
            Finding(
                "money",
                row["tenant"],
                f"its accounts come to {_text(row['accounts'])} {row['currency']}, what it paid, "
                f"was given, used and was invoiced to {_text(row['documents'])}",
            )
        )
    return found


def _wrong_with_issued(
    one: Standing, made: Issued, bill: Invoice | None, moved: Row | None
) -> Iterator[str]:
    lines = sum(money.parse(line.amount) for line in made.lines)
    taken = sum(money.parse(a.amount) for a in made.allowances)
    if made.nano("lines_total") != lines or not one.net == lines - taken == made.nano("net"):
        yield f"its lines add up to {_text(lines - taken)}, it says {made.net}"
    if not one.gross == one.net + one.vat == made.nano("gross"):
        yield f"net and tax add up to {_text(one.net + one.vat)}, it says {made.gross}"
    sign = -1 if one.type == "credit-note" else 1
    vat = int(moved["vat"]) if moved else 0
    if sign * one.vat != vat:
        yield f"the ledger moved {_text(vat)} of tax for it, it says {made.vat}"
    if bill is None:
        yield "there is no bill of its month"
        return
    if one.type == "invoice":
        listed = sum(money.parse(line.listed) for line in made.lines if line.sort == "usage")
        if listed != money.parse(bill.total):
            yield f"it lists usage of {_text(listed)}, its month's bill says {bill.total}"
        free = sum(money.parse(line.allowance) for line in made.lines)
        if free != (int(moved["free"]) if moved else 0):
            yield f"{_text(free)} of it are free, which the ledger did not move"
    billed = _exported(bill, made)
    if billed * money.NANO != sign * one.gross:
        yield f"its export bills {billed}, it says {made.gross}"


async def _records(tx: Tx) -> list[Finding]:
    found = []
    for row in await tx.fetch(_sql.all_batches):
        for one in await journal.altered(tx, row["id"]):
            detail = f"is not what was sealed: {one.text}" if one.text else "a record is gone"
            found.append(Finding("record", f"batch {one.batch}", detail))
        await asyncio.sleep(0)
    return found


def _text(nano: Decimal | int) -> str:
    return money.text(int(nano))

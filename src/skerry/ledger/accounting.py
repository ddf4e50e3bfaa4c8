"""What issuing, crediting and paying move in the ledger.

A month's use was charged while it ran. What its invoice adds, tax and a commitment that was not
reached, goes to the tenant's ``due``, which no spending limit guards; what it takes off, to its
``funds``. Credit that the tenant had paid in settles ``due`` at once, as far as it is free.
"""

import uuid
from datetime import date

from skerry.ledger import chart, holds, money
from skerry.ledger.ids import named
from skerry.ledger.issued import Issued
from skerry.ledger.journal import Draft
from skerry.ledger.transfers import Transfer
from skerry.store import Tx
from skerry.store.queries import load

_accounts = load("skerry.ledger", "accounts.sql")


class _Books:
    """Transfers for one document, drafted in order."""

    def __init__(self, made: Issued) -> None:
        self.made = made
        self.currency = made.currency
        self.due = chart.account_id(made.tenant, "due", made.currency)
        self.funds = chart.funds(made.tenant, made.currency)
        self.transfers: list[Transfer] = []

    def account(self, owner: str, code: str) -> uuid.UUID:
        return chart.account_id(owner, code, self.currency)

    def move(self, code: str, debit: uuid.UUID, credit: uuid.UUID, amount: int) -> None:
        if amount < 0:
            debit, credit, amount = credit, debit, -amount
        if amount:
            number = self.made.number
            id = named(code, number)
            self.transfers.append(
                Transfer(
                    id=id, debit=debit, credit=credit, amount=amount, code=code, subject=number
                )
            )

    async def post(self, tx: Tx, actor: str) -> None:
        if not self.transfers:
            return
        draft = await Draft.open(tx)
        await draft.post(self.transfers)
        await draft.seal(actor=actor)


def vat_account(made: Issued) -> str:
    """Tax is kept by the country that is owed it."""
    return f"vat:{made.tax.treatment.country}"


async def _lock(tx: Tx, made: Issued, *more: tuple[str, str]) -> None:
    """Open the accounts that a document moves, and lock all of them at once, in order."""
    await holds.open_tenant(tx, made.tenant)
    accounts = [(made.tenant, "due"), (chart.OPERATOR, vat_account(made)), *more]
    await chart.ensure(tx, [(owner, code, made.currency, "") for owner, code in accounts])
    ids = {chart.account_id(owner, code, made.currency) for owner, code in accounts}
    ids.add(chart.funds(made.tenant, made.currency))
    await tx.fetch(_accounts.accounts_locked, sorted(ids))


async def post_invoice(tx: Tx, made: Issued, credit: int, *, actor: str) -> int:
    """Move what the invoice adds and takes off; how much of it ``credit`` (paid in before) pays."""
    await _lock(tx, made, (chart.OPERATOR, "allowances"), (made.tenant, "revenue:commitment"))
    books = _Books(made)
    free = sum(money.parse(line.allowance) for line in made.lines)
    promised = sum(money.parse(x.amount) for x in made.lines if x.sort == "commitment")
    tax = made.nano("vat")
    books.move("allowance", books.account(chart.OPERATOR, "allowances"), books.funds, free)
    books.move("commitment", books.due, books.account(made.tenant, "revenue:commitment"), promised)
    books.move("vat", books.due, books.account(chart.OPERATOR, vat_account(made)), tax)
    await books.post(tx, actor)
    return await _settle(tx, made, credit, promised + tax, actor)


async def _settle(tx: Tx, made: Issued, credit: int, added: int, actor: str) -> int:
    """Pay from the tenant's credit: what was used first, which its funds paid as it ran, then what
    the invoice added, as far as nothing that runs holds the money."""
    gross = made.nano("gross")
    prepaid = min(credit, gross)
    part = prepaid - (gross - added)
    if part <= 0:
        return max(prepaid, 0)
    books = _Books(made)
    funds = await chart.find(tx, books.funds)
    assert funds is not None
    has = funds.balance - funds.debits_pending
    part = max(min(part, has if funds.available is None else min(has, funds.available)), 0)
    part -= part % money.coin(made.currency)
    if part:
        books.move("prepaid", books.funds, books.due, part)
        await books.post(tx, actor)
    return gross - added + part


async def post_credit(tx: Tx, made: Issued, *, actor: str) -> None:
    """Give back a credit note's net and tax: to what is due, and beyond that to the funds."""
    await _lock(tx, made, (made.tenant, "revenue:credit-notes"))
    books = _Books(made)
    tax = made.nano("vat")
    vat = books.account(chart.OPERATOR, vat_account(made))
    to_due = min(tax, await _owed(tx, books.due))
    books.move(
        "credit-note", books.account(made.tenant, "revenue:credit-notes"), books.funds,
        made.nano("net"),
    )  # fmt: skip
    books.move("credit-note-vat", vat, books.due, to_due)
    books.move("credit-note-vat-paid", vat, books.funds, tax - to_due)
    await books.post(tx, actor)


def payment_id(number: str, amount: int, received_on: date, reference: str) -> uuid.UUID:
    return named("invoice-payment", number, amount, received_on, reference)


async def post_payment(
    tx: Tx, tenant: str, currency: str, id: uuid.UUID, amount: int, number: str, *, actor: str
) -> None:
    """Money that came in: to what is due first, the rest to the funds."""
    await chart.ensure(tx, [(tenant, "due", currency, ""), (chart.OPERATOR, "cash", currency, "")])
    cash = chart.account_id(chart.OPERATOR, "cash", currency)
    due, funds = chart.account_id(tenant, "due", currency), chart.funds(tenant, currency)
    await tx.fetch(_accounts.accounts_locked, sorted([cash, due, funds]))
    to_due = min(amount, await _owed(tx, due))
    draft = await Draft.open(tx)
    await draft.post(
        [
            Transfer(id=named(id, where), debit=cash, credit=account, amount=part,
                     code="invoice-payment", subject=number)
            for where, account, part in (
                ("due", due, to_due), ("funds", funds, amount - to_due),
            ) if part
        ]
    )  # fmt: skip
    await draft.seal(actor=actor)


async def _owed(tx: Tx, due: uuid.UUID) -> int:
    account = await chart.find(tx, due)
    return max(-account.balance, 0) if account else 0

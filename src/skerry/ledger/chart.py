"""The accounts there are, and the terms on which a tenant may spend.

| owner | code | what its balance (credits less debits) says |
|---|---|---|
| tenant | `funds` | what the tenant has with us; below zero: what it owes |
| tenant, per workspace | `held` | what is put aside for its leases; never below zero |
| tenant | `revenue:<product>` | what it was charged for, exactly, since ever |
| tenant | `carry` | the parts of a cent its invoices were rounded by, so far |
| tenant | `due` | below zero: tax and commitments that were invoiced and not paid yet |
| operator | `cash` | below zero: money that came in |
| operator | `vat:<country>` | tax that invoices carry, owed to that country |
| operator | `vouchers` | sold and not redeemed yet; `breakage`: never redeemed |
| operator | `allowances` | below zero: what agreements made free |
| operator | `promo` | below zero: credit that was given away |
| operator | `rounding` | the other side of all `carry` accounts |

A payment moves `cash` to `funds`, a gift `promo` to `funds`, a hold `funds` to `held`, usage `held`
to `revenue`, a release `held` to `funds`; closing an invoice moves its rounding between `carry` and
`rounding`. Issuing it moves tax and a missed commitment from `due` to `vat:<country>` and
`revenue:commitment`, and what is free by agreement from `allowances` to `funds`; a credit note
moves its net sum from `revenue:credit-notes` to `funds` and its tax back. Everything adds up to
zero, always. Revenue is kept per tenant, so that no row is hot for the whole cloud and an invoice
can be checked against one tenant's accounts; the operator's revenue by product is a sum over them.

A tenant is *prepaid* (it can spend what it has) or *post-paid* (it may owe up to its credit limit,
or without limit, as the operator's own tenant does). Both are the same guard on `funds`, with
another allowance.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from skerry.kernel import changes
from skerry.ledger.ids import named
from skerry.ledger.transfers import Account, Guard
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "accounts.sql")

Mode = Literal["prepaid", "postpaid"]
OPERATOR = ""


@dataclass(frozen=True)
class Terms:
    """How a tenant may spend. ``credit_limit`` is in nano; None: no limit. A prepaid tenant has
    neither."""

    mode: Mode
    credit_limit: int | None
    currency: str
    version: int = 0

    @property
    def guard(self) -> tuple[Guard, int]:
        if self.mode == "prepaid":
            return "debits", 0
        return ("none", 0) if self.credit_limit is None else ("debits", self.credit_limit)


def account_id(owner: str, code: str, currency: str, workspace: str = "") -> uuid.UUID:
    """Accounts are named by what they are, so no one has to look them up."""
    return named("account", owner, workspace, code, currency)


def funds(tenant: str, currency: str) -> uuid.UUID:
    return account_id(tenant, "funds", currency)


def held(tenant: str, workspace: str, currency: str) -> uuid.UUID:
    return account_id(tenant, "held", currency, workspace)


def revenue(tenant: str, product: str, currency: str) -> uuid.UUID:
    return account_id(tenant, f"revenue:{product}", currency)


async def ensure(tx: Tx, accounts: Sequence[tuple[str, str, str, str]]) -> None:
    """Open those of the accounts (owner, code, currency, workspace) that do not exist yet.

    ``funds`` are opened by ``set_terms`` alone: without terms nobody can spend.
    """
    rows = sorted(
        (account_id(owner, code, currency, workspace), owner, workspace, code, currency)
        for owner, code, currency, workspace in set(accounts)
    )
    columns = list(zip(*rows, strict=True))
    guards = ["debits" if row[3] == "held" else "none" for row in rows]
    await tx.execute(_sql.open_accounts, *map(list, columns), guards)


async def find(tx: Tx, id: uuid.UUID) -> Account | None:
    """An account as it stands; not locked."""
    row = await tx.fetchrow(_sql.account, id)
    return account_of(row) if row else None


async def terms_of(tx: Tx, tenant: str) -> Terms | None:
    row = await tx.fetchrow(_sql.terms_now, tenant)
    return _terms(row) if row else None


async def set_terms(tx: Tx, tenant: str, wanted: Terms, *, actor: str = "system") -> Terms:
    """Open the tenant's funds, or change its terms. Does nothing if they are these already.

    A lower limit than what is owed stops new spending; it takes nothing back.
    """
    guard, allowance = wanted.guard
    id = funds(tenant, wanted.currency)
    await tx.execute(
        _sql.open_accounts, [id], [tenant], [""], ["funds"], [wanted.currency], ["debits"]
    )
    await tx.execute(_sql.lock_account, id)
    before = await terms_of(tx, tenant)
    if before and (before.mode, before.credit_limit, before.currency) == (
        wanted.mode, wanted.credit_limit, wanted.currency,
    ):  # fmt: skip
        return before
    version = before.version + 1 if before else 1
    terms = Terms(wanted.mode, wanted.credit_limit, wanted.currency, version)
    await tx.execute(_sql.guard_account, id, guard, allowance)
    await tx.execute(
        _sql.add_terms,
        tenant, version, terms.mode, terms.credit_limit, terms.currency, await tx.now(),
    )  # fmt: skip
    await changes.record(
        tx,
        kind="ledger.terms",
        subject=f"ledger/terms/{tenant}/{version}",
        verb="put",
        tenant=tenant,
        actor=actor,
        version=version,
        body=_body(terms),
    )
    return terms


def _terms(row: Row) -> Terms:
    return Terms(row["mode"], row["credit_limit"], row["currency"], row["version"])


def _body(terms: Terms) -> dict[str, Any]:
    return {
        "mode": terms.mode,
        "creditLimit": terms.credit_limit,
        "currency": terms.currency,
        "version": terms.version,
    }


@changes.witness("ledger.terms")
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    tenant, version = subject.split("/")[-2:]
    row = await tx.fetchrow(_sql.terms_at, tenant, int(version))
    return _body(_terms(row)) if row else None


def account_of(row: Row) -> Account:
    """An account row with its counters as integers (Postgres' ``numeric`` arrives as Decimal)."""
    return Account(
        id=row["id"],
        owner=row["owner"],
        workspace=row["workspace"],
        code=row["code"],
        currency=row["currency"],
        guard=row["guard"],
        allowance=row["allowance"],
        debits_pending=int(row["debits_pending"]),
        debits_posted=int(row["debits_posted"]),
        credits_pending=int(row["credits_pending"]),
        credits_posted=int(row["credits_posted"]),
    )

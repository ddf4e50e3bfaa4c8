"""Budgets: how much a tenant, or one of its workspaces, may spend in a month.

A budget binds before anything is spent: what is spent this month, plus all that is held for leases,
plus what is asked for, must fit. Held money counts in full in the month it is held, so a running
lease can never carry a tenant over; when it ends, what it did not use is free again. The check runs
while the tenant's funds are locked, so any number of requests at once can't pass it together.

Budgets are resources; the ledger reads their specs and keeps the sums (``spending``). A budget
warns once per month for each threshold that spending has reached.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from skerry import notices
from skerry.kernel import alerts, changes
from skerry.kernel.errors import Conflict
from skerry.ledger import money
from skerry.ledger.windows import month_of
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.ledger", "budgets.sql")

THRESHOLDS = (50, 80, 100)
"""Percent at which a budget warns, unless it says otherwise."""


class BudgetExhausted(Conflict):
    """It would not fit into a budget."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget in one month. Amounts are nano."""

    uid: uuid.UUID
    name: str
    tenant: str
    workspace: str
    """Empty: the whole tenant."""
    currency: str
    amount: int
    thresholds: tuple[int, ...]
    spent: int
    held: int

    @property
    def left(self) -> int:
        """What can still be reserved; below zero if the budget was lowered too late."""
        return self.amount - self.spent - self.held

    @property
    def phase(self) -> str:
        """``ok``; ``warning`` from the first threshold on; ``exhausted`` with nothing left."""
        if self.left <= 0:
            return "exhausted"
        return "warning" if self.reached else "ok"

    @property
    def reached(self) -> tuple[int, ...]:
        """The thresholds that spending has reached, in percent."""
        return tuple(t for t in self.thresholds if self.spent * 100 >= self.amount * t)


async def of_tenants(tx: Tx, tenants: Sequence[str], month: date) -> list[Budget]:
    """All budgets of some tenants, as they stand in a month. One statement, so that a charge that
    moves from held to spent meanwhile is counted once."""
    return [_budget(row) for row in await tx.fetch(_sql.budgets, list(tenants), month)]


def _budget(row: Row) -> Budget:
    spec: dict[str, Any] = row["spec"]
    return Budget(
        uid=row["uid"],
        name=row["name"],
        tenant=row["tenant"],
        workspace=spec.get("workspace", ""),
        currency=row["currency"],
        amount=money.parse(spec["amount"]),
        thresholds=tuple(sorted(spec.get("thresholds", THRESHOLDS))),
        spent=int(row["spent"]),
        held=int(row["held"]),
    )


def check(budgets: Iterable[Budget], amount: int) -> None:
    """Raise ``BudgetExhausted`` for the first budget that ``amount`` more does not fit into."""
    for budget in budgets:
        if amount > budget.left:
            scope = f"workspace {budget.workspace!r}" if budget.workspace else "the tenant"
            raise BudgetExhausted(
                f"budget {budget.name!r} of {scope} is exhausted: {_money(amount, budget)} must be "
                f"set aside, {_money(max(budget.left, 0), budget)} of "
                f"{_money(budget.amount, budget)} are left this month "
                f"({_money(budget.spent, budget)} spent, {_money(budget.held, budget)} held)",
                hint="Raise the budget, stop something that holds money, or wait for next month.",
            )


def _money(nano: int, budget: Budget) -> str:
    return f"{money.text(nano)} {budget.currency}"


async def warn(tx: Tx, tenants: Sequence[str]) -> list[tuple[Budget, int]]:
    """Record thresholds that were newly reached, once per budget, month and threshold."""
    now = await tx.now()
    month = month_of(now)
    new: list[tuple[Budget, int]] = []
    for budget in await of_tenants(tx, tenants, month):
        for threshold in budget.reached:
            if await tx.fetchval(_sql.add_alert, budget.uid, month, threshold, now):
                await _record(tx, budget, month, threshold)
                new.append((budget, threshold))
    return new


async def _record(tx: Tx, budget: Budget, month: date, threshold: int) -> None:
    await changes.record(
        tx,
        kind="ledger.budget",
        subject=f"ledger/budgets/{budget.uid}/{month:%Y-%m}/{threshold}",
        verb="warn",
        tenant=budget.tenant,
        workspace=budget.workspace,
        actor="system",
        body=_body(budget.uid, month, threshold),
    )
    message = (
        f"Budget {budget.name!r}: {_money(budget.spent, budget)} of "
        f"{_money(budget.amount, budget)} are spent, {threshold} % or more."
    )
    remedy = "Raise the budget or stop what is not needed; at 100 % nothing new starts."
    await alerts.raise_alert(
        tx,
        subject=alert_subject(budget.tenant, budget.name, month),
        reason=f"{threshold}%",
        message=message,
        remedy=remedy,
        tenant=budget.tenant,
        quiet=True,
    )
    await notices.post(
        tx,
        topic="budget.warning",
        tenant=budget.tenant,
        subject=f"{threshold} % of the budget {budget.name} are spent",
        text=f"{message}\n\n{remedy}",
        facts={
            "budget": budget.name,
            "workspace": budget.workspace,
            "month": f"{month:%Y-%m}",
            "threshold": threshold,
            "amount": money.text(budget.amount),
            "spent": money.text(budget.spent),
            "currency": budget.currency,
        },
        dedupe=f"budget/{budget.uid}/{month:%Y-%m}/{threshold}",
    )


def alert_subject(tenant: str, name: str, month: date) -> str:
    return f"{tenant}'s budget {name} in {month:%Y-%m}"


def _body(uid: uuid.UUID, month: date, threshold: int) -> dict[str, Any]:
    return {"budget": str(uid), "month": f"{month:%Y-%m}", "threshold": threshold}


@changes.witness("ledger.budget")
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    _, _, uid, month, threshold = subject.split("/")
    first = date.fromisoformat(f"{month}-01")
    if not await tx.fetchval(_sql.has_alert, uuid.UUID(uid), first, int(threshold)):
        return None
    return _body(uuid.UUID(uid), first, int(threshold))

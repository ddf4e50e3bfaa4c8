"""What a tenant can still set aside: its own funds and every budget that binds, at once.

The funds of a prepaid tenant whose invoices carry tax go less far than their balance (``taxed``).
"""

from collections.abc import Sequence

from skerry.ledger import budgets, chart, money, taxed
from skerry.ledger.budgets import Budget
from skerry.ledger.journal import InsufficientFunds
from skerry.ledger.transfers import Result
from skerry.ledger.windows import month_of
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "accounts.sql")


class Purse:
    """The limits of one tenant. Exact while its funds are locked. ``taxed``: its funds pay tax on
    top of what is set aside."""

    def __init__(
        self, tenant: str, currency: str, funds: int | None, found: Sequence[Budget], *, taxed: bool
    ) -> None:
        self.funds = funds
        self._tenant, self._currency, self._taxed = tenant, currency, taxed
        self.budgets = list(found)
        self._left = {budget.uid: budget.left for budget in found}

    def left(self, workspace: str) -> int | None:
        """What a workspace can set aside, in nano; None: any amount."""
        limits = [self._left[b.uid] for b in self._binding(workspace)]
        if self.funds is not None:
            limits.append(self.funds)
        return max(min(limits), 0) if limits else None

    def take(self, workspace: str, wish: int) -> int:
        """As much of ``wish`` as is left; it is gone for the next one."""
        left = self.left(workspace)
        given = max(wish if left is None else min(wish, left), 0)
        for budget in self._binding(workspace):
            self._left[budget.uid] -= given
        if self.funds is not None:
            self.funds -= given
        return given

    def check(self, workspace: str, amount: int) -> None:
        """Raise ``BudgetExhausted`` or ``InsufficientFunds`` if ``amount`` does not fit."""
        budgets.check(self._binding(workspace), amount)
        if self.funds is None or amount <= self.funds:
            return
        left = f"{money.text(max(self.funds, 0))} {self._currency}"
        raise InsufficientFunds(
            f"{money.text(amount)} {self._currency} are needed and {left} are left in "
            f"{self._tenant}'s funds{' before tax' if self._taxed else ''}",
            Result(id=chart.funds(self._tenant, self._currency), outcome="exceeds-credits"),
            hint="Pay in, ask the operator for more credit, or stop something that holds money.",
        )

    def _binding(self, workspace: str) -> list[Budget]:
        return [b for b in self.budgets if b.workspace in ("", workspace)]


async def purses(tx: Tx, tenants: Sequence[tuple[str, str]]) -> dict[str, Purse]:
    """The purses of tenants, each named with its currency, in the present month."""
    ids = {chart.funds(tenant, currency): tenant for tenant, currency in tenants}
    rows = await tx.fetch(_sql.accounts, list(ids))
    limits = await taxed.limits(tx, tenants)
    month = month_of(await tx.now())
    found: dict[str, list[Budget]] = {tenant: [] for tenant in sorted(ids.values())}
    for budget in await budgets.of_tenants(tx, list(found), month):
        found[budget.tenant].append(budget)
    made = {}
    for account in map(chart.account_of, rows):
        tenant, funds = account.owner, account.available
        if tenant in limits and funds is not None:
            funds = min(funds, limits[tenant])
        made[tenant] = Purse(tenant, account.currency, funds, found[tenant], taxed=tenant in limits)
    return made


async def purse_of(tx: Tx, tenant: str, currency: str) -> Purse:
    return (await purses(tx, [(tenant, currency)]))[tenant]

"""What a tenant can still set aside: its own funds and every budget that binds, at once."""

from collections.abc import Sequence

from skerry.ledger import budgets, chart
from skerry.ledger.budgets import Budget
from skerry.ledger.windows import month_of
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "accounts.sql")


class Purse:
    """The limits of one tenant. Exact while its funds are locked."""

    def __init__(self, funds: int | None, found: Sequence[Budget]) -> None:
        self._funds = funds
        self.budgets = list(found)
        self._left = {budget.uid: budget.left for budget in found}

    def left(self, workspace: str) -> int | None:
        """What a workspace can set aside, in nano; None: any amount."""
        limits = [self._left[b.uid] for b in self._binding(workspace)]
        if self._funds is not None:
            limits.append(self._funds)
        return max(min(limits), 0) if limits else None

    def take(self, workspace: str, wish: int) -> int:
        """As much of ``wish`` as is left; it is gone for the next one."""
        left = self.left(workspace)
        given = max(wish if left is None else min(wish, left), 0)
        for budget in self._binding(workspace):
            self._left[budget.uid] -= given
        if self._funds is not None:
            self._funds -= given
        return given

    def check(self, workspace: str, amount: int) -> None:
        """Raise ``BudgetExhausted`` if ``amount`` does not fit into a budget."""
        budgets.check(self._binding(workspace), amount)

    def _binding(self, workspace: str) -> list[Budget]:
        return [b for b in self.budgets if b.workspace in ("", workspace)]


async def purses(tx: Tx, tenants: Sequence[tuple[str, str]]) -> dict[str, Purse]:
    """The purses of tenants, each named with its currency, in the present month."""
    ids = {chart.funds(tenant, currency): tenant for tenant, currency in tenants}
    rows = await tx.fetch(_sql.accounts, list(ids))
    funds = {row["owner"]: chart.account_of(row).available for row in rows}
    month = month_of(await tx.now())
    names = sorted(ids.values())
    found: dict[str, list[Budget]] = {name: [] for name in names}
    for budget in await budgets.of_tenants(tx, names, month):
        found[budget.tenant].append(budget)
    return {name: Purse(funds[name], found[name]) for name in names}


async def purse_of(tx: Tx, tenant: str, currency: str) -> Purse:
    return (await purses(tx, [(tenant, currency)]))[tenant]

"""What billing shows as resources: a tenant's account, its invoices, the price lists.

The facts are in the ledger's own tables; a resource is the place where a tenant finds them. An
account is put with its tenant, the rest when the ledger first has something to show, by the settler
and by whoever makes a lease.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from skerry.kernel.errors import Conflict
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.ledger import holds, money
from skerry.ledger.hooks import ACCOUNT
from skerry.ledger.windows import month_of
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "publish.sql")


async def publish(tx: Tx, resources: Resources) -> None:
    """Put what is not there yet, for every tenant."""
    for row in await tx.fetch(_sql.lists_to_show):
        spec = {"version": row["version"]}
        await _put(tx, resources, "price-list", row["tenant"], f"v{row['version']}", spec)
    for row in await tx.fetch(_sql.accounts_to_show, ACCOUNT):
        await account(tx, resources, row["tenant"])
    for row in await tx.fetch(_sql.invoices_to_show):
        await _put(tx, resources, "invoice", row["tenant"], row["name"], {})


async def publish_invoice(tx: Tx, resources: Resources, tenant: str) -> None:
    """Put this month's invoice of a tenant, so that it is found from its first lease on."""
    name = f"{month_of(await tx.now()):%Y-%m}"
    if "invoice" not in resources.registry.by_noun:
        return
    if await tx.fetchval(_sql.invoice_to_show, tenant, name):
        # Whoever was faster put the same.
        with suppress(Conflict):
            async with tx.savepoint():
                await _put(tx, resources, "invoice", tenant, name, {})


async def account(tx: Tx, resources: Resources, tenant: str) -> None:
    """Put a tenant's account, with the terms it has or gets by the price list."""
    terms = await holds.open_tenant(tx, tenant)
    spec: dict[str, str] = {"mode": terms.mode}
    if terms.credit_limit is not None:
        spec["creditLimit"] = money.text(terms.credit_limit)
    await _put(tx, resources, "billing-account", tenant, ACCOUNT, spec)


async def _put(
    tx: Tx, resources: Resources, noun: str, tenant: str, name: str, spec: Mapping[str, Any]
) -> None:
    path = Path(tenant=tenant, name=name)
    await resources.put(tx, resources.registry[noun], path, {"spec": spec}, SYSTEM)

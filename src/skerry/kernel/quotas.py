"""Quotas: how many resources of a kind a tenant may have.

Counted in the transaction of the PUT, on one row per tenant and kind, so two requests at once can't
both take the last place. The kind's declaration gives the default; a row in ``quota`` overrides it.
"""

from skerry.kernel.errors import Conflict
from skerry.kernel.kinds import Kind
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.kernel", "quotas.sql")


async def take(tx: Tx, kind: Kind, tenant: str) -> None:
    """Count one more. Raises ``Conflict`` where that is more than allowed."""
    if kind.quota is None:
        return
    row = await tx.fetchrow(_sql.take, tenant, kind.noun, kind.quota)
    assert row is not None
    if row["used"] > row["most"]:
        raise Conflict(
            f"Quota reached: tenant {tenant!r} has {row['used'] - 1} of {row['most']} "
            f"{kind.collection}",
            hint=f"Delete a {kind.noun} that is not needed, or ask the operator for more.",
        )


async def give_back(tx: Tx, kind: Kind, tenant: str) -> None:
    """Count one less."""
    if kind.quota is not None:
        await tx.execute(_sql.give_back, tenant, kind.noun)


async def allow(tx: Tx, kind: Kind, tenant: str, most: int) -> None:
    """Set a tenant's quota. Lowering it below what is in use removes nothing."""
    await tx.execute(_sql.allow, tenant, kind.noun, most)


async def default(tx: Tx, kind: Kind, tenant: str) -> None:
    """Let the kind's default hold again."""
    await tx.execute(_sql.default, tenant, kind.noun)


async def usage(tx: Tx, tenant: str) -> dict[str, tuple[int, int | None]]:
    """Noun to (used, override of the default)."""
    rows = await tx.fetch(_sql.usage, tenant)
    return {row["kind"]: (row["used"], row["most"]) for row in rows}

"""What something costs, live: what is charged already, and what ran up since it was."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from skerry.ledger import holds
from skerry.ledger.windows import month_of
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.ledger", "cost.sql")
_NOTHING = dict.fromkeys(("posted", "running", "per_hour", "drawn"), 0)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """In nano."""

    currency: str
    settled: int
    """Charged: of a resource since its beginning, of a tenant or workspace this month."""
    running: int
    """Due since the last settlement, for time that was seen."""
    held: int
    """Set aside and not drawn yet."""
    per_hour: int
    """What runs now costs so much an hour."""

    @property
    def total(self) -> int:
        return self.settled + self.running

    def amount(self) -> dict[str, Any]:
        """As a status keeps it: what does not change by itself once it has ended."""
        return {"currency": self.currency, "amountNano": self.total}

    def rate(self) -> dict[str, Any]:
        """As what still runs shows it."""
        return {**self.amount(), "perHourNano": self.per_hour}

    def full(self) -> dict[str, Any]:
        """All of it."""
        return {
            **self.rate(),
            "settledNano": self.settled,
            "runningNano": self.running,
            "heldNano": self.held,
        }


async def cost(
    tx: Tx, tenant: str, workspace: str | None = None, resource: uuid.UUID | None = None
) -> Cost:
    """The live cost of a tenant or a workspace this month, or of a resource (with all it owns) in
    its life."""
    terms = await holds.terms(tx, tenant)
    now = await tx.now()
    of = None if resource is None else [resource]
    rows = await tx.fetch(_sql.live, tenant, workspace, of, now, False)
    live: Mapping[str, int] = rows[0] if rows else _NOTHING
    settled = live["posted"]
    if resource is None:
        settled = await tx.fetchval(_sql.spent, tenant, workspace, month_of(now))
    aside = await tx.fetchval(_sql.held, tenant, workspace, resource)
    return Cost(
        currency=terms.currency,
        settled=settled,
        running=live["running"],
        held=aside - live["drawn"],
        per_hour=live["per_hour"],
    )


async def costs(
    tx: Tx, tenant: str, resources: Collection[uuid.UUID]
) -> tuple[str, dict[uuid.UUID, tuple[int, int]]]:
    """The currency, and what each of these resources and all it owns cost so far and cost an hour.
    Those that never cost anything are left out. One question for all of them."""
    terms = await holds.terms(tx, tenant)
    rows = await tx.fetch(_sql.live, tenant, None, list(resources), await tx.now(), True)
    return terms.currency, {
        row["root"]: (row["posted"] + row["running"], row["per_hour"]) for row in rows
    }

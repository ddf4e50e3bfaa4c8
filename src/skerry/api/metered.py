"""What every metered kind can show beside its own views: cost, decision and receipt.

A kind that declares meters is billed, placed by a decision and proved by a receipt; none of this is
repeated in a product.
"""

from collections.abc import Mapping
from typing import Any

from skerry.kernel.kinds import Kind
from skerry.kernel.views import Asked, View
from skerry.ledger.cost import cost
from skerry.market.receipts import receipt
from skerry.market.views import decision


async def _cost(asked: Asked) -> Mapping[str, Any]:
    """What the resource and all it owns cost so far, to the second."""
    async with asked.db.transaction() as tx:
        so_far = await cost(tx, asked.resource.tenant, resource=asked.resource.uid)
    return so_far.full()


METERED: tuple[View, ...] = (
    View("cost", "What it costs so far", _cost),
    View("decision", "Why it is placed where it is, and why not elsewhere", decision),
    View("receipt", "The proof of what ran, where, and at what price", receipt),
)


def all_views(kind: Kind) -> tuple[View, ...]:
    """The kind's own views, and those it has for being metered."""
    return (*kind.views, *METERED) if kind.meters else kind.views

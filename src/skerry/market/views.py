"""Decisions as they are read."""

from collections.abc import Mapping
from typing import Any

import msgspec

from skerry.kernel.errors import NotFound
from skerry.kernel.views import Asked
from skerry.market import decisions
from skerry.market.decisions import Recorded
from skerry.market.policy import policy_in_words
from skerry.market.specs import LeaseSpec


async def decision(asked: Asked) -> Mapping[str, Any]:
    """The last decision on a resource: what it was made from, what was chosen, and why not others.

    For any kind that is placed by the market; a lease shows the one that it follows from.
    """
    async with asked.db.transaction() as tx:
        if asked.resource.kind == "lease":
            return document(await decisions.get(tx, asked.resource.typed(LeaseSpec).decision))
        found = await decisions.last_of(tx, asked.resource.uid)
    if found is None:
        raise NotFound(f"nothing has been decided about {asked.resource.ref} yet")
    return document(found)


def document(recorded: Recorded) -> dict[str, Any]:
    """A decision as JSON; also a section of a receipt."""
    return {
        "id": str(recorded.id),
        "subject": recorded.subject,
        "purpose": recorded.purpose,
        "outcome": recorded.outcome,
        "policyInWords": policy_in_words(recorded.decision.policy),
        **msgspec.to_builtins(recorded.decision),
    }

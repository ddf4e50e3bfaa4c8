"""What other packages have to do with a tenant's beginning and end.

Identity knows no package above it. One that keeps something for each tenant registers a ``Stake``
when it is imported; both of its methods run in the transaction of the request.
"""

from typing import Protocol

from skerry.kernel.hooks import Caller
from skerry.kernel.resources import Resource, Resources
from skerry.store import Tx


class Stake(Protocol):
    async def begun(self, tx: Tx, resources: Resources, tenant: Resource) -> None:
        """A tenant was just made."""

    async def leaving(self, tx: Tx, resources: Resources, tenant: Resource, by: Caller) -> None:
        """It is to be deleted: take away what is ours, or raise ``Conflict`` to refuse."""


STAKES: list[Stake] = []

"""Looks from outside, told to whom they concern.

Somebody of another tenant, which is to say an operator, may read what a tenant's programs wrote,
and enter where they serve. Before they are let, a change of kind ``look`` is written in that
tenant: who looked at what, and when. It stands in the tenant's own history and in the log, as every
change does; shells and ports are told of by their channels. The same look is told once a minute,
for whoever follows a log, or uses a route, asks again and again.
"""

import time
from collections import OrderedDict

from skerry.identity.authorize import Principal
from skerry.kernel import changes
from skerry.kernel.resources import Resources
from skerry.store import Database

AGAIN = 60.0
"""Seconds for which a look is not told again."""
MOST = 4096


class Looks:
    """Those that this process told of lately."""

    def __init__(self, db: Database, resources: Resources) -> None:
        self._db = db
        self._resources = resources
        self._told: OrderedDict[tuple[str, ...], float] = OrderedDict()

    async def tell(
        self,
        who: Principal,
        what: str,
        *,
        tenant: str,
        workspace: str,
        subject: str,
        path: str = "",
    ) -> None:
        """Write down that ``who`` looks at ``what`` (logs, files) of ``subject``, a ref."""
        if who.tenant == tenant:
            return
        key = (who.actor, subject, what, path)
        if time.monotonic() < self._told.get(key, 0.0):
            return
        async with self._db.transaction() as tx:
            await changes.record(
                tx,
                kind="look",
                subject=subject,
                verb=what,
                tenant=tenant,
                workspace=workspace,
                actor=who.actor,
                body={"look": what, "ref": subject, "path": path[:1024]},
            )
            tx.after_commit(self._resources.changed)
        self._told[key] = time.monotonic() + AGAIN
        self._told.move_to_end(key)
        while len(self._told) > MOST:
            self._told.popitem(last=False)

"""What a job's run costs: metered from the start of its first process to the end of its last.

All of it happens in the flow's own transactions and may be repeated. Locks are taken in the
market's order, an offer's before any account's: so a run's meters, whose beginning moves money, are
never begun in the transaction that closes its lease and gives its capacity back.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.ledger import holds
from skerry.ledger.cost import costs
from skerry.market.lease import Reason
from skerry.market.leases import Market
from skerry.sites.business import gaps
from skerry.sites.seen import Seen
from skerry.store import Tx


async def begin(tx: Tx, resources: Resources, work: Seen) -> None:
    """Meter a run since its first process started, if one has. A run that is closed stays so."""
    lease = await Market.of(resources).open_lease(tx, work.owner)
    if lease is None or work.started_at is None:
        return
    place = lease.choice.place
    tasks = work.status.tasks if work.status is not None else ()
    await holds.start(
        tx,
        lease.id,
        lease.charges,
        source=place.at,
        region=place.region,
        at=work.started_at,
        devices=[uuid for task in tasks for uuid in task.gpus],
    )


async def close(
    tx: Tx,
    resources: Resources,
    job: Resource,
    work: Seen | None,
    reason: Reason,
    *,
    ended: datetime | None = None,
) -> dict[str, Any]:
    """End the job's lease, charged to the end of the run's last process; the job's cost, for its
    status. One whose end nobody saw is charged to when it was seen to be gone, or to ``ended``."""
    market = Market.of(resources)
    lease = await market.open_lease(tx, job.uid)
    if lease is not None:
        if work is not None and work.started_at is not None:
            ended = max(work.started_at, ended or work.ended_at or work.seen_at or await tx.now())
            await gaps(tx, work.at, ended)
        else:
            ended = None
        await market.close(tx, lease.id, reason, ended_at=ended)
    return await spent(tx, job)


async def spent(tx: Tx, job: Resource) -> dict[str, Any]:
    """The job's cost up to now, for its status."""
    return (await spent_of(tx, [job]))[job.uid]


async def spent_of(tx: Tx, page: Sequence[Resource]) -> dict[uuid.UUID, dict[str, Any]]:
    """The same of several, in one question for each tenant."""
    shown: dict[uuid.UUID, dict[str, Any]] = {}
    for tenant in {one.tenant for one in page}:
        mine = [one.uid for one in page if one.tenant == tenant]
        currency, found = await costs(tx, tenant, mine)
        for uid in mine:
            amount, _ = found.get(uid, (0, 0))
            shown[uid] = {"cost": {"currency": currency, "amountNano": amount}}
    return shown

"""Leases as resources: how tenants see them.

The row in ``lease`` is what the market works with; the resource of the same id, owned by what the
lease is for, is what a tenant lists and what stands in the log.
"""

from datetime import datetime

from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.market.lease import Lease
from skerry.market.specs import LeaseSpec, ShareStatus, builtins, lines_of, place_of
from skerry.store import Tx

NOUN = "lease"


def _path(lease: Lease) -> Path:
    return Path(lease.tenant, lease.workspace, (), str(lease.id))


async def show_lease(tx: Tx, resources: Resources, lease: Lease) -> None:
    """Make the resource of a lease that was just confirmed."""
    choice = lease.choice
    spec = LeaseSpec(
        subject=lease.subject,
        decision=lease.decision,
        place=place_of(choice),
        currency=choice.price.currency,
        price_per_hour_nano=choice.price.per_hour,
        lines=lines_of(choice),
        price_version=choice.price_version,
        notice_seconds=choice.notice,
        policies=list(lease.policies),
        shares=_shares(lease),
    )
    owner = await resources.by_uid(tx, lease.owner)
    kind = resources.registry[NOUN]
    await resources.put(tx, kind, _path(lease), {"spec": builtins(spec)}, SYSTEM, owner=owner)


def _shares(lease: Lease) -> list[ShareStatus]:
    """Of a lease of one machine without named devices there is nothing to add."""
    if not lease.nodes and not lease.devices:
        return []
    return [
        ShareStatus(
            offer=part.offer, node=part.node, copies=part.tasks, devices=list(part.takes.devices)
        )
        for part in lease.taken
    ]


async def show_draining(tx: Tx, resources: Resources, lease: Lease, until: datetime) -> None:
    """Say that the seller takes it back, and when."""
    await _set(tx, resources, lease, {"phase": "draining", "drainsUntil": until})


async def show_closed(
    tx: Tx, resources: Resources, lease: Lease, reason: str, at: datetime
) -> None:
    """Say that it has ended, and why."""
    await _set(tx, resources, lease, {"phase": "closed", "reason": reason, "endedAt": at})


async def _set(tx: Tx, resources: Resources, lease: Lease, status: dict[str, object]) -> None:
    found = await resources.find(tx, resources.ref(resources.registry[NOUN], _path(lease)))
    if found is not None:
        await resources.set_status(tx, found.uid, status=status)

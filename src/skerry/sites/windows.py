"""Maintenance windows: their words, and what they hold of which places (see ``maintenance``)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import from_row
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.sites", "maintenance.sql")
Instant = Annotated[datetime, Meta(tz=True)]
Policy = Literal["warn", "move", "end"]
PLANNED, ANNOUNCED, UNDER_WAY, OVER = "planned", "announced", "under-way", "over"
YIELD, LEAVE = "yield", "leave"
"""What jobs there are told at the start: to go on from their checkpoint elsewhere if they have one,
or to start anew in any case."""
CLOSED = (ANNOUNCED, UNDER_WAY)
"""In these nothing new is placed there."""


class MaintenanceSpec(Spec):
    """When, of what, and what becomes of what runs there."""

    start: Annotated[Instant, Meta(description="When it begins, as 2026-12-01T02:00:00Z")]
    end: Annotated[Instant, Meta(description="When it ends: then the place is offered again")]
    hosts: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=63)]],
        Meta(max_length=1000, description="Hosts of the site; the whole site if none is named"),
    ] = []
    policy: Annotated[
        Policy,
        Meta(
            description="What becomes of what runs there: it is only warned; pods and services "
            "move, and jobs with a checkpoint at the start; or all ends at the start, to be "
            "started anew elsewhere"
        ),
    ] = "move"
    notice_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86400,
            description="How long before the start tenants are told, and nothing new is placed",
        ),
    ] = 3600
    reason: Annotated[str, Meta(max_length=1000, description="What tenants are told of it")] = ""


class MaintenanceStatus(Status):
    phase: Annotated[
        Literal["planned", "announced", "under-way", "over"], Meta(description="How far it is")
    ] = "planned"
    told: Annotated[int, Meta(description="How many tenants were told")] = 0
    left: Annotated[int, Meta(description="How many jobs and pods are still there")] = 0


async def closed(tx: Tx, place: Resource) -> bool:
    """Whether nothing new is to be placed at a site or a host, for a window of it."""
    site = place.parent_ref if place.kind == "host" else place.ref
    for row in await tx.fetch(_sql.of_site, site, list(CLOSED)):
        hosts = from_row(row).typed(MaintenanceSpec).hosts
        if not hosts or (place.kind == "host" and place.name in hosts):
            return True
    return False


async def places(tx: Tx, resources: Resources, window: Resource) -> Sequence[Resource]:
    """The site itself and its hosts, or the hosts that are named and there."""
    named = window.typed(MaintenanceSpec).hosts
    hosts = [from_row(row) for row in await tx.fetch(_sql.hosts, window.parent_ref)]
    if named:
        return [host for host in hosts if host.name in named]
    return [await resources.get(tx, window.parent_ref), *hosts]

"""What is computed when one that runs is read, and never stored: it changes by itself."""

from collections.abc import Mapping
from typing import Any

from skerry.kernel.rows import Resource
from skerry.products.run.bill import spent
from skerry.products.run.outcome import sentences
from skerry.sites import outages
from skerry.sites.places import called
from skerry.store import Tx


async def now_shown(tx: Tx, resource: Resource) -> Mapping[str, Any]:
    """Of one that runs: what it costs up to now, and whether whoever speaks for its place is out of
    contact."""
    if resource.phase not in ("starting", "running"):
        return {}
    shown = await spent(tx, resource)
    at, now = place_at(resource), await tx.now()
    place = called(at)
    for began, _ in await outages.between(tx, at, now, now):
        shown["reason"] = "SiteUnreachable"
        shown["message"] = sentences(
            f"{place[:1].upper()}{place[1:]} is out of contact since {began:%Y-%m-%d %H:%M:%S} UTC",
            "What runs there goes on, and this time is not billed",
        )
    return shown


def place_at(resource: Resource) -> str:
    """Who speaks for the place in its status: the site, or the host at the site."""
    place = resource.status.get("place") or {}
    host = place.get("host", "")
    return f"{place.get('site', '')}/{host}" if host else str(place.get("site", ""))

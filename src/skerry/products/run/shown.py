"""What is computed when one that runs is read, and never stored: it changes by itself."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.rows import Resource
from skerry.market.queues.shown import waits
from skerry.products.run.bill import spent_of
from skerry.products.run.outcome import sentences
from skerry.sites import outages
from skerry.sites.places import called
from skerry.store import Tx


async def now_shown_of(tx: Tx, page: Sequence[Resource]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
    """Of those that run: what each costs up to now, and whether whoever speaks for its place is out
    of contact; of those that wait, for what. As few questions for a page as for one."""
    running = [one for one in page if one.phase in ("starting", "running")]
    shown = await spent_of(tx, running)
    shown.update(await _queued(tx, page))
    away = await outages.open_at(tx, {place_at(one) for one in running}) if running else {}
    for one in running:
        at = place_at(one)
        if at in away:
            place, since = called(at), f"{away[at]:%Y-%m-%d %H:%M:%S} UTC"
            words = sentences(
                f"{place[:1].upper()}{place[1:]} is out of contact since {since}",
                "What runs there goes on, and this time is not billed",
            )
            shown[one.uid] |= {"reason": "SiteUnreachable", "message": words}
    return shown


async def _queued(tx: Tx, page: Sequence[Resource]) -> Mapping[uuid.UUID, dict[str, Any]]:
    """Where those stand that wait for their queue."""
    found = await waits(tx, [one.uid for one in page if one.phase == "queued"])
    shown: dict[uuid.UUID, dict[str, Any]] = {}
    for one in page:
        if (queue := found.get(one.uid)) is not None:
            shown[one.uid] = {"queue": queue}
            if one.status.get("reason") == "Queued":
                shown[one.uid]["message"] = queue["reason"]
    return shown


def place_at(resource: Resource) -> str:
    """Who speaks for the place in its status: the site, or the host at the site."""
    place = resource.status.get("place") or {}
    host = place.get("host", "")
    return f"{place.get('site', '')}/{host}" if host else str(place.get("site", ""))

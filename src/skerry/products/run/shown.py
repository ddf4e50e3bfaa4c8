"""What is computed when one that runs is read, and never stored: it changes by itself."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.rows import Resource
from skerry.products.run.bill import spent_of
from skerry.products.run.outcome import sentences
from skerry.sites import outages
from skerry.sites.places import called
from skerry.store import Tx


async def now_shown_of(tx: Tx, page: Sequence[Resource]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
    """Of those that run: what each costs up to now, and whether whoever speaks for its place is out
    of contact. One question about money, and one about the places."""
    running = [one for one in page if one.phase in ("starting", "running")]
    shown = await spent_of(tx, running)
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


def place_at(resource: Resource) -> str:
    """Who speaks for the place in its status: the site, or the host at the site."""
    place = resource.status.get("place") or {}
    host = place.get("host", "")
    return f"{place.get('site', '')}/{host}" if host else str(place.get("site", ""))

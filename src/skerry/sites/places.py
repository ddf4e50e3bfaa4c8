"""Places: what there is contact with, one by one. A site, or a host that joined a site."""

from collections.abc import Sequence

from skerry.kernel.resources import Resource, Resources
from skerry.kernel.rows import from_row
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites")


def at_of(place: Resource) -> str:
    """What whoever speaks for the place is known by: the site's name, or ``site/host``."""
    return f"{site_of(place)}/{place.name}" if place.kind == "host" else place.name


def site_of(place: Resource) -> str:
    """The name of the site that it is, or that it is a host of."""
    return place.parent_ref.rpartition("/")[2] if place.kind == "host" else place.name


def called(at: str) -> str:
    """A place in words."""
    return f"host {at!r}" if "/" in at else f"site {at!r}"


async def site_at(tx: Tx, resources: Resources, place: Resource) -> Resource:
    """The site that it is, or that it is a host of."""
    return await resources.get(tx, place.parent_ref) if place.kind == "host" else place


async def declared(source: Database | Tx) -> Sequence[Resource]:
    """Every place there is, in the order of their names."""
    return [from_row(row) for row in await source.fetch(_sql.places)]

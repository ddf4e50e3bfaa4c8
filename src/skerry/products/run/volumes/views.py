"""What can be read of a volume beside its document."""

from skerry.kernel.errors import NotFound, Unavailable
from skerry.kernel.views import Answer, Asked
from skerry.products.run.volumes.host import keeper
from skerry.sites.contract import Refused, SiteUnreachable


async def stats(asked: Asked) -> Answer:
    """How full it is, as its host says."""
    at, id = asked.resource.status.get("at"), asked.resource.status.get("id")
    missing = NotFound(f"volume {asked.resource.name!r} is not there yet")
    if not at or not id:
        raise missing
    try:
        async with keeper(asked.services, at) as driver:
            found = next((v for v in await driver.list_volumes() if v.id == id), None)
    except SiteUnreachable as away:
        raise Unavailable(str(away), hint="It lies there; try again later.") from None
    except Refused as refused:
        raise NotFound(refused.message) from None
    if found is None:
        raise missing
    return {"size": found.size, "used": found.used, "snapshots": len(found.snapshots)}

"""What the life of a volume asks of the host that keeps it. Every call may be repeated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skerry.kernel.flows import Services
from skerry.sites.contract import Refused, SiteUnreachable, Volumes
from skerry.sites.hub import Hub
from skerry.sites.places import called

PATIENCE = 300.0
"""Seconds a host may take: it sets all of a volume's space aside at once."""


@asynccontextmanager
async def keeper(services: Services, at: str) -> AsyncIterator[Volumes]:
    """Who keeps the volumes there. Raises ``SiteUnreachable``, and ``Refused`` if nobody does."""
    driver = services[Hub].driver(at)
    if not isinstance(driver, Volumes):
        raise Refused("Unsupported", f"{called(at)} keeps no volumes")
    try:
        async with asyncio.timeout(PATIENCE):
            yield driver
    except TimeoutError:
        raise SiteUnreachable(f"{called(at)} did not answer in {PATIENCE:.0f} seconds") from None

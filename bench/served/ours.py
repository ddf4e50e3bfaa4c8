"""Skerry's own edge, as `skerry up` builds it."""

from pathlib import Path
from typing import Any

from skerry.api.app import build
from skerry.api.edge import Edge
from skerry.api.routes import Routes
from skerry.identity.authenticate import Authenticator
from skerry.kernel.changes import CHANNEL
from skerry.kernel.feed import Feed
from skerry.kernel.flows import Services
from skerry.kernel.kinds import Registry
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.lines import configure_log
from skerry.store import Blobs, Database


async def make(db: Database, feed: Feed, place: Path) -> Any:
    configure_log(place / "log", verbose=False)
    registry = Registry.discover()
    resources = Resources(registry, Sealer(place / "seal.json"), "home")
    resources.changed = lambda: db.notify(CHANNEL)
    services = Services(Blobs(place / "blobs"))
    edge = Edge(db, resources, services, feed, Authenticator(db), Routes(registry))

    async def ready() -> None:
        await db.fetchval("select 1")

    return build(edge, ready=ready)

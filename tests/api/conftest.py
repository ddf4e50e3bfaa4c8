"""The edge over the kernel's test kinds and the house's own identity, without a socket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import httpx2
import pytest

from skerry.api.app import build
from skerry.api.edge import Edge
from skerry.api.routes import Routes
from skerry.identity import kinds as identity
from skerry.identity.authenticate import Authenticator
from skerry.identity.bootstrap import first_operator
from skerry.kernel.feed import Feed
from skerry.kernel.flows import Services
from skerry.kernel.kinds import Registry
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.kernel.sequencer import Sequencer
from skerry.kernel.worker import Worker
from skerry.proof.log import Log
from skerry.proof.note import Signer
from skerry.store import Blobs, Database
from tests.kernel.widgets import BOX, LABEL, SHELF, WIDGET, World

REGISTRY = Registry((*identity.KINDS, SHELF, WIDGET, BOX, LABEL))
HOME = "/providers/t.goods/v1/tenants/acme/workspaces/prod"


@dataclass
class Site:
    """What an API test talks to."""

    db: Database
    edge: Edge
    worker: Worker
    log: Log
    http: httpx2.AsyncClient
    token: str
    app: Any

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {more.pop('token', self.token)}"}
        headers.update(more.pop("headers", {}))
        if body is not None:
            more["json"] = body
        return await self.http.request(method, path, headers=headers, **more)


async def _open(db: Database, tmp: FilePath, profile: str) -> Site:
    resources = Resources(REGISTRY, Sealer(tmp / "seal"), "home")
    log = Log(db, tmp / "log", Signer.open(tmp / "log.key", "skerry/test"))
    services = Services(Blobs(tmp / "blobs"), log, World())
    feed = Feed(db, poll=0.05)
    edge = Edge(db, resources, services, feed, Authenticator(db), Routes(REGISTRY))

    async def ready() -> None:
        await db.fetchval("select 1")

    app = build(edge, profile=profile, ready=ready)
    async with db.transaction() as tx:
        token = await first_operator(tx, resources)
    assert token is not None
    http = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, raise_app_exceptions=False), base_url="http://skerry"
    )
    worker = Worker(db, resources, services)
    return Site(db, edge, worker, log, http, token, app)


@pytest.fixture
async def site(db: Database, tmp_path: FilePath) -> AsyncIterator[Site]:
    made = await _open(db, tmp_path, "spec")
    running = [
        asyncio.create_task(made.edge.feed.run()),
        asyncio.create_task(Sequencer(db).run()),
    ]
    made.edge.resources.changed = lambda: db.notify("changes")
    await made.call("PUT", "/providers/skerry.identity/v1/tenants/acme", {})
    await made.call("PUT", "/providers/seca.workspace/v1/tenants/acme/workspaces/prod", {})
    yield made
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await made.http.aclose()


@pytest.fixture
async def suite_site(db: Database, tmp_path: FilePath) -> AsyncIterator[Site]:
    """With the status codes that SECA's suite wants."""
    made = await _open(db, tmp_path, "412")
    yield made
    await made.http.aclose()

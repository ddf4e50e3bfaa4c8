"""The edge in process, on a real database, spoken to as SECA's SDK speaks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from skerry.api.app import build
from skerry.api.edge import Edge
from skerry.api.routes import Routes
from skerry.identity.authenticate import Authenticator
from skerry.identity.bootstrap import first_operator
from skerry.kernel.feed import Feed
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.store import Database

REGION = "north"
TENANT = "acme"
ROLES = f"seca.authorization/v1/tenants/{TENANT}/roles"
ASSIGNMENTS = f"seca.authorization/v1/tenants/{TENANT}/role-assignments"
WORKSPACES = f"seca.workspace/v1/tenants/{TENANT}/workspaces"
REGIONS = "seca.region/v1/regions"

NEVER = "0001-01-01T00:00:00Z"


def sent(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A body as the SDK sends it: the whole struct, with fields of no meaning filled in."""
    metadata = {
        "name": "chosen-by-the-client",
        "provider": "seca.authorization/v1",
        "createdAt": NEVER,
        "lastModifiedAt": NEVER,
        "resourceVersion": 0,
        "verb": "",
        "ref": "",
    }
    body = {"spec": spec, "status": {"conditions": None}, "metadata": metadata}
    return body | more


@dataclass
class Seca:
    """A client, and the status that this profile answers a violation with."""

    http: httpx2.AsyncClient
    violation: int
    edge: Edge

    async def put(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        return await self.http.put(f"/providers/{path}", json=body)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.http.get(f"/providers/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def gone(self, path: str) -> bool:
        return (await self.http.get(f"/providers/{path}")).status_code == 404

    async def delete(self, path: str) -> int:
        return (await self.http.delete(f"/providers/{path}")).status_code

    async def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Every page of a list, as the SDK's iterator asks for them."""
        pages = [await self.get(path, **query)]
        while token := pages[-1]["metadata"].get("skipToken"):
            pages.append(await self.get(path, **query, skipToken=token))
        return pages


@pytest.fixture(params=["412", "spec"])
async def seca(request: pytest.FixtureRequest, db: Database, tmp_path) -> AsyncIterator[Seca]:
    registry = Registry.discover()
    resources = Resources(registry, Sealer(tmp_path / "keys.json"), REGION)
    async with db.transaction() as tx:
        token = await first_operator(tx, resources)
        await resources.put(tx, registry["tenant"], Path(name=TENANT), {}, SYSTEM)
        url = "http://cloud/providers/seca.workspace"
        provider = {"name": "seca.workspace", "version": "v1", "url": url}
        region = {"availableZones": ["north-1"], "providers": [provider]}
        await resources.put(tx, registry["region"], Path(name=REGION), {"spec": region}, SYSTEM)

    async def ready() -> None: ...

    edge = Edge(db, resources, Services(), Feed(db), Authenticator(db), Routes(registry))
    app = build(edge, profile=request.param, ready=ready)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://cloud", headers=headers
    ) as http:
        yield Seca(http, {"412": 412, "spec": 422}[request.param], edge)

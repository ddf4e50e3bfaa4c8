"""Roles, regions and tokens through the edge: 401, 403, 404, and how soon an end is an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.sequencer import Sequencer

from .conftest import ASSIGNMENTS, REGION, TENANT, WORKSPACES, Seca, sent

IDENTITY = f"skerry.identity/v1/tenants/{TENANT}"


@asynccontextmanager
async def as_ann(seca: Seca, *roles: str, **scope: list[str]) -> AsyncIterator[None]:
    """Act as user ann, who holds these roles in this scope."""
    await seca.put(f"{IDENTITY}/users/ann", sent({}))
    answer = await seca.put(f"{IDENTITY}/tokens/ann.one", sent({"subject": "ann"}))
    if roles:
        spec = {"roles": roles, "subs": ["ann"], "scopes": [scope]}
        await seca.put(f"{ASSIGNMENTS}/anns", sent(spec))
    before = seca.http.headers["authorization"]
    seca.http.headers["authorization"] = f"Bearer {answer.json()['status']['secret']}"
    yield
    seca.http.headers["authorization"] = before


async def status(seca: Seca, method: str, path: str) -> int:
    body = sent({}) if method == "PUT" else None
    return (await seca.http.request(method, f"/providers/{path}", json=body)).status_code


async def second_region(seca: Seca) -> None:
    """A region beside the home region, and a workspace in each."""
    resources = seca.edge.resources
    provider = {"name": "seca.workspace", "version": "v1", "url": "http://south"}
    spec = {"availableZones": ["south-1"], "providers": [provider]}
    async with seca.edge.db.transaction() as tx:
        kind = resources.registry["region"]
        await resources.put(tx, kind, Path(name="south"), {"spec": spec}, SYSTEM)
    for name, region in (("here", REGION), ("there", "south")):
        body = {"spec": {}, "metadata": {"region": region}}
        assert (await seca.put(f"{WORKSPACES}/{name}", body)).status_code == 201


@pytest.mark.parametrize(
    ("role", "scope"), [("seca.admin", [REGION]), ("seca.region-admin", [REGION])]
)
async def test_a_scope_of_regions(seca: Seca, role: str, scope: list[str]):
    await second_region(seca)
    async with as_ann(seca, role, regions=scope):
        assert await status(seca, "GET", f"{WORKSPACES}/here") == 200
        assert await status(seca, "PUT", f"{WORKSPACES}/here") == 200
        for method in ("GET", "PUT", "DELETE"):
            assert await status(seca, method, f"{WORKSPACES}/there") in (403, 404)
        (page,) = await seca.pages(WORKSPACES)
        assert [item["metadata"]["name"] for item in page["items"]] == ["here"]
        new = {"spec": {}, "metadata": {"region": "south"}}
        assert (await seca.put(f"{WORKSPACES}/new", new)).status_code == 403
    assert await seca.gone(f"{WORKSPACES}/new")
    assert not await seca.gone(f"{WORKSPACES}/there")


async def test_without_a_token(seca: Seca):
    for header in ("", "Basic abc", "Bearer ", "Bearer skerry_user_nonsense"):
        seca.http.headers["authorization"] = header
        answer = await seca.http.get(f"/providers/{WORKSPACES}")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["hint"]


async def test_what_one_may_not_know_of(seca: Seca):
    """A workspace that is there and one that is not read the same."""
    await seca.put(f"{WORKSPACES}/there", sent({}))
    async with as_ann(seca, "seca.workspace-viewer", workspaces=["blue"]):
        for path in (f"{WORKSPACES}/there", f"{WORKSPACES}/nowhere"):
            answer = await seca.http.get(f"/providers/{path}")
            assert answer.status_code == 404
            assert path.rsplit("/", 1)[1] in answer.json()["detail"]
        assert await status(seca, "GET", ASSIGNMENTS) == 403
        assert await status(seca, "GET", ASSIGNMENTS.replace(TENANT, "zeta")) == 404


async def test_a_revoked_token_ends_what_is_being_watched(seca: Seca):
    """With the next event, of which nothing is told any more."""
    edge = seca.edge
    running = [asyncio.create_task(part.run()) for part in (Sequencer(edge.db), edge.feed)]
    async with as_ann(seca, "seca.admin"):
        anns = dict(seca.http.headers)
    watching = asyncio.create_task(
        seca.http.get(
            f"/providers/{WORKSPACES}", params={"watch": "true", "from": -1}, headers=anns
        )
    )
    await seca.put(f"{WORKSPACES}/before", sent({}))
    while not await edge.db.fetchval("select exists (select from feed where position > 0)"):
        await asyncio.sleep(0.05)
    assert (await seca.http.delete(f"/providers/{IDENTITY}/tokens/ann.one")).status_code == 202
    await seca.put(f"{WORKSPACES}/after", sent({}))
    async with asyncio.timeout(20):
        told = await watching
    assert "workspaces/after" not in told.text
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

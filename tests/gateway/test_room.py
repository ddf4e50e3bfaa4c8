"""Requests that nothing answers yet wait, in a room that has walls; and owners are told of both."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from skerry.gateway import gateway, idle, room
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.rows import Resource
from tests.gateway.cloud import REGISTRY, Cloud, until
from tests.gateway.world import World, opened

HOST = "web-prod-acme.apps.localhost"
SEATS = 3


@pytest.fixture
async def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    small = partial(room.Room, seats=SEATS, all_seats=SEATS + 1, seconds=8.0, browser_seconds=0.3)
    monkeypatch.setattr(gateway, "Room", small)
    monkeypatch.setattr(idle, "LOOK", 0.05)
    async with opened(cloud) as world:
        yield world


async def owner(cloud: Cloud, name: str = "app") -> Resource:
    """Something with a flow, that owns a route. No worker runs: what it is told stays."""
    async with cloud.db.transaction() as tx:
        path = Path("acme", "prod", (), name)
        spec = {"command": ["true"]}
        put = await cloud.resources.put(tx, REGISTRY["pod"], path, {"spec": spec}, SYSTEM)
    return put.resource


async def told(cloud: Cloud, one: Resource) -> list[str]:
    return list(await cloud.db.fetchval("select intents from flow where uid = $1", one.uid))


def waiting(world: World, route: Resource) -> int:
    return world.gateway.room.waiting(route.uid)


async def follows(world: World, route: Resource) -> None:
    table = world.gateway.table
    await until(lambda: (r := table.get(route.uid)) and r.version == route.version)


async def test_a_request_wakes_its_owner_and_is_answered_when_that_is_up(world: World) -> None:
    cloud, app = world.cloud, await owner(world.cloud)
    web = await cloud.put("web", owner=app)
    await follows(world, web)
    async with world.client(HOST, timeout=20) as client:
        asks = [asyncio.create_task(client.get(f"/{n}")) for n in range(SEATS)]
        await until(lambda: waiting(world, web) == SEATS)
        await until(lambda: _has(cloud, app, "wake"))
        assert not any(ask.done() for ask in asks)
        await cloud.put("web", {"backends": [await cloud.workload("w1")]}, owner=app)
        for ask in asks:
            assert (await ask).status_code == 200
    await until(lambda: waiting(world, web) == 0)


async def _has(cloud: Cloud, one: Resource, intent: str) -> bool:
    return intent in await told(cloud, one)


async def test_a_full_room_answers_503_and_when_to_come_again(world: World) -> None:
    cloud, app = world.cloud, await owner(world.cloud)
    web = await cloud.put("web", owner=app)
    other = await cloud.put("other", owner=app)
    for route in (web, other):
        await follows(world, route)
    async with (
        world.client(HOST, timeout=20) as client,
        world.client(other.status["hosts"][0], timeout=20) as another,
    ):
        asks = [asyncio.create_task(client.get("/")) for _ in range(SEATS)]
        await until(lambda: waiting(world, web) == SEATS)
        refused = await client.get("/")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "Too many are waiting" in refused.text
        # Another route has seats of its own, as far as there are any left at all.
        asks.append(asyncio.create_task(another.get("/")))
        await until(lambda: waiting(world, other) == 1)
        assert (await another.get("/")).status_code == 503
        # Who leaves gives up the seat.
        asks[0].cancel()
        await until(lambda: waiting(world, web) == SEATS - 1)
        for route in (web, other):
            await cloud.delete(route, app)
        for ask in asks[1:]:
            assert (await ask).status_code == 404


async def test_a_browser_is_shown_a_page_that_asks_again(world: World) -> None:
    app = await owner(world.cloud)
    await follows(world, await world.cloud.put("web", owner=app))
    async with world.client(HOST, timeout=20) as client:
        answer = await client.get("/", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert 'http-equiv="refresh"' in answer.text


async def test_nobody_waits_where_nobody_is_to_be_woken(world: World) -> None:
    await follows(world, await world.cloud.put("web"))
    async with world.client(HOST, timeout=20) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


async def test_an_owner_is_told_when_nobody_asks_any_more(world: World) -> None:
    cloud, app = world.cloud, await owner(world.cloud)
    backend = await cloud.workload("w1")
    await follows(world, await cloud.put("web", {"backends": [backend], "idle": 1}, owner=app))
    world.backends.held.clear()
    async with world.client(HOST, timeout=20) as client:
        ask = asyncio.create_task(client.get("/"))
        await until(world.backends.asked.is_set)
        # A request that lasts is no silence.
        await asyncio.sleep(1.5)
        assert await told(cloud, app) == []
        world.backends.held.set()
        assert (await ask).status_code == 200
    await until(lambda: _has(cloud, app, "idle"))


async def test_where_only_a_page_wakes_what_was_left_open_does_not(world: World) -> None:
    cloud, app = world.cloud, await owner(world.cloud)
    web = await cloud.put("web", {"wake": "page"}, owner=app)
    await follows(world, web)
    async with world.client(HOST, timeout=20) as client:
        polled = await client.get("/api/kernels", headers={"accept": "*/*"})
        assert polled.status_code == 503
        assert "sleeps" in polled.text
        assert await told(cloud, app) == []
        page = await client.get("/lab", headers={"accept": "text/html"})
        assert page.status_code == 503
        assert "refresh" in page.text
        assert await told(cloud, app) == ["wake"]

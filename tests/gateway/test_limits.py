"""What a route's spec allows holds for the next request."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.gateway.cloud import Cloud, until
from tests.gateway.world import World, opened


@pytest.fixture
async def world(cloud: Cloud) -> AsyncIterator[World]:
    async with opened(cloud) as world:
        yield world


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    host = await world.route("web", {"limits": {"body": 10}})
    async with world.client(host) as client:
        assert (await client.post("/", content=b"x" * 10)).status_code == 200
        assert (await client.post("/", content=b"x" * 11)).status_code == 413


async def test_no_more_requests_at_a_time_than_allowed(world: World) -> None:
    host = await world.route("web", {"limits": {"concurrent": 2}})
    world.backends.held.clear()
    async with world.client(host, timeout=20) as client:
        some = [asyncio.create_task(client.get("/")) for _ in range(2)]
        await until(lambda: world.backends.open == 2)
        refused = await client.get("/")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        world.backends.held.set()
        for ask in some:
            assert (await ask).status_code == 200
        assert (await client.get("/")).status_code == 200


async def test_a_backend_that_takes_too_long_is_given_up(world: World) -> None:
    host = await world.route("web", {"limits": {"timeout": 1}})
    world.backends.held.clear()
    async with world.client(host, timeout=20) as client:
        assert (await client.get("/")).status_code == 504
    world.backends.held.set()

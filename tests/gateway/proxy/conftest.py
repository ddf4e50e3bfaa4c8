"""Each test runs twice: on uvloop, as the product does, and on asyncio's own loop."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvloop

from tests.gateway.proxy.world import World, world


@pytest.fixture(params=["uvloop", "asyncio"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    return (
        uvloop.EventLoopPolicy() if request.param == "uvloop" else asyncio.DefaultEventLoopPolicy()
    )


@pytest.fixture
async def here() -> AsyncIterator[World]:
    async with world() as made:
        yield made

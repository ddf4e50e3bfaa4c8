"""One cloud and one browser for all journeys, which leave what the others look at as it is."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from skerry.api import console
from tests.console.seeded import Seeded, seeded
from tests.console.visits import Visits
from tests.harness.browser import browser


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    assert console.built(), "the console is not built: make console"
    made = seeded(tmp_path_factory.mktemp("console"))
    yield made
    made.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="package")
async def visits(chromium: Browser, cloud: Seeded) -> AsyncIterator[Visits]:
    """People come; the browser has nothing to complain of when they go."""
    made = Visits(chromium, cloud)
    yield made
    await made.close()
    assert made.complaints == []

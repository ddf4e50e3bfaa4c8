"""Every page, in both themes and as narrow as a telephone: axe finds nothing wrong with it, and
what it shows as its command and its call runs as it stands there."""

import pytest

from tests.console.equivalents import Equivalents, shown
from tests.console.pages import PAGES, Page
from tests.console.seeded import Seeded
from tests.console.visits import NARROW, Visits, findings

pytestmark = pytest.mark.asyncio(loop_scope="package")
NO_COMMAND = ("sign-in", "missing", "settings")
"""Pages of the browser's own."""
BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def equivalents(cloud: Seeded) -> Equivalents:
    return Equivalents(cloud)


STANDING = [page for page in PAGES if not page.then]
"""Journeys walk what is opened by a click."""


@pytest.mark.parametrize("page", STANDING, ids=lambda page: page.name)
async def test_anybody_can_use_it(page: Page, visits: Visits, equivalents: Equivalents) -> None:
    tab = await visits.look(page)
    assert await findings(tab) == []
    await tab.emulate_media(color_scheme="dark")
    await tab.set_viewport_size(NARROW)
    lines = await shown(tab)
    assert lines or page.name in NO_COMMAND
    assert await findings(tab) == []
    assert await tab.evaluate(BESIDE) == 0, "it has to be scrolled sideways"
    assert await equivalents.complaints(lines, page.who) == []

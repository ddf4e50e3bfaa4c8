"""Every page, in both themes and as narrow as a telephone: axe finds nothing wrong with it."""

import pytest

from tests.console.pages import PAGES, Page
from tests.console.visits import NARROW, Visits, findings

pytestmark = pytest.mark.asyncio(loop_scope="package")
BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_anybody_can_use_it(page: Page, visits: Visits) -> None:
    tab = await visits.look(page)
    assert await findings(tab) == []
    await tab.emulate_media(color_scheme="dark")
    assert await findings(tab) == []
    await tab.set_viewport_size(NARROW)
    assert await findings(tab) == []
    assert await tab.evaluate(BESIDE) == 0, "it has to be scrolled sideways"

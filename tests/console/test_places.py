"""An operator and their machines: one joins, one is taken out of service and put back."""

import re

import pytest
from playwright.async_api import expect

from tests.console.seeded import Seeded
from tests.console.visits import Visits

pytestmark = pytest.mark.asyncio(loop_scope="package")
OSLO = "operator/default/places/oslo"


async def test_a_machine_is_invited_by_one_command(visits: Visits) -> None:
    tab = await visits.open(OSLO, "operator")
    await tab.get_by_role("button", name="Add a machine").click()
    dialog = tab.get_by_role("dialog")
    await dialog.get_by_role("button", name="Show its command").click()
    await expect(dialog).to_contain_text(re.compile(r"skerry.* site join 127\.0\.0\.1:\d+"))
    await expect(dialog).to_contain_text("It works once")
    await dialog.get_by_role("button", name="Done").click()
    await expect(dialog).to_have_count(0)


async def test_a_machine_leaves_service_and_comes_back(visits: Visits, cloud: Seeded) -> None:
    tab = await visits.open(OSLO, "operator")
    row = tab.get_by_role("row", name=re.compile("rack-2"))
    await expect(row).to_contain_text("connected")
    for verb, phase in (("Cordon", "cordoned"), ("Drain", "drained"), ("Uncordon", "connected")):
        await row.get_by_role("button", name=f"{verb} rack-2", exact=True).click()
        await tab.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()
        await expect(row).to_contain_text(phase)
    host = "/providers/skerry.site/v1/sites/oslo/hosts/rack-2"
    assert not cloud.ask("GET", host)["spec"].get("cordoned")

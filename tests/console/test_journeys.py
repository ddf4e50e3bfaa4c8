"""What people come for, walked from end to end: each journey is one person's."""

import re
from typing import Any

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from tests.console.seeded import IDENTITY, PASSWORD, RUN, Seeded
from tests.console.visits import Visits

pytestmark = pytest.mark.asyncio(loop_scope="package")
HERE = "acme/lab"


async def sign_in(tab: Tab, user: str) -> None:
    await tab.get_by_label("Tenant").fill("acme")
    await tab.get_by_label("User").fill(user)
    await tab.get_by_role("textbox", name="Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in").click()


async def tab_of(tab: Tab, name: str) -> Any:
    await tab.get_by_role("tab", name=name).click()
    return tab.get_by_role("tabpanel", name=name)


async def test_from_signing_in_to_the_bill(visits: Visits, cloud: Seeded) -> None:
    """A quote, a job that is watched to its end, its words, its cost, its proof, the invoice."""
    tab = await visits.open()
    await sign_in(tab, "ann")
    await expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
    await tab.get_by_role("link", name="Create", exact=True).click()
    await tab.get_by_role("link", name="Job A command that runs to its end").click()
    await tab.get_by_role("textbox", name="Name", exact=True).fill("walked")
    await tab.get_by_role("textbox", name="Command").fill("sh -c 'echo seen in the console'")
    where = tab.get_by_role("region", name="Where it may run")
    await where.get_by_role("button", name="More").click()
    await where.get_by_label("Site").fill("home-1")
    offered = tab.get_by_role("region", name="Price and place")
    await expect(offered).to_contain_text("home-1 in Sweden, operated by skerry")
    await expect(offered).to_contain_text("EUR an hour")
    # The job exists once the button was pressed, and not before.
    assert "walked" not in str(cloud.ask("GET", f"{RUN}/jobs"))
    await tab.get_by_role("button", name=re.compile("^Create at .* EUR an hour$")).click()
    title = tab.get_by_role("heading", name=re.compile("walked"))
    await expect(title).to_contain_text("succeeded")
    words = await tab_of(tab, "Logs")
    await expect(words.get_by_role("log")).to_contain_text("seen in the console")
    summary = await tab_of(tab, "Summary")
    await expect(summary.get_by_text(re.compile(r"^(< )?0\.\d+\sEUR$")).first).to_be_visible()
    receipt = await tab_of(tab, "Receipt")
    await receipt.get_by_role("button", name="Verify").click()
    await expect(receipt).to_contain_text("Everything in it holds")
    await tab.goto(f"/console/{HERE}/kinds/invoice")
    await expect(tab.locator("main")).to_contain_text("draft")


async def test_a_place_that_is_refused_is_explained(visits: Visits) -> None:
    """Nothing in France has such a GPU, and this workspace's work stays there."""
    asked = "acme/paris/create/job?gpus=1&gpuModel=H100&command=true&name=far"
    tab = await visits.open(asked, "ann")
    offered = tab.get_by_role("region", name="Price and place")
    await expect(offered).to_contain_text("No place for it now")
    await expect(offered).to_contain_text("falkenberg in Germany, operated by falkenberg-gmbh")
    await expect(offered).to_contain_text("Policy: only in France; this offer is in Germany.")
    await expect(offered).to_contain_text("Stays in France")


async def test_who_may_only_look_is_told_so(visits: Visits, cloud: Seeded) -> None:
    tab = await visits.open(f"{HERE}/kinds/job/tides", "bob")
    await expect(tab.get_by_role("heading", name=re.compile("tides"))).to_contain_text("running")
    await tab.goto(f"/console/{HERE}/create/job?command=true&name=bobs")
    await tab.locator("button[type=submit]").click()
    refused = tab.get_by_role("alert").filter(has_text="You (bob@acme) may not put jobs/bobs")
    await expect(refused).to_contain_text("Ask an administrator of tenant 'acme'")
    assert "bobs" not in str(cloud.ask("GET", f"{RUN}/jobs"))
    # Another tenant is not even there for him.
    await tab.goto("/console/harbour/lab/kinds/job")
    await expect(tab.locator("main")).not_to_contain_text("There are no jobs yet")
    await expect(tab.locator("body")).not_to_have_text("")


async def test_a_session_that_ended_begins_again_where_it_was(
    visits: Visits, cloud: Seeded
) -> None:
    cloud.person("acme", "eve", "seca.workspace-viewer")
    tab = await visits.open(f"{HERE}/kinds/job/survey", "eve")
    await expect(tab.get_by_role("heading", name=re.compile("survey"))).to_be_visible()
    cloud.ask("DELETE", f"{IDENTITY}/acme/tokens/eve.tests")
    await tab.reload()
    await expect(tab.get_by_text("Your session has ended")).to_be_visible()
    await sign_in(tab, "eve")
    await expect(tab.get_by_role("heading", name=re.compile("survey"))).to_be_visible()
    await expect(tab).to_have_url(re.compile("/console/acme/lab/kinds/job/survey"))


async def test_what_was_typed_outlives_the_session(visits: Visits, cloud: Seeded) -> None:
    token = cloud.person("acme", "dan", "seca.admin")
    tab = await visits.open(f"{HERE}/create/job", "dan")
    await tab.get_by_role("textbox", name="Name", exact=True).fill("typed")
    await tab.get_by_role("textbox", name="Command").fill("sleep 33")
    await expect(tab.get_by_test_id("price")).to_be_visible()
    # The feed's connection ends with the session, and so does the page.
    cloud.ask("DELETE", f"{IDENTITY}/acme/tokens/dan.tests")
    await expect(tab.get_by_text("Your session has ended")).to_be_visible()
    await sign_in(tab, "dan")
    await expect(tab.get_by_role("textbox", name="Command")).to_have_value("sleep 33")
    await expect(tab.get_by_role("textbox", name="Name", exact=True)).to_have_value("typed")
    assert token not in await tab.content()


async def test_what_changes_is_seen_without_a_reload(visits: Visits, cloud: Seeded) -> None:
    tab = await visits.open(f"{HERE}/kinds/secret", "ann")
    await expect(tab.locator("main").get_by_text("registry")).to_be_visible()
    cloud.put(f"{RUN}/secrets/fresh", {"data": {"a": "b"}})
    await expect(tab.locator("main").get_by_text("fresh")).to_be_visible()
    cloud.ask("DELETE", f"{RUN}/secrets/fresh")
    await expect(tab.locator("main").get_by_text("fresh")).to_have_count(0)


async def test_a_server_that_restarts_is_missed_and_found_again(
    visits: Visits, cloud: Seeded
) -> None:
    """The page stays, says that it may be old, and goes on by itself."""
    tab = await visits.open(f"{HERE}/kinds/secret", "ann")
    await expect(tab.locator("main").get_by_text("registry")).to_be_visible()
    cloud.cloud.stop()
    await expect(tab.get_by_text("Connection lost")).to_be_visible()
    await expect(tab.locator("main").get_by_text("registry")).to_be_visible()
    cloud.cloud.start()
    await expect(tab.get_by_text("Connection lost")).to_have_count(0)
    cloud.put(f"{RUN}/secrets/later", {"data": {"a": "b"}})
    await expect(tab.locator("main").get_by_text("later")).to_be_visible()
    # What a page asked for while nobody answered is no fault of the page.
    visits.complaints[:] = [one for one in visits.complaints if "Failed to load" not in one]


@pytest.mark.long
async def test_ten_thousand_are_searched_and_paged(visits: Visits, cloud: Seeded) -> None:
    many = "/providers/skerry.run/v1/tenants/harbour/workspaces/lab/secrets"
    cloud.put(f"{IDENTITY}/harbour/quotas/secret", {"most": 10_000})
    for number in range(10_000):
        cloud.put(f"{many}/key-{number:05d}", {"data": {"a": "b"}})
    tab = await visits.open("harbour/lab/kinds/secret", "operator")
    rows = tab.locator("main tbody tr")
    await expect(rows).to_have_count(50)
    await tab.get_by_role("button", name="Next").click()
    await expect(tab.locator("main")).to_contain_text("51–100")
    await tab.get_by_role("searchbox", name="Search secrets").fill("key-07777")
    await expect(rows).to_have_count(1)

"""From a wish to what runs: the form, its price, what is wrong with it, and what then goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from tests.console.seeded import Seeded
from tests.console.visits import Visits

pytestmark = pytest.mark.asyncio(loop_scope="package")
LAB, PARIS = "acme/lab", "acme/paris"


async def field(tab: Tab, label: str, text: str) -> None:
    typed = tab.get_by_role("textbox", name=label, exact=True)
    chosen = tab.get_by_role("combobox", name=label, exact=True)
    await typed.or_(chosen).first.fill(text)


async def test_a_gpu_is_three_clicks_away_with_its_price_in_front(
    visits: Visits, cloud: Seeded
) -> None:
    tab = await visits.open(LAB, "ann")
    await tab.get_by_role("link", name="Create", exact=True).first.click()
    await tab.get_by_role("link", name="Notebook on NVIDIA H100 80GB HBM3").click()
    price = tab.get_by_test_id("price")
    await expect(price).to_contain_text("EUR an hour")
    panel = tab.get_by_label("Price and place")
    await expect(panel).to_contain_text("falkenberg in Germany, operated by falkenberg-gmbh")
    await expect(panel).to_contain_text("no GPU of a model asked for")
    await expect(panel).to_contain_text("Stays in the EU or Iceland; isolated at least by sandbox.")
    shown = (await price.inner_text()).split()[0]
    await tab.get_by_role("button", name=f"Create at {shown}").click()
    await tab.wait_for_url("**/kinds/notebook/*")
    name = tab.url.rsplit("/", 1)[-1]
    path = f"/providers/skerry.notebook/v1/tenants/acme/workspaces/lab/notebooks/{name}"
    assert cloud.ask("GET", path)["spec"]["gpus"] == 1
    cloud.ask("DELETE", path)


async def test_what_is_wrong_stands_at_its_field_before_and_after(visits: Visits) -> None:
    tab = await visits.open(f"{LAB}/create/job", "ann")
    await field(tab, "Memory", "1 KiB")
    await field(tab, "CPU cores", "many")
    main = tab.locator("main")
    await expect(main).to_contain_text("At least 4 MiB")
    await tab.get_by_role("button", name="Create job").click()
    await expect(main).to_contain_text("Not an amount: write it such as 2 or 0.5")
    await field(tab, "Memory", "64 MiB")
    await field(tab, "CPU cores", "0.1")
    await expect(main).not_to_contain_text("At least 4 MiB")
    await field(tab, "Name", "survey")
    await tab.get_by_role("button", name="Create at").click()
    await expect(tab.get_by_role("alert").first).to_contain_text("There is one already")
    await field(tab, "Name", "nothing")
    await tab.get_by_role("button", name="Create at").click()
    # What only the cloud knows comes back to the field that it is about.
    wrong = tab.get_by_label("Command", exact=True)
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(main).to_contain_text("here is nothing to run")


async def test_who_is_refused_is_told_why_and_by_whom(visits: Visits) -> None:
    query = "gpus=1&gpuModel=NVIDIA+L40S"
    tab = await visits.open(f"{PARIS}/create/job?{query}", "ann")
    panel = tab.get_by_label("Price and place")
    await expect(panel).to_contain_text("No place for it now")
    await expect(panel).to_contain_text("in a jurisdiction the policy does not allow")
    await expect(panel).to_contain_text("Stays in France.")
    await expect(tab.get_by_role("button", name="it waits for a place")).to_be_visible()


async def test_what_the_page_shows_runs_in_a_shell(visits: Visits, cloud: Seeded) -> None:
    tab = await visits.open(f"{LAB}/create/volume?size=16+MiB", "ann")
    await field(tab, "Name", "shown")
    await tab.get_by_role("button", name="Command line and API").click()
    lines = tab.locator("main code")
    command, call = await lines.nth(0).inner_text(), await lines.nth(1).inner_text()
    assert "skerry" in command
    assert "--size 16MiB" in command
    env = os.environ | {
        "SKERRY_URL": cloud.url,
        "SKERRY_TOKEN": cloud.tokens["ann"],
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    for line in (command, call):
        ran = subprocess.run(line, shell=True, env=env, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
    volume = "/providers/skerry.run/v1/tenants/acme/workspaces/lab/volumes/shown"
    cloud.reach(volume, "ready")
    cloud.ask("DELETE", volume)


async def test_a_job_is_watched_from_its_log_to_its_receipt(visits: Visits) -> None:
    tab = await visits.open(f"{LAB}/create/job?cpu=0.1&millicores=0.1&memory=64+MiB", "ann")
    await field(tab, "Name", "watched")
    await tab.get_by_role("button", name="More: site").click()
    await field(tab, "Site", "home-1")
    await field(tab, "Command", "sh -c 'echo first; sleep 2; echo last'")
    await expect(tab.get_by_label("Price and place")).to_contain_text("home-1 in Sweden")
    await tab.get_by_role("button", name="Create at").click()
    await tab.get_by_role("tab", name="Logs").click()
    log = tab.get_by_role("log")
    await expect(log).to_contain_text("first")
    await expect(log).to_contain_text("last")
    await tab.get_by_label("Search").last.fill("las")
    await expect(log).not_to_contain_text("first")
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("succeeded")
    await tab.get_by_role("tab", name="Receipt").click()
    await tab.get_by_role("button", name="Verify").click()
    await expect(tab.locator("main")).to_contain_text("Everything in it holds")


async def test_a_shell_opens_in_what_runs(visits: Visits) -> None:
    tab = await visits.open(f"{LAB}/kinds/job/tides?tab=terminal", "ann")
    await tab.get_by_role("button", name="Open", exact=True).click()
    await expect(tab.locator("main")).to_contain_text("Open.")
    await tab.keyboard.type("echo $((6 * 7)) is it; exit 3\n")
    await expect(tab.locator(".xterm-rows")).to_contain_text("42 is it")
    await expect(tab.locator("main")).to_contain_text("It ended with exit code 3.")


async def test_a_change_is_made_by_the_same_form(visits: Visits, cloud: Seeded) -> None:
    tab = await visits.open(f"{LAB}/kinds/service/map?tab=change", "ann")
    await expect(tab.get_by_label("Protocol").first).to_be_disabled()
    await field(tab, "Replicas", "2")
    offered = tab.get_by_label("Price and place")
    await expect(offered).to_contain_text("Now 0.001 EUR an hour. Then 0.001 EUR more:")
    await expect(offered).to_contain_text("2 replicas at 0.001 EUR an hour each")
    await expect(offered).to_contain_text("home-1 in Sweden")
    await tab.get_by_role("button", name="Command line and API").last.click()
    await expect(tab.locator("main code").first).to_contain_text("service update map --replicas 2")
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.get_by_role("button", name="Nothing changed yet")).to_be_visible()
    path = "/providers/skerry.run/v1/tenants/acme/workspaces/lab/services/map"
    assert cloud.ask("GET", path)["spec"]["replicas"] == 2


async def test_who_may_only_look_is_told_so(visits: Visits) -> None:
    tab = await visits.open(f"{LAB}/create/secret", "bob")
    await field(tab, "Name", "mine")
    await tab.get_by_role("button", name="Create secret").click()
    await expect(tab.get_by_role("alert").first).to_contain_text("may not")


async def test_a_volume_is_copied_by_one_click_with_its_cost_beside(visits: Visits) -> None:
    tab = await visits.open(f"{LAB}/kinds/volume/charts", "ann")
    await expect(tab.locator("main")).to_contain_text("EUR for each GiB an hour")
    await tab.get_by_role("button", name="Snapshot").click()
    await tab.wait_for_url("**/kinds/snapshot/charts/*")
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("ready")

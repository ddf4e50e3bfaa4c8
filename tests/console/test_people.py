"""Access is given and proved in the browser: an invitation, an auditor, a second factor; and what
was done stands in the audit, checked against the signed log."""

import base64
import time
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from skerry.identity.second_factor import code_at
from tests.console.seeded import PASSWORD, Seeded
from tests.console.visits import Visits

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_somebody_is_invited_and_the_audit_says_by_whom(visits: Visits) -> None:
    tab = await visits.open("acme/lab/people", "ann")
    await tab.get_by_role("button", name="Invite somebody").click()
    dialog = tab.get_by_role("dialog")
    await dialog.get_by_role("button", name="Invite", exact=True).click()
    await expect(dialog.get_by_text("An address, as ann@acme.org")).to_be_visible()
    await dialog.get_by_label("Their address").fill("Cleo.D@example.com")
    await dialog.get_by_role("button", name="Invite", exact=True).click()
    link = dialog.get_by_text("/join?code=")
    await expect(link).to_be_visible()
    assert urlsplit(await link.inner_text()).path == "/join"
    await dialog.get_by_role("button", name="Done").click()
    await expect(tab.get_by_role("link", name="cleo-d")).to_be_visible()

    await tab.goto("/console/acme/lab/audit?kinds=invitation&actor=ann@acme")
    await tab.get_by_role("link", name="Check").first.click()
    await expect(tab.get_by_text("Yes: it stands there as it is shown here")).to_be_visible()
    assert "code=" not in await tab.locator("main").inner_text(), "the link is in no history"
    assert visits.complaints == []


async def turned_on(tab: Tab) -> bytes:
    """Set up a second factor in a dialog; its key."""
    await tab.get_by_role("button", name="Set one up").click()
    dialog = tab.get_by_role("dialog")
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Go on").click()
    picture = dialog.get_by_role("img", name="QR code")
    await expect(picture).to_be_visible()
    await picture.evaluate("image => image.decode()")
    secret = await dialog.locator("code").first.inner_text()
    seed = base64.b32decode(secret.replace(" ", ""))
    await dialog.get_by_label("The code it shows now").fill(code_at(seed, int(time.time()) // 30))
    await dialog.get_by_role("button", name="Turn it on").click()
    await expect(dialog.get_by_text("I have kept them")).to_be_visible()
    return seed


async def test_a_second_factor_is_asked_for_and_a_recovery_code_does(
    visits: Visits, cloud: Seeded
) -> None:
    cloud.person("acme", "fay", "seca.workspace-viewer")
    tab = await visits.open("acme/lab/people?tab=mine", "fay")
    await turned_on(tab)
    dialog = tab.get_by_role("dialog")
    recovery = (await dialog.locator("pre").inner_text()).split()[0]

    tab = await visits.open("sign-in?tenant=acme&user=fay")
    await tab.get_by_role("textbox", name="Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in").click()
    asked = tab.get_by_label("Code of your second factor")
    await asked.fill("000000")
    await tab.get_by_role("button", name="Sign in").click()
    await expect(tab.get_by_role("alert")).to_be_visible()
    await asked.fill(recovery)
    await tab.get_by_role("button", name="Sign in").click()
    await expect(tab.get_by_role("heading", name="Overview")).to_be_visible()
    assert visits.complaints == []


async def test_a_second_factor_is_set_up_and_dropped(visits: Visits) -> None:
    tab = await visits.open("acme/lab/people?tab=mine", "bob")
    seed = await turned_on(tab)
    now = int(time.time()) // 30
    dialog = tab.get_by_role("dialog")
    await dialog.get_by_role("button", name="I have kept them").click()
    await tab.get_by_role("button", name="Drop it").click()
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await dialog.get_by_label("The code it shows now").fill(code_at(seed, now + 1))
    await dialog.get_by_role("button", name="Drop it").click()
    await expect(tab.get_by_role("button", name="Set one up")).to_be_visible()
    assert visits.complaints == []

"""Ways into the console beside a password: by an issuer, and from an invitation."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.console.seeded import Seeded
from tests.console.visits import Visits
from tests.harness.issuer import CLIENT, SECRET, Issuer, issuing

pytestmark = pytest.mark.asyncio(loop_scope="package")
IDENTITY = "/providers/skerry.identity/v1"


@pytest.fixture
def issuer(cloud: Seeded) -> Iterator[Issuer]:
    with issuing() as made:
        made.person |= {"sub": "eva", "email": "eva@example.org", "email_verified": True}
        who = {"tenant": "acme", "domains": ["example.org"], "unknown": "create"}
        spec = {"url": made.url, "clientId": CLIENT, "clientSecret": SECRET, "tenants": [who]}
        path = f"{IDENTITY}/issuers/harbour"
        cloud.ask("PUT", path, {"spec": {**spec, "displayName": "Harbour"}})
        yield made
        cloud.ask("DELETE", path)


async def test_an_issuer_leads_back_in(visits: Visits, cloud: Seeded, issuer: Issuer) -> None:
    tab = await visits.open("sign-in?tenant=acme")
    await tab.get_by_role("button", name="With Harbour").click(timeout=20_000)
    await tab.wait_for_url(lambda url: "sign" not in url)
    assert "code=" not in tab.url
    who = await tab.evaluate("JSON.parse(sessionStorage.getItem('skerry-session'))")
    assert (who["tenant"], who["subject"]) == ("acme", "users/eva")
    cloud.ask("DELETE", f"{IDENTITY}/tenants/acme/users/eva")


async def test_who_was_invited_comes_with_their_name(visits: Visits) -> None:
    tab = await visits.open("sign-in?tenant=acme&user=eva")
    await expect(tab.get_by_label("Tenant")).to_have_value("acme")
    await expect(tab.get_by_label("User")).to_have_value("eva")

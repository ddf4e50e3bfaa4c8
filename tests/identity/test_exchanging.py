"""Programs from elsewhere exchange their tokens for a service account's (RFC 8693)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from skerry.identity.authenticate import forget
from skerry.identity.exchanging import fits
from skerry.identity.specs import Trust
from tests.api.conftest import Site
from tests.harness.issuer import Issuer, issuing

IDENTITY = "/providers/skerry.identity/v1"
TRUST = {
    "issuer": "ci", "audience": "https://cloud.example",
    "subject": "repo:acme/site:ref:refs/heads/*", "claims": {"event_name": "push"},
}  # fmt: skip
SAID = {"sub": "repo:acme/site:ref:refs/heads/main", "event_name": "push"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        made.person = dict(SAID)
        yield made


async def account(site: Site, issuer: Issuer, **trust: Any) -> None:
    made = {"spec": {"url": issuer.url}}
    assert (await site.call("PUT", f"{IDENTITY}/issuers/ci", made)).is_success
    spec = {"spec": {"trusts": [TRUST | trust]}}
    at = f"{IDENTITY}/tenants/acme/service-accounts/deploy"
    answer = await site.call("PUT", at, spec)
    assert answer.is_success, answer.text


async def exchange(site: Site, token: str, name: str = "deploy", **more: str) -> httpx2.Response:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": token, "audience": f"tenants/acme/service-accounts/{name}", **more,
    }  # fmt: skip
    return await site.http.post(f"{IDENTITY}/token", data=form)


async def test_a_trusted_token_is_worth_one_for_a_while(site, issuer):
    await account(site, issuer)
    answer = await exchange(site, issuer.token("https://cloud.example"))
    found = answer.json()
    assert answer.status_code == 200, found
    assert (found["token_type"], found["expires_in"] > 890) == ("Bearer", True)
    who = await site.call("GET", f"{IDENTITY}/whoami", token=found["access_token"])
    assert who.json()["subject"] == "service-accounts/deploy"
    told = await site.db.fetchrow("select actor, body from change where kind = 'login'")
    assert told is not None
    assert told["actor"] == "service-accounts/deploy@acme"
    assert f'"for":"{SAID["sub"]}"' in told["body"]
    await site.db.shift_clock(timedelta(seconds=901))
    forget()
    who = await site.call("GET", f"{IDENTITY}/whoami", token=found["access_token"])
    assert who.status_code == 401


async def test_any_other_is_refused_in_the_same_words(site, issuer):
    await account(site, issuer)
    good = issuer.token("https://cloud.example")
    issuer.person["event_name"] = "pull_request"
    other_claim = issuer.token("https://cloud.example")
    issuer.person = {**SAID, "sub": "repo:evil/site:ref:refs/heads/main"}
    other_subject = issuer.token("https://cloud.example")
    issuer.person = dict(SAID)
    refused = [
        await exchange(site, "none"),
        await exchange(site, issuer.token("https://other.example")),
        await exchange(site, issuer.token("https://cloud.example", iss="https://other.example")),
        await exchange(site, issuer.token("https://cloud.example", exp=1)),
        await exchange(site, good[:-3] + "abc"),
        await exchange(site, other_claim),
        await exchange(site, other_subject),
        await exchange(site, good, name="nobody"),
        await exchange(site, good, audience="tenants/none/service-accounts/deploy"),
    ]
    assert {answer.status_code for answer in refused} == {400}
    assert len({answer.text for answer in refused}) == 1, "who exists is not said"
    assert refused[0].json()["error"] == "invalid_grant"
    disabled = {"spec": {"trusts": [TRUST], "disabled": True}}
    await site.call("PUT", f"{IDENTITY}/tenants/acme/service-accounts/deploy", disabled)
    assert (await exchange(site, good)).status_code == 400


async def test_requests_that_are_none(site, issuer):
    await account(site, issuer)
    token = issuer.token("https://cloud.example")
    for more, error in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"subject_token_type": "urn:x"}, "invalid_request"),
        ({"audience": "deploy"}, "invalid_target"),
    ):
        answer = await exchange(site, token, **more)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    issuer.close()
    assert (await exchange(site, token)).status_code == 503


async def test_a_trust_says_whom(site, issuer):
    for subject, claims, taken in (
        ("*", {}, 422),
        ("**", {"event_name": "*"}, 422),
        ("*", {"repository_owner": "acme"}, 200),
    ):
        spec = {"trusts": [TRUST | {"subject": subject, "claims": claims}]}
        at = f"{IDENTITY}/tenants/acme/service-accounts/open"
        answer = await site.call("PUT", at, {"spec": spec})
        assert answer.status_code in (taken, 201 if taken == 200 else taken), answer.text


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, True),
        ({"aud": ["x", "https://cloud.example"]}, True),
        ({"aud": "https://cloud.example.evil"}, False),
        ({"event_name": "pushed"}, False),
        ({"event_name": None}, False),
        ({"event_name": ["pull", "push"]}, True),
        ({"event_name": {"push": 1}}, False),
        ({"sub": "repo:acme/site:ref:refs/tags/v1"}, False),
        ({"sub": "x repo:acme/site:ref:refs/heads/main"}, False),
    ],
)
def test_what_fits(claims, expected):
    trust = Trust(**TRUST)
    assert fits(trust, {"aud": "https://cloud.example", **SAID, **claims}) is expected


@pytest.mark.parametrize(("said", "expected"), [(True, True), (False, False), ("true", False)])
def test_a_claim_that_is_no_text(said, expected):
    trust = Trust(issuer="ci", audience="a", subject="s", claims={"protected": "true", "run": "7"})
    claims = {"aud": "a", "sub": "s", "protected": said, "run": 7}
    assert fits(trust, claims) is (expected or said == "true")

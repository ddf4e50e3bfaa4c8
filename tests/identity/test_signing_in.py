"""Signing in at an issuer, over HTTP, with one that does as it should and one that lies."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from skerry.identity.authenticate import forget
from skerry.identity.oidc import IssuerAway, Issuers, Untrusted
from skerry.identity.oidc import issuers as kept
from skerry.identity.oidc.claims import keys_of, signed
from tests.api.conftest import Site
from tests.harness.issuer import CLIENT, SECRET, Issuer, issuing

IDENTITY = "/providers/skerry.identity/v1"
BACK = "http://127.0.0.1:1/"
EMAIL = {"email": "Ann@Example.com", "email_verified": True}
OURS = {"tenant": "acme", "domains": ["example.com"]}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


async def declare(site: Site, issuer: Issuer, *tenants: dict[str, Any], **more: Any) -> None:
    spec = {
        "url": issuer.url, "clientId": CLIENT, "clientSecret": SECRET, "tenants": list(tenants),
    }  # fmt: skip
    answer = await site.call("PUT", f"{IDENTITY}/issuers/corp", {"spec": spec | more})
    assert answer.is_success, answer.text


class Browser:
    """A person at a browser, and the program that sent them there."""

    def __init__(self, site: Site, tenant: str = "acme", **asked: str) -> None:
        self.site = site
        self.verifier, self.state = secrets.token_urlsafe(48), "opaque"
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.asked = {
            "issuer": "corp", "tenant": tenant, "back": BACK, "state": self.state,
            "challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="), **asked,
        }  # fmt: skip
        self.cookies: dict[str, str] = {}

    async def begin(self) -> httpx2.Response:
        answer = await self.site.http.get("/sign-in/begin", params=self.asked)
        self.cookies = dict(answer.cookies)
        self.site.http.cookies.clear()
        return answer

    async def at_issuer(self) -> str:
        """Where the issuer sends the browser."""
        answer = await self.begin()
        assert answer.status_code == 303, answer.text
        async with httpx2.AsyncClient(trust_env=False) as http:
            sent = await http.get(answer.headers["location"])
        return sent.headers["location"]

    async def back(self, url: str) -> httpx2.Response:
        parts = urlsplit(url)
        cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        answer = await self.site.http.get(f"{parts.path}?{parts.query}", headers={"cookie": cookie})
        self.site.http.cookies.clear()
        return answer

    async def sign_in(self) -> dict[str, str]:
        """What the program on loopback is told."""
        answer = await self.back(await self.at_issuer())
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(BACK)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in query.items()}

    async def collect(self, told: dict[str, str], verifier: str = "") -> httpx2.Response:
        assert told["state"] == self.state
        body = {"code": told["code"], "verifier": verifier or self.verifier}
        return await self.site.http.post(f"{IDENTITY}/sessions", json=body)

    async def refused(self) -> str:
        told = await self.sign_in()
        assert "code" not in told
        return told["error_description"]


async def ann(site: Site) -> None:
    await site.call(
        "PUT", f"{IDENTITY}/tenants/acme/users/ann", {"spec": {"email": "ann@example.com"}}
    )


async def test_who_has_a_verified_address_of_the_issuers_domain_is_that_user(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    browser = Browser(site)
    told = await browser.sign_in()
    session = (await browser.collect(told)).json()
    who = (await site.call("GET", f"{IDENTITY}/whoami", token=session["token"])).json()
    assert (who["tenant"], who["subject"]) == ("acme", "users/ann")
    again = await browser.collect(told)
    assert again.status_code == 401, "the code works once"
    # From now on they are known by the issuer's own name for them.
    issuer.person = {"sub": "007", "email": "somebody.else@example.com"}
    assert (await Browser(site).sign_in())["code"]
    login = await site.db.fetchrow("select body, actor from change where kind = 'login'")
    assert login is not None
    assert login["actor"] == "ann@acme"
    assert '"by":"issuer/corp"' in login["body"]


@pytest.mark.parametrize(
    ("person", "entry"),
    [
        ({"sub": "1", "email": "ann@example.com"}, OURS),
        ({"sub": "1", "email": "ann@example.com", "email_verified": False}, OURS),
        ({"sub": "1", "email": "ann@example.com", "email_verified": "true"}, OURS),
        ({"sub": "1", **EMAIL}, {"tenant": "acme"}),
        ({"sub": "1", **EMAIL}, {"tenant": "acme", "domains": ["other.example"]}),
        ({"sub": "1", "email": "eve@example.com", "email_verified": True}, OURS),
    ],
)
async def test_nobody_else_is(site, issuer, person, entry):
    await ann(site)
    await declare(site, issuer, entry)
    issuer.person = person
    assert "Nobody in that tenant is known" in await Browser(site).refused()


async def test_an_issuer_may_say_more_at_its_userinfo_endpoint(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.more = {"sub": "007", **EMAIL}
    assert (await Browser(site).sign_in())["code"]
    issuer.more = {"sub": "008", **EMAIL}
    assert "about somebody else" in await Browser(site).refused()
    issuer.more = {"sub": "008", "iss": "x", "nonce": "x", **EMAIL}
    issuer.person = {"sub": "008", "email_verified": False}
    assert "Nobody in that tenant" in await Browser(site).refused(), "the token comes first"


async def test_an_issuer_may_make_users_where_it_is_told_so(site, issuer):
    role = {"roles": ["seca.workspace-viewer"], "unknown": "create"}
    await declare(site, issuer, OURS | role)
    # A name that an assignment still speaks of is nobody's any more.
    left = {"roles": ["seca.admin"], "subs": ["eve"], "scopes": [{}]}
    at = "/providers/seca.authorization/v1/tenants/acme/role-assignments/left"
    await site.call("PUT", at, {"spec": left})
    issuer.person = {
        "sub": "2", "email": "eve@example.com", "email_verified": True,
        "preferred_username": "Eve", "name": "Eve E.",
    }  # fmt: skip
    browser = Browser(site)
    token = (await browser.collect(await browser.sign_in())).json()["token"]
    who = (await site.call("GET", f"{IDENTITY}/whoami", token=token)).json()
    assert (who["subject"], who["displayName"]) == ("users/eve-2", "Eve E.")
    shelves = "/providers/t.goods/v1/tenants/acme/workspaces/prod/shelves"
    assert (await site.call("GET", shelves, token=token)).status_code == 200
    assert (await site.call("PUT", f"{shelves}/x", {}, token=token)).status_code == 403
    assert (await site.call("DELETE", at, token=token)).status_code == 403
    issuer.person["email_verified"] = False
    issuer.person["sub"] = "3"
    await Browser(site).refused()


async def test_an_address_that_stands_for_somebody_is_not_a_strangers(site, issuer):
    await ann(site)
    await declare(site, issuer, {"tenant": "acme", "unknown": "create"})
    issuer.person |= EMAIL
    browser = Browser(site)
    token = (await browser.collect(await browser.sign_in())).json()["token"]
    who = (await site.call("GET", f"{IDENTITY}/whoami", token=token)).json()
    assert who["subject"] == "users/ann-2"
    made = (await site.call("GET", f"{IDENTITY}/tenants/acme/users/ann-2")).json()
    assert "email" not in made["spec"]


async def test_the_answer_of_another_issuer_is_none(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    browser = Browser(site)
    answer = await browser.back(await browser.at_issuer() + "&iss=https://issuer.example")
    assert "another+issuer" in answer.headers["location"]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _hs256_with_the_public_key(issuer: Issuer) -> None:
    def sign(claims: dict[str, Any]) -> str:
        head = _encoded(b'{"alg":"HS256","kid":"one"}')
        text = f"{head}.{_encoded(json.dumps(claims).encode())}"
        made = hmac.digest(issuer.key.as_pem(private=False), text.encode(), "sha256")
        return f"{text}.{_encoded(made)}"

    issuer.sign = sign


def _none(issuer: Issuer) -> None:
    def sign(claims: dict[str, Any]) -> str:
        true = issuer.honest(claims).split(".")
        return ".".join((_encoded(b'{"alg":"none","kid":"one"}'), true[1], ""))

    issuer.sign = sign


def _another_key(issuer: Issuer) -> None:
    key = ECKey.generate_key("P-256", {"kid": "one"})
    issuer.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "one"}, claims, key)


def _altered(issuer: Issuer) -> None:
    def sign(claims: dict[str, Any]) -> str:
        one, other = issuer.honest(claims), issuer.honest(claims | {"sub": "999"})
        return ".".join((*other.split(".")[:2], one.split(".")[2]))

    issuer.sign = sign


def _claims(**claims: Any) -> Any:
    return lambda issuer: issuer.claims.update(claims)


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (_hs256_with_the_public_key, "in a way that is not trusted"),
        (_none, "in a way that is not trusted"),
        (_another_key, "a key that the issuer does not show"),
        (_altered, "its signature is wrong"),
        (_claims(iss="https://issuer.example"), "of another issuer"),
        (_claims(aud="another"), "meant for somebody else"),
        (_claims(aud=["skerry", "another"]), "given to somebody else"),
        (_claims(azp="another"), "given to somebody else"),
        (_claims(exp=int(time.time()) - 120), "has expired"),
        (_claims(exp=None), "when it counts"),
        (_claims(exp="never"), "when it counts"),
        (_claims(iat=int(time.time()) + 3600), "does not count yet"),
        (_claims(nonce="another"), "another sign-in"),
        (_claims(nonce=None), "another sign-in"),
        (_claims(sub=""), "whom it is about"),
        (_claims(sub=7), "whom it is about"),
        (lambda issuer: setattr(issuer, "sign", lambda claims: "x.y"), "not a signed token"),
        (lambda issuer: setattr(issuer, "sign", lambda claims: "x" * 20_000), "not a signed token"),
    ],
)  # fmt: skip
async def test_a_lie_is_not_believed(issuer, lie, why):
    issuer.claims["nonce"] = "ours"
    lie(issuer)
    with pytest.raises(Untrusted, match=why):
        await Issuers().claims(issuer.token(), issuer.url, CLIENT, datetime.now(UTC), nonce="ours")


async def test_a_lie_lets_nobody_in(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    _none(issuer)
    assert "in a way that is not trusted" in await Browser(site).refused()
    assert await site.db.fetchval("select count(*) from change where kind = 'login'") == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: ECKey.generate_key("P-384", {"kid": "e"}),
        lambda: OKPKey.generate_key("Ed25519", {"kid": "e"}),
    ],
)
async def test_other_signatures_that_count(site, issuer, make):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    key = make()
    way = "ES384" if key.key_type == "EC" else "EdDSA"
    odd = [{"kty": "EC", "crv": "unheard-of", "x": "a", "y": "b"}, {"kty": "oct", "k": "c2VjcmV0"}]
    issuer.keys = {"keys": [*odd, key.as_dict(private=False)]}
    issuer.sign = lambda claims: jwt.encode({"alg": way, "kid": "e"}, claims, key, algorithms=[way])
    assert "code" in await Browser(site).sign_in()


async def test_new_keys_are_asked_for_but_not_for_every_lie(site, issuer, monkeypatch):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    assert "code" in await Browser(site).sign_in()
    issuer.turn()
    before = issuer.asked.count("/keys")
    for _ in range(3):
        assert "a key that the issuer does not show" in await Browser(site).refused()
    assert issuer.asked.count("/keys") == before, "it was asked a moment ago"
    monkeypatch.setattr(kept, "PAUSE", 0.0)
    assert "code" in await Browser(site).sign_in()
    assert issuer.asked.count("/keys") == before + 1


@pytest.mark.parametrize(
    "documents",
    [
        {"/.well-known/openid-configuration": "x" * 300_000},
        {"/.well-known/openid-configuration": "[" * 100_000},
        {"/.well-known/openid-configuration": {"issuer": "https://issuer.example"}},
        {"/keys": "{" + " " * 300_000},
        {"/keys": "not JSON"},
    ],
)
async def test_documents_that_are_none(site, issuer, documents):
    await declare(site, issuer, OURS)
    issuer.documents = documents
    answer = await Browser(site).begin()
    assert answer.status_code == 503
    assert "no usable answer" in answer.json()["detail"]


async def test_an_issuer_that_goes_away_shuts_nobody_out(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    browser = Browser(site)
    token = (await browser.collect(await browser.sign_in())).json()["token"]
    issuer.close()
    assert "no usable answer" in (await self_again(site))
    assert (await site.call("GET", f"{IDENTITY}/whoami", token=token)).status_code == 200
    await site.db.shift_clock(timedelta(hours=12, seconds=1))
    forget()
    assert (await site.call("GET", f"{IDENTITY}/whoami", token=token)).status_code == 401
    who = await site.call("GET", f"{IDENTITY}/whoami")
    assert who.json()["operator"], "the operator's own token goes on working"


async def self_again(site: Site) -> str:
    """What is said to who signs in at an issuer that is known and away."""
    browser = Browser(site)
    answer = await browser.begin()
    state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]
    answer = await browser.back(f"/sign-in/done?code=x&state={state}")
    return parse_qs(urlsplit(answer.headers["location"]).query)["error_description"][0]


async def test_a_sign_in_counts_once_and_in_its_own_browser(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    browser = Browser(site)
    url = await browser.at_issuer()
    stranger = Browser(site)
    await stranger.begin()
    assert (await stranger.back(url)).status_code == 400, "another's cookie"
    assert (await browser.back(url)).status_code == 303
    assert (await browser.back(url)).status_code == 400, "a second time"
    late = Browser(site)
    url = await late.at_issuer()
    await site.db.shift_clock(timedelta(minutes=11))
    assert (await late.back(url)).status_code == 400


async def test_the_console_is_led_back_to_and_collects(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    browser = Browser(site, back="/console/signed-in")
    answer = await browser.back(await browser.at_issuer())
    assert answer.status_code == 303
    where, _, query = answer.headers["location"].partition("?")
    assert where == "/console/signed-in"
    told = {name: values[0] for name, values in parse_qs(query).items()}
    session = (await browser.collect(told)).json()
    who = (await site.call("GET", f"{IDENTITY}/whoami", token=session["token"])).json()
    assert (who["subject"], who["expiresAt"]) == ("users/ann", session["expiresAt"])
    issuer.person["email_verified"] = False
    issuer.person["sub"] = "a stranger"
    answer = await browser.back(await browser.at_issuer())
    assert answer.headers["location"].startswith("/console/signed-in?error=access_denied&")


async def test_a_code_is_worth_nothing_without_the_verifier(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    browser = Browser(site)
    told = await browser.sign_in()
    assert (await browser.collect(told, verifier="guessed" * 8)).status_code == 401
    assert (await browser.collect(told)).status_code == 401, "and a wrong one ends it"


@pytest.mark.parametrize(
    "asked",
    [
        {"back": "https://evil.example/"},
        {"back": "http://127.0.0.1.evil.example/"},
        {"back": "http://user@127.0.0.1/"},
        {"back": "/enter"},
        {"back": "/console"},
        {"back": "/console/../enter"},
        {"back": "/console//evil.example"},
        {"back": "/console/x?next=//evil.example"},
        {"back": "/console/\\evil.example"},
        {"back": "/console/signed-in", "challenge": ""},
        {"back": "/console/\r\nset-cookie: x=y"},
        {"back": "//evil.example"},
        {"back": "http://[::1"},
        {"back": "http://127.0.0.1:0/"},
        {"back": "http://127.0.0.1\\@evil.example/"},
        {"back": "http://127.0.0.1/\r\nset-cookie: x=y"},
        {"state": "\0"},
        {"issuer": "\0"},
        {"route": "\0", "issuer": "corp", "to": "//evil.example", "tenant": "\0"},
        {"challenge": "short"},
        {"state": "a b"},
        {"issuer": "nobody"},
        {"issuer": "../x"},
        {"tenant": "other"},
        {"tenant": "operator"},
        {"tenant": "a" * 5000},
        {"join": "nothing"},
    ],
)
async def test_a_sign_in_leads_nowhere_else(site, issuer, asked):
    await declare(site, issuer, OURS)
    answer = await Browser(site, **asked).begin()
    assert answer.status_code in (400, 404), answer.text
    assert "location" not in answer.headers


async def test_begins_are_counted(site, issuer, monkeypatch):
    await declare(site, issuer, {"tenant": "*"})
    monkeypatch.setattr("skerry.api.signing_in._MOST_BEGUN", 2)
    codes = [(await Browser(site).begin()).status_code for _ in range(3)]
    assert codes == [303, 303, 429]


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"url": "http://issuer.example"}, "/spec/url"),
        ({"url": "https://u:p@issuer.example"}, "/spec/url"),
        ({"url": "file:///etc/passwd"}, "/spec/url"),
        ({"tenants": [{"tenant": "*", "unknown": "create"}]}, "/spec/tenants/0/unknown"),
        ({"tenants": [{"tenant": "operator", "unknown": "create"}]}, "/spec/tenants/0/domains"),
        ({"tenants": [{"tenant": "acme", "domains": ["*"]}]}, "/spec/tenants/0/domains/0"),
    ],
)
async def test_what_can_be_no_issuer(site, spec, pointer):
    spec = {"url": "https://issuer.example", **spec}
    answer = await site.call("PUT", f"{IDENTITY}/issuers/odd", {"spec": spec})
    assert answer.status_code == 422, answer.text
    assert answer.json()["sources"] == [{"pointer": pointer}]


async def test_the_secret_of_an_issuer_is_not_shown(site, issuer):
    await declare(site, issuer, OURS)
    for path in (f"{IDENTITY}/issuers", f"{IDENTITY}/issuers/corp", f"{IDENTITY}/sign-in"):
        assert SECRET not in (await site.call("GET", path)).text
    ways = (await site.http.get(f"{IDENTITY}/sign-in")).json()
    assert ways == {"issuers": [{"name": "corp", "displayName": "corp"}], "password": True}


async def test_an_issuer_is_declared_once_and_nobody_is_known_by_one_that_is_gone(site, issuer):
    await ann(site)
    await declare(site, issuer, OURS)
    issuer.person |= EMAIL
    assert "code" in await Browser(site).sign_in()
    spec = {"spec": {"url": issuer.url}}
    again = await site.call("PUT", f"{IDENTITY}/issuers/again", spec)
    assert again.json()["detail"] == "another issuer has this URL"
    other = await site.call(
        "PUT", f"{IDENTITY}/issuers/corp", {"spec": {"url": "https://other.example"}}
    )
    assert other.status_code in (409, 422), "whom its subjects are would change"
    assert (await site.call("DELETE", f"{IDENTITY}/issuers/corp")).status_code == 202
    assert (await Browser(site).begin()).status_code == 404
    assert await site.db.fetchval("select count(*) from issuer_link") == 0


@pytest.mark.parametrize(
    "bent",
    [
        {"authorization_endpoint": None},
        {"authorization_endpoint": "http://192.0.2.1/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"jwks_uri": "https://[::1"},
        {"jwks_uri": "https://user:word@issuer.example/keys"},
    ],
)
async def test_an_issuer_leads_to_no_place_that_may_not_be_asked(issuer, bent):
    path = "/.well-known/openid-configuration"
    _, honest = issuer.answer(path, {}, {})
    issuer.documents = {path: honest | bent}
    with pytest.raises(IssuerAway, match="names no"):
        await Issuers().endpoint(issuer.url, "authorization_endpoint")
    assert "/authorize" not in issuer.asked


async def test_a_secret_is_sent_in_the_way_that_the_issuer_takes(issuer):
    issuers, path = Issuers(), "/.well-known/openid-configuration"
    _, honest = issuer.answer(path, {}, {})
    issuer.documents = {
        path: honest | {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    }
    asked = {"client": CLIENT, "secret": SECRET, "verifier": "v", "back": BACK}
    with pytest.raises(IssuerAway, match="answers 400: invalid_grant"):
        await issuers.exchange(issuer.url, code="none", **asked)
    assert issuer.forms[-1]["client_secret"] == SECRET
    issuer.documents["/token"] = {"access_token": "x"}
    with pytest.raises(IssuerAway, match="gives no ID token"):
        await issuers.exchange(issuer.url, code="none", **asked)


def test_keys_by_which_nothing_can_be_trusted_are_left_out():
    weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    small = {"kty": "RSA", "e": "AQAB", "n": _encoded(weak.n.to_bytes(128))}
    wrapping = {**ECKey.generate_key("P-256").as_dict(private=False), "use": "enc"}
    for keys in ([small], [wrapping], ["none"], [{"kty": "RSA", "n": "!"}], "none", None):
        assert keys_of({"keys": keys}) == []


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "W10.W10.W10", f"{_encoded(b'[' * 9000)}.a.b", "é.é.é"]
)
def test_what_is_no_token(token):
    with pytest.raises(Untrusted, match="not a signed token"):
        signed(token, [])

"""Who comes into a route that asks, and what the backend and other origins get of it: nothing."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from skerry.gateway import login, passes
from skerry.identity.authenticate import Authenticator
from skerry.identity.authorize import Principal
from skerry.kernel.errors import Conflict
from skerry.kernel.hooks import SYSTEM
from tests.gateway.cloud import Cloud, until
from tests.gateway.world import SIGN_IN, World, opened

PAGE = {"accept": "text/html"}


@pytest.fixture
async def world(cloud: Cloud) -> AsyncIterator[World]:
    async with opened(cloud) as world:
        yield world


async def link(world: World, token: str, name: str = "web", path: str = "/lab?x=1") -> str:
    """What ``open`` gives who has this token."""
    who: Principal = await Authenticator(world.cloud.db).authenticate(token)
    async with world.cloud.db.transaction() as tx:
        ref = f"skerry.gateway/v1/tenants/acme/workspaces/prod/routes/{name}"
        route = await world.cloud.resources.get(tx, ref)
        return str((await passes.invite(tx, route, who.caller, path))["url"])


async def entered(world: World, client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    found = urlsplit(await link(world, token))
    return await client.get(f"{found.path}?{found.query}")


async def test_a_browser_is_sent_to_sign_in_and_everything_else_told_401(world: World) -> None:
    async with world.client(await world.route("web", {"login": True})) as client:
        away = await client.get("/lab?x=1", headers=PAGE)
        assert away.status_code == 303
        where = urlsplit(away.headers["location"])
        assert away.headers["location"].startswith(SIGN_IN)
        assert parse_qs(where.query) == {
            "route": ["skerry.gateway/v1/tenants/acme/workspaces/prod/routes/web"],
            "to": ["/lab?x=1"],
        }
        for ask in (client.get("/lab"), client.post("/lab", headers=PAGE)):
            refused = await ask
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"


async def test_a_link_lets_in_once_and_the_backend_sees_nothing_of_it(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    host = await world.route("web", {"login": True})
    async with world.client(host) as client:
        url = await link(world, token)
        found = urlsplit(url)
        assert found.netloc.startswith(host)
        came = await client.get(f"{found.path}?{found.query}")
        assert (came.status_code, came.headers["location"]) == (303, "/lab?x=1")
        cookie = came.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Domain" not in cookie
        answer = await client.get(
            "/lab", headers={"cookie": f"mine=1; {cookie.split(';')[0]}; b=2"}
        )
        seen = dict(answer.json()["headers"])
        assert seen["cookie"] == "mine=1; b=2"
        assert "skerry_" not in answer.text
    async with world.client(host) as other:
        again = await other.get(f"{found.path}?{found.query}", headers=PAGE)
        assert again.status_code == 403
        assert "set-cookie" not in again.headers


async def test_a_program_comes_with_a_token_that_goes_no_further(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    stranger = await world.token("other", "bob", "seca.admin")
    reader = await world.token("acme", "cy", "skerry.auditor")
    async with world.client(await world.route("web", {"login": True})) as client:
        answer = await client.get("/", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert "authorization" not in dict(answer.json()["headers"])
        for secret in (stranger, reader):
            refused = await client.get("/", headers={"authorization": f"Bearer {secret}"})
            assert refused.status_code == 403
        for wrong in (token[:-1] + "0", "skerry_user_x"):
            refused = await client.get("/", headers={"authorization": f"Bearer {wrong}"})
            assert refused.status_code == 401


async def test_an_operator_who_enters_with_a_token_is_on_the_tenants_record(world: World) -> None:
    operator = await world.token("operator", "root", "skerry.operator")
    own = await world.token("acme", "ada", "seca.admin")
    async with world.client(await world.route("web", {"login": True})) as client:
        for secret in (operator, own, operator):
            answer = await client.get("/", headers={"authorization": f"Bearer {secret}"})
            assert answer.status_code == 200
    told = "select actor, verb, tenant, workspace, subject from change where kind = 'look'"
    assert [tuple(row) for row in await world.cloud.db.fetch(told)] == [
        (
            "root@operator",
            "enter",
            "acme",
            "prod",
            "skerry.gateway/v1/tenants/acme/workspaces/prod/routes/web",
        )
    ]


async def test_without_login_authorization_and_cookies_are_the_backends(world: World) -> None:
    async with world.client(await world.route("web")) as client:
        sent = {"authorization": "Bearer of-its-own", "cookie": "a=1"}
        seen = dict((await client.get("/", headers=sent)).json()["headers"])
        assert (seen["authorization"], seen["cookie"]) == ("Bearer of-its-own", "a=1")


@pytest.mark.parametrize(
    ("method", "headers", "let_in"),
    [
        ("GET", {}, True),
        ("GET", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, True),
        (
            "GET",
            {
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "document",
            },
            True,
        ),
        (
            "GET",
            {
                "sec-fetch-site": "same-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "iframe",
            },
            False,
        ),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, False),
        ("GET", {"origin": "http://evil-prod-other.apps.localhost"}, False),
        ("POST", {}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, True),
        ("POST", {"sec-fetch-site": "same-site"}, False),
        ("POST", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, False),
        ("POST", {"origin": "{own}"}, True),
        ("POST", {"origin": "null"}, False),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "websocket"}, False),
    ],
)
async def test_no_other_origin_rides_on_a_session(
    world: World, method: str, headers: dict[str, str], let_in: bool
) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    async with world.client(await world.route("web", {"login": True})) as client:
        await entered(world, client, token)
        own = {k: v.format(own=str(client.base_url).rstrip("/")) for k, v in headers.items()}
        answer = await client.request(method, "/", headers=own)
        assert answer.status_code == (200 if let_in else 403)


async def test_a_session_is_of_one_route_and_worth_nothing_at_the_api(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    one = await world.route("web", {"login": True})
    two = await world.route("two", {"login": True})
    async with world.client(one) as client:
        came = await entered(world, client, token)
    secret = came.headers["set-cookie"].partition("=")[2].partition(";")[0]
    async with world.client(two) as client:
        refused = await client.get("/", headers={"cookie": f"skerry-route={secret}"})
        assert refused.status_code == 401
        refused = await client.get("/", headers={"authorization": f"Bearer {secret}"})
        assert refused.status_code == 401


async def test_a_session_ends_with_the_right_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "TRUST", 0.0)
    token = await world.token("acme", "ada", "seca.admin")
    async with world.client(await world.route("web", {"login": True})) as client:
        await entered(world, client, token)
        assert (await client.get("/")).status_code == 200
        async with world.cloud.db.transaction() as tx:
            ref = "seca.authorization/v1/tenants/acme/role-assignments/ada"
            found = await world.cloud.resources.get(tx, ref)
            await world.cloud.resources.delete(tx, found, SYSTEM)
        assert (await client.get("/", headers=PAGE)).status_code == 403


async def test_leaving_ends_the_session(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    async with world.client(await world.route("web", {"login": True})) as client:
        came = await entered(world, client, token)
        cookie = came.headers["set-cookie"].split(";")[0]
        own = {"sec-fetch-site": "same-origin"}
        assert (await client.post(passes.LEAVE, headers=own)).status_code == 200
        assert (await client.get("/", headers={"cookie": cookie})).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example"])
async def test_a_link_leads_nowhere_else(world: World, path: str) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    await world.route("web", {"login": True})
    async with world.client("web-prod-acme.apps.localhost") as client:
        found = urlsplit(await link(world, token))
        code = parse_qs(found.query)["code"][0]
        came = await client.get(found.path, params={"code": code, "to": path})
        assert came.headers["location"] == "/"


async def test_open_gives_the_plain_url_where_nobody_asks(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    host = await world.route("web")
    assert await link(world, token, path="/x") == f"http://{host}:{world.port}/x"
    await world.cloud.db.execute("update resource set status = '{}' where name = 'web'")
    with pytest.raises(Conflict):
        await link(world, token)


async def test_the_database_away_lets_nobody_in(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    host = await world.route("web", {"login": True})
    open_host = await world.route("open")
    await world.cloud.db.execute("alter table token rename to token_away")
    async with world.client(host) as client:
        refused = await client.get("/", headers={"authorization": f"Bearer {token}"})
        assert refused.status_code == 503
    async with world.client(open_host) as client:
        assert (await client.get("/")).status_code == 200
    await until(lambda: world.gateway.listening.is_set())


async def test_a_backend_is_shown_the_routes_key_and_nobody_elses(world: World) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    host = await world.route("web", {"login": True, "key": "it-is-us"})
    headers = {"authorization": f"Bearer {token}", "x-skerry-key": "guessed"}
    async with world.client(host) as client:
        seen = (await client.get("/lab", headers=headers)).json()["headers"]
    assert [value for name, value in seen if name.lower() == "x-skerry-key"] == ["it-is-us"]
    # It stays through a put that leaves it out, and stands in no document.
    backend = {"at": "here", "workload": "w-web", "port": 8080}
    web = await world.cloud.put("web", {"login": True, "idle": 60, "backends": [backend]})
    await until(lambda: (r := world.gateway.table.get(web.uid)) and r.version == web.version)
    async with world.client(host) as client:
        seen = (await client.get("/lab", headers=headers)).json()["headers"]
    assert ["x-skerry-key", "it-is-us"] in seen
    for table in ("resource", "change"):
        said = f"select count(*) from {table} t where t::text like '%it-is-us%'"
        assert await world.cloud.db.fetchval(said) == 0

"""What a client meets: SECA's forms, and clear answers to bad requests."""

import asyncio

import httpx2
import msgspec
import pytest

from skerry.api.protocol import web_config
from tests.api.conftest import HOME, Site

BETA = HOME.replace("/v1/", "/v1beta1/")


async def test_the_document_is_secas(site: Site) -> None:
    sent = {"labels": {"env": "dev"}, "annotations": {"n": "x"}, "spec": {}}
    made = await site.call("PUT", f"{HOME}/shelves/s1", sent)
    assert made.status_code == 201
    body = made.json()
    metadata = body["metadata"]
    assert metadata.pop("createdAt") == metadata.pop("lastModifiedAt")
    assert metadata == {
        "name": "s1",
        "provider": "t.goods/v1",
        "resource": "shelves/s1",
        "verb": "PUT",
        "apiVersion": "v1",
        "kind": "shelf",
        "ref": "t.goods/v1/tenants/acme/workspaces/prod/shelves/s1",
        "tenant": "acme",
        "workspace": "prod",
        "region": "home",
        "resourceVersion": 1,
    }
    assert body["labels"] == {"env": "dev"}
    assert body["status"]["state"] == "active"
    again = await site.call("PUT", f"{HOME}/shelves/s1", sent)
    assert again.status_code == 200
    got = (await site.call("GET", f"{HOME}/shelves/s1")).json()
    assert got["metadata"]["verb"] == "GET"
    states = [c["state"] for c in got["status"]["conditions"]]
    assert states == ["active", "updating", "active", "creating", "pending"]


async def test_lists_have_secas_form_and_page(site: Site) -> None:
    for i in range(3):
        await site.call("PUT", f"{HOME}/shelves/s{i}", {"labels": {"n": str(i)}})
    first = (await site.call("GET", f"{HOME}/shelves?limit=2")).json()
    assert [i["metadata"]["name"] for i in first["items"]] == ["s0", "s1"]
    token = first["metadata"].pop("skipToken")
    assert first["metadata"] == {"provider": "t.goods/v1", "resource": "shelves", "verb": "GET"}
    rest = (await site.call("GET", f"{HOME}/shelves", params={"skipToken": token})).json()
    assert [i["metadata"]["name"] for i in rest["items"]] == ["s2"]
    assert "skipToken" not in rest["metadata"]
    chosen = (await site.call("GET", f"{HOME}/shelves", params={"labels": "n>=1"})).json()
    assert len(chosen["items"]) == 2


async def test_lists_are_searched_sorted_and_counted(site: Site) -> None:
    for i in range(3):
        await site.call("PUT", f"{HOME}/shelves/s{i}", {"labels": {"n": f"Of {i}"}})

    async def found(**asked: str) -> tuple[list[str], dict[str, object]]:
        answer = await site.call("GET", f"{HOME}/shelves", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        return [item["metadata"]["name"] for item in page["items"]], page["metadata"]

    names, metadata = await found(sort="-created", limit="2", count="true", state="active,error")
    assert (names, metadata["total"]) == (["s2", "s1"], 3)
    rest, _ = await found(sort="-created", skipToken=str(metadata["skipToken"]))
    assert rest == ["s0"]
    assert (await found(search="oF 1"))[0] == ["s1"]
    assert (await found(phase="running"))[0] == []
    assert "total" not in (await found())[1]
    for asked in ({"sort": "size"}, {"state": "x"}, {"search": "\0"}, {"count": "maybe"}):
        refused = await site.call("GET", f"{HOME}/shelves", params=asked)
        assert (refused.status_code, refused.json()["sources"]) == (
            400, [{"parameter": next(iter(asked))}],
        )  # fmt: skip


async def test_who_sees_a_part_is_told_of_no_total(site: Site) -> None:
    """Of tokens, everybody sees their own."""
    tenant = "/providers/skerry.identity/v1/tenants/acme"
    for user in ("ann", "bob"):
        await site.call("PUT", f"{tenant}/users/{user}", {"spec": {}})
        made = await site.call("PUT", f"{tenant}/tokens/{user}.x", {"spec": {"subject": user}})
        assert made.status_code == 201, made.text
    own = made.json()["status"]["secret"]
    page = (await site.call("GET", f"{tenant}/tokens?count=true", token=own)).json()
    assert [item["metadata"]["name"] for item in page["items"]] == ["bob.x"]
    assert "total" not in page["metadata"]


async def test_deletion_is_202_then_404(site: Site) -> None:
    await site.call("PUT", f"{HOME}/shelves/s1", {})
    gone = await site.call("DELETE", f"{HOME}/shelves/s1")
    assert (gone.status_code, gone.content) == (202, b"")
    assert (await site.call("GET", f"{HOME}/shelves/s1")).status_code == 404
    accept = {"accept": "application/json; deleted=only"}
    items = (await site.call("GET", f"{HOME}/shelves", headers=accept)).json()["items"]
    assert items[0]["metadata"]["deletedAt"]


async def test_an_action_is_202_and_done_by_the_flow(site: Site) -> None:
    await site.call("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1}})
    await site.worker.drain()
    acted = await site.call("POST", f"{HOME}/widgets/w/polish")
    assert (acted.status_code, acted.content) == (202, b"")
    await site.worker.drain()
    shown = (await site.call("GET", f"{HOME}/widgets/w")).json()
    assert shown["status"]["phase"] == "polished"


async def test_a_sealed_field_never_comes_back(site: Site) -> None:
    sent = {"spec": {"size": 1, "pin": "hunter2"}}
    for answer in (
        await site.call("PUT", f"{HOME}/widgets/w", sent),
        await site.call("GET", f"{HOME}/widgets/w"),
        await site.call("GET", f"{HOME}/widgets"),
    ):
        assert "hunter2" not in answer.text


async def test_a_dry_run_keeps_nothing(site: Site) -> None:
    tried = await site.call("PUT", f"{HOME}/shelves/s?dryRun=true", {"labels": {"a": "b"}})
    assert tried.status_code == 201
    assert tried.json()["labels"] == {"a": "b"}
    assert (await site.call("GET", f"{HOME}/shelves/s")).status_code == 404


async def test_what_is_so_already_can_be_left_at_its_version(site: Site) -> None:
    whole = {"spec": {"size": 1, "pin": "hunter2"}, "labels": {"a": "b"}}
    path = f"{HOME}/widgets/w?ifChanged=true"
    assert (await site.call("PUT", path, whole)).status_code == 201
    for same in (whole, {"spec": {"size": 1}, "labels": {"a": "b"}}):
        again = await site.call("PUT", path, same)
        assert (again.status_code, again.json()["metadata"]["resourceVersion"]) == (200, 1)
    others = (
        {**whole, "spec": {"size": 2, "pin": "hunter2"}},
        {**whole, "spec": {"size": 2, "pin": "hunter3"}},
        {**whole, "spec": {"size": 2, "pin": "hunter3"}, "labels": {}},
    )
    for number, other in enumerate(others, start=2):
        changed = await site.call("PUT", path, other)
        assert changed.json()["metadata"]["resourceVersion"] == number
    # Whether it is the secret is only told to who may set it.
    plain = await site.call("PUT", path.partition("?")[0], others[-1])
    assert plain.json()["metadata"]["resourceVersion"] == 5


async def test_the_version_guards_put_delete_and_actions(site: Site) -> None:
    await site.call("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1}})
    stale = {"if-unmodified-since": "99"}
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/polish")):
        body = {"spec": {"size": 1}} if method == "PUT" else None
        answer = await site.call(method, f"{HOME}/widgets/w{path}", body, headers=stale)
        assert answer.status_code == 412, method
        assert "Read it again" in answer.json()["hint"]
    date = {"if-unmodified-since": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert (await site.call("DELETE", f"{HOME}/widgets/w", headers=date)).status_code == 400


async def test_a_beta_lives_below_what_is_none(site: Site) -> None:
    await site.call("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1}})
    made = (await site.call("PUT", f"{BETA}/widgets/w/tags/t", {})).json()["metadata"]
    assert made["ref"] == f"{BETA}/widgets/w/tags/t".removeprefix("/providers/")
    assert (made["apiVersion"], made["widget"]) == ("v1beta1", "w")
    items = (await site.call("GET", f"{BETA}/widgets/w/tags")).json()["items"]
    assert [i["metadata"]["name"] for i in items] == ["t"]
    assert (await site.call("DELETE", f"{HOME}/widgets/w")).status_code == 409
    await site.call("DELETE", f"{BETA}/widgets/w/tags/t")
    assert (await site.call("DELETE", f"{HOME}/widgets/w")).status_code == 202


PROBLEMS = [
    ("GET", f"{HOME}/nothing", None, 404),
    ("GET", "/providers/no.such/v1/regions", None, 404),
    ("GET", f"{HOME}/shelves/none", None, 404),
    ("GET", f"{HOME}/shelves/none/view", None, 404),
    ("GET", "/providers/t.goods/v1/tenants/acme/workspaces/none/shelves", None, 404),
    ("GET", f"{BETA}/widgets/none/tags", None, 404),
    ("GET", f"{HOME}/shelves/a%00b", None, 404),
    ("GET", "/providers/t.goods/v1/tenants/a%00b/workspaces/prod/shelves", None, 404),
    ("GET", "/providers/t.goods/v1/tenants//workspaces//shelves", None, 404),
    ("PUT", f"{HOME}/shelves/a%00b", {}, 422),
    ("GET", f"{HOME}/shelves?dryRun=1&watch=maybe", None, 400),
    ("PUT", f"{HOME}/shelves/UPPER", {}, 422),
    ("PUT", f"{HOME}/shelves/" + "a" * 129, {}, 422),
    ("PUT", f"{HOME}/shelves/..%2F..%2Fetc", {}, 404),
    ("PUT", f"{HOME}/widgets/w", {"spec": {"size": "x"}}, 422),
    ("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1, "bogus": 1}}, 422),
    ("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1}, "extra": 1}, 422),
    ("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1, "shelfRef": "no"}}, 422),
    ("PUT", f"{HOME}/widgets/w", {"labels": {f"k{i}": "" for i in range(3000)}}, 422),
    ("PUT", f"{BETA}/widgets/none/tags/t", {}, 404),
    ("POST", f"{HOME}/shelves", {}, 405),
    ("PATCH", f"{HOME}/shelves/s", {}, 405),
    ("DELETE", f"{HOME}/shelves/none", None, 404),
    ("GET", f"{HOME}/shelves?limit=0", None, 400),
    ("GET", f"{HOME}/shelves?limit=1e3", None, 400),
    ("GET", f"{HOME}/shelves?labels=x", None, 400),
    ("GET", f"{HOME}/shelves?skipToken=zz", None, 400),
    ("GET", f"{HOME}/shelves?watch=true&from=x", None, 400),
    ("GET", f"{HOME}/shelves?from=-2", None, 400),
    ("GET", f"{HOME}/shelves?watch=true&from=999999", None, 410),
    ("GET", "/elsewhere", None, 404),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status"), PROBLEMS)
async def test_bad_requests_get_problem_documents(
    site: Site, method: str, path: str, body: object, status: int
) -> None:
    answer = await site.call(method, path, body)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"].startswith("http://secapi.cloud/errors/")
    assert problem["requestId"] == answer.headers["x-request-id"]
    assert problem["detail"]
    assert isinstance(problem["sources"], list)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff",
        b'"text"',
        b"null",
        b"{" + b'"a":{' * 70 + b"}" * 71,
        b'{"a":"\\u0000"}',
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(site: Site, content: bytes) -> None:
    headers = {"authorization": f"Bearer {site.token}"}
    answer = await site.http.put(f"{HOME}/shelves/s", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


async def test_a_large_body_is_refused_while_it_comes(site: Site) -> None:
    sent = 0

    async def flood():  # type: ignore[no-untyped-def]
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"x" * 65536

    headers = {"authorization": f"Bearer {site.token}"}
    answer = await site.http.put(f"{HOME}/shelves/s", content=flood(), headers=headers)
    assert answer.status_code == 413
    declared = await site.call(
        "PUT", f"{HOME}/shelves/s", headers={"content-length": "99999999"}, content=b"{}"
    )
    assert declared.status_code == 413


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer skerry_x_y"])
async def test_without_a_good_token_there_is_nothing(site: Site, header: str) -> None:
    answer = await site.http.get(f"{HOME}/shelves", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"].endswith("/unauthorized")


async def test_the_suites_profile_answers_412(suite_site: Site) -> None:
    workspaces = "/providers/seca.workspace/v1/tenants/operator/workspaces"
    for path, body in (
        (f"{workspaces}/UPPER", {}),
        (f"{workspaces}/w", {"labels": {"k": "v" * 64}}),
        (f"{workspaces}/w", {"metadata": {"region": "non-existent-region"}}),
        ("/providers/t.goods/v1/tenants/operator/workspaces/none/shelves/s", {}),
    ):
        answer = await suite_site.call("PUT", path, body)
        assert answer.status_code == 412, answer.text
        assert answer.json()["status"] == 412


async def _events(site: Site, path: str, count: int) -> list[dict[str, object]]:
    """The first events of a watch, read from the application itself: no transport buffers it."""
    got: list[dict[str, object]] = []
    enough = asyncio.Event()
    route, _, query = path.partition("?")
    scope = {
        "type": "http", "method": "GET", "path": route, "raw_path": route.encode(),
        "query_string": query.encode(), "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(b"authorization", f"Bearer {site.token}".encode())], "server": ("skerry", 80),
        "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        for block in bytes(message.get("body", b"")).split(b"\n\n"):  # type: ignore[call-overload]
            if block.startswith(b"id: "):
                got.append(msgspec.json.decode(block.split(b"data: ", 1)[1]))
        if len(got) >= count:
            enough.set()

    async with asyncio.timeout(20):
        await site.app(scope, receive, send)
    return got


async def test_a_watch_resumes_where_it_ended(site: Site) -> None:
    for name in ("a", "b"):
        await site.call("PUT", f"{HOME}/shelves/{name}", {})
    await site.call("PUT", f"{HOME}/widgets/w", {"spec": {"size": 1}})
    await site.call("DELETE", f"{HOME}/shelves/a")
    events = await _events(site, f"{HOME}/shelves?watch=true&from=-1", 3)
    assert [(e["verb"], e["ref"].rsplit("/", 1)[1]) for e in events] == [  # type: ignore[attr-defined]
        ("put", "a"), ("put", "b"), ("deleted", "a")
    ]  # fmt: skip
    assert events[0]["resource"]["metadata"]["name"] == "a"  # type: ignore[index]
    later = await _events(site, f"{HOME}/shelves?watch=true&from={events[0]['position']}", 2)
    assert later == events[1:]


async def test_a_watch_from_now_sees_what_comes(site: Site) -> None:
    watching = asyncio.create_task(_events(site, f"{HOME}/shelves?watch=true", 1))
    for i in range(50):
        await asyncio.sleep(0.05)
        await site.call("PUT", f"{HOME}/shelves/s{i}", {})
        if watching.done():
            break
    assert (await watching)[0]["kind"] == "shelf"


async def test_what_is_public(site: Site) -> None:
    assert (await site.http.get("/healthz")).text == "ok\n"
    assert (await site.http.get("/readyz")).text == "ready\n"
    known = (await site.http.get("/.wellknown/secapi")).json()
    assert known["version"] == "v1"
    assert {"seca.authorization/v1"} <= {e["provider"] for e in known["endpoints"]}
    described = (await site.http.get("/openapi.json")).json()
    assert described["openapi"] == "3.1.0"
    assert (
        "/providers/t.goods/v1/tenants/{tenant}/workspaces/{workspace}/widgets/{name}/polish"
        in (described["paths"])
    )


async def test_checkpoint_key_and_tiles_need_no_token(site: Site) -> None:
    async with asyncio.timeout(20):
        while await site.db.fetchval("select count(*) from feed") < 5:
            await asyncio.sleep(0.05)
    await site.log.publish()
    proof = "/providers/skerry.proof/v1"
    note = (await site.http.get(f"{proof}/checkpoint")).text
    assert note.startswith("skerry/test\n")
    size = int(note.split("\n")[1])
    assert (await site.http.get(f"{proof}/key")).text.startswith("skerry/test+")
    tile = await site.http.get(f"{proof}/tile/0/000.p/{size}")
    assert len(tile.content) == 32 * size
    for path in ("0/999", "../../keys/log.key", "0/0000"):
        assert (await site.http.get(f"{proof}/tile/{path}")).status_code == 404


async def test_a_blob_is_seen_only_where_it_was_put(site: Site) -> None:
    import hashlib

    data = b"input" * 1000
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    base = "/providers/skerry.run/v1/tenants/acme/workspaces/{}/blobs/" + digest
    await site.call("PUT", "/providers/seca.workspace/v1/tenants/acme/workspaces/other", {})
    assert (await site.call("HEAD", base.format("prod"))).status_code == 404
    assert (await site.call("PUT", base.format("prod"), content=data)).status_code == 201
    assert (await site.call("GET", base.format("prod"))).content == data
    assert (await site.call("HEAD", base.format("prod"))).headers["content-length"] == "5000"
    assert (await site.call("GET", base.format("other"))).status_code == 404
    lie = await site.call("PUT", base.format("prod")[:-1] + "0", content=data)
    assert lie.status_code == 422
    assert (await site.call("PUT", base.format("prod")[:-5], content=data)).status_code == 422


async def test_a_stranger_says_not_where_from(site: Site) -> None:
    """Only a proxy on this machine is believed, whatever a request's head claims."""
    config = web_config(site.app, "127.0.0.1", 0)
    config.load()
    for client, known in (("198.51.100.9", "198.51.100.9"), ("127.0.0.1", "203.0.113.7")):
        transport = httpx2.ASGITransport(config.loaded_app, client=(client, 1))
        headers = {"authorization": f"Bearer {site.token}", "x-forwarded-for": "203.0.113.7"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://skerry") as http:
            answer = await http.put(f"{HOME}/shelves/s", json={"spec": {}}, headers=headers)
        assert answer.is_success
        found = "select address from change where kind = 'shelf' order by version desc limit 1"
        assert await site.db.fetchval(found) == known

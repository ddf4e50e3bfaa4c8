"""Lifecycles and queries of roles, role assignments and workspaces.

The suite's asserts: metadata, echoed content, and the exact history of states, newest first.
"""

from typing import Any

import pytest

from .conftest import ASSIGNMENTS, REGION, ROLES, TENANT, WORKSPACES, Seca, sent


def role(*verbs: str) -> dict[str, Any]:
    permission = {"provider": "seca.storage/v1", "resources": ["images/image-7"], "verb": verbs}
    return {"permissions": [permission]}


def assignment(*subs: str) -> dict[str, Any]:
    return {"roles": ["nobody-made-it"], "subs": subs, "scopes": [{"tenants": [TENANT]}]}


CASES = {
    "role": (ROLES, role("GET"), role("GET", "PUT")),
    "role-assignment": (
        ASSIGNMENTS,
        assignment("one@example.com"),
        assignment("one@example.com", "one@example.com"),
    ),
    "workspace": (WORKSPACES, {}, {}),
}
USER = {"labels": {"env": "development"}, "annotations": {"description": "For SECA, ünïcode"}}


def metadata(kind: str, name: str, verb: str) -> dict[str, Any]:
    collection = CASES[kind][0]
    provider = "/".join(collection.split("/")[:2])
    resource = f"{collection.rsplit('/', 1)[1]}/{name}"
    expected = {
        "name": name,
        "provider": provider,
        "resource": resource,
        "ref": f"{provider}/tenants/{TENANT}/{resource}",
        "apiVersion": "v1",
        "verb": verb,
        "kind": kind,
        "tenant": TENANT,
    }
    return expected | ({"region": REGION} if kind == "workspace" else {})


def history(resource: dict[str, Any]) -> list[str]:
    conditions = resource["status"]["conditions"]
    times = [condition["lastTransitionAt"] for condition in conditions]
    assert times == sorted(times, reverse=True)
    return [condition["state"] for condition in conditions]


@pytest.mark.parametrize("kind", CASES)
async def test_lifecycle(seca: Seca, kind: str):
    collection, first, second = CASES[kind]
    path = f"{collection}/{kind}-1"

    answer = await seca.put(path, sent(first, **USER))
    assert answer.status_code == 201
    assert "json" in answer.headers["content-type"]
    created = answer.json()
    assert created["metadata"].items() >= metadata(kind, f"{kind}-1", "PUT").items()
    assert created["metadata"]["resourceVersion"] == 1
    assert {key: created[key] for key in USER} == USER
    assert created["spec"] == _json(first)

    shown = await seca.get(path)
    assert shown["metadata"].items() >= metadata(kind, f"{kind}-1", "GET").items()
    assert shown["status"]["state"] == "active"
    assert history(shown) == ["active", "creating", "pending"]

    shown["labels"] = {"env": "conformance"}
    answer = await seca.put(path, shown | {"spec": second})
    assert answer.status_code == 200
    assert answer.json()["status"]["state"] == "active"
    assert answer.json()["labels"] == {"env": "conformance"}

    shown = await seca.get(path)
    assert shown["spec"] == _json(second)
    assert shown["metadata"]["resourceVersion"] == 2
    assert history(shown) == ["active", "updating", "active", "creating", "pending"]

    assert await seca.delete(path) == 202
    assert await seca.gone(path)
    assert await seca.delete(path) == 404


def _json(value: Any) -> Any:
    """Tuples as JSON gives them back."""
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    return [_json(inner) for inner in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("kind", CASES)
async def test_a_put_replaces_everything(seca: Seca, kind: str):
    """Labels left out are gone; an equal PUT counts as an update all the same."""
    collection, spec, _ = CASES[kind]
    path = f"{collection}/{kind}-1"
    await seca.put(path, sent(spec, **USER))
    await seca.put(path, sent(spec))
    shown = await seca.get(path)
    assert shown["labels"] == {}
    assert history(shown) == ["active", "updating", "active", "creating", "pending"]


@pytest.mark.parametrize("kind", CASES)
async def test_queries(seca: Seca, kind: str):
    """All, page by page, by label, and both at once."""
    collection, spec, _ = CASES[kind]
    names = [f"{kind}-{n}" for n in range(3)]
    for name in names:
        labels = {"labels": {"env": "conformance"}} if name != names[1] else {}
        assert (await seca.put(f"{collection}/{name}", sent(spec, **labels))).status_code == 201

    async def found(**query: Any) -> list[str]:
        pages = await seca.pages(collection, **query)
        assert pages[-1]["metadata"] == {
            "provider": "/".join(collection.split("/")[:2]),
            "resource": collection.rsplit("/", 1)[1],
            "verb": "GET",
        }
        items = [item for page in pages for item in page["items"]]
        if "limit" in query:
            assert all(len(page["items"]) <= query["limit"] for page in pages)
        for item in items:
            name = item["metadata"]["name"]
            assert item["metadata"].items() >= metadata(kind, name, "GET").items()
        return [item["metadata"]["name"] for item in items]

    assert set(names) <= set(await found())
    assert set(names) <= set(await found(limit=1))
    labelled = [names[0], names[2]]
    assert await found(labels="env=conformance", limit=1000) == labelled
    assert await found(labels="env=conformance", limit=1) == labelled


async def test_only_the_version_one_knows_is_replaced(seca: Seca):
    path = f"{WORKSPACES}/blue"
    await seca.put(path, sent({}))
    for version, status in (("7", 412), ("1", 200)):
        answer = await seca.http.put(
            f"/providers/{path}", json=sent({}), headers={"if-unmodified-since": version}
        )
        assert answer.status_code == status


async def test_a_workspaces_region(seca: Seca):
    """Terraform sends it empty, the SDK right; a wrong one is refused."""
    for name, region in (("empty", ""), ("right", REGION)):
        answer = await seca.put(
            f"{WORKSPACES}/{name}", {"spec": {}, "metadata": {"region": region}}
        )
        assert answer.json()["metadata"]["region"] == REGION
    wrong = {"spec": {}, "metadata": {"region": "non-existent-region"}}
    answer = await seca.put(f"{WORKSPACES}/wrong", wrong)
    assert answer.status_code == seca.violation
    assert await seca.gone(f"{WORKSPACES}/wrong")


async def test_a_workspaces_spec_is_free_and_counts_what_is_in_it(seca: Seca):
    spec = {"anything": {"goes": [1, None, "x"]}}
    await seca.put(f"{WORKSPACES}/blue", sent(spec))
    shown = await seca.get(f"{WORKSPACES}/blue")
    assert shown["spec"] == spec
    assert shown["status"]["resourceCount"] == 0

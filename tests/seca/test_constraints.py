"""Constraints: what must be refused, and leave nothing behind."""

from typing import Any

import pytest

from .conftest import ASSIGNMENTS, ROLES, TENANT, WORKSPACES, Seca, sent

PERMISSION = {"provider": "seca.storage/v1", "resources": ["images/*"], "verb": ["get"]}
ASSIGNMENT = {"roles": ["viewer"], "subs": ["u@example.com"], "scopes": [{"tenants": [TENANT]}]}
VALID: dict[str, dict[str, Any]] = {
    ROLES: {"permissions": [PERMISSION]},
    ASSIGNMENTS: ASSIGNMENT,
    WORKSPACES: {},
}


@pytest.mark.parametrize("collection", VALID)
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("a" * 129, {}),
        ("Invalid-Name-With-Uppercase", {}),
        ("fine", {"labels": {"env": "conformance", "constraint-test": "x" * 64}}),
        ("fine", {"annotations": {"long-annotation": "y" * 1025}}),
    ],
    ids=["long name", "upper case", "long label", "long annotation"],
)
async def test_every_kind(seca: Seca, collection: str, name: str, more: dict[str, Any]):
    await _refused(seca, f"{collection}/{name}", sent(VALID[collection], **more))


@pytest.mark.parametrize(
    "change",
    [
        {"provider": ""},
        {"provider": "a" * 65},
        {"provider": "non-existent-provider"},
        {"resources": []},
        {"resources": [""]},
        {"resources": ["a" * 257]},
        {"resources": ["images/*"] * 257},
        {"verb": []},
        {"verb": [""]},
        {"verb": ["a" * 8]},
        {"verb": ["get"] * 17},
        {"verb": ["CONNECT"]},
    ],
    ids=str,
)
async def test_roles(seca: Seca, change: dict[str, Any]):
    await _refused(seca, f"{ROLES}/r", sent({"permissions": [PERMISSION | change]}))


@pytest.mark.parametrize("count", [0, 257])
async def test_number_of_permissions(seca: Seca, count: int):
    await _refused(seca, f"{ROLES}/r", sent({"permissions": [PERMISSION] * count}))


@pytest.mark.parametrize(
    "change",
    [
        {"roles": []},
        {"roles": [""]},
        {"roles": ["a" * 65]},
        {"roles": ["viewer"] * 33},
        {"subs": []},
        {"subs": [""]},
        {"subs": ["a" * 129]},
        {"subs": ["u@example.com"] * 257},
        {"scopes": []},
        {"scopes": [{"tenants": [TENANT]}] * 257},
        {"scopes": [{"tenants": [""]}]},
        {"scopes": [{"tenants": ["a" * 65]}]},
        {"scopes": [{"tenants": ["tenant-a"] * 65}]},
        {"scopes": [{"regions": [""]}]},
        {"scopes": [{"regions": ["a" * 65]}]},
        {"scopes": [{"regions": ["eu-1"] * 65}]},
        {"scopes": [{"workspaces": [""]}]},
        {"scopes": [{"workspaces": ["a" * 65]}]},
        {"scopes": [{"workspaces": ["ws-a"] * 257}]},
    ],
    ids=lambda change: str(change)[:60],
)
async def test_role_assignments(seca: Seca, change: dict[str, Any]):
    await _refused(seca, f"{ASSIGNMENTS}/a", sent(ASSIGNMENT | change))


async def _refused(seca: Seca, path: str, body: dict[str, Any]) -> None:
    answer = await seca.put(path, body)
    assert answer.status_code == seca.violation, answer.text
    problem = answer.json()
    assert problem["status"] == seca.violation
    assert problem["type"].startswith("http://secapi.cloud/errors/")
    assert isinstance(problem["sources"], list)
    assert await seca.gone(path)

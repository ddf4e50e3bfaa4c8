"""Who may do what, asked of every endpoint by every built-in role.

``endpoints.txt`` is the whole as a table that a person can review. What it must say, whatever is
added, is tested beside: nobody without a token gets anywhere; to somebody of another tenant there
is nothing at all; who may only read changes nothing; what is the operator's alone is refused to a
tenant's administrator.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route, Router

from skerry.api import app
from skerry.identity.roles import SYSTEM_ROLES
from skerry.kernel.kinds import Kind
from skerry.kernel.paths import OPERATOR_TENANT
from tests.coverage.conftest import KINDS, REGISTRY, path
from tests.coverage.endpoints import (
    DOCUMENT,
    IN,
    NOTHING,
    REFUSED,
    UNDESCRIBED,
    WHO,
    callers,
    endpoints,
    mark,
    meant,
    render,
)
from tests.harness.samples import name_of, sample
from tests.harness.served import Served

TABLE = Path(__file__).with_name("endpoints.txt")
STRANGER = "another tenant's seca.admin"
OWN = ("tenant", "token")
"""Kinds of which everybody may read, and some write, their own."""

Marks = dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def marks(cloud: Served) -> Marks:
    """Of every endpoint, what came of each caller's asking."""
    who = callers(cloud)
    asked = sorted(endpoints(), key=lambda one: (one[1], one[0]))
    return {one: {name: mark(cloud, token, *one) for name, token in who.items()} for one in asked}


class Asked:
    """An endpoint of a kind."""

    def __init__(self, method: str, path: str, kind: Kind, found: dict[str, str]) -> None:
        self.method, self.path, self.kind, self.found = method, path, kind, found
        target = meant(path)
        channel = target is not None and target.channel is not None
        self.writes = channel or method not in ("GET", "WS")

    @property
    def public(self) -> bool:
        return self.kind.public and not self.writes

    @property
    def everywhere(self) -> bool:
        return self.kind.scope == "global"

    def __repr__(self) -> str:
        return f"{self.method} {self.path}: {self.found}"


@pytest.fixture(scope="module")
def asked(marks: Marks) -> list[Asked]:
    of_kinds = ((one, meant(one[1]), found) for one, found in marks.items())
    return [Asked(*one, target.kind, found) for one, target, found in of_kinds if target]


def test_each_role_is_let_in_where_the_table_says(marks: Marks) -> None:
    if os.environ.get("WRITE_ENDPOINTS"):
        TABLE.write_text(render(marks))
    assert render(marks).splitlines() == TABLE.read_text().splitlines()


def test_every_kind_and_every_built_in_role_is_asked(asked: list[Asked]) -> None:
    assert {one.kind.noun for one in asked} == {kind.noun for kind in KINDS}
    for one in asked:
        assert set(SYSTEM_ROLES) <= one.found.keys()
    for kind in KINDS:
        acts = {one.path.rpartition("/")[2] for one in asked if one.kind is kind and one.writes}
        assert {a.name for a in (*kind.actions, *kind.channels)} <= acts


def test_nobody_without_a_token_gets_anywhere(asked: list[Asked]) -> None:
    assert [one for one in asked if one.found["no token"] != WHO] == []


def test_to_another_tenant_there_is_nothing(asked: list[Asked]) -> None:
    for one in asked:
        expected = IN if one.public else REFUSED if one.everywhere else NOTHING
        assert one.found[STRANGER] == expected, one


def test_who_may_only_read_changes_nothing(asked: list[Asked]) -> None:
    for one in asked:
        if one.writes:
            assert one.found["skerry.auditor"] == REFUSED, one
            assert one.found["seca.workspace-viewer"] in (REFUSED, NOTHING), one
        elif not one.everywhere or one.kind.public:
            assert one.found["skerry.auditor"] == IN, one


def test_who_has_no_role_may_nothing(asked: list[Asked]) -> None:
    for one in asked:
        if not one.public and not (one.kind.noun in OWN and not one.writes):
            assert one.found["no role"] in (REFUSED, NOTHING), one
            assert one.found["skerry.operator"] in (REFUSED, NOTHING), one  # outside its tenant


def test_a_role_ends_where_its_workspace_does(asked: list[Asked]) -> None:
    for one in asked:
        if one.kind.scope == "workspace":
            assert one.found["seca.workspace-editor of another workspace"] == NOTHING, one


def test_an_administrator_may_all_but_what_is_the_operators(asked: list[Asked]) -> None:
    for one in asked:
        if one.everywhere:
            assert (one.found["seca.admin"] == IN) is one.public, one
        else:
            guarded = one.kind.operator_only and one.writes
            assert one.found["seca.admin"] == (REFUSED if guarded else IN), one


def test_the_operator_may_everything(marks: Marks) -> None:
    form = ("POST", "/enter")  # which takes no token of the request's
    assert {o: m["operator"] for o, m in marks.items() if m["operator"] != IN} == {form: WHO}


def test_what_is_there_is_no_more_to_strangers_than_what_is_not(cloud: Served) -> None:
    """Of each kind one that exists, and one that does not: the same words for both."""
    stranger = cloud.user("other", "curious", "seca.admin")
    for kind in KINDS:
        if kind.scope == "global" or kind.parents or "put" not in kind.ops:
            continue
        name = name_of(kind, f"hidden-{kind.noun}")
        cloud.put(path(kind, name), sample(kind))
        for method in {"get", "put", "delete"} & kind.ops:
            body = {"spec": sample(kind)} if method == "put" else None
            told = []
            for one in (name, "no-such"):
                answer = cloud.call(method.upper(), path(kind, one), body, token=stranger)
                assert answer.status_code == 404, answer.text
                same = {**answer.json(), "requestId": "", "instance": ""}
                told.append(str(same).replace(one, "NAME"))
            assert told[0] == told[1]
        if "delete" in kind.ops:
            cloud.call("DELETE", path(kind, name))


def test_a_refusal_says_what_is_missing(cloud: Served) -> None:
    reader = cloud.user("acme", "refused", "skerry.auditor")
    answer = cloud.call("DELETE", path(REGISTRY["job"], "one"), token=reader)
    assert answer.status_code == 403
    assert "delete" in answer.json()["hint"]
    for token in ("", "skerry_user_made0up"):
        answer = cloud.call("GET", path(REGISTRY["job"]), token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_operator_reaches_every_tenant(cloud: Served) -> None:
    for kind in KINDS:
        if "list" in kind.ops:
            for tenant in ("acme", "other", OPERATOR_TENANT):
                answer = cloud.call("GET", path(kind, tenant=tenant))
                assert answer.status_code in (200, 404), answer.text
                assert "may not know" not in answer.text


def test_no_route_of_the_server_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Router] = []

    class Kept(Router):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            made.append(self)

    monkeypatch.setattr(app, "Router", Kept)

    class Edge:
        class resources:
            registry = REGISTRY

        provider: Any = None

    app.build(Edge(), ready=None)  # type: ignore[arg-type]
    described = {*DOCUMENT["paths"], *UNDESCRIBED}
    for route in made[0].routes:
        if isinstance(route, Route) and not route.path.startswith("/providers/{path"):
            assert route.path.replace(":path", "") in described, route.path

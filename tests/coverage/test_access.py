"""Who may do what, asked of every operation, action and view of every kind.

Nobody without a token gets anywhere; to somebody of another tenant there is nothing at all; who may
only read changes nothing; what is the operator's alone is refused to a tenant's administrator. The
cases are made from the registry: there is no way to add a kind without them.
"""

from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec
import pytest

from skerry.api import openapi
from skerry.api.metered import all_views
from skerry.identity.roles import OPERATOR_TENANT
from skerry.kernel.kinds import Kind
from tests.coverage.conftest import KINDS, REGISTRY, path
from tests.harness.samples import example, sample
from tests.harness.served import Served

DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.render(REGISTRY))
HIDDEN = "or you may not know of it"


@dataclass(frozen=True)
class Case:
    """One thing that can be asked of a kind."""

    kind: Kind
    what: str
    method: str
    tail: str = ""
    body: Any = None
    acts: bool = False
    """Whether it is no reading, though its method is GET."""

    def __str__(self) -> str:
        return f"{self.kind.noun}-{self.what}"

    @property
    def writes(self) -> bool:
        return self.acts or self.method != "GET"

    def ask(self, cloud: Served, token: str, tenant: str = "acme") -> httpx2.Response:
        where = path(self.kind, tenant=tenant) + self.tail
        return cloud.call(self.method, where, self.body, token=token)


def cases(kind: Kind) -> list[Case]:
    found = []
    if "list" in kind.ops:
        found.append(Case(kind, "list", "GET"))
    if "get" in kind.ops:
        found.append(Case(kind, "get", "GET", "/one"))
    if "put" in kind.ops:
        found.append(Case(kind, "put", "PUT", "/one", {"spec": sample(kind)}))
    found += [Case(kind, v.name, "GET", f"/one/{v.name}") for v in all_views(kind)]
    found += [Case(kind, c.name, "GET", f"/one/{c.name}", acts=True) for c in kind.channels]
    for action in kind.actions:
        body = None if action.spec is None else example(action.spec)
        found.append(Case(kind, action.name, "POST", f"/one/{action.name}", body))
    if "delete" in kind.ops:
        found.append(Case(kind, "delete", "DELETE", "/one"))
    return found


CASES = [case for kind in KINDS for case in cases(kind)]
each_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(scope="module")
def people(cloud: Served) -> dict[str, str]:
    """Tokens: who reads everything in acme, its administrator, that of another tenant."""
    return {
        "reader": cloud.user("acme", "reader", "skerry.auditor"),
        "admin": cloud.user("acme", "admin", "seca.admin"),
        "nobody": cloud.user("acme", "nobody"),
        "stranger": cloud.user("other", "stranger", "seca.admin"),
    }


def allowed(answer: httpx2.Response) -> bool:
    """Whether it was let through, whatever came of it."""
    return answer.status_code not in (401, 403) and HIDDEN not in answer.text


@each_case
def test_nobody_without_a_token_gets_anywhere(cloud: Served, case: Case) -> None:
    for token in ("", "skerry_user_made0up"):
        answer = case.ask(cloud, token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


@each_case
def test_to_another_tenant_there_is_nothing(
    cloud: Served, people: dict[str, str], case: Case
) -> None:
    answer = case.ask(cloud, people["stranger"])
    if case.kind.scope != "global":
        assert answer.status_code == 404, answer.text
        assert HIDDEN in answer.text
    elif case.writes or not case.kind.public:
        assert answer.status_code == 403, answer.text
    else:
        assert allowed(answer)


@each_case
def test_who_may_only_read_changes_nothing(
    cloud: Served, people: dict[str, str], case: Case
) -> None:
    answer = case.ask(cloud, people["reader"])
    if case.writes:
        assert answer.status_code == 403, answer.text
        assert answer.json()["hint"]
    elif case.kind.scope != "global" or case.kind.public:
        assert allowed(answer), answer.text
    else:
        assert answer.status_code == 403, answer.text


@each_case
def test_who_has_no_role_may_nothing(cloud: Served, people: dict[str, str], case: Case) -> None:
    answer = case.ask(cloud, people["nobody"])
    if case.kind.scope == "global" and case.kind.public and not case.writes:
        assert allowed(answer)
    elif case.kind.noun in ("tenant", "token") and not case.writes:
        assert answer.status_code in (200, 403, 404)  # one's own
    else:
        assert answer.status_code in (403, 404), answer.text


@each_case
def test_an_administrator_may_all_but_what_is_the_operators(
    cloud: Served, people: dict[str, str], case: Case
) -> None:
    answer = case.ask(cloud, people["admin"])
    if case.kind.scope == "global":
        assert allowed(answer) is (case.kind.public and not case.writes), answer.text
    elif case.kind.operator_only and case.writes:
        assert answer.status_code == 403, answer.text
    else:
        assert allowed(answer), answer.text


@each_case
def test_the_operator_may_everything_everywhere(cloud: Served, case: Case) -> None:
    for tenant in ("acme", OPERATOR_TENANT):
        if not (case.what == "delete" and tenant == OPERATOR_TENANT):
            assert allowed(case.ask(cloud, cloud.token, tenant))


def test_every_path_that_no_kind_declares_asks_for_a_token_or_says_it_does_not(
    cloud: Served,
) -> None:
    for route, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            names = {p["name"]: "one" for p in item.get("parameters", ())}
            answer = cloud.call(method.upper(), route.format(**names), token="")
            public = operation.get("security") == []
            assert public or answer.status_code == 401, (method, route)
            # Signing in is public, and 401 is its word for a wrong password.
            if public and operation["operationId"] != "open_session":
                assert answer.status_code != 401, (method, route)

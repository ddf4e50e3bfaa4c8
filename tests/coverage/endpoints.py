"""Every endpoint asked by everybody who can be: the marks that ``test_access`` judges.

The endpoints are those of the server's own OpenAPI document, so a kind that is added is asked; what
the document leaves out is listed here, and a test compares it with the server's routes. Requests
change nothing if they are let in: what they name is not there, and what they send is no JSON.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from skerry.api import openapi
from skerry.api.routes import Routes, Target
from skerry.identity.roles import SYSTEM_ROLES
from skerry.kernel.errors import NotFound
from tests.coverage.conftest import REGISTRY
from tests.harness.served import Served

IN, REFUSED, NOTHING, WHO = "+-.?"
HEAD = f"""\
Every endpoint, and who is let in. Written by
`WRITE_ENDPOINTS=1 pytest tests/coverage/test_access.py`; a test compares.

{IN} let in   {REFUSED} refused   {NOTHING} nothing there, as far as they may know   {WHO} no token

All but the stranger and the operator are users of the tenant that is asked about. WS is GET with
an upgrade to a websocket. What takes a token of its own in a form or a body tells everybody so.
"""
DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.render(REGISTRY))
UNDESCRIBED = (
    "/",
    "/console",
    "/console/{path}",
    "/enter",
    "/join",
    "/sign-in/begin",
    "/sign-in/done",
    "/gateway/ca.pem",
)
"""Pages for people and their browsers, which are no part of the API."""
_HIDDEN = "or you may not know of it"
_METHODS = ("get", "put", "post", "delete")
_NAMES = {"tenant": "acme", "workspace": "prod", "digest": "sha256:" + "0" * 64}
_UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
_ROUTES = Routes(REGISTRY)


def endpoints() -> Iterator[tuple[str, str]]:
    """Method and path with its parameters; watching counts as an endpoint, and so does a
    websocket."""
    for route, item in DOCUMENT["paths"].items():
        for method in (m for m in _METHODS if m in item):
            yield method.upper(), route
            asked = item[method].get("parameters", ())
            if any("watch" in (p.get("name"), p.get("$ref", "").rpartition("/")[2]) for p in asked):
                yield "GET", f"{route}?watch=true"
        if (target := meant(route)) is not None and target.channel is not None:
            yield "WS", route
    yield from (("GET", route) for route in UNDESCRIBED)
    yield "POST", "/enter"
    yield "POST", "/join"


def meant(path: str) -> Target | None:
    """What a path is about, if a kind declares it."""
    plain = path.partition("?")[0]
    if not plain.startswith("/providers/"):
        return None
    try:
        return _ROUTES.find(plain.removeprefix("/providers/"))
    except NotFound:
        return None


def callers(cloud: Served) -> dict[str, str]:
    """Who asks, with what token."""
    cloud.put("/providers/seca.workspace/v1/tenants/acme/workspaces/beside")
    beside = cloud.user("acme", "beside", "seca.workspace-editor", workspaces=("beside",))
    roles = {role: cloud.user("acme", role.replace(".", "-"), role) for role in SYSTEM_ROLES}
    return {
        "no token": "",
        "another tenant's seca.admin": cloud.user("other", "stranger", "seca.admin"),
        "no role": cloud.user("acme", "nobody"),
        "seca.workspace-editor of another workspace": beside,
        **roles,
        "operator": cloud.token,
    }


def mark(cloud: Served, token: str, method: str, path: str) -> str:
    """What came of asking."""
    names = {p: _NAMES.get(p, "one") for p in parameters(path)}
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if method == "WS":
        headers |= _UPGRADE
    verb = "GET" if method == "WS" else method
    sent: dict[str, Any] = {"content": b"token=none"} if method in ("PUT", "POST") else {}
    with cloud.http.stream(verb, path.format(**names), headers=headers, **sent) as answer:
        status = answer.status_code
        hidden = status == 404 and _HIDDEN in answer.read().decode()
    assert status < 500, (method, path, status)
    return {401: WHO, 403: REFUSED}.get(status, NOTHING if hidden else IN)


def parameters(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def render(marks: dict[tuple[str, str], dict[str, str]]) -> str:
    """The table, for people: a column for each caller, named by a ladder above."""
    names = list(next(iter(marks.values())))
    lines = [HEAD, *("| " * number + name for number, name in enumerate(names))]
    for (method, path), found in marks.items():
        lines.append(f"{' '.join(found.values())}  {method:<6} {path}")
    return "\n".join(lines) + "\n"

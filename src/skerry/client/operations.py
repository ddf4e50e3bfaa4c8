"""What can be asked of any kind, as operations (see ``steps``)."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from skerry.client.catalogue import Kind, Scope
from skerry.client.errors import NotFound, WaitTimeout
from skerry.client.resource import Resource
from skerry.client.steps import Clock, Emit, Op, Policy, Request, Response, Sleep, send

PAGE = 1000
ENDED = frozenset(("succeeded", "failed", "cancelled"))
Until = str | Callable[[Resource], bool]


class Target(NamedTuple):
    """Where an operation acts: a kind, in a scope, below named parents."""

    kind: Kind
    scope: Scope
    parents: Mapping[str, str]
    policy: Policy

    @property
    def collection(self) -> str:
        return self.kind.collection_path(self.scope, self.parents)

    def item(self, name: str) -> str:
        return self.kind.path(self.scope, self.parents, name)


def decoded(response: Response) -> Any:
    """The JSON of a response; None where it has no body."""
    return json.loads(response.body) if response.body else None


def _version(if_version: int | None) -> dict[str, str]:
    return {} if if_version is None else {"if-unmodified-since": str(if_version)}


def put(
    target: Target,
    name: str,
    body: Mapping[str, Any],
    *,
    if_version: int | None = None,
    dry_run: bool = False,
    if_changed: bool = False,
) -> Op[Resource]:
    """Create or replace. ``body`` is the envelope: spec, labels, annotations, extensions.

    A PUT with ``if_version`` is not repeated after a lost connection: had the first one taken
    effect, the second would report a conflict with itself.
    """
    response = yield from send(
        Request(
            "PUT",
            target.item(name),
            params={
                **({"dryRun": "true"} if dry_run else {}),
                **({"ifChanged": "true"} if if_changed else {}),
            },
            headers={"content-type": "application/json", **_version(if_version)},
            body=json.dumps(body).encode(),
            repeatable=if_version is None,
        ),
        target.policy,
    )
    made = Resource(decoded(response) or {})
    made.created = response.status == 201
    return made


def get(target: Target, name: str) -> Op[Resource]:
    response = yield from send(Request("GET", target.item(name)), target.policy)
    return Resource(decoded(response))


def list_(target: Target, chosen: Mapping[str, str], limit: int | None, deleted: bool) -> Op[None]:
    """Emit each resource, page by page, at most ``limit`` of them. ``chosen`` are parameters."""
    token, left = "", limit
    while left is None or left > 0:
        size = PAGE if left is None else min(left, PAGE)
        params = {"limit": str(size), **chosen, "skipToken": token}
        accept = "application/json; deleted=only" if deleted else "application/json"
        response = yield from send(
            Request(
                "GET",
                target.collection,
                params={k: v for k, v in params.items() if v},
                headers={"accept": accept},
            ),
            target.policy,
        )
        page = decoded(response)
        for item in page["items"]:
            yield Emit(Resource(item))
        if left is not None:
            left -= len(page["items"])
        token = page["metadata"].get("skipToken", "")
        if not token:
            return


def delete(target: Target, name: str, if_version: int | None) -> Op[None]:
    """Ask for removal. It is gone when a GET says 404."""
    request = Request(
        "DELETE",
        target.item(name),
        headers=_version(if_version),
        repeatable=if_version is None,
    )
    yield from send(request, target.policy)


def act(
    target: Target, name: str, action: str, body: Mapping[str, Any] | None, if_version: int | None
) -> Op[dict[str, Any]]:
    """``POST …/{name}/{action}``; the answer's body, empty for most actions."""
    headers = _version(if_version)
    if body is not None:
        headers["content-type"] = "application/json"
    request = Request(
        "POST",
        f"{target.item(name)}/{action}",
        headers=headers,
        body=None if body is None else json.dumps(body).encode(),
        repeatable=False,
    )
    return dict(decoded((yield from send(request, target.policy))) or {})


def view(
    target: Target,
    name: str,
    view: str,
    query: Mapping[str, str],
    sink: Callable[[bytes], object] | None = None,
) -> Op[Response]:
    """``GET …/{name}/{view}``: a sub-resource such as ``cost`` or ``receipt``.

    With a ``sink``, a connection lost half-way is an error: what it took can't be taken back.
    """
    path = f"{target.item(name)}/{view}"
    request = Request("GET", path, params=query, sink=sink, repeatable=sink is None)
    response: Response = yield from send(request, target.policy)
    return response


def login(tenant: str, user: str, password: str, policy: Policy) -> Op[dict[str, Any]]:
    """A session's token for a password: ``{token, expiresAt}``."""
    return (
        yield from told("sessions", {"tenant": tenant, "user": user, "password": password}, policy)
    )


def told(
    where: str, asked: Mapping[str, Any], policy: Policy, method: str = "POST"
) -> Op[dict[str, Any]]:
    """The answer to what is asked of identity before one is anybody: ``sessions``, ``joins``."""
    request = Request(
        method,
        f"/providers/skerry.identity/v1/{where}",
        headers={"content-type": "application/json"},
        body=json.dumps(asked).encode(),
        repeatable=False,
    )
    answer = yield from send(request, policy)
    return dict(decoded(answer)) if answer.body else {}


def exchange(tenant: str, account: str, token: str, policy: Policy) -> Op[dict[str, Any]]:
    """A service account's token for another issuer's (RFC 8693): ``{access_token, expires_in}``."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "audience": f"tenants/{tenant}/service-accounts/{account}",
    }
    request = Request(
        "POST",
        "/providers/skerry.identity/v1/token",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
        repeatable=False,
    )
    return dict(decoded((yield from send(request, policy))))


def settled(resource: Resource) -> bool:
    """Whether nothing more happens by itself: active or error, or its own life is over."""
    if resource.phase:
        return resource.phase in ENDED or (
            resource.state in ("active", "error") and resource.phase not in ("queued", "starting")
        )
    return resource.state in ("active", "error", "")


def ended(resource: Resource) -> bool:
    """Whether a job or the like is over."""
    return resource.phase in ENDED


def condition(until: Until) -> Callable[[Resource], bool]:
    """What ``until`` means: ``settled``, ``ended``, ``active`` (a state), ``phase=x``,
    ``state=x``, or a function of the resource."""
    if callable(until):
        return until
    named = {"settled": settled, "ended": ended}
    if until in named:
        return named[until]
    field, _, value = until.rpartition("=")
    if field in ("", "state"):
        return lambda resource: resource.state == value
    return lambda resource: str(resource.status.get(field, "")) == value


def wait(
    target: Target,
    name: str,
    until: Until,
    timeout: float | None,
    seen: Callable[[Resource], object] | None = None,
) -> Op[Resource | None]:
    """Look until it is so; ``deleted`` waits until it is gone and returns None.

    Looking needs only the right to read this one resource, survives restarts of the cloud and
    can't miss the moment; the pauses grow from 0.1 to 2 seconds. Raises ``WaitTimeout`` after
    ``timeout`` seconds and ``NotFound`` where it vanishes while something else is waited for.
    """
    started: float = yield Clock()
    met = (lambda _: False) if until == "deleted" else condition(until)
    pause = 0.1
    while True:
        try:
            resource = yield from get(target, name)
        except NotFound:
            if until == "deleted":
                return None
            raise
        if seen is not None:
            seen(resource)
        if met(resource):
            return resource
        now: float = yield Clock()
        if timeout is not None and now - started + pause > timeout:
            left = timeout - (now - started)
            if left <= 0:
                raise WaitTimeout(
                    f"{target.kind.noun} {name} is {resource.phase or resource.state} "
                    f"after {timeout:g} s",
                    last=resource,
                )
            pause = left
        yield Sleep(pause)
        pause = min(pause * 1.5, 2.0)

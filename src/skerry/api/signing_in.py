"""The browser's way through an issuer, and what may be asked without being anybody yet."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from skerry.api import entering, requests
from skerry.api.console import HOME
from skerry.api.edge import JSON, Edge
from skerry.api.offering import issuer_buttons, offered
from skerry.api.pages import HEADERS, escaped, hidden, page, sent
from skerry.identity import attempts, exchanging, joining, links, sessions, signing_in
from skerry.identity.signing_in import Asked, Found
from skerry.kernel.errors import Forbidden, InvalidRequest, Problem, Unauthenticated

DONE, JOIN = "/sign-in/done", links.PAGE
_MOST_BEGUN = 300
_SECURE, _PLAIN = "__Host-skerry-sign-in", "skerry-sign-in"


def _origin(edge: Edge, request: Request) -> str:
    return edge.public_url.rstrip("/") or str(request.base_url).rstrip("/")


async def ways(edge: Edge, request: Request) -> Response:
    """GET: how people may sign in. The same for everybody: it tells of no tenant."""
    issuers = [{"name": name, "displayName": shown} for name, shown in await offered(edge)]
    return Response(msgspec.json.encode({"issuers": issuers, "password": True}), media_type=JSON)


async def begin(edge: Edge, request: Request) -> Response:
    """GET: send the browser to an issuer."""
    given = request.query_params
    await attempts.count(edge.db, attempts.place(requests.address(request), "entry"), _MOST_BEGUN)
    tenant, invitation, back = given.get("tenant", ""), None, given.get("back", "")
    state, challenge = given.get("state", ""), given.get("challenge", "")
    if code := given.get("join"):
        invitation, back = links.digest_of(code), JOIN
        async with edge.db.transaction() as tx:
            tenant = (await links.held(tx, invitation))["tenant"]
    elif given.get("route"):
        back = f"/enter?{urlencode({name: given.get(name, '') for name in ('route', 'to')})}"
    elif not Asked("", "", back).collected:
        raise InvalidRequest("back leads to a program's own port, or into the console")
    asked = Asked(given.get("issuer", ""), tenant, back, state, challenge, invitation)
    if not asked.collected:
        asked = replace(asked, state="", challenge="")
    for text in (asked.issuer, asked.tenant, asked.back):
        if "\0" in text or len(text) > 2048:
            raise InvalidRequest("that is no name")
    origin = _origin(edge, request)
    begun = await signing_in.begin(edge.db, edge.resources, edge.issuers, asked, origin + DONE)
    answer = RedirectResponse(begun.url, 303, headers=HEADERS)
    _cookie(answer, origin, begun.secret, int(signing_in.SECONDS))
    return answer


def _cookie(answer: Response, origin: str, secret: str, age: int) -> None:
    secure = origin.startswith("https:")
    answer.set_cookie(
        _SECURE if secure else _PLAIN, secret, max_age=age, path="/", secure=secure,
        httponly=True, samesite="lax",
    )  # fmt: skip


async def done(edge: Edge, request: Request) -> Response:
    """GET: the browser comes back from the issuer."""
    origin, given = _origin(edge, request), request.query_params
    secret = request.cookies.get(_SECURE if origin.startswith("https:") else _PLAIN, "")
    try:
        asked = await signing_in.asked_for(edge.db, given.get("state", ""), secret)
        answer = await _done(edge, request, asked, secret, origin)
    except Problem as problem:
        answer = page("Sign in", "", f"{problem.detail} {problem.hint}", problem.status)
    _cookie(answer, origin, "", 0)
    return answer


async def _done(edge: Edge, request: Request, asked: Asked, secret: str, origin: str) -> Response:
    given = request.query_params
    try:
        if "code" not in given:
            said = given.get("error", "nothing")[:60]
            raise Forbidden(f"{asked.issuer} did not let you in: it says {said}.")
        found = await signing_in.finish(
            edge.db, edge.resources, edge.issuers, asked, code=given["code"], secret=secret,
            callback=origin + DONE, iss=given.get("iss", ""),
        )  # fmt: skip
        return await _onward(edge, request, found)
    except Problem as problem:
        if not asked.collected:
            raise
        told = {"error": "access_denied", "error_description": problem.detail}
        return _to(asked, told)


def _to(asked: Asked, told: Mapping[str, str]) -> Response:
    mark = "&" if "?" in asked.back else "?"
    query = urlencode({**told, "state": asked.state})
    return RedirectResponse(f"{asked.back}{mark}{query}", 303, headers=HEADERS)


async def _onward(edge: Edge, request: Request, found: Found) -> Response:
    """To where the sign-in was for."""
    asked = found.asked
    if asked.collected:
        return _to(asked, {"code": await signing_in.hand_over(edge.db, found)})
    if asked.back == JOIN:
        return _joined({"tenant": asked.tenant, "user": found.name}, asked.issuer)
    async with edge.db.transaction() as tx:
        session = await signing_in.session_of(tx, asked, found.user, requests.address(request))
    if session is None:
        raise Forbidden("This account is shut out.")
    to = requests.fields(urlsplit(asked.back).query)
    try:
        link = await entering.link_for(edge, session.secret, to)
    finally:
        await sessions.logout(edge.db, session.secret)
    return RedirectResponse(link, 303, headers=HEADERS)


async def join_form(edge: Edge, request: Request) -> Response:
    """GET of a link that works once: looking at it does not use it."""
    code = request.query_params.get("code", "")
    try:
        async with edge.db.transaction() as tx:
            row = await links.held(tx, links.digest_of(code))
    except Problem as problem:
        return page("This link", "", f"{problem.detail} {problem.hint}", problem.status)
    return await _form(edge, code, row["tenant"], row["invitation_uid"] is not None)


async def _form(
    edge: Edge, code: str, tenant: str, invited: bool, problem: str = "", status: int = 200
) -> Response:
    fields = f"""<form method="post">{hidden(code=code)}
<label for="password">A password of 12 characters or more</label>
<input id="password" name="password" type="password" minlength="12" autocomplete="new-password">
<button>{"Accept" if invited else "Set it"}</button></form>"""
    if not invited:
        return page("A new password", f"<p>in {escaped(tenant)}</p>{fields}", problem, status)
    buttons = issuer_buttons(await offered(edge), hidden(join=code))
    return page("You are invited", f"<p>to {escaped(tenant)}</p>{fields}{buttons}", problem, status)


async def join(edge: Edge, request: Request) -> Response:
    """POST of that page's form."""
    given = await sent(request)
    code = given.get("code", "")
    try:
        made = await joining.follow(
            edge.db, edge.resources, code=code, password=given.get("password", ""),
            address=requests.address(request),
        )  # fmt: skip
    except Problem as problem:
        said = f"{problem.detail} {problem.hint}"
        if problem.status != 422:
            return page("This link", "", said, problem.status)
        async with edge.db.transaction() as tx:
            row = await links.held(tx, links.digest_of(code))
        invited = row["invitation_uid"] is not None
        return await _form(edge, code, row["tenant"], invited, said, problem.status)
    return _joined(made)


def _joined(who: Mapping[str, str], issuer: str = "") -> Response:
    how = f"--issuer {issuer}" if issuer else f"--user {who['user']}"
    command = f"skerry login --tenant {who['tenant']} {how}"
    text = f"<p>You are {escaped(who['user'])} in {escaped(who['tenant'])}.</p>"
    there = escaped(f"{HOME}sign-in?{urlencode({'tenant': who['tenant'], 'user': who['user']})}")
    ways = f"""<p><a href="{there}">Sign in to the console</a></p>
<p>In a terminal: <code>{escaped(command)}</code></p>"""
    return page("Welcome", text + ways)


class Follow(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    password: str


async def follow(edge: Edge, request: Request) -> Response:
    """POST: follow a link that works once, without a browser."""
    given: Follow = requests.convert(await requests.json_object(request), Follow)
    made = await joining.follow(
        edge.db, edge.resources, code=given.code, password=given.password,
        address=requests.address(request),
    )  # fmt: skip
    return Response(msgspec.json.encode(made), 201, media_type=JSON)


class Forgot(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    user: str


async def forgot(edge: Edge, request: Request) -> Response:
    """POST: have a link sent for a new password. The answer is the same whoever is meant."""
    given: Forgot = requests.convert(await requests.json_object(request), Forgot)
    who = {"tenant": given.tenant, "name": given.user}
    await joining.count_reset(edge.db, address=requests.address(request), **who)
    after = BackgroundTask(joining.send_reset, edge.db, edge.resources, **who)
    return Response(status_code=202, background=after)


_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token")
_ACCOUNT = re.compile(r"tenants/([^/\0]{1,64})/service-accounts/([^/\0]{1,64})")


async def exchange(edge: Edge, request: Request) -> Response:
    """POST, RFC 8693: another issuer's token for one of a service account."""
    text = (await requests.body(request, 32 << 10)).decode("utf-8", "replace")
    given = requests.fields(text)
    wanted = _ACCOUNT.fullmatch(given.get("audience", ""))
    if given.get("grant_type") != _GRANT:
        return _refusal("unsupported_grant_type", f"grant_type must be {_GRANT}")
    if given.get("subject_token_type") not in _JWT:
        return _refusal("invalid_request", f"subject_token_type must be {_JWT[0]}")
    if wanted is None:
        return _refusal("invalid_target", "audience must be tenants/T/service-accounts/NAME")
    try:
        session = await exchanging.exchange(
            edge.db, edge.issuers, token=given.get("subject_token", ""), tenant=wanted[1],
            account=wanted[2], address=requests.address(request),
        )  # fmt: skip
    except Unauthenticated as refused:
        return _refusal("invalid_grant", f"{refused.detail} {refused.hint}")
    left = session.expires_at - await edge.db.fetchval("select skerry_now()")
    told = {
        "access_token": session.secret,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": max(0, int(left.total_seconds())),
    }
    return Response(msgspec.json.encode(told), media_type=JSON)


def _refusal(error: str, why: str) -> Response:
    """RFC 6749, 5.2."""
    body = msgspec.json.encode({"error": error, "error_description": why})
    return Response(body, 400, media_type=JSON)

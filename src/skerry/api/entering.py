"""The page where people say who they are before they come into a route that asks.

It is on the API's own origin, so that a password is never typed where a tenant's program answers.
It keeps nothing: who is let in is sent back to the route with a link that works once.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from skerry.api import requests
from skerry.api.edge import Edge
from skerry.api.offering import issuer_buttons, offered
from skerry.api.pages import HEADERS, escaped, hidden, page, sent
from skerry.gateway import authority, passes
from skerry.gateway.login import may_enter
from skerry.identity import passwords
from skerry.identity.authorize import Principal
from skerry.kernel.errors import Conflict, Forbidden, NotFound, Problem
from skerry.kernel.rows import Resource
from skerry.store import Tx

_FORM = """<p>to enter <code>{route}</code></p>
<form method="post" autocomplete="on">
<input type="hidden" name="route" value="{route}"><input type="hidden" name="to" value="{to}">
<label for="tenant">Tenant</label><input id="tenant" name="tenant" value="{tenant}">
<label for="user">User</label><input id="user" name="user" value="{user}" autocomplete="username">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<label for="code">Code of your second factor, if you have one</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code">
<p>or</p><label for="token">Token</label><input id="token" name="token" type="password">
<button>Enter</button></form>
{issuers}"""
_ISSUER = """<label for="at">Tenant</label><input id="at" name="tenant" value="{tenant}">
"""


async def form(edge: Edge, request: Request) -> Response:
    """GET: the form."""
    return await _page(edge, dict(request.query_params))


async def enter(edge: Edge, request: Request) -> Response:
    """POST of the form: back to the route with a link, or the form again with what was wrong."""
    given = await sent(request)
    try:
        return RedirectResponse(await _link(edge, request, given), 303, headers=HEADERS)
    except Problem as problem:
        return await _page(edge, given, problem.detail, problem.status)


async def _link(edge: Edge, request: Request, given: Mapping[str, str]) -> str:
    secret, fresh = given.get("token", "").strip(), False
    if not secret:
        session = await passwords.login(
            edge.db,
            tenant=given.get("tenant", ""),
            name=given.get("user", ""),
            password=given.get("password", ""),
            address=requests.address(request),
            code=given.get("code", ""),
            sealer=edge.resources.sealer,
        )
        secret, fresh = session.secret, True
    try:
        return await link_for(edge, secret, given)
    finally:
        if fresh:
            await passwords.logout(edge.db, secret)


async def link_for(edge: Edge, secret: str, given: Mapping[str, str]) -> str:
    """The link into the route that ``given`` names, for the bearer of a token."""
    who = await edge.authenticator.authenticate(secret)
    async with edge.db.transaction() as tx:
        route, link = await _invited(tx, edge, who, given)
    await edge.looks.tell(
        who, "enter", tenant=route.tenant, workspace=route.workspace, subject=route.ref
    )
    return link


async def _invited(
    tx: Tx, edge: Edge, who: Principal, given: Mapping[str, str]
) -> tuple[Resource, str]:
    closed = Forbidden("There is no such place, or you may not enter it.")
    try:
        route = await edge.resources.get(tx, given.get("route", ""))
    except NotFound:
        raise closed from None
    if route.kind != "route":
        raise closed
    if not await may_enter(tx, edge.resources, who, route.ref, route.owner_uid):
        raise closed
    to = given.get("to", "/")
    try:
        link = await passes.invite(tx, route, who.caller, to if to.startswith("/") else "/")
    except Conflict:
        raise closed from None
    return route, str(link["url"])


async def _page(
    edge: Edge, given: Mapping[str, str], problem: str = "", status: int = 200
) -> Response:
    shown = {name: escaped(given.get(name, "")) for name in ("route", "to", "tenant", "user")}
    fields = hidden(route=given.get("route", ""), to=given.get("to", "")) + _ISSUER.format(**shown)
    buttons = issuer_buttons(await offered(edge), fields)
    return page("Sign in", _FORM.format(issuers=buttons, **shown), problem, status)


async def authority_certificate(edge: Edge, request: Request) -> Response:
    """GET: the certificate of the cloud's own authority, to be trusted."""
    found = await authority.certificate(edge.db)
    if found is None:
        raise NotFound(
            "this cloud has no certificate authority of its own",
            hint="`skerry up --gateway-ca` founds one.",
        )
    return Response(found, media_type="application/x-pem-file")

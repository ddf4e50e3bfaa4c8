"""The page where people say who they are before they come into a route that asks.

It is on the API's own origin, so that a password is never typed where a tenant's program answers.
It keeps nothing: who is let in is sent back to the route with a link that works once.
"""

import html
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from skerry.api import requests
from skerry.api.edge import Edge
from skerry.gateway import authority, passes
from skerry.gateway.login import may_enter
from skerry.identity import passwords
from skerry.identity.authorize import Principal
from skerry.kernel.errors import Conflict, Forbidden, NotFound, Problem
from skerry.store import Tx

_MOST = 16 << 10
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:12vh auto;max-width:22em;padding:0 1em;
color:#223}}label{{display:block;margin:.8em 0 .2em}}input{{width:100%;font:inherit;padding:.4em;
box-sizing:border-box}}button{{font:inherit;margin-top:1.2em;padding:.4em 1.2em}}
.problem{{color:#a22}}code{{word-break:break-all}}</style></head>
<body><h1>Sign in</h1><p>to enter <code>{route}</code></p>{problem}
<form method="post" autocomplete="on">
<input type="hidden" name="route" value="{route}"><input type="hidden" name="to" value="{to}">
<label for="tenant">Tenant</label><input id="tenant" name="tenant" value="{tenant}">
<label for="user">User</label><input id="user" name="user" value="{user}" autocomplete="username">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<p>or</p><label for="token">Token</label><input id="token" name="token" type="password">
<button>Enter</button></form></body></html>
"""


async def form(edge: Edge, request: Request) -> Response:
    """GET: the form."""
    return _page(dict(request.query_params))


async def enter(edge: Edge, request: Request) -> Response:
    """POST of the form: back to the route with a link, or the form again with what was wrong."""
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Forbidden("this form was sent by a page of another origin")
    text = (await requests.body(request, _MOST)).decode("utf-8", "replace")
    sent = {name: values[0] for name, values in parse_qs(text).items()}
    try:
        return RedirectResponse(await _link(edge, request, sent), 303, headers=_HEADERS)
    except Problem as problem:
        return _page(sent, problem.detail, problem.status)


async def _link(edge: Edge, request: Request, sent: Mapping[str, str]) -> str:
    secret, fresh = sent.get("token", "").strip(), False
    if not secret:
        session = await passwords.login(
            edge.db,
            tenant=sent.get("tenant", ""),
            name=sent.get("user", ""),
            password=sent.get("password", ""),
            address=request.client.host if request.client else "",
        )
        secret, fresh = session.secret, True
    try:
        who = await edge.authenticator.authenticate(secret)
        async with edge.db.transaction() as tx:
            return await _invited(tx, edge, who, sent)
    finally:
        if fresh:
            await passwords.logout(edge.db, secret)


async def _invited(tx: Tx, edge: Edge, who: Principal, sent: Mapping[str, str]) -> str:
    closed = Forbidden("There is no such place, or you may not enter it.")
    try:
        route = await edge.resources.get(tx, sent.get("route", ""))
    except NotFound:
        raise closed from None
    if route.kind != "route":
        raise closed
    if not await may_enter(tx, edge.resources, who, route.ref, route.owner_uid):
        raise closed
    to = sent.get("to", "/")
    try:
        link = await passes.invite(tx, route, who.caller, to if to.startswith("/") else "/")
    except Conflict:
        raise closed from None
    return str(link["url"])


def _page(given: Mapping[str, str], problem: str = "", status: int = 200) -> Response:
    shown = {
        name: html.escape(given.get(name, "")[:2048]) for name in ("route", "to", "tenant", "user")
    }
    said = f'<p class="problem">{html.escape(problem)}</p>' if problem else ""
    return HTMLResponse(_PAGE.format(problem=said, **shown), status, headers=_HEADERS)


async def authority_certificate(edge: Edge, request: Request) -> Response:
    """GET: the certificate of the cloud's own authority, to be trusted."""
    found = await authority.certificate(edge.db)
    if found is None:
        raise NotFound(
            "this cloud has no certificate authority of its own",
            hint="`skerry up --gateway-ca` founds one.",
        )
    return Response(found, media_type="application/x-pem-file")

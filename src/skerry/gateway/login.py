"""Login at a route: who may come in, and how they prove it.

A browser without a session is sent to the sign-in page of the API's own origin, and comes back with
a link that works once (``passes``). The session is a cookie for that one origin: host-only,
HttpOnly, SameSite=Lax, and with TLS under a ``__Host-`` name, so that no neighbouring name can set
it. Names below the base are one *site* to a browser, so that alone keeps no neighbour from making a
visitor's browser send requests here with the cookie: what a browser says about where a request
comes from (``Sec-Fetch-Site``, ``Origin``) is checked as well, and only following a link is let
through from elsewhere. Programs send a Skerry token as their bearer.

Cookie and token are taken out of what the backend sees. Who comes in is asked again every few
seconds: a right or an account that is taken away ends the session.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

import structlog

from skerry.gateway import pages, passes
from skerry.gateway.seams import Answer, Head
from skerry.gateway.table import Route
from skerry.identity import tokens
from skerry.identity.authenticate import Authenticator
from skerry.identity.authorize import Principal, can, target_of
from skerry.identity.looking import Looks
from skerry.kernel.errors import NotFound, Unauthenticated
from skerry.kernel.paths import path_of
from skerry.kernel.resources import Resources
from skerry.store import DATABASE_ERRORS, Database, Tx

_log = structlog.get_logger("gateway")

TRUST = 5.0
"""Seconds for which an answer holds: how long a right that was taken away still lets in."""
MOST = 8192
_SECURE, _PLAIN = b"__Host-skerry", b"skerry-route"
_NAMES = (_SECURE, _PLAIN)
KEY = b"x-skerry-key"
"""The header by which a backend knows that the gateway asks."""

Headers = Sequence[tuple[bytes, bytes]]


class Login:
    """The doorkeeper of routes with ``login``."""

    def __init__(
        self,
        db: Database,
        resources: Resources,
        authenticator: Authenticator,
        sign_in: Callable[[], str],
    ) -> None:
        """``sign_in`` gives the URL of the page where people sign in."""
        self._db = db
        self._resources = resources
        self._authenticator = authenticator
        self._sign_in = sign_in
        self._looks = Looks(db, resources)
        self._known: OrderedDict[tuple[bytes, uuid.UUID], float] = OrderedDict()

    def check(self, route: Route, head: Head) -> Answer | Awaitable[Answer | None] | None:
        """What to answer; None: let it through."""
        if head.target.startswith("/.well-known/skerry/"):
            return self._own(route, head)
        bearer = _bearer(head.headers)
        if bearer:
            return None if self._trusts(route, bearer) else self._token(route, bearer)
        cookie = _cookie(head)
        if not cookie:
            return self._away(route, head)
        if not _from_here(head):
            return pages.plain(403, "A page of another origin can't do this here.")
        return None if self._trusts(route, cookie) else self._session(route, head, cookie)

    def strip(self, route: Route, headers: Headers) -> Headers:
        """The headers without what let the request in, and with what tells the backend so."""
        kept = [(KEY, route.key)] if route.key else []
        for name, value in headers:
            if name == KEY:
                continue
            if name == b"cookie":
                value = _without(value)
                if not value:
                    continue
            elif name == b"authorization" and _is_ours(value):
                continue
            kept.append((name, value))
        return kept

    def _trusts(self, route: Route, secret: str) -> bool:
        until = self._known.get((tokens.digest(secret), route.uid))
        return until is not None and time.monotonic() < until

    def _trust(self, route: Route, secret: str) -> None:
        key = (tokens.digest(secret), route.uid)
        self._known[key] = time.monotonic() + TRUST
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    async def _token(self, route: Route, secret: str) -> Answer | None:
        """A program with a token."""
        try:
            who = await self._authenticator.authenticate(secret)
            if await self._may(who, route):
                await self._looks.tell(
                    who, "enter", tenant=route.tenant, workspace=route.workspace, subject=route.ref
                )
                self._trust(route, secret)
                return None
        except Unauthenticated as refused:
            return pages.plain(401, refused.detail, (b"www-authenticate", b"Bearer"))
        except DATABASE_ERRORS as error:
            return _closed(route, error)
        return pages.plain(403, f"{who.actor} may not enter here.")

    async def _session(self, route: Route, head: Head, secret: str) -> Answer | None:
        """A browser with a cookie."""
        try:
            session = await passes.session(self._db, secret, route.uid)
            if session is None:
                return self._away(route, head)
            who = await self._authenticator.standing(session.subject, session.scopes)
            if await self._may(who, route):
                self._trust(route, secret)
                return None
        except Unauthenticated:
            return self._away(route, head)
        except DATABASE_ERRORS as error:
            return _closed(route, error)
        return pages.page(403, "No entry", f"{who.actor} may not enter here any more.")

    async def _may(self, who: Principal, route: Route) -> bool:
        async with self._db.transaction() as tx:
            return await may_enter(tx, self._resources, who, route.ref, route.owner)

    def _own(self, route: Route, head: Head) -> Answer | Awaitable[Answer | None]:
        """The gateway's own paths at the route's origin."""
        path = urlsplit(head.target).path
        if path == passes.ENTER and head.method == "GET":
            return self._enter(route, head)
        if path == passes.LEAVE and head.method == "POST" and _from_here(head):
            return self._leave(head)
        return pages.plain(404, "There is nothing here.")

    async def _enter(self, route: Route, head: Head) -> Answer | None:
        """Exchange a link for a session."""
        query = parse_qs(urlsplit(head.target).query)
        to = _path(query.get("to", ["/"])[0])
        try:
            secret = await passes.exchange(self._db, query.get("code", [""])[0], route.uid)
        except DATABASE_ERRORS as error:
            return _closed(route, error)
        if secret is None:
            if _cookie(head):
                return pages.redirect(303, to)
            text = "This link was used already, or is too old. Ask for a new one."
            return pages.page(403, "This link does not work", text)
        age = int(passes.SESSION.total_seconds())
        return pages.redirect(303, to, _set_cookie(head, secret, age))

    async def _leave(self, head: Head) -> Answer | None:
        cookie = _cookie(head)
        try:
            await passes.leave(self._db, cookie)
        except DATABASE_ERRORS as error:
            _log.warning("session not ended", error=str(error))
            return pages.plain(503, "Try again in a moment.")
        for key in [key for key in self._known if key[0] == tokens.digest(cookie)]:
            del self._known[key]
        return pages.page(200, "You have left", "The session is over.", _set_cookie(head, "", 0))

    def _away(self, route: Route, head: Head) -> Answer:
        """Who are you? Browsers are sent to where they can say."""
        if pages.wants_page(head):
            query = urlencode({"route": route.ref, "to": _path(head.target)})
            return pages.redirect(303, f"{self._sign_in()}?{query}")
        text = "Send a Skerry token: 'Authorization: Bearer skerry_…'."
        return pages.plain(401, text, (b"www-authenticate", b"Bearer"))


async def may_enter(
    tx: Tx, resources: Resources, who: Principal, route: str, owner: uuid.UUID | None
) -> bool:
    """Whether they may open the route of this ref, or change what owns it."""
    registry = resources.registry
    kind = registry["route"]
    if can(who, "post.open", target_of(kind, path_of(kind, route), resources.region)):
        return True
    if owner is None:
        return False
    try:
        found = await resources.by_uid(tx, owner)
    except NotFound:
        return False
    above = registry[found.kind]
    region = found.region if above.regional else ""
    return can(who, "put", target_of(above, path_of(above, found.ref), region))


def _closed(route: Route, error: Exception) -> Answer:
    _log.warning("nobody can be let in", route=route.ref, error=str(error))
    return pages.plain(503, "Try again in a moment.", (b"retry-after", b"5"))


def _is_ours(value: bytes) -> bool:
    scheme, _, secret = value.partition(b" ")
    return scheme.lower() == b"bearer" and secret.strip().startswith(b"skerry_")


def _bearer(headers: Headers) -> str:
    for name, value in headers:
        if name == b"authorization" and _is_ours(value):
            return value.partition(b" ")[2].strip().decode("latin-1")
    return ""


def _cookie(head: Head) -> str:
    """The session's secret. Over TLS only the name that a neighbour can't set counts."""
    wanted = _SECURE if head.secure else _PLAIN
    for name, value in head.headers:
        if name == b"cookie":
            for part in value.split(b";"):
                key, _, secret = part.strip().partition(b"=")
                if key == wanted:
                    return secret.decode("latin-1")
    return ""


def _without(value: bytes) -> bytes:
    parts = (part.strip() for part in value.split(b";"))
    return b"; ".join(p for p in parts if p and p.partition(b"=")[0].strip() not in _NAMES)


def _set_cookie(head: Head, secret: str, age: int) -> tuple[bytes, bytes]:
    name = _SECURE if head.secure else _PLAIN
    secure = "; Secure" if head.secure else ""
    text = f"{name.decode()}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"
    return (b"set-cookie", text.encode())


def _path(target: str) -> str:
    """A path of this origin: nothing that a browser takes for another one's."""
    if not target.startswith("/") or target[1:2] in ("/", "\\") or not target.isprintable():
        return "/"
    return target


def _from_here(head: Head) -> bool:
    """Whether a request with the cookie comes from this origin's own pages, or is a link that was
    followed."""
    where = head.get(b"sec-fetch-site")
    followed = head.method in ("GET", "HEAD") and not head.upgrade
    if where and where not in (b"same-origin", b"none"):
        top = head.get(b"sec-fetch-mode") == b"navigate"
        return followed and top and head.get(b"sec-fetch-dest") in (b"document", b"")
    origin = head.get(b"origin")
    if origin:
        return urlsplit(origin.decode("latin-1")).netloc.lower() == head.host.lower()
    # Neither header: an old browser following a link, or no browser. What changes something
    # without saying where it comes from is let in from no browser's cookie.
    return followed or where == b"same-origin"

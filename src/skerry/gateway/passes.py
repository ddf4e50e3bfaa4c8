"""Passes: how people come into a route that asks who they are.

``open`` gives a link with a secret that works once, for a few minutes. The gateway exchanges it on
the route's own origin for a session, whose secret is the cookie there. Neither is a token: both
are worth nothing at the API, and nothing at another route. What a session may do follows from who
it stands for, asked anew all the time: it ends with the account or the right.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from skerry.identity import tokens
from skerry.identity.authorize import Principal
from skerry.kernel.errors import Conflict, Forbidden
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Caller
from skerry.kernel.rows import Resource
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.gateway", "passes.sql")

ENTER = "/.well-known/skerry/enter"
LEAVE = "/.well-known/skerry/leave"
LINK = timedelta(minutes=5)
SESSION = timedelta(hours=12)
MOST = 64
"""Sessions and links of one person at one route; the oldest go first."""


class Session(msgspec.Struct, frozen=True):
    """Whom a session stands for, and within which bounds."""

    subject: uuid.UUID
    scopes: list[dict[str, Any]]
    expires_at: datetime


async def invite(tx: Tx, route: Resource, by: Caller, path: str = "/") -> dict[str, Any]:
    """A link into a route for who asks for it. Raises ``Conflict`` where there is no URL."""
    url = route.status.get("url")
    if not url or not str(url).startswith("http"):
        raise Conflict(
            f"route {route.name!r} has no address that a browser could open",
            hint="It needs a gateway, and must not be one for tcp.",
        )
    if path.startswith("//") or "\\" in path:
        path = "/"
    if not route.spec.get("login"):
        return {"url": f"{url}{path}"}
    who = by.principal
    if not isinstance(who, Principal) or who.token_id is None:
        raise Forbidden("only who has a token of their own can be let in")
    row = await tx.fetchrow(_sql.bearer, who.token_id)
    if row is None:
        raise Forbidden("this token is not known any more")
    now = await tx.now()
    secret = await _keep(tx, "open", route.uid, row["subject_uid"], row["scopes"], now + LINK)
    query = urlencode({"code": secret, "to": path})
    return {"url": f"{url}{ENTER}?{query}", "expiresAt": stamp(now + LINK)}


async def exchange(db: Database, secret: str, route: uuid.UUID) -> str | None:
    """A session for a link that was not used yet; None: it is none, or no more."""
    if not tokens.well_formed(secret):
        return None
    async with db.transaction() as tx:
        row = await tx.fetchrow(_sql.use, tokens.digest(secret), route)
        if row is None:
            return None
        end = await tx.now() + SESSION
        return await _keep(tx, "gate", route, row["subject"], row["scopes"], end)


async def session(db: Database, secret: str, route: uuid.UUID) -> Session | None:
    """The session of a cookie, as long as it lasts."""
    if not tokens.well_formed(secret):
        return None
    row = await db.fetchrow(_sql.session, tokens.digest(secret), route)
    return Session(**dict(row)) if row is not None else None


async def leave(db: Database, secret: str) -> None:
    """End a session."""
    await db.execute(_sql.drop, tokens.digest(secret))


async def sweep(db: Database) -> None:
    """Forget what has run out."""
    await db.execute(_sql.sweep)


async def _keep(
    tx: Tx, kind: str, route: uuid.UUID, subject: uuid.UUID, scopes: Any, end: datetime
) -> str:
    secret = tokens.mint(kind)
    await tx.execute(_sql.crowd, route, subject, MOST)
    await tx.execute(_sql.keep, tokens.digest(secret), kind == "open", route, subject, scopes, end)
    return secret

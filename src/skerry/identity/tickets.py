"""Tickets: what a browser opens a websocket with.

A browser can send no Authorization header there, only what stands in the URL or in the list of
protocols, and both are written down by what lies between. So it asks for a ticket first, by an
ordinary request, and sends that as a protocol: it works once, for one path, for half a minute, and
is worth nothing to who reads it afterwards. Who comes in by it is the token that asked for it, and
is out when that is.
"""

import uuid
from datetime import datetime, timedelta

from skerry.identity import tokens
from skerry.identity.authorize import Principal
from skerry.kernel.errors import Conflict, Unauthenticated
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.identity")
LASTS = timedelta(seconds=30)


async def issue(db: Database, who: Principal, path: str) -> tuple[str, datetime]:
    """A ticket into ``path`` and its end. Raises ``Conflict`` for who holds no token."""
    if who.token_id is None:
        raise Conflict("a ticket stands for a token, and this caller has none")
    ticket = tokens.mint("ticket")
    async with db.transaction() as tx:
        expires_at = await tx.now() + LASTS
        await tx.execute(_sql.keep_ticket, tokens.digest(ticket), who.token_id, path, expires_at)
    return ticket, expires_at


async def redeem(db: Database, ticket: str, path: str) -> uuid.UUID:
    """The token that a ticket stands for; it is used up by this, wherever it leads. Raises
    ``Unauthenticated``."""
    row = None
    if tokens.well_formed(ticket):
        row = await db.fetchrow(_sql.take_ticket, tokens.digest(ticket))
    if row is None or not row["live"] or row["path"] != path:
        raise Unauthenticated(
            "This ticket is none, or was used, or is too old, or for another path.",
            hint="POST …/skerry.identity/v1/tickets gives a new one.",
        )
    return uuid.UUID(str(row["token_id"]))

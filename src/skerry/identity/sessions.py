"""Sessions: what somebody gets for proving who they are by something other than a token.

A session is a token without a resource. It ends at its time, whatever becomes of what opened it: an
issuer that is away keeps nobody in, and locks nobody out who has another way.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skerry.identity import tokens
from skerry.identity.authenticate import forget
from skerry.identity.authorize import Principal
from skerry.kernel import changes
from skerry.kernel.errors import NotFound
from skerry.kernel.history import stamp
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.identity")

SESSION = timedelta(hours=12)


@dataclass(frozen=True)
class Session:
    """A login. ``secret`` is a token, shown here and kept nowhere."""

    secret: str
    tenant: str
    subject: str
    expires_at: datetime
    recovery: tuple[str, ...] = ()
    """Recovery codes of a second factor that was set up by this login; shown once."""


async def opened(
    tx: Tx,
    *,
    tenant: str,
    uid: uuid.UUID,
    name: str,
    address: str,
    by: str,
    collection: str = "users",
    lasts: timedelta = SESSION,
    about: str = "",
) -> Session:
    """A new session. ``by`` says what proved it (``password``, ``issuer/NAME``), ``about`` whom the
    issuer named where that is no user."""
    secret = tokens.mint("session" if collection == "users" else "service")
    expires_at = await tx.now() + lasts
    id = await tokens.keep(tx, secret, uid, expires_at=expires_at, address=address, by=by)
    ref = f"skerry.identity/v1/tenants/{tenant}/{collection}/{name}"
    who = name if collection == "users" else f"{collection}/{name}"
    await changes.record(
        tx,
        kind="login",
        subject=ref,
        verb="login",
        tenant=tenant,
        actor=f"{who}@{tenant}",
        body={
            "user": ref,
            "session": str(id),
            "address": address,
            "by": by,
            **({"for": about} if about else {}),
            "expiresAt": expires_at,
        },
    )
    return Session(secret, tenant, f"{collection}/{name}", expires_at)


async def logout(db: Database, secret: str) -> None:
    """End a session. A token that is none is no error: it is over in any case."""
    await db.execute(_sql.drop_session, tokens.digest(secret))
    forget()


async def listed(db: Database, who: Principal, most: int = 500) -> list[dict[str, Any]]:
    """What the caller can come in with: their sessions and tokens, newest first."""
    return [
        {
            "id": str(row["id"]),
            "token": row["name"],
            "by": row["opened_by"],
            "address": row["address"],
            "openedAt": stamp(row["created_at"]),
            "lastUsedAt": row["last_used_at"] and stamp(row["last_used_at"]),
            "expiresAt": row["expires_at"] and stamp(row["expires_at"]),
            "narrowed": row["narrowed"],
            "current": row["id"] == who.token_id,
        }
        for row in await db.fetch(_sql.tokens_like, who.token_id, most)
    ]


async def close(db: Database, who: Principal, session: str) -> None:
    """End one of the caller's own sessions. Raises ``NotFound``; a token is deleted as such."""
    try:
        id = uuid.UUID(session)
    except ValueError:
        id = uuid.UUID(int=0)
    if await db.fetchval(_sql.drop_session_like, id, who.token_id) is None:
        raise NotFound(
            "You have no such session.", hint="Tokens that have a name are deleted by it."
        )
    forget()

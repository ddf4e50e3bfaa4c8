"""Site tokens: by which a host's agent proves that it speaks for its site.

Shown once, when made; the database keeps only the SHA-256. Making a new one ends the old ones, so
a leaked token is dealt with by making another.
"""

import uuid
from typing import Any

from skerry.identity import tokens
from skerry.kernel import changes
from skerry.kernel.history import stamp
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.sites")
KIND = "site-token"


async def issue(tx: Tx, site: str, by: Caller = SYSTEM) -> str:
    """A new token of the site, in place of all older ones."""
    await revoke(tx, site, by)
    id, secret = uuid.uuid4(), tokens.mint("site")
    await tx.execute(_sql.insert_token, id, site, tokens.digest(secret))
    await _record(tx, id, "issue", 1, by)
    return secret


async def revoke(tx: Tx, site: str, by: Caller = SYSTEM) -> None:
    """End all tokens of the site. A connection that stands is not cut by it."""
    for row in await tx.fetch(_sql.revoke_tokens, site):
        await _record(tx, row["id"], "revoke", 2, by)


async def holds(db: Database, site: str, secret: str) -> bool:
    """Whether this is a token of that site."""
    if not tokens.well_formed(secret):
        return False
    return bool(await db.fetchval(_sql.token_holds, site, tokens.digest(secret)))


async def _record(tx: Tx, id: uuid.UUID, verb: str, version: int, by: Caller) -> None:
    body = await _body(tx, str(id))
    assert body is not None
    await changes.record(
        tx,
        kind=KIND,
        subject=str(id),
        verb=verb,
        tenant="",
        actor=by.subject,
        body=body,
        version=version,
    )


@changes.witness(KIND)
async def _body(tx: Tx, subject: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.token, uuid.UUID(subject))
    if row is None:
        return None
    revoked = row["revoked_at"]
    return {
        "site": row["site"],
        "fingerprint": tokens.fingerprint(row["digest"]),
        "revokedAt": stamp(revoked) if revoked else None,
    }

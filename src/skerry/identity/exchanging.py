"""Programs from elsewhere: a token of theirs for one of ours, for a while (RFC 8693).

A service account trusts tokens of an issuer that the operator declared, if they are meant for a
stated audience and their subject and claims fit. A token is proved before anything is said of the
account: the answer tells nobody which accounts there are.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from skerry.identity import attempts
from skerry.identity.oidc import IssuerAway, Issuers, Untrusted
from skerry.identity.oidc.claims import unproved
from skerry.identity.roles import wild
from skerry.identity.sessions import Session, opened
from skerry.identity.specs import ServiceAccountSpec, Trust
from skerry.kernel.errors import Unauthenticated, Unavailable
from skerry.store import Database
from skerry.store.queries import load

_sql = load("skerry.identity")
_log = structlog.get_logger("identity")

MOST_FAILURES = 100
"""From an address, within ``attempts.WINDOW_SECONDS``."""


async def exchange(
    db: Database, issuers: Issuers, *, token: str, tenant: str, account: str, address: str
) -> Session:
    """A session of the service account.

    Raises ``Unauthenticated`` (the same for a false token and for one that no trust fits),
    ``Unavailable`` if the issuer is away, or ``TooManyRequests``.
    """
    place = attempts.place(address, "exchange")
    await attempts.count(db, place, MOST_FAILURES)
    row = await db.fetchrow(_sql.account_by_name, tenant, account)
    spec = msgspec.convert(row["spec"] if row is not None else {}, ServiceAccountSpec)
    try:
        issuer, claims, trust = await _trusted(db, issuers, token, spec.trusts)
    except Untrusted as why:
        _log.info("exchange refused", tenant=tenant, account=account, why=str(why))
        raise Unauthenticated(
            "No service account of this name trusts this token.",
            hint="Look at its trusts, and at the token's issuer, audience, subject and end.",
        ) from None
    except IssuerAway as why:
        _log.warning("issuer away", why=str(why))
        raise Unavailable(
            "The issuer of this token gives no usable answer just now.", hint="Try again later."
        ) from None
    async with db.transaction() as tx:
        await tx.execute(_sql.forgive_address, place)
        assert row is not None
        return await opened(
            tx, tenant=tenant, uid=row["uid"], name=row["name"], address=address,
            collection="service-accounts", by=f"issuer/{issuer}", about=str(claims["sub"]),
            lasts=timedelta(seconds=trust.ttl_seconds),
        )  # fmt: skip


async def _trusted(
    db: Database, issuers: Issuers, token: str, trusts: Sequence[Trust]
) -> tuple[str, Mapping[str, Any], Trust]:
    """The issuer's name, what it says, and by which trust that counts. Raises ``Untrusted``."""
    said = unproved(token)
    issuer = await db.fetchrow(_sql.issuer_by_url, str(said.get("iss")).replace("\0", "")[:512])
    if issuer is None:
        raise Untrusted("no issuer of that name is declared")
    heard = said.get("aud")
    audiences = heard if isinstance(heard, list) else [heard]
    meant = [t for t in trusts if t.issuer == issuer["name"] and t.audience in audiences]
    now = await db.fetchval("select skerry_now()")
    audience = meant[0].audience if meant else ""
    claims = await issuers.claims(token, issuer["url"], audience, now)
    for trust in meant:
        if fits(trust, claims):
            return str(issuer["name"]), claims, trust
    raise Untrusted("no trust fits its subject and claims")


def fits(trust: Trust, claims: Mapping[str, Any]) -> bool:
    """Whether subject and claims are of those that are trusted. Pure."""
    audiences = claims.get("aud")
    return (
        trust.audience in (audiences if isinstance(audiences, list) else [audiences])
        and wild(trust.subject, str(claims["sub"]))
        and all(_fits(pattern, claims.get(name)) for name, pattern in trust.claims.items())
    )


def _fits(pattern: str, value: Any) -> bool:
    if isinstance(value, list):
        return any(_fits(pattern, one) for one in value if not isinstance(one, list))
    if isinstance(value, bool):
        return pattern == str(value).lower()
    return isinstance(value, str | int) and wild(pattern, str(value))

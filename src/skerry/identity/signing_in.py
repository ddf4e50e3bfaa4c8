"""Signing in through an issuer: the code flow, with PKCE towards both sides.

A browser is sent to the issuer with a state, a nonce and a challenge, all of which are made of one
random value that only its cookie keeps: what comes back counts in that browser alone, and the
database holds the digest of the state and nothing else of it. What the issuer says of the person is
then resolved to a user of the tenant (see ``issuers``).

Who signs in by a program of their own (RFC 8252) is sent back to its port on loopback with a code
that works once and only with the verifier of the challenge it began with.
"""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog

from skerry.identity import tokens
from skerry.identity.issuers import IssuerSpec
from skerry.identity.joining import welcome
from skerry.identity.oidc import IssuerAway, Issuers, Untrusted
from skerry.identity.sessions import Session, opened
from skerry.kernel.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    Source,
    Unauthenticated,
    Unavailable,
)
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resource, Resources
from skerry.store import Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.identity")
_log = structlog.get_logger("identity")

SECONDS = 600.0
"""For which a sign-in at the issuer may take."""
COLLECT_SECONDS = 120.0
"""For which its code can be collected."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE = re.compile(r"[A-Za-z0-9._~-]{0,128}")
CONSOLE = "/console/"
_CONSOLE = re.compile(r"(?!.*(?:\.\.|//))/console/[A-Za-z0-9._~/-]{0,200}")


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what its cookie is to keep."""

    url: str
    secret: str


@dataclass(frozen=True)
class Asked:
    """What a sign-in is for. ``back`` is a URL on loopback, a page of the console, or another path
    of our own."""

    issuer: str
    tenant: str
    back: str
    state: str = ""
    challenge: str = ""
    invitation: bytes | None = None

    @property
    def collected(self) -> bool:
        """Whether who asks, a program or the console, collects the session by a code."""
        return not self.back.startswith("/") or self.back.startswith(CONSOLE)


@dataclass(frozen=True)
class Found:
    """Who signed in, where."""

    asked: Asked
    user: uuid.UUID
    name: str


def _derived(secret: str, what: str) -> str:
    made = hmac.digest(secret.encode(), what.encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def s256(verifier: str) -> str:
    """The challenge of a verifier (RFC 7636)."""
    made = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def check(asked: Asked) -> None:
    """Raises ``InvalidRequest`` unless it leads nowhere but to whoever asks."""
    if not asked.collected:
        return
    if not (_CONSOLE.fullmatch(asked.back) or _on_loopback(asked.back)):
        raise InvalidRequest(
            "back must be http://127.0.0.1:PORT/, http://[::1]:PORT/ or a page below /console/",
            sources=[Source(parameter="back")],
        )
    if not _CHALLENGE.fullmatch(asked.challenge) or not _STATE.fullmatch(asked.state):
        raise InvalidRequest(
            "challenge and state are those of RFC 7636 (S256) and RFC 6749",
            sources=[Source(parameter="challenge")],
        )


def _on_loopback(back: str) -> bool:
    try:
        parts = urlsplit(back)
        loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
        plain = parts.port != 0 and not parts.username and not parts.fragment
    except ValueError:
        return False
    return loopback and plain and len(back) <= 512 and back.isprintable()


async def begin(
    db: Database, resources: Resources, issuers: Issuers, asked: Asked, callback: str
) -> Begun:
    """Raises ``NotFound``, ``InvalidRequest``, or ``Unavailable`` if the issuer is away."""
    check(asked)
    async with db.transaction() as tx:
        _, spec = await _issuer(tx, resources, asked)
    try:
        where = await issuers.endpoint(spec.url, "authorization_endpoint")
    except IssuerAway as away:
        raise _away(asked.issuer, away) from None
    secret = secrets.token_urlsafe(32)
    state = _derived(secret, "state")
    await db.execute(
        _sql.begin_sign_in, tokens.digest(state), asked.issuer, asked.tenant, asked.back,
        asked.state, asked.challenge, asked.invitation, None, SECONDS,
    )  # fmt: skip
    query = {
        "response_type": "code",
        "client_id": spec.client_id,
        "redirect_uri": callback,
        "scope": " ".join(dict.fromkeys(("openid", *(spec.scopes or ("email", "profile"))))),
        "state": state,
        "nonce": _derived(secret, "nonce"),
        "code_challenge": s256(_derived(secret, "verifier")),
        "code_challenge_method": "S256",
    }
    return Begun(f"{where}{'&' if '?' in where else '?'}{urlencode(query)}", secret)


async def asked_for(db: Database, state: str, secret: str) -> Asked:
    """What a sign-in that comes back was for; it can come back once. Raises ``InvalidRequest``."""
    ours = hmac.compare_digest(_derived(secret, "state").encode(), state.encode())
    row = await db.fetchrow(_sql.take_sign_in, tokens.digest(state), False) if ours else None
    if row is None or not row["live"]:
        raise InvalidRequest(
            "This sign-in was not begun in this browser, or too long ago.", hint="Begin again."
        )
    return _asked(row)


def _asked(row: Row) -> Asked:
    return Asked(**{name: row[name] for name in Asked.__dataclass_fields__})


async def finish(
    db: Database,
    resources: Resources,
    issuers: Issuers,
    asked: Asked,
    *,
    code: str,
    secret: str,
    callback: str,
    iss: str = "",
) -> Found:
    """Who it is that the issuer sent back. ``iss`` is whom the answer says it is of (RFC 9207), if
    it does. Raises ``Forbidden`` or ``Unavailable``."""
    async with db.transaction() as tx:
        issuer, spec = await _issuer(tx, resources, asked)
        if iss not in ("", spec.url):
            raise Forbidden("This answer is another issuer's.", hint="Begin again.")
        kept = await resources.sealer.open(tx, "", issuer.uid, "clientSecret")
        now = await tx.now()
    try:
        token, access = await issuers.exchange(
            spec.url, client=spec.client_id, secret=str(kept or ""), code=code,
            verifier=_derived(secret, "verifier"), back=callback,
        )  # fmt: skip
        claims = await issuers.claims(
            token, spec.url, spec.client_id, now, _derived(secret, "nonce")
        )
        claims = await issuers.more(spec.url, claims, access, spec.email_claim)
    except IssuerAway as away:
        raise _away(asked.issuer, away) from None
    except Untrusted as why:
        _log.warning("id token refused", issuer=asked.issuer, why=str(why))
        raise Forbidden(
            f"What {asked.issuer} says of you can't be trusted: {why}.", hint="Begin again."
        ) from None
    async with db.transaction() as tx:
        user = await _resolve(tx, resources, issuer, spec, asked, claims)
        return Found(asked, user["uid"], user["name"])


async def _issuer(tx: Tx, resources: Resources, asked: Asked) -> tuple[Resource, IssuerSpec]:
    """The issuer, if it lets people into the tenant. Whether there is such a tenant is not said."""
    path = Path(name=asked.issuer)
    found = await resources.find(tx, ref_of(resources.registry["issuer"], path))
    spec = found.typed(IssuerSpec) if found is not None else None
    if found is None or spec is None or not spec.client_id or spec.entry(asked.tenant) is None:
        raise NotFound(
            "There is no such issuer, or it lets nobody into that tenant.",
            hint="Check the names of both.",
        )
    return found, spec


async def _resolve(
    tx: Tx,
    resources: Resources,
    issuer: Resource,
    spec: IssuerSpec,
    asked: Asked,
    claims: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The user that these claims are in the tenant; known by them from now on."""
    entry = spec.entry(asked.tenant)
    assert entry is not None
    tenant, subject = asked.tenant, str(claims["sub"])
    await tx.execute(_sql.lock_tenant, tenant)
    email = _text(claims, spec.email_claim).lower()
    if claims.get("email_verified") is not True:
        email = ""
    ours = email.rpartition("@")[2] in entry.domains
    user: Mapping[str, Any] | None = await tx.fetchrow(_sql.linked, issuer.uid, subject, tenant)
    if user is None and asked.invitation is not None:
        user = await welcome(
            tx, resources, asked.invitation, name=_name(spec, claims), verified=email
        )
    if user is None and ours:
        user = await tx.fetchrow(_sql.user_by_email, tenant, email)
    if user is None and entry.unknown == "create" and (ours or not entry.domains):
        user = await welcome(
            tx, resources, None, tenant=tenant, name=_name(spec, claims), verified=email,
            display=_text(claims, "name")[:128], roles=entry.roles,
        )  # fmt: skip
    if user is None or user["suspended"] or user["spec"].get("disabled"):
        raise Forbidden(
            "Nobody in that tenant is known by this sign-in, or they are shut out.",
            hint="Ask an administrator of the tenant for an invitation.",
        )
    await tx.execute(_sql.link, issuer.uid, subject, tenant, user["uid"])
    return user


def _name(spec: IssuerSpec, claims: Mapping[str, Any]) -> str:
    """What a new user is called, as far as the issuer says."""
    for claim in (spec.name_claim, spec.email_claim):
        if text := _text(claims, claim):
            return text.partition("@")[0]
    return ""


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that people can read; "" if it is none."""
    text = claims.get(name)
    return text if isinstance(text, str) and text.isprintable() else ""


async def hand_over(db: Database, found: Found) -> str:
    """A code by which a program collects the session that it asked for."""
    asked, code = found.asked, tokens.mint("code")
    await db.execute(
        _sql.begin_sign_in, tokens.digest(code), asked.issuer, asked.tenant, asked.back,
        asked.state, asked.challenge, None, found.user, COLLECT_SECONDS,
    )  # fmt: skip
    return code


async def collect(db: Database, *, code: str, verifier: str, address: str) -> Session:
    """The session for a code. Raises ``Unauthenticated``; a wrong verifier ends it, too."""
    refused = Unauthenticated(
        "This code is none, or was used, or is too old.", hint="Sign in again."
    )
    if not tokens.well_formed(code):
        raise refused
    async with db.transaction() as tx:
        row = await tx.fetchrow(_sql.take_sign_in, tokens.digest(code), True)
        right = row is not None and hmac.compare_digest(
            s256(verifier).encode(), row["challenge"].encode()
        )
        session = (
            await session_of(tx, _asked(row), row["user_uid"], address)
            if row and right and row["live"]
            else None
        )
    if session is None:
        raise refused
    return session


async def session_of(tx: Tx, asked: Asked, user: uuid.UUID, address: str) -> Session | None:
    """A session for whom an issuer named; None: they are gone or shut out since."""
    row = await tx.fetchrow(_sql.subject_by_uid, user)
    if row is None or row["suspended"] or row["spec"].get("disabled"):
        return None
    return await opened(
        tx, tenant=row["tenant"], uid=user, name=row["name"], address=address,
        by=f"issuer/{asked.issuer}",
    )  # fmt: skip


def _away(name: str, why: IssuerAway) -> Unavailable:
    _log.warning("issuer away", issuer=name, why=str(why))
    return Unavailable(
        f"The issuer {name!r} gives no usable answer just now.",
        hint="Try again later, or sign in with a password or a token.",
    )

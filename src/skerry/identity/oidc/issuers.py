"""What is known of issuers: their endpoints and keys, kept for a while."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from skerry.identity.oidc.claims import Key, UnknownKey, Untrusted, keys_of, verified
from skerry.identity.oidc.wire import IssuerAway, allowed, ask

FRESH = 600.0
"""Seconds for which endpoints and keys are not asked for again."""
STALE = 3600.0
"""Seconds for which they are still believed while the issuer gives no answer."""
PAUSE = 30.0
"""Seconds between two questions for keys, however many tokens name one that is not known."""
PAUSE_UNKNOWN = 2.0
"""The same while nothing is known of it at all."""
MOST = 256


@dataclass
class Known:
    """One issuer, as it said of itself."""

    url: str
    endpoints: Mapping[str, Any] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    at: float = -math.inf
    asked: float = -math.inf
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def learn(self, oldest: float) -> None:
        """Ask again unless it was asked since ``oldest`` (monotonic). Raises ``IssuerAway``."""
        async with self.lock:
            if self.at >= oldest:
                return
            now = time.monotonic()
            if now < self.asked + (PAUSE if self.keys else PAUSE_UNKNOWN):
                if self.keys:
                    return
                raise IssuerAway(f"{self.url} gave no answer just now")
            self.asked = now
            try:
                self.endpoints = await _discovered(self.url)
                self.keys = keys_of(await ask(self.endpoints["jwks_uri"]))
                self.at = now
            except IssuerAway:
                if now > self.at + STALE:
                    raise


async def _discovered(url: str) -> Mapping[str, Any]:
    found = await ask(f"{url.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != url:
        raise IssuerAway(f"{url} calls itself {str(found.get('issuer'))[:200]!r}")
    if not allowed(str(found.get("jwks_uri")), url):
        raise IssuerAway(f"{url} names no jwks_uri that may be asked")
    return found


class Issuers:
    """Those this process has asked."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def _of(self, url: str) -> Known:
        if url not in self._known:
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[url] = Known(url)
        return self._known[url]

    async def endpoint(self, url: str, name: str) -> str:
        """Where an issuer does something. Raises ``IssuerAway``."""
        known = self._of(url)
        await known.learn(time.monotonic() - FRESH)
        found = str(known.endpoints.get(name, ""))
        if not allowed(found, url):
            raise IssuerAway(f"{url} names no {name} that may be used")
        return found

    async def claims(
        self, token: str, url: str, audience: str, now: datetime, nonce: str | None = None
    ) -> Mapping[str, Any]:
        """What a token of this issuer says. Raises ``Untrusted`` or ``IssuerAway``."""
        known = self._of(url)
        await known.learn(time.monotonic() - FRESH)

        def said() -> Mapping[str, Any]:
            return verified(token, known.keys, issuer=url, audience=audience, now=now, nonce=nonce)

        try:
            return said()
        except UnknownKey:
            # It may have new keys.
            await known.learn(time.monotonic())
            return said()

    async def exchange(
        self, url: str, *, client: str, secret: str, code: str, verifier: str, back: str
    ) -> tuple[str, str]:
        """The ID and access tokens for a code (RFC 6749, 4.1.3). Raises ``IssuerAway``."""
        where = await self.endpoint(url, "token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": client,
            "code_verifier": verifier,
        }
        ways = self._of(url).endpoints.get("token_endpoint_auth_methods_supported")
        basic = None
        if secret and (not isinstance(ways, list) or "client_secret_basic" in ways):
            basic = (quote(client, safe=""), quote(secret, safe=""))
        elif secret:
            form["client_secret"] = secret
        answer = await ask(where, form=form, basic=basic)
        if not isinstance(answer.get("id_token"), str):
            raise IssuerAway(f"{url} gives no ID token")
        access = answer.get("access_token")
        return str(answer["id_token"]), access if isinstance(access, str) else ""

    async def more(
        self, url: str, claims: Mapping[str, Any], access: str, wanted: str
    ) -> Mapping[str, Any]:
        """The claims, with those of the UserInfo endpoint where the one that is wanted is not among
        them: many issuers keep their ID tokens small. What the token says comes first."""
        found = str(self._of(url).endpoints.get("userinfo_endpoint", ""))
        plain = access.isascii() and access.isprintable()
        if wanted in claims or not access or not plain or not allowed(found, url):
            return claims
        told = await ask(found, bearer=access)
        if told.get("sub") != claims["sub"]:
            raise Untrusted("what it says of you is about somebody else")
        return {**told, **claims}

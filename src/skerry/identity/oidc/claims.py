"""Is this token true? Its signature, and what it says of itself, against what is expected."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA", "Ed25519"),
}
"""By the type of the key. ``none`` and HS are not there."""
MOST_TOKEN = 16 << 10
MOST_KEYS = 100
LEAST_RSA_BITS = 2048
LEEWAY = 60.0
"""Seconds by which an issuer's clock may be off."""
MOST_AGE = 86_400.0
"""Seconds since a token was issued, whatever end it gives itself."""

Key = Any


class Untrusted(Exception):
    """The token is not believed. Says why, in words that hold nothing of it."""


class UnknownKey(Untrusted):
    """It is signed by a key that the issuer has not told of."""


def keys_of(document: Mapping[str, Any]) -> list[Key]:
    """The keys of a JWK set by which a signature can be trusted; others are left out."""
    found = []
    listed = document.get("keys")
    for given in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(given, dict) or given.get("use", "sig") != "sig":
            continue
        if given.get("kty") not in ALGORITHMS:
            continue
        try:
            key = jwk.import_key(given)
            public = key.public_key
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            continue  # of a sort that is not known here
        if isinstance(public, RSAPublicKey) and public.key_size < LEAST_RSA_BITS:
            continue
        found.append(key)
    return found


def header_of(token: str) -> Mapping[str, Any]:
    """What a token says of its signature, which is not proved yet."""
    return _segment(token, 0)


def unproved(token: str) -> Mapping[str, Any]:
    """What a token says, before anything of it is proved: only to find out whom to ask."""
    return _segment(token, 1)


def _segment(token: str, index: int) -> Mapping[str, Any]:
    parts = token.split(".")
    if len(token) > MOST_TOKEN or len(parts) != 3 or not token.isascii():
        raise Untrusted("this is not a signed token")
    try:
        value = msgspec.json.decode(urlsafe_b64decode(parts[index].encode()))
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise Untrusted("this is not a signed token") from None
    if not isinstance(value, dict):
        raise Untrusted("this is not a signed token")
    return value


def signed(token: str, keys: Iterable[Key]) -> Mapping[str, Any]:
    """The claims, if one of the keys signed them. Raises ``UnknownKey`` or ``Untrusted``."""
    header = header_of(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not any(algorithm in known for known in ALGORITHMS.values()):
        raise Untrusted("it is signed in a way that is not trusted")
    fitting = [
        key for key in keys
        if algorithm in ALGORITHMS[key.key_type] and (kid is None or key.kid in (None, kid))
    ]  # fmt: skip
    if not fitting:
        raise UnknownKey("it is signed by a key that the issuer does not show")
    for key in fitting:
        try:
            return jwt.decode(token, key, algorithms=[str(algorithm)]).claims
        except (JoseError, ValueError, TypeError):
            continue
    # Without a name, the key may be one that was not shown yet.
    raise (UnknownKey if kid is None else Untrusted)("its signature is wrong")


def verified(
    token: str,
    keys: Sequence[Key],
    *,
    issuer: str,
    audience: str,
    now: datetime,
    nonce: str | None = None,
) -> Mapping[str, Any]:
    """The claims of an ID token: OpenID Connect Core, 3.1.3.7. Raises ``Untrusted``."""
    claims = signed(token, keys)
    if claims.get("iss") != issuer:
        raise Untrusted("it is of another issuer")
    heard = claims.get("aud")
    audiences = heard if isinstance(heard, list) else [heard]
    if not audience or audience not in audiences:
        raise Untrusted("it is meant for somebody else")
    party = claims.get("azp")
    if nonce is not None and (
        (len(audiences) > 1 and party is None) or party not in (None, audience)
    ):
        raise Untrusted("it was given to somebody else")
    _in_time(claims, now.timestamp())
    if nonce is not None and not hmac.compare_digest(
        str(claims.get("nonce", "")).encode(), nonce.encode()
    ):
        raise Untrusted("it belongs to another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or "\0" in subject:
        raise Untrusted("it does not say whom it is about")
    return claims


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    end, issued, begin = (claims.get(name) for name in ("exp", "iat", "nbf"))
    for value in (end, issued, *(() if begin is None else (begin,))):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Untrusted("it does not say when it counts")
    assert isinstance(end, int | float)
    assert isinstance(issued, int | float)
    if end <= now - LEEWAY or issued < now - MOST_AGE:
        raise Untrusted("it has expired")
    if issued > now + LEEWAY or (isinstance(begin, int | float) and begin > now + LEEWAY):
        raise Untrusted("it does not count yet")

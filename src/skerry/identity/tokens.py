"""Opaque tokens: how they look and what is kept of them.

A token reads ``skerry_<kind>_<43 characters><6 characters>``: 32 random bytes and a CRC-32 of all
that stands before it, both in base 62. The prefix lets secret scanners find a leaked one, the
checksum lets them, and us, tell it from noise without asking the database. Only its SHA-256 is
kept: 32 random bytes need no slow hash.
"""

import hashlib
import secrets
import string
import uuid
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.identity")

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 43, 6


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK)


def mint(kind: str) -> str:
    """A new secret. ``kind`` is a lower-case word saying what it is for."""
    body = f"skerry_{kind}_{_base62(int.from_bytes(secrets.token_bytes(32)), _RANDOM)}"
    return body + _checksum(body)


def well_formed(secret: str) -> bool:
    """Whether this can be a token at all."""
    parts = secret.split("_")
    return (
        len(parts) == 3
        and parts[0] == "skerry"
        and len(parts[2]) == _RANDOM + _CHECK
        and secret.isascii()
        and _checksum(secret[:-_CHECK]) == secret[-_CHECK:]
    )


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def fingerprint(digest: bytes) -> str:
    """Enough of a digest to tell which token a leaked secret is."""
    return digest.hex()[:16]


async def keep(
    tx: Tx,
    secret: str,
    subject: uuid.UUID,
    *,
    expires_at: datetime | None,
    resource: uuid.UUID | None = None,
    scopes: Sequence[Mapping[str, Any]] = (),
    address: str = "",
    by: str = "",
) -> uuid.UUID:
    """Write a new token of the user or service account ``subject``; answers its id. Of a session,
    ``address`` is where it was opened from, ``by`` what proved it."""
    id = uuid.uuid4()
    await tx.execute(
        _sql.insert_token,
        id, digest(secret), subject, resource, list(scopes), await tx.now(), expires_at,
        address, by,
    )  # fmt: skip
    return id

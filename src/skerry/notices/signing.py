"""Signatures of webhooks, by the Standard Webhooks specification (v1, symmetric).

What is signed is ``id.timestamp.body``; a receiver that has the secret thus knows who sent it, that
nothing was altered, and, by the id, that it has not seen it before.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"


def new_secret() -> str:
    """32 random bytes, in the form that libraries for receivers take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(keys: Iterable[str], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery, with one signature for each key. ``timestamp`` is in seconds."""
    content = f"{id}.{timestamp}.".encode() + body
    signatures = (
        base64.b64encode(
            hmac.digest(base64.b64decode(key.removeprefix(PREFIX)), content, hashlib.sha256)
        ).decode()
        for key in keys
    )
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }

"""A second factor: codes by time (RFC 6238), beside the password.

It is begun with the password and confirmed by the first code that is right, which also gives ten
recovery codes, shown once. Each code counts once: a step of time that was used, or one before it,
is used no more. Guesses are counted for each account, by more than a code's chance.

An issuer that signs people in asks for what it wants itself; its people are asked for no code here.
"""

import base64
import hashlib
import hmac
import io
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import segno

from skerry.identity import attempts
from skerry.identity.authenticate import known_as
from skerry.kernel import changes
from skerry.kernel.errors import Conflict, Forbidden, Unauthenticated
from skerry.kernel.sealing import Sealer
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.identity")

PERIOD = 30
DIGITS = 6
DRIFT = 1
"""Steps by which the other clock may be off."""
MOST_GUESSES = 5
RECOVERY = 10


class FactorRequired(Forbidden):
    """The password is right, and a code is wanted."""

    slug, title = "second-factor-required", "Second factor required"


class FactorMissing(Forbidden):
    """The password is right, and this account may not do without a second factor."""

    slug, title = "second-factor-missing", "Second factor missing"


@dataclass(frozen=True)
class Begun:
    """What the person takes into their authenticator; shown once."""

    uri: str
    secret: str
    svg: str
    text: str


def code_at(seed: bytes, step: int) -> str:
    """The code of a step of time: RFC 4226, 5.3."""
    made = hmac.digest(seed, step.to_bytes(8), "sha1")
    at = made[-1] & 15
    number = int.from_bytes(made[at : at + 4]) & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


async def begin(tx: Tx, sealer: Sealer, *, tenant: str, uid: uuid.UUID, name: str) -> Begun:
    """A new seed that counts once it is confirmed. Raises ``Conflict`` if there is one already."""
    seed = secrets.token_bytes(20)
    sealed = await sealer.wrap(tx, tenant, _about(uid), seed)
    if await tx.fetchval(_sql.begin_factor, uid, sealed) is None:
        raise Conflict(
            "This account has a second factor already.",
            hint="Drop it first: skerry user drop-second-factor.",
        )
    secret = base64.b32encode(seed).decode()
    label = quote(f"{tenant}:{name}")
    uri = f"otpauth://totp/{label}?secret={secret}&issuer={quote('Skerry ' + tenant)}"
    picture = segno.make(uri, micro=False)
    text = io.StringIO()
    picture.terminal(text, compact=True)
    return Begun(uri, secret, picture.svg_inline(scale=4), text.getvalue())


async def passed(
    db: Database,
    sealer: Sealer | None,
    *,
    tenant: str,
    uid: uuid.UUID,
    name: str,
    email: str,
    code: str,
) -> tuple[str, ...]:
    """Return if the account needs no code, or this one is right; answers recovery codes if it
    confirmed the factor.

    Raises ``FactorRequired``, ``FactorMissing``, ``Unauthenticated`` or ``TooManyRequests``.
    """
    has = await db.fetchval(_sql.has_factor, uid)
    if not has:
        names = list(known_as(f"users/{name}", email))
        demanded = await db.fetchval(_sql.factor_demanded, tenant, names)
        if has is None or not code:
            if demanded:
                raise FactorMissing(
                    "This account may not be without a second factor.",
                    hint="Set one up: skerry login --second-factor.",
                )
            return ()
    if not code or sealer is None:
        raise FactorRequired(
            "A code of your second factor is wanted.", hint="Send it with the password."
        )
    return await proved(db, sealer, tenant=tenant, uid=uid, code=code)


async def proved(
    db: Database, sealer: Sealer, *, tenant: str, uid: uuid.UUID, code: str
) -> tuple[str, ...]:
    """Use a code. Raises ``Unauthenticated`` or ``TooManyRequests``."""
    bucket = attempts.bucket("factor", str(uid))
    await attempts.count(db, bucket, MOST_GUESSES)
    async with db.transaction() as tx:
        found = await use(tx, sealer, tenant=tenant, uid=uid, code=code)
        if found is not None:
            await tx.execute(_sql.forgive_account, bucket)
    if found is None:
        raise Unauthenticated(
            "This code is wrong, or was used.",
            hint="Wait for the next one, or use a recovery code.",
        )
    return found


async def use(
    tx: Tx, sealer: Sealer, *, tenant: str, uid: uuid.UUID, code: str
) -> tuple[str, ...] | None:
    """Recovery codes if this one confirmed the factor, else (); None: the code does not count."""
    row = await tx.fetchrow(_sql.factor_of, uid)
    if row is None:
        return None
    given = "".join(code.split()).replace("-", "").lower()
    left: Sequence[bytes] = row["recovery"]
    if len(given) != DIGITS:
        kept = [one for one in left if not hmac.compare_digest(one, _digest(given))]
        if len(kept) == len(left):
            return None
        await tx.execute(_sql.factor_used, uid, row["last_step"], kept)
        return ()
    seed = await sealer.unwrap(tx, tenant, _about(uid), row["seed"])
    now = int((await tx.now()).timestamp()) // PERIOD
    found = 0
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(seed, step).encode(), given.encode()):
            found = max(found, step)
    if found <= row["last_step"]:
        return None
    new = () if row["confirmed"] else tuple(_recovery() for _ in range(RECOVERY))
    kept = [_digest(one.replace("-", "")) for one in new] if new else list(left)
    await tx.execute(_sql.factor_used, uid, found, kept)
    return new


async def drop(tx: Tx, *, tenant: str, uid: uuid.UUID, name: str) -> None:
    """Their own, after ``proved``."""
    ref = f"skerry.identity/v1/tenants/{tenant}/users/{name}"
    await tx.execute(_sql.drop_factor, uid)
    await changes.record(
        tx, kind="action", subject=ref, verb="drop-second-factor", tenant=tenant,
        actor=f"{name}@{tenant}", body={"action": "drop-second-factor", "ref": ref, "body": None},
    )  # fmt: skip


def _recovery() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _about(uid: uuid.UUID) -> str:
    return f"second factor of {uid}"

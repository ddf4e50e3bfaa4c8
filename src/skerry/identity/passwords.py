"""Passwords, for people at the console: argon2id, and how a guesser is slowed down.

Hashing takes a fifth of a second of processor time on purpose; it runs in two threads of its own,
never on the event loop. A login for a user who does not exist checks a hash nobody knows the
password of, so the answer and the time it takes say nothing about who exists.

Failed logins are counted (``attempts``) per account and per address. The price of the first is that
a stranger can keep somebody from logging in with a password for a while; tokens and open sessions
go on working.
"""

import asyncio
import secrets
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from skerry.identity import attempts, second_factor
from skerry.identity.attempts import MOST_PER_ACCOUNT, MOST_PER_ADDRESS
from skerry.identity.authenticate import forget_after
from skerry.identity.sessions import SESSION, Session, logout, opened
from skerry.kernel.errors import Unauthenticated, Unavailable
from skerry.kernel.sealing import Sealer
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.identity")
_hasher = PasswordHasher()

MOST_WAITING = 64
T = TypeVar("T")

__all__ = ["SESSION", "Session", "hashed", "login", "logout", "matches", "proved", "set_password"]


class _Aside:
    """Two threads to hash in, and how many may wait for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
        self._waiting = 0

    async def run(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= MOST_WAITING:
            raise Unavailable(
                "Too many people log in just now.", hint="Try again in a few seconds."
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1


_aside = _Aside()


async def hashed(password: str) -> str:
    """The argon2id string of a password. Raises ``Unavailable`` when too many wait for theirs."""
    return await _aside.run(_hasher.hash, password)


async def matches(hash: str, password: str) -> bool:
    """Whether this is the password; as slow for a wrong one. Raises ``Unavailable``."""
    return await _aside.run(_verify, hash, password)


def _verify(hash: str, password: str) -> bool:
    try:
        return _hasher.verify(hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _nobodys() -> str:
    """A hash of no password that anybody knows, as slow to check as a true one."""
    h = _hasher
    salt, hash = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (h.salt_len, h.hash_len)
    )
    return f"$argon2id$v=19$m={h.memory_cost},t={h.time_cost},p={h.parallelism}${salt}${hash}"


async def login(
    db: Database,
    *,
    tenant: str,
    name: str,
    password: str,
    address: str,
    code: str = "",
    sealer: Sealer | None = None,
) -> Session:
    """Exchange a password, and the code of a second factor if there is one, for a session.

    ``name`` is a user's name or e-mail address in ``tenant``; ``address`` is where the request
    came from. Raises what ``proved`` and ``second_factor.passed`` raise.
    """
    user = await proved(db, tenant=tenant, name=name, password=password, address=address)
    uid, named, email = user["uid"], user["name"], user["spec"].get("email", "")
    recovery = await second_factor.passed(
        db, sealer, tenant=tenant, uid=uid, name=named, email=email, code=code
    )
    async with db.transaction() as tx:
        await tx.execute(_sql.forgive_account, attempts.bucket("account", str(uid)))
        await tx.execute(_sql.forgive_address, attempts.place(address))
        session = await opened(
            tx, tenant=tenant, uid=uid, name=named, address=address,
            by="password and code" if code else "password",
        )  # fmt: skip
    return replace(session, recovery=recovery)


async def proved(
    db: Database, *, tenant: str, name: str, password: str, address: str
) -> Mapping[str, Any]:
    """The user of this name or address, whose password it is.

    Raises ``Unauthenticated``, or ``TooManyRequests`` after ``MOST_PER_ACCOUNT`` failures for the
    account or ``MOST_PER_ADDRESS`` from the address within ``attempts.WINDOW_SECONDS``.
    """
    name = name.lower()
    user = await db.fetchrow(_sql.user_by_login, tenant, name)
    account = attempts.bucket("account", str(user["uid"]) if user else f"{tenant}/{name}")
    await attempts.count(db, attempts.place(address), MOST_PER_ADDRESS)
    await attempts.count(db, account, MOST_PER_ACCOUNT)
    known = user["hash"] if user else _nobodys()
    right = await matches(known, password)
    if not right or user is None or user["suspended"] or user["spec"].get("disabled"):
        raise Unauthenticated(
            "Name or password is wrong.", hint="Check the tenant as well: names are per tenant."
        )
    if _hasher.check_needs_rehash(known):
        await db.execute(_sql.set_password, user["uid"], await hashed(password))
    return dict(user)


async def set_password(tx: Tx, user: uuid.UUID, password: str) -> None:
    """Give a user a password and end the sessions that the old one opened."""
    await put_hash(tx, user, await hashed(password))


async def put_hash(tx: Tx, user: uuid.UUID, hash: str) -> None:
    """The same with what ``hashed`` gave."""
    await tx.execute(_sql.set_password, user, hash)
    await tx.execute(_sql.drop_sessions, user)
    forget_after(tx)

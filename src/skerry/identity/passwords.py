"""Passwords, for people at the console: argon2id, and how a guesser is slowed down.

Hashing takes a fifth of a second of processor time on purpose; it runs in two threads of its own,
never on the event loop. A login for a user who does not exist checks a hash nobody knows the
password of, so the answer and the time it takes say nothing about who exists.

Failed logins are counted in the database, for all servers together: per account and per address
(an IPv6 address counts as its /64). The price of the first is that a stranger can keep somebody
from logging in with a password for a while; tokens and open sessions go on working.
"""

import asyncio
import hashlib
import ipaddress
import secrets
import uuid
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from skerry.identity import tokens
from skerry.identity.authenticate import forget, forget_after
from skerry.kernel import changes
from skerry.kernel.errors import TooManyRequests, Unauthenticated, Unavailable
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.identity")
_hasher = PasswordHasher()

SESSION = timedelta(hours=12)
WINDOW_SECONDS = 900.0
MOST_PER_ACCOUNT = 10
MOST_PER_ADDRESS = 100
MOST_WAITING = 64
_BUCKETS = 65_536
T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """A login. ``secret`` is a token, shown here and kept nowhere."""

    secret: str
    tenant: str
    subject: str
    expires_at: datetime


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


async def login(db: Database, *, tenant: str, name: str, password: str, address: str) -> Session:
    """Exchange a password for a session token of ``SESSION``.

    ``name`` is a user's name or e-mail address in ``tenant``; ``address`` is where the request
    came from. Raises ``Unauthenticated``, or ``TooManyRequests`` after ``MOST_PER_ACCOUNT``
    failures for the account or ``MOST_PER_ADDRESS`` from the address within ``WINDOW_SECONDS``.
    """
    name = name.lower()
    user = await db.fetchrow(_sql.user_by_login, tenant, name)
    account = _bucket("account", str(user["uid"]) if user else f"{tenant}/{name}")
    place = _bucket("address", _network(address)) + _BUCKETS
    await _count(db, place, MOST_PER_ADDRESS)
    await _count(db, account, MOST_PER_ACCOUNT)
    known = user["hash"] if user else _nobodys()
    right = await matches(known, password)
    if not right or user is None or user["suspended"] or user["spec"].get("disabled"):
        raise Unauthenticated(
            "Name or password is wrong.", hint="Check the tenant as well: names are per tenant."
        )
    fresh = await hashed(password) if _hasher.check_needs_rehash(known) else ""
    async with db.transaction() as tx:
        await tx.execute(_sql.forgive_account, account)
        await tx.execute(_sql.forgive_address, place)
        if fresh:
            await tx.execute(_sql.set_password, user["uid"], fresh)
        return await _open(tx, tenant, user["uid"], user["name"], address)


async def _open(tx: Tx, tenant: str, uid: uuid.UUID, name: str, address: str) -> Session:
    secret = tokens.mint("session")
    expires_at = await tx.now() + SESSION
    id = await tokens.keep(tx, secret, uid, expires_at=expires_at)
    ref = f"skerry.identity/v1/tenants/{tenant}/users/{name}"
    await changes.record(
        tx,
        kind="login",
        subject=ref,
        verb="login",
        tenant=tenant,
        actor=f"{name}@{tenant}",
        body={"user": ref, "session": str(id), "address": address, "expiresAt": expires_at},
    )
    return Session(secret, tenant, f"users/{name}", expires_at)


async def logout(db: Database, secret: str) -> None:
    """End a session. A token that is none is no error: it is over in any case."""
    await db.execute(_sql.drop_session, tokens.digest(secret))
    forget()


async def set_password(tx: Tx, user: uuid.UUID, password: str) -> None:
    """Give a user a password and end the sessions that the old one opened."""
    await tx.execute(_sql.set_password, user, await hashed(password))
    await tx.execute(_sql.drop_sessions, user)
    forget_after(tx)


async def _count(db: Database, bucket: int, most: int) -> None:
    row = await db.fetchrow(_sql.count_attempt, bucket, WINDOW_SECONDS)
    assert row is not None
    if row["failures"] > most:
        raise TooManyRequests(
            "Too many failed logins.",
            hint=f"Wait {row['seconds_left']} seconds, or use a token.",
        )


def _bucket(what: str, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{what} {text}".encode()).digest()[:4]) % _BUCKETS


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)

"""Who is it? ``Authenticator`` turns a token into a ``Principal`` with its grants.

One read tells of the token, its user or service account, its tenant and the epoch of the tenant's
authorisation; the grants themselves are read again only when that epoch has moved. What a token
proved is trusted for at most ``max_age`` seconds (one, by default): so long can another process go
on honouring a token, a user or a role after it was taken away. In the process that took it away
that ends with the commit. Memory is bounded; what was not used for longest goes first.
"""

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import asyncpg
import msgspec
import structlog

from skerry.identity.authorize import Principal
from skerry.identity.roles import Grants, compile_grants
from skerry.identity.specs import RoleAssignmentSpec, RoleSpec, Scope
from skerry.identity.tokens import digest, well_formed
from skerry.kernel.errors import Unauthenticated
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.identity")
_log = structlog.get_logger(__name__)

MOST_CACHED = 8192
FLUSH_SECONDS = 60.0

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Memory(Generic[K, V]):
    """The last values used, and no more than ``most`` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Proof:
    """What a token proved, until when that may be trusted, and as of which change of ours."""

    principal: Principal
    until: float
    seen: int


class _Commits:
    """Counts the commits of this process that can make a remembered proof wrong."""

    count = 0


def forget() -> None:
    """Trust no proof of before now, in this process."""
    _Commits.count += 1


def forget_after(tx: Tx) -> None:
    """Trust no proof of before this transaction's commit, in this process."""
    tx.after_commit(forget)


class Authenticator:
    """Tells who the bearer of a token is."""

    def __init__(self, db: Database, *, max_age: float = 1.0, most: int = MOST_CACHED) -> None:
        """``max_age`` in seconds is how long a proof is trusted; 0 asks the database each time."""
        self._db = db
        self._max_age = max_age
        self._proofs: _Memory[bytes, _Proof] = _Memory(most)
        self._grants: _Memory[tuple[str, tuple[str, ...]], tuple[int, Grants]] = _Memory(most)
        self._used: set[uuid.UUID] = set()
        self._asking: dict[tuple[bytes, int], asyncio.Task[_Proof]] = {}

    async def authenticate(self, secret: str) -> Principal:
        """Raises ``Unauthenticated`` if the token is none, unknown, expired or shut out."""
        key = digest(secret)
        seen = _Commits.count
        proof = self._trusted(key, seen)
        if proof is None:
            if not well_formed(secret):
                raise Unauthenticated(
                    "This is not a token of Skerry.",
                    hint="Send the whole token, as it was shown: Authorization: Bearer skerry_…",
                )
            proof = await self._proven(key, seen)
        if proof.principal.token_id is not None and len(self._used) < MOST_CACHED:
            self._used.add(proof.principal.token_id)
        return proof.principal

    async def holder(self, token: uuid.UUID) -> Principal:
        """Who bears a token that was proved before, as they are now. Raises ``Unauthenticated``."""
        key = await self._db.fetchval(_sql.digest_of_token, token)
        if key is None:
            raise Unauthenticated("This token is not known here any more.", hint="Log in again.")
        seen = _Commits.count
        return (self._trusted(key, seen) or await self._proven(key, seen)).principal

    def _trusted(self, key: bytes, seen: int) -> _Proof | None:
        """A proof that still counts."""
        proof = self._proofs.get(key)
        if proof is None or proof.seen != seen or time.monotonic() >= proof.until:
            return None
        return proof

    async def _proven(self, key: bytes, seen: int) -> _Proof:
        """A new proof. Many who ask at once, as watchers do, share one question."""
        asking = self._asking.get((key, seen))
        if asking is None:
            asking = asyncio.create_task(self._prove(key, seen))
            self._asking[key, seen] = asking
            asking.add_done_callback(lambda _: self._asking.pop((key, seen)))
        return await asyncio.shield(asking)

    async def _prove(self, key: bytes, seen: int) -> _Proof:
        asked = time.monotonic()
        row = await self._db.fetchrow(_sql.token_by_digest, key)
        if row is None:
            raise Unauthenticated(
                "This token is not known here, or not any more.",
                hint="Log in again, or ask for a new token.",
            )
        left = row["seconds_left"]
        if left is not None and left <= 0:
            raise Unauthenticated(
                f"This token expired at {row['expires_at']:%Y-%m-%d %H:%M:%S} UTC.",
                hint="Log in again, or ask for a new token.",
            )
        if row["suspended"] or row["spec"].get("disabled"):
            raise Unauthenticated(
                "The account of this token is shut out.",
                hint="Ask an administrator of your tenant.",
            )
        principal, turn = await self._principal(row)
        trusted = min([self._max_age, *(end for end in (left, turn) if end is not None)])
        before = self._proofs.get(key)
        if before is not None and before.principal == principal:
            # The very same, so that what follows from it need not be found again.
            principal = before.principal
        proof = _Proof(principal, asked + trusted, seen)
        self._proofs.put(key, proof)
        return proof

    async def standing(self, subject: uuid.UUID, scopes: Sequence[Mapping[str, Any]]) -> Principal:
        """Who a user or service account is now, within the scopes of the token by which a session
        was opened elsewhere. Raises ``Unauthenticated`` if they are gone or shut out."""
        row = await self._db.fetchrow(_sql.subject_by_uid, subject)
        if row is None or row["suspended"] or row["spec"].get("disabled"):
            raise Unauthenticated(
                "The account of this session is shut out, or gone.",
                hint="Ask an administrator of your tenant.",
            )
        principal, _ = await self._principal({**dict(row), "id": None, "scopes": scopes})
        return principal

    async def _principal(self, row: Mapping[str, Any]) -> tuple[Principal, float | None]:
        """The bearer, and after how many seconds other grants count."""
        tenant, name, spec = row["tenant"], row["name"], row["spec"]
        subject = f"{row['kind']}s/{name}"
        names = known_as(subject, spec.get("email", ""))
        key = (tenant, names)
        known = self._grants.get(key)
        if known is None or known[0] != row["epoch"]:
            known = await load_grants(self._db, tenant, names)
            self._grants.put(key, known)
        counting, turn = known[1].at(row["now_"])
        grants = counting.narrow(msgspec.convert(row["scopes"], list[Scope]))
        shown = spec.get("displayName") or name
        return Principal(tenant, subject, shown, row["id"], grants), turn

    async def run(self) -> None:
        """Until cancelled: once a minute, write down which tokens were used and drop old sessions.

        A database that is away for the moment is no reason to stop: the next minute catches up.
        """
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.flush()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                _log.warning("token use not written", error=str(error))

    async def flush(self) -> None:
        """Write down which tokens were used since the last time."""
        used, self._used = self._used, set()
        try:
            if used:
                await self._db.execute(_sql.mark_used, list(used))
        except BaseException:
            self._used |= used
            raise
        for old in (
            _sql.drop_old_sessions,
            _sql.drop_old_sign_ins,
            _sql.drop_old_links,
            _sql.drop_old_tickets,
        ):
            await self._db.execute(old)


def known_as(subject: str, email: str = "") -> tuple[str, ...]:
    """What a role assignment may call this subject; in lower case, as they are compared."""
    kind, _, name = subject.partition("/")
    names = ["*", subject]
    if kind == "users":
        names += [name, *filter(None, [email.lower()])]
    return tuple(names)


async def load_grants(db: Database, tenant: str, names: Sequence[str]) -> tuple[int, Grants]:
    """The grants of a subject known by these names (in lower case), and their epoch."""
    async with db.transaction(readonly=True) as tx:
        epoch = int(await tx.fetchval(_sql.epoch_of, tenant))
        assignments = [
            msgspec.convert(row["spec"], RoleAssignmentSpec)
            for row in await tx.fetch(_sql.assignments_naming, tenant, list(names))
        ]
        wanted = sorted({role for assignment in assignments for role in assignment.roles})
        roles = {
            row["name"]: msgspec.convert(row["spec"], RoleSpec)
            for row in await tx.fetch(_sql.roles_named, tenant, wanted)
        }
    return epoch, compile_grants(tenant, assignments, roles)

"""Changes: one stream for the watch feed and the transparency log.

``record`` writes one row in the transaction of the change itself, so an event exists exactly if
what it tells of was committed. The row carries its *leaf*: canonical JSON in which subject,
tenant, workspace, actor and body stand only as salted SHA-256 hashes. The leaf can be published;
erasing the row's salt and body (a person's right) leaves the log whole and says nothing of them
any more.

A package that keeps facts in tables of its own registers a *witness* for its kind of change: a
function that builds the body again from the live tables. The audit compares the two.
"""

import hashlib
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.kernel", "changes.sql")

CHANNEL = "changes"
SYSTEM = "system"
"""The actor of what Skerry does by itself."""
FROM: ContextVar[str] = ContextVar("from", default="")
"""Where the request that is being answered came from. It is kept beside each change that somebody
makes, and not in its leaf, which has nothing that is about a person and can't be erased."""

Rebuild = Callable[[Tx, str], Awaitable[Mapping[str, Any] | None]]
WITNESSES: dict[str, Rebuild] = {}


def witness(kind: str) -> Callable[[Rebuild], Rebuild]:
    """Register how the body of a change of ``kind`` is rebuilt from the live tables."""

    def register(rebuild: Rebuild) -> Rebuild:
        if kind in WITNESSES:
            raise ValueError(f"changes of kind {kind!r} have a witness already")
        WITNESSES[kind] = rebuild
        return rebuild

    return register


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no blanks: equal values have equal bytes."""
    return msgspec.json.encode(value, order="sorted")


def salted(salt: bytes, text: str | bytes) -> str:
    """Hex SHA-256 of salt and text: the form in which personal data enters the log."""
    return hashlib.sha256(salt + (text.encode() if isinstance(text, str) else text)).hexdigest()


def leaf_of(
    *,
    id: uuid.UUID,
    at: datetime,
    kind: str,
    verb: str,
    version: int,
    subject: str,
    tenant: str,
    workspace: str,
    actor: str,
    body: str,
    salt: bytes,
) -> bytes:
    """The leaf's preimage."""
    return canonical(
        {
            "v": 1,
            "id": str(id),
            "at": at.isoformat(),
            "kind": kind,
            "verb": verb,
            "version": version,
            "subject": salted(salt, subject),
            "tenant": salted(salt, tenant),
            "workspace": salted(salt, workspace),
            "actor": salted(salt, actor),
            "body": salted(salt, body),
        }
    )


class Change(NamedTuple):
    """A change as it is written, in the order of the statement's parameters."""

    id: uuid.UUID
    at: datetime
    kind: str
    subject: str
    verb: str
    tenant: str
    workspace: str
    actor: str
    version: int
    body: str
    salt: bytes
    leaf: bytes
    address: str


def change_of(
    at: datetime,
    *,
    kind: str,
    subject: str,
    verb: str,
    tenant: str,
    actor: str,
    body: Mapping[str, Any],
    workspace: str = "",
    version: int = 0,
) -> Change:
    """A change of now, for a statement that writes it beside what it tells of."""
    id, salt = uuid.uuid4(), os.urandom(16)
    text = canonical(body).decode()
    leaf = leaf_of(
        id=id,
        at=at,
        kind=kind,
        verb=verb,
        version=version,
        subject=subject,
        tenant=tenant,
        workspace=workspace,
        actor=actor,
        body=text,
        salt=salt,
    )
    address = "" if actor == SYSTEM else FROM.get()
    return Change(
        id, at, kind, subject, verb, tenant, workspace, actor, version, text, salt, leaf, address
    )


async def record(
    tx: Tx,
    *,
    kind: str,
    subject: str,
    verb: str,
    tenant: str,
    actor: str,
    body: Mapping[str, Any],
    workspace: str = "",
    version: int = 0,
) -> uuid.UUID:
    """Write one change. ``body`` is what a watcher sees and what the leaf's hash covers."""
    change = change_of(
        await tx.now(),
        kind=kind,
        subject=subject,
        verb=verb,
        tenant=tenant,
        actor=actor,
        body=body,
        workspace=workspace,
        version=version,
    )
    await tx.execute(_sql.insert_change, *change)
    return change.id

"""Rows: resources as they are stored, read and marked.

``Rows`` reads resources and records what was observed of them; ``resources.Resources`` adds what
a client may do. Whatever changes a row writes one row of ``change`` in the same transaction.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

import msgspec

from skerry.kernel import changes
from skerry.kernel.errors import NotFound
from skerry.kernel.history import State, grown, stamp
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.kinds import Kind, Registry
from skerry.kernel.listing import MOST_COUNTED, Asked, Query, Skips
from skerry.kernel.paths import Path, parent_ref, path_of, ref_of
from skerry.kernel.sealing import Sealer
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.kernel", "resources.sql")
S = TypeVar("S")
ALL = Asked()


class Resource(msgspec.Struct, kw_only=True):
    """A resource as it is stored."""

    uid: uuid.UUID
    kind: str
    ref: str
    name: str
    tenant: str
    workspace: str
    region: str
    parent_ref: str
    owner_uid: uuid.UUID | None
    root_uid: uuid.UUID
    created_by: str
    labels: dict[str, str]
    annotations: dict[str, str]
    extensions: dict[str, str]
    spec: dict[str, Any]
    spec_version: str
    status: dict[str, Any]
    state: State
    conditions: list[dict[str, Any]]
    version: int
    generation: int
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None = None

    def typed(self, of: type[S]) -> S:
        """The spec as its struct."""
        return msgspec.convert(self.spec, of)

    @property
    def phase(self) -> str:
        return str(self.status.get("phase", ""))


_FIELDS = Resource.__struct_fields__
_fields = itemgetter(*_FIELDS)


class Wake(Enum):
    """What a write tells the resource's flow."""

    NO = 0
    CHANGED = 1
    """There is a new generation."""
    DELETING = 2


@dataclass(frozen=True)
class Page:
    items: list[Resource]
    skip_token: str
    """Where the next page starts; empty on the last one."""
    total: int | None = None
    """How many there are on all pages, where that was asked; more than ``MOST_COUNTED``: at least
    so many."""


_SHOWN = tuple(name for name in _FIELDS if name not in ("created_by", "root_uid"))
_shown = attrgetter(*_SHOWN)


def from_row(row: Row) -> Resource:
    """Of a row that may have more columns than a resource."""
    return Resource(**dict(zip(_FIELDS, _fields(row), strict=True)))


def snapshot(resource: Resource) -> dict[str, Any]:
    """What a watcher sees of a resource, and what the log's leaf covers."""
    body = dict(zip(_SHOWN, _shown(resource), strict=True))
    for field in ("created_at", "modified_at", "deleted_at"):
        value = body[field]
        body[field] = stamp(value) if value else None
    body["uid"] = str(resource.uid)
    if resource.owner_uid is not None:
        body["owner_uid"] = str(resource.owner_uid)
    return body


async def _rebuild(tx: Tx, ref: str) -> dict[str, Any] | None:
    row = await tx.fetchrow(_sql.find_last, ref)
    return snapshot(from_row(row)) if row else None


def watch_over(registry: Registry) -> None:
    """Let the audit compare every resource with the last change recorded of it."""
    for kind in registry.kinds:
        changes.WITNESSES.setdefault(kind.noun, _rebuild)


class Rows:
    """Reads resources and records what was observed of them."""

    def __init__(self, registry: Registry, sealer: Sealer, region: str = "") -> None:
        self.registry = registry
        self.sealer = sealer
        self._skips = Skips(sealer)
        self.region = region
        """The home region, for regional kinds put without one."""
        self.woken: Callable[[], None] = lambda: None
        """Called after a commit that gives a flow something to do."""
        self.changed: Callable[[], None] = lambda: None
        """Called after a commit that wrote a change."""

    async def find(self, tx: Tx, ref: str) -> Resource | None:
        row = await tx.fetchrow(_sql.find, ref)
        return self.loaded(row) if row else None

    async def find_all(self, tx: Tx, refs: Sequence[str]) -> dict[str, Resource]:
        """Those of several that are there, by ref."""
        return {row["ref"]: self.loaded(row) for row in await tx.fetch(_sql.find_all, list(refs))}

    async def get(self, tx: Tx, ref: str) -> Resource:
        """Raises ``NotFound``."""
        found = await self.find(tx, ref)
        if found is None:
            raise NotFound(f"{ref} does not exist")
        return found

    async def by_uid(self, tx: Tx, uid: uuid.UUID, *, lock: bool = False) -> Resource:
        """By identity, deleted or not. ``lock`` holds the row until the transaction ends."""
        known: Resource | None = tx.known.get(uid)
        if known is not None:
            return copy(known)
        row = await tx.fetchrow(_sql.by_uid_for_update if lock else _sql.by_uid, uid)
        if row is None:
            raise NotFound(f"resource {uid} does not exist")
        return self.locked(tx, row) if lock else self.loaded(row)

    def locked(self, tx: Tx, row: Row) -> Resource:
        """A row that the transaction has locked; it may have more columns than a resource."""
        resource = self.loaded(row)
        tx.known[resource.uid] = copy(resource)
        return resource

    async def children(self, tx: Tx, owner: uuid.UUID) -> list[Resource]:
        """The resources a flow put and owns."""
        return [self.loaded(row) for row in await tx.fetch(_sql.children, owner)]

    def loaded(self, row: Row) -> Resource:
        """A row as a resource, its spec in today's form."""
        resource = from_row(row)
        kind = self.registry[resource.kind]
        if kind.upgrade is not None and resource.spec_version != kind.version:
            resource.spec = kind.upgrade(resource.spec_version, resource.spec)
        return resource

    async def list(self, tx: Tx, kind: Kind, path: Path, asked: Asked = ALL) -> Page:
        """One page of a collection. ``path`` names what the collection lives in."""
        query = Query(asked, self._skips, kind.noun, parent_ref(kind, path, self.registry))
        where = f"{_sql.list_head} and {query.filter}"
        statement = f"{where} and {query.after} order by {query.order} limit {asked.limit + 1}"
        rows = await tx.fetch(statement, *query.values)
        items = [self.loaded(row) for row in rows[: asked.limit]]
        more = len(rows) > asked.limit
        total = None
        if asked.count:
            alone = Query(replace(asked, skip_token=""), self._skips, *query.values[:2])
            found = f"{_sql.list_head} and {alone.filter} limit {MOST_COUNTED + 1}"
            counted = f"select count(*) from ({found}) as counted"  # noqa: S608
            total = await tx.fetchval(counted, *alone.values)
        return Page(items, query.token(items[-1]) if more else "", total)

    async def set_status(
        self,
        tx: Tx,
        uid: uuid.UUID,
        *,
        state: State | None = None,
        status: Mapping[str, Any] | None = None,
        reason: str = "",
        message: str = "",
        by: Caller = SYSTEM,
    ) -> Resource:
        """Record what was observed. ``status`` is merged at the top level; None drops a field.

        Nothing new is no change: no version, no event.
        """
        resource = await self.by_uid(tx, uid, lock=True)
        now = await tx.now()
        merged = {**resource.status, **msgspec.to_builtins(dict(status or {}))}
        merged = {k: v for k, v in merged.items() if v is not None}
        moved = state is not None and state != resource.state
        if not moved and merged == resource.status:
            return resource
        resource.status = merged
        if state is not None and moved:
            through: tuple[State, ...] = (state,)
            if (resource.state, state) == ("pending", "active"):
                through = ("creating", "active")
            resource.state = state
            resource.conditions = grown(
                resource.conditions, *through, at=now, reason=reason, message=message
            )
        resource.version += 1
        resource.modified_at = now
        await self.save(tx, resource, "status", by)
        return resource

    async def save(self, tx: Tx, r: Resource, verb: str, by: Caller, wake: Wake = Wake.NO) -> None:
        """Write a changed row back, with its change for feed and log, and wake its flow."""
        await tx.execute(_sql.update, *await self._updating(tx, r, verb, by, wake))
        tx.known[r.uid] = copy(r)
        tx.after_commit(self.changed)

    async def add(self, tx: Tx, r: Resource, verb: str, by: Caller, step: str = "") -> bool:
        """Write a new row with its change, and its flow at its first ``step``. False if there is
        one of that name by now."""
        added = await tx.fetchval(_sql.insert, *await self._inserting(tx, r, verb, by, step))
        tx.after_commit(self.changed)
        return added is not None

    async def write_all(
        self, tx: Tx, made: Sequence[Resource], changed: Sequence[Resource], by: Caller
    ) -> None:
        """``add`` those and ``save`` these, all without flows, in two statements. What somebody
        else has created by now stays as it is."""
        rows = [await self._inserting(tx, one, "put", by, "") for one in made]
        await tx.executemany(_sql.insert, rows)
        rows = [await self._updating(tx, one, "put", by, Wake.NO) for one in changed]
        await tx.executemany(_sql.update, rows)
        tx.known.update({one.uid: copy(one) for one in changed})
        tx.after_commit(self.changed)

    async def _updating(
        self, tx: Tx, r: Resource, verb: str, by: Caller, wake: Wake
    ) -> tuple[object, ...]:
        c = await self._change(tx, r, verb, by)
        return (
            r.uid, r.labels, r.annotations, r.extensions, r.spec, r.spec_version,
            r.status, r.state, r.conditions, r.version, r.generation, r.modified_at, r.deleted_at,
            c.id, c.at, c.verb, c.actor, c.body, c.salt, c.leaf, wake.value, c.address,
        )  # fmt: skip

    async def _inserting(
        self, tx: Tx, r: Resource, verb: str, by: Caller, step: str
    ) -> tuple[object, ...]:
        c = await self._change(tx, r, verb, by)
        return (
            r.uid, r.kind, r.ref, r.name, r.tenant, r.workspace, r.region,
            r.parent_ref, r.owner_uid, r.root_uid, r.created_by, r.labels, r.annotations,
            r.extensions, r.spec, r.spec_version, r.status, r.state, r.conditions, r.version,
            r.generation, r.created_at, r.modified_at,
            c.id, c.at, c.verb, c.actor, c.body, c.salt, c.leaf, step, c.address,
        )  # fmt: skip

    async def _change(self, tx: Tx, resource: Resource, verb: str, by: Caller) -> changes.Change:
        return changes.change_of(
            await tx.now(),
            kind=resource.kind,
            subject=resource.ref,
            verb=verb,
            tenant=resource.tenant,
            workspace=resource.workspace,
            actor=by.subject,
            version=resource.version,
            body=snapshot(resource),
        )

    def ref(self, kind: Kind, path: Path) -> str:
        return ref_of(kind, path)

    def path(self, resource: Resource) -> Path:
        return path_of(self.registry[resource.kind], resource.ref)

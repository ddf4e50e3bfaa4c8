"""What is refused of a queue, and what is shown of it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.market.queues import shown
from skerry.market.queues.specs import CohortSpec, QueueSpec, Share
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.market.queues", "entries.sql")


class QueueHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        spec = new.typed(QueueSpec)
        _check(spec.quotas)
        for row in await tx.fetch(_sql.queues_of, new.tenant):
            if row["name"] != new.name:
                _apart(spec, msgspec.convert(row["spec"], QueueSpec), row["name"])
        return Admitted()

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return await shown.queues(tx, page)


class CohortHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        _check(new.typed(CohortSpec).quotas)
        return Admitted()

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return await shown.of_cohorts(tx, page)


def _check(shares: Sequence[Share]) -> None:
    names = [share.name for share in shares]
    for index, share in enumerate(shares):
        where = [Source(pointer=f"/spec/quotas/{index}")]
        if share.model and share.resource != "gpus":
            raise ValidationError(f"quotas: {share.resource} come in no models", sources=where)
        if names.count(share.name) > 1:
            raise ValidationError(f"quotas: {share.name} stands there twice", sources=where)
        if share.lending_limit is not None and share.lending_limit > share.nominal:
            raise ValidationError(
                f"quotas: {share.name} can't lend more than its nominal amount", sources=where
            )


def _apart(mine: QueueSpec, other: QueueSpec, name: str) -> None:
    """Each workspace has one queue."""
    both = sorted(set(mine.workspaces) & set(other.workspaces))
    if both or (not mine.workspaces and not other.workspaces):
        what = f"workspace {both[0]}" if both else "all workspaces"
        raise Conflict(
            f"queue {name!r} is for {what} already", hint="Name other workspaces, or change it."
        )

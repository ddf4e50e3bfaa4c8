"""Quotas as resources: how many of a kind a tenant may have, said by the operator.

A quota is named after the kind it limits. Without one, the kind's own default holds.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta

from skerry.kernel import quotas
from skerry.kernel.errors import Source, ValidationError
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.kinds import Column, Kind, Spec, Status
from skerry.kernel.resources import Resource, Resources
from skerry.store import Tx


class QuotaSpec(Spec):
    most: Annotated[int, Meta(ge=0, le=10**9, description="How many the tenant may have")]


class QuotaStatus(Status):
    used: Annotated[int, Meta(description="How many it has")] = 0


class QuotaHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        kind = resources.registry.by_noun.get(new.name)
        if kind is None or kind.quota is None:
            counted = sorted(k.noun for k in resources.registry.kinds if k.quota is not None)
            raise ValidationError(
                f"{new.name!r} is not counted",
                hint=f"Name the quota after one of: {', '.join(counted)}.",
                sources=[Source(pointer="/metadata/name")],
            )
        await quotas.allow(tx, kind, new.tenant, new.typed(QuotaSpec).most)
        return Admitted()

    async def removing(self, tx: Tx, resources: Resources, resource: Resource, by: Caller) -> None:
        await quotas.default(tx, resources.registry[resource.name], resource.tenant)

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        shown = {}
        for tenant in {one.tenant for one in page}:
            used = await quotas.usage(tx, tenant)
            mine = (one for one in page if one.tenant == tenant)
            shown.update({one.uid: {"used": used.get(one.name, (0, None))[0]} for one in mine})
        return shown


QUOTA = Kind(
    provider="skerry.identity",
    collection="quotas",
    noun="quota",
    summary="How many resources of a kind a tenant may have",
    parent="tenant",
    spec=QuotaSpec,
    status=QuotaStatus,
    hooks=QuotaHooks(),
    regional=False,
    operator_only=True,
    columns=(Column("MOST", "spec.most"), Column("USED", "status.used")),
)

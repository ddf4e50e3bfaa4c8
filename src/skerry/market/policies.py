"""Which policies bind an asker: those of its tenant, and the house's own.

The house's: work of anybody but the operator runs isolated, at least in a sandbox.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from skerry.kernel.paths import OPERATOR_TENANT
from skerry.market.policy import Policy, PolicySpec, compiled, intersect
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.market", "policies.sql")

ISOLATED = Policy(isolation="sandbox", sources=("skerry.market/tenants-are-isolated@1",))


class TenantPolicySpec(PolicySpec):
    """A tenant's policy, for all of its workspaces or for some."""

    workspaces: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(max_length=256, description="Workspaces it binds; by default all of the tenant"),
    ] = []


async def binding(tx: Tx, tenant: str, workspace: str) -> Policy:
    """What all policies that bind a workspace allow together, with their versions."""
    found = [] if tenant == OPERATOR_TENANT else [ISOLATED]
    for row in await tx.fetch(_sql.of_tenant, tenant, workspace):
        spec = msgspec.convert(row["spec"], TenantPolicySpec)
        found.append(compiled(spec, f"{row['ref']}@{row['version']}"))
    return intersect(found)

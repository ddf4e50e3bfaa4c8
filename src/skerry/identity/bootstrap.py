"""The first operator of a new cloud, and the way back in when its token is lost.

Whoever can run these has the database and the key file, so nothing is given away that is not
theirs already.
"""

from skerry.identity.hooks import assign
from skerry.identity.roles import EVERYTHING
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import OPERATOR_TENANT, Path, ref_of
from skerry.kernel.resources import Resources
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.identity")
_HOME = Path(tenant=OPERATOR_TENANT)


async def first_operator(tx: Tx, resources: Resources) -> str | None:
    """Make the tenant and user ``operator``; answers its token, to be shown once.

    None if they are there already: calling it again does nothing.
    """
    await tx.execute(_sql.lock_tenant, OPERATOR_TENANT)
    kinds = resources.registry
    home = Path(name=OPERATOR_TENANT)
    if await resources.find(tx, ref_of(kinds["tenant"], home)) is not None:
        return None
    await resources.put(
        tx, kinds["tenant"], home, {"spec": {"displayName": "The operator of this cloud"}}, SYSTEM
    )
    user = {"spec": {"displayName": "Operator"}}
    await resources.put(tx, kinds["user"], _HOME.named("operator"), user, SYSTEM)
    await assign(
        tx, resources, _HOME.named("skerry.operator"), "skerry.operator", "users/operator",
        tenants=[EVERYTHING],
    )  # fmt: skip
    return await operator_token(tx, resources, "operator.first", "Made with this cloud")


async def operator_token(tx: Tx, resources: Resources, name: str, description: str = "") -> str:
    """A token of the user ``operator`` that does not expire, named ``name``.

    One of that name is replaced, so that the old secret stops working.
    """
    kind, path = resources.registry["token"], _HOME.named(name)
    old = await resources.find(tx, ref_of(kind, path))
    if old is not None:
        await resources.delete(tx, old, SYSTEM)
    spec = {"subject": "operator", "ttlSeconds": 0, "description": description}
    put = await resources.put(tx, kind, path, {"spec": spec}, SYSTEM)
    return str(put.once["secret"])

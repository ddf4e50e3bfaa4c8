"""Where the versions of a secret are: two sealed fields of its resource.

``versions`` has the values, ``index`` what may be told of them; so that listing secrets opens no
value.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.secrets.specs import KEPT, Version
from skerry.store import Tx

Values = dict[str, str]
_SENT, _INDEX, _VERSIONS = "data", "index", "versions"


async def index(tx: Tx, resources: Resources, secret: Resource) -> list[Version]:
    """The versions kept, newest first."""
    return (await indexes(tx, resources, [secret])).get(secret.uid, [])


async def indexes(
    tx: Tx, resources: Resources, page: Sequence[Resource]
) -> dict[uuid.UUID, list[Version]]:
    """The same of several; a question or two for each tenant."""
    known: dict[uuid.UUID, list[Version]] = {}
    for tenant in {one.tenant for one in page}:
        uids = [one.uid for one in page if one.tenant == tenant]
        found = await resources.sealer.open_all(tx, tenant, uids, _INDEX)
        known |= {uid: msgspec.convert(index, list[Version]) for uid, index in found.items()}
    return known


async def versions(tx: Tx, resources: Resources, secret: Resource) -> dict[int, Values]:
    """The values of each version kept."""
    found = await resources.sealer.open(tx, secret.tenant, secret.uid, _VERSIONS)
    return msgspec.convert(found or {}, dict[int, Values], strict=False)


async def keep(tx: Tx, resources: Resources, secret: Resource, now: datetime) -> None:
    """Make what was sent the current version, if it is not that already."""
    sealer = resources.sealer
    sent = await sealer.open(tx, secret.tenant, secret.uid, _SENT)
    values = msgspec.convert(sent or {}, Values)
    known, kept = await index(tx, resources, secret), await versions(tx, resources, secret)
    if known and kept[known[0].version] == values:
        return
    number = known[0].version + 1 if known else 1
    known = [Version(version=number, created_at=now, keys=sorted(values)), *known][:KEPT]
    kept[number] = values
    still = {str(one.version): kept[one.version] for one in known}
    await sealer.seal(tx, secret.tenant, secret.uid, _VERSIONS, still)
    await sealer.seal(tx, secret.tenant, secret.uid, _INDEX, msgspec.to_builtins(known))

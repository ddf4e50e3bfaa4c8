"""What a PUT of a secret does: keep the values that it replaces."""

from collections.abc import Mapping
from typing import Any

import msgspec

from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import Caller, Hooks
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.secrets import store
from skerry.products.run.secrets.specs import MOST, SecretStatus
from skerry.store import Tx


class SecretHooks(Hooks):
    async def written(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> None:
        await store.keep(tx, resources, new, await tx.now())
        known = await store.index(tx, resources, new)
        values = (await store.versions(tx, resources, new))[known[0].version]
        if not values:
            raise ValidationError.at(
                "/spec/data", "a secret needs at least one value", "skerry secret create NAME KEY"
            )
        size = sum(len(key) + len(value.encode()) for key, value in values.items())
        if size > MOST:
            raise ValidationError.at(
                "/spec/data", f"its values have {size} bytes together", f"At most {MOST} are kept."
            )

    async def shown(self, tx: Tx, resources: Resources, resource: Resource) -> Mapping[str, Any]:
        known = await store.index(tx, resources, resource)
        if not known:
            return {}
        now = known[0]
        status = SecretStatus(version=now.version, keys=now.keys, versions=known)
        built: dict[str, Any] = msgspec.to_builtins(status)
        return built

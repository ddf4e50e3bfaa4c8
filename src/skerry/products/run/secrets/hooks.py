"""What a PUT of a secret does: keep the values that it replaces."""

import uuid
from collections.abc import Mapping, Sequence
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

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return {
            uid: msgspec.to_builtins(
                SecretStatus(version=known[0].version, keys=known[0].keys, versions=known)
            )
            for uid, known in (await store.indexes(tx, resources, page)).items()
            if known
        }

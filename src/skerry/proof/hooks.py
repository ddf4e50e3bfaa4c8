"""What witnesses must be, and how far they are."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kernel.errors import Conflict, Source, ValidationError
from skerry.kernel.history import stamp
from skerry.kernel.hooks import Admitted, Caller, Hooks
from skerry.kernel.resources import Resource, Resources
from skerry.proof.verify import COSIGNATURE, ED25519, Key, Unreadable
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.proof")


class WitnessHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        _key(new, COSIGNATURE, "skerry key --witness")
        if not new.spec["endpoint"].startswith(("https://", "http://")):
            raise ValidationError(
                "the endpoint must begin with https:// or http://",
                sources=[Source(pointer="/spec/endpoint")],
            )
        return Admitted()

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows = await tx.fetch(_sql.cosigned_by, [one.uid for one in page])
        return {
            row["witness"]: {"size": row["size"], "cosignedAt": stamp(row["at"])} for row in rows
        }


class WitnessedLogHooks(Hooks):
    async def admit(
        self, tx: Tx, resources: Resources, new: Resource, old: Resource | None, by: Caller
    ) -> Admitted:
        origin = _key(new, ED25519, "skerry key").name
        for row in await tx.fetch(_sql.witnessed_logs):
            if row["name"] != new.name and Key.parse(row["spec"]["key"]).name == origin:
                raise Conflict(
                    f"the log {origin} is witnessed already, as {row['name']}",
                    hint="A log has one key: change it there.",
                )
        return Admitted(status={"origin": origin})

    async def shown_of(
        self, tx: Tx, resources: Resources, page: Sequence[Resource]
    ) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        origins = {one.uid: one.status.get("origin", "") for one in page}
        rows = await tx.fetch(_sql.witnessed_of, list(origins.values()))
        known = {
            row["origin"]: {
                "size": row["size"],
                "cosignedAt": stamp(row["at"]),
                "checkpoint": row["note"],
            }
            for row in rows
        }
        return {uid: known[origin] for uid, origin in origins.items() if origin in known}


def _key(new: Resource, type: bytes, command: str) -> Key:
    try:
        return Key.parse(new.spec["key"], type)
    except Unreadable as error:
        raise ValidationError(
            f"spec.key: {error}", hint=f"Print it there: {command}",
            sources=[Source(pointer="/spec/key")],
        ) from None  # fmt: skip

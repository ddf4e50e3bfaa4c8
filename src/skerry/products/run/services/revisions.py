"""A service's revisions: what it ran, kept so that it can run it again.

They stand in the flow's notes, which no client sees; what is sealed of them stands sealed beside
the service's own sealed fields, one for each revision.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from skerry.kernel.flows import Context
from skerry.kernel.history import stamp
from skerry.kernel.rows import Resource
from skerry.products.run.services.specs import KEPT, OF_THE_SERVICE
from skerry.store import Tx

SEALED = "secretEnv"


class Kept(msgspec.Struct, omit_defaults=True):
    """A revision, as it is kept."""

    number: int
    digest: str
    spec: dict[str, Any]
    """Of its pods, without what is sealed."""
    at: datetime
    ready: bool = False
    note: str = ""


def template(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a service's spec that is its pods'; the port is one of theirs."""
    own = {camel(field) for field in OF_THE_SERVICE}
    pod = {name: value for name, value in spec.items() if name not in own}
    port = spec["port"]
    pod["ports"] = list(dict.fromkeys([port, *pod.get("ports", ())]))
    health = pod.get("health") or {}
    if not health.get("command") and not health.get("port"):
        pod["health"] = {**health, "port": port}
    return pod


def camel(field: str) -> str:
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)


def known(data: Mapping[str, Any]) -> list[Kept]:
    """Those that are kept, oldest first."""
    return msgspec.convert(data.get("revisions") or [], list[Kept])


async def revise(ctx: Context, *, again: str = "") -> Kept:
    """The revision that the spec asks for: a new one if it asks for something else than the last,
    or if it is to be run ``again``, for the reason given. In a transaction."""
    kept, sealer, r = known(ctx.data), ctx.resources.sealer, ctx.resource
    secret = await sealer.open(ctx.tx, r.tenant, r.uid, SEALED)
    spec = template(r.spec)
    digest = hashlib.sha256(msgspec.json.encode([spec, secret], order="sorted")).hexdigest()
    if kept and kept[-1].digest == digest and not again:
        return kept[-1]
    made = Kept(kept[-1].number + 1 if kept else 1, digest, spec, ctx.now, note=again)
    if secret:
        await sealer.seal(ctx.tx, r.tenant, r.uid, sealed_name(made.number), secret)
    _keep(ctx, [*kept, made][-KEPT:])
    return made


def note_ready(ctx: Context, revision: Kept) -> None:
    """All of its pods were ready at once: it can be gone back to."""
    if not revision.ready:
        kept = known(ctx.data)
        for one in kept:
            one.ready = one.ready or one.number == revision.number
        _keep(ctx, kept)


def _keep(ctx: Context, kept: list[Kept]) -> None:
    ctx.data["revisions"] = msgspec.to_builtins(kept)


def sealed_name(number: int) -> str:
    return f"{SEALED}.{number}"


async def secret_of(tx: Tx, ctx: Context, number: int) -> Any:
    """What is sealed of a revision."""
    r: Resource = ctx.resource
    return await ctx.resources.sealer.open(tx, r.tenant, r.uid, sealed_name(number))


def shown(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For the status, newest first."""
    return [
        {
            "number": one.number,
            "createdAt": stamp(one.at),
            **({"ready": True} if one.ready else {}),
            **({"note": one.note} if one.note else {}),
        }
        for one in reversed(known(data))
    ]

"""How far each gateway follows a route, and when a workload that left it is drained.

A gateway writes down each version that it has taken into its table (``saw``), with the workloads
that left the route and still have requests there. Who ends workloads asks ``drained`` first.
"""

import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.gateway")

GONE_SECONDS = 30.0
"""A gateway that was not heard of for so long counts no more."""


class Sight(msgspec.Struct, frozen=True):
    """What a gateway says of a route."""

    route: uuid.UUID
    version: int
    draining: tuple[str, ...] = ()
    asked_ago: float | None = None
    """Seconds since the last request; None: nothing new."""


async def drained(tx: Tx, route: uuid.UUID, version: int, workload: str) -> bool:
    """Whether every live gateway follows the route's ``version`` (that of the resource whose spec
    no longer names the workload), and has no request left at the workload. A gateway that was
    not heard of for ``GONE_SECONDS`` is gone; without any gateway, all is drained."""
    return bool(await tx.fetchval(_sql.drained, route, version, workload, GONE_SECONDS))


async def begin(db: Database, gateway: str) -> None:
    """A gateway starts: nothing is in flight there, and it has seen nothing yet."""
    async with db.transaction() as tx:
        await tx.execute(_sql.begin, gateway)
        await tx.execute(_sql.beat, gateway)
        await tx.execute(_sql.forget_gateways)
        await tx.execute(_sql.forget_seen)


async def beat(db: Database, gateway: str) -> None:
    """The gateway lives."""
    await db.execute(_sql.beat, gateway)


async def saw(db: Database, gateway: str, sights: Iterable[Sight]) -> None:
    rows: list[dict[str, Any]] = [msgspec.to_builtins(sight) for sight in sights]
    await db.execute(_sql.saw, gateway, rows)

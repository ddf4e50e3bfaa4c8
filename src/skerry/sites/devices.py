"""The GPUs of all places: which there are, who has them, and those that are paid for and idle.

A device idles if each moment that is known since ``IDLE`` began shows it busy for less
than ``BUSY``, and at least a third of them is known: what nobody measured is no idleness. Whoever
leases it is told, with what it costs; it is no business of ours to take it away.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
import structlog

from skerry.kernel import alerts
from skerry.kernel.resources import Resources
from skerry.ledger import money
from skerry.ledger.cost import costs
from skerry.series.reading import Span, read, series_named
from skerry.sites.contract import Gpu
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.sites", "devices.sql")
_log = structlog.get_logger("sites")
IDLE = timedelta(minutes=30)
BUSY = 0.02
EVERY = 60.0
REASON = "GpuIdle"


class Device(msgspec.Struct, frozen=True):
    """A GPU and the machine that it is in: a host that joined a site, or a site's node."""

    site: str
    host: str
    gpu: Gpu


async def all_devices(tx: Tx) -> list[Device]:
    """What the places told last."""
    found = []
    for row in await tx.fetch(_sql.capacities):
        site, _, host = row["at"].partition("/")
        machines = {host: row["capacity"].get("gpus", ())}
        machines |= {
            node["name"]: node.get("gpus", ()) for node in row["capacity"].get("nodes", ())
        }
        found += [
            Device(site, name, msgspec.convert(gpu, Gpu))
            for name, gpus in machines.items()
            for gpu in gpus
        ]
    return found


async def held(tx: Tx) -> dict[str, Row]:
    """Whose tasks run on which devices."""
    return {row["uuid"]: row for row in await tx.fetch(_sql.held)}


class Idle:
    """Tells tenants of what they lease and don't use."""

    def __init__(self, db: Database, resources: Resources) -> None:
        self._db, self._resources = db, resources

    async def run(self) -> None:
        """Every minute until cancelled."""
        while True:
            try:
                await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("idle GPUs not looked for", error=str(error))
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Raise what is to be said, and clear what is no longer so."""
        async with self._db.transaction() as tx:
            now = await tx.now()
            leased = await held(tx)
            long = {u: row for u, row in leased.items() if _since(row, now) >= IDLE}
            idle = await idling(tx, long, now)
            by_root: dict[uuid.UUID, list[str]] = defaultdict(list)
            for device in idle:
                by_root[long[device]["root"]].append(device)
            said = set()
            for root, devices in by_root.items():
                said.add(await self._tell(tx, root, devices))
            for row in await tx.fetch(_sql.told):
                if row["subject"] not in said:
                    await alerts.clear(tx, row["subject"], REASON)

    async def _tell(self, tx: Tx, root: uuid.UUID, devices: Sequence[str]) -> str:
        owner = await self._resources.by_uid(tx, root)
        currency, found = await costs(tx, owner.tenant, [root])
        amount, hourly = found.get(root, (0, 0))
        count = f"{len(devices)} GPUs" if len(devices) > 1 else "A GPU"
        minutes = int(IDLE.total_seconds() // 60)
        await alerts.raise_alert(
            tx,
            subject=owner.ref,
            tenant=owner.tenant,
            reason=REASON,
            message=f"{count} of {owner.kind} {owner.name} did nothing for {minutes} minutes "
            f"({', '.join(sorted(devices)[:4])}). It costs {_coins(hourly, currency)} an hour, "
            f"{_coins(amount, currency)} so far.",
            remedy="See what it waits for, or stop it: GPUs cost by the time that they are leased.",
        )
        return owner.ref


async def idling(tx: Tx, uuids: Iterable[str], now: datetime) -> list[str]:
    """Those of the devices that did nothing since ``IDLE`` before now."""
    subjects = await tx.fetch(_sql.subjects, list(uuids))
    if not subjects:
        return []
    span = Span.over(now - IDLE, now, 60)
    points = await read(tx, subjects, series_named(("gpu",)), span)
    if "gpu" not in points.means:
        return []
    found = []
    for subject in subjects:
        values = points.means["gpu"][points.row(subject["id"])]
        known = values[~np.isnan(values)]
        if 3 * len(known) >= len(values) and bool((known < BUSY).all()):
            found.append(subject["name"])
    return found


def _since(row: Mapping[str, datetime | None], now: datetime) -> timedelta:
    started = row["started_at"]
    return now - started if started is not None else timedelta(0)


def _coins(nano: int, currency: str) -> str:
    return f"{money.coins(money.rounded(nano, currency), currency)} {currency}"

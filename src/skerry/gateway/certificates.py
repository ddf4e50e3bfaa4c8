"""How the names of routes are vouched for, as it is shown."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from skerry.kernel.history import stamp
from skerry.store import Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.gateway")

AUTHORITY = "*"
"""The row of the private authority, which vouches for every name."""


def candidates(host: str) -> tuple[str, ...]:
    """The rows that may vouch for a name, the most telling first."""
    return (host, f"*.{host.partition('.')[2]}", AUTHORITY)


async def certificates_of(tx: Tx, hosts: Collection[str]) -> dict[str, dict[str, Any]]:
    """By name, for the status of routes; nothing where there is no TLS."""
    if not await tx.fetchval(_sql.has_tls):
        return {}
    wanted = sorted({name for host in hosts for name in candidates(host)})
    rows = {row["host"]: row for row in await tx.fetch(_sql.certificates_of, wanted)}
    now = await tx.now()
    found = {}
    for host in hosts:
        row = next((rows[name] for name in candidates(host) if name in rows), None)
        if row is not None:
            found[host] = _shown(host, row, now)
    return found


def _shown(host: str, row: Row, now: datetime) -> dict[str, Any]:
    end = row["not_after"]
    state = "valid"
    if end is not None and end <= now:
        state = "expired"
    elif row["tries"]:
        state = "failing"
    elif end is None:
        state = "waiting"
    shown: dict[str, Any] = {"host": host, "source": row["source"], "state": state}
    if end is not None:
        shown["notAfter"] = stamp(end)
    if row["problem"]:
        shown["problem"] = row["problem"]
    return shown

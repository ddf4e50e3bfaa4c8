"""Price lists in the database: every version ever loaded, and which one holds when."""

import hashlib
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, Unavailable
from skerry.ledger.prices import PriceList, read
from skerry.store import Tx
from skerry.store.queries import load as load_queries

_sql = load_queries("skerry.ledger", "prices.sql")
_read = cache(read)


def shipped() -> str:
    """The text of the price list that comes with Skerry."""
    return (resources.files("skerry.ledger") / "prices.toml").read_text("utf-8")


async def load(tx: Tx, source: str, *, name: str = "prices.toml", actor: str = "system") -> None:
    """Take a price list into use from its effective date on. The same list again does nothing.

    Raises ``PriceError`` (with the line) if it can't be read, and ``Conflict`` if its version
    exists with other prices, is older than one that exists, would hold before an older one does,
    or is in another currency.
    """
    new = read(source, name)
    await tx.execute(_sql.lock_lists)
    for row in await tx.fetch(_sql.lists):
        if row["version"] == new.version:
            if row["source"] == source:
                return
            raise Conflict(
                f"version {new.version} of the price list exists with other prices",
                hint=f"Set version = {new.version + 1} in {name}.",
            )
        if row["version"] > new.version:
            raise Conflict(f"version {row['version']} of the price list is newer")
        if row["effective_at"] > new.effective_at:
            raise Conflict(
                f"version {row['version']} holds from {row['effective_at']:%Y-%m-%d}, which is "
                f"later than this one's {new.effective_at:%Y-%m-%d}"
            )
        if row["currency"] != new.currency:
            raise Conflict(
                f"this cloud's prices are in {row['currency']}, not {new.currency}",
                hint="A cloud has one currency for its life.",
            )
    await tx.execute(
        _sql.add_list, new.version, new.effective_at, new.currency, source, await tx.now()
    )
    await changes.record(
        tx,
        kind="ledger.prices",
        subject=f"ledger/prices/{new.version}",
        verb="put",
        tenant="",
        actor=actor,
        version=new.version,
        body=_body(new.version, source),
    )


async def at(tx: Tx, when: datetime | None = None) -> PriceList:
    """The list that holds at a time; now, if none is given. ``Unavailable`` if none does."""
    row = await tx.fetchrow(_sql.list_at, when or await tx.now())
    if row is None:
        raise Unavailable("no price list holds yet", hint="Load one, or wait for its date.")
    return _read(row["source"])


async def all_lists(tx: Tx) -> list[PriceList]:
    """Every version, oldest first."""
    return [_read(row["source"]) for row in await tx.fetch(_sql.lists)]


def _body(version: int, source: str) -> dict[str, Any]:
    return {"version": version, "sha256": hashlib.sha256(source.encode()).hexdigest()}


@changes.witness("ledger.prices")
async def _rebuild(tx: Tx, subject: str) -> dict[str, Any] | None:
    version = int(subject.rpartition("/")[2])
    source = await tx.fetchval(_sql.list_source, version)
    return _body(version, source) if source is not None else None

"""Prices agreed with one tenant, in place of those that an offer states.

An ask carries them (``Ask.agreed``), so ``match`` stays a function of its arguments and a decision
says by itself what it was priced with. They are for what is sold by amount from our own price list;
what has no price there has none by agreement either.
"""

import numpy as np

from skerry.ledger.prices import Overlay, overlay_fits
from skerry.market.ask import Agreed, Ask
from skerry.market.columns import NEVER, Ints, Tables
from skerry.market.prices import CORE, GPU, MEMORY, STORAGE

_METERS = {
    "core_price": CORE, "memory_price": MEMORY, "gpu_price": GPU, "storage_price": STORAGE,
}  # fmt: skip


def of_overlays(overlays: list[Overlay]) -> tuple[Agreed, ...]:
    """What an ask carries: the most telling last, and of equals the newest."""
    ordered = sorted(overlays, key=lambda o: (len(o.sku), o.starts_at))
    return tuple(Agreed(meter=o.meter, sku=o.sku, price=o.amount) for o in ordered)


def price_of(ask: Ask, meter: str, sku: str, listed: int, price_version: int) -> int:
    """The unit price of a meter for this ask."""
    if listed == NEVER or not price_version:
        return listed
    found = [a.price for a in ask.agreed if a.meter == meter and overlay_fits(a.sku, sku)]
    return found[-1] if found else listed


def priced(prices: dict[str, Ints], groups: Ints, ask: Ask, tables: Tables) -> dict[str, Ints]:
    """Columns of unit prices with what was agreed in place. ``groups`` is each row's group."""
    if not ask.agreed:
        return prices
    return {name: _column(name, column, groups, ask, tables) for name, column in prices.items()}


def _column(name: str, column: Ints, groups: Ints, ask: Ask, tables: Tables) -> Ints:
    meter = _METERS[name]
    if not any(a.meter == meter for a in ask.agreed):
        return column
    known, names = tables.groups.list, tables.names.list
    agreed = np.full(len(known), -1, np.int64)
    for index in np.unique(groups).tolist():
        group = known[index]
        sku = names[group.gpu] if meter == GPU else ""
        agreed[index] = price_of(ask, meter, sku, -1, group.price_version)
    found = agreed[groups]
    return np.where((found < 0) | (column == NEVER), column, found)

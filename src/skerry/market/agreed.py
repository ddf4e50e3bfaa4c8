"""Prices agreed with one tenant, in place of those that an offer states.

An ask carries them (``Ask.agreed``), so ``match`` stays a function of its arguments and a decision
says by itself what it was priced with. They are for what is sold by amount from our own price list;
what has no price there has none by agreement either.
"""

import numpy as np
from numpy.typing import NDArray

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
    agreed = _agreed(ask, meter, sku, price_version)
    price = agreed if agreed >= 0 else listed
    return price if meter == STORAGE else -(-price * ask.spot_permille // 1000)


def _agreed(ask: Ask, meter: str, sku: str, price_version: int) -> int:
    """What was agreed for a meter; -1: nothing."""
    if not price_version:
        return -1
    found = [a.price for a in ask.agreed if a.meter == meter and overlay_fits(a.sku, sku)]
    return found[-1] if found else -1


def priced(prices: dict[str, Ints], groups: Ints, ask: Ask, tables: Tables) -> dict[str, Ints]:
    """Columns of unit prices with what was agreed in place. ``groups`` is each row's group."""
    if ask.agreed:
        prices = {n: _column(n, column, groups, ask, tables) for n, column in prices.items()}
    if ask.spot_permille == 1000:
        return prices
    ours = np.array([group.price_version > 0 for group in tables.groups.list])[groups]
    return {n: column if n == "storage_price" else _spot(column, ours, ask)
            for n, column in prices.items()}  # fmt: skip


def _spot(column: Ints, ours: NDArray[np.bool_], ask: Ask) -> Ints:
    """What may be taken back at any time costs a part of our list's price."""
    less = ours & (column != NEVER)
    return np.where(less, -(-np.where(less, column, 0) * ask.spot_permille // 1000), column)


def _column(name: str, column: Ints, groups: Ints, ask: Ask, tables: Tables) -> Ints:
    meter = _METERS[name]
    if not any(a.meter == meter for a in ask.agreed):
        return column
    known, names = tables.groups.list, tables.names.list
    agreed = np.full(len(known), -1, np.int64)
    for index in np.unique(groups).tolist():
        group = known[index]
        sku = names[group.gpu] if meter == GPU else ""
        agreed[index] = _agreed(ask, meter, sku, group.price_version)
    found = agreed[groups]
    return np.where((found < 0) | (column == NEVER), column, found)

"""The filters and the score of single lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from skerry.market.agreed import priced
from skerry.market.ask import Ask
from skerry.market.columns import NAMELESS, NEVER, PRICES, Ints, Tables
from skerry.market.groups import Bools, listed, needs
from skerry.market.policy import Policy
from skerry.market.prices import MONTH, mebibytes, part
from skerry.market.reasons import Reason
from skerry.market.snapshot import View

MOST = 1 << 60
"""Nano per hour: the ceiling of whoever names none, so that no total overflows 64 bits."""

FARTHEST = 60_000
"""Milliseconds: an unknown latency counts as the longest there is."""


OUTSIDE = 128
"""The failures of lines that were not asked about: more than there are filters."""


@dataclass(frozen=True)
class Lines:
    """Some lines of a view, tested."""

    view: View
    where: slice | NDArray[np.intp]
    """Which lines of the segment."""
    price: Ints
    """Nano per hour and task; NEVER: unknown."""
    ok: Bools
    first: dict[Reason, Bools]
    """For each filter, the lines that fail it and none before."""
    bad: dict[Reason, Bools]
    """For each filter, the lines that fail it."""
    failures: NDArray[np.uint8]
    """How many filters each line fails."""

    def column(self, name: str) -> Ints:
        return self.view.segment.columns[name][self.where]

    def failed(self, position: int) -> int:
        """The filters a line fails, as bits by ``Reason``."""
        return sum(1 << reason for reason, mask in self.bad.items() if mask[position])

    def at(self, position: int) -> int:
        """The line's place in its segment."""
        return int(position) if isinstance(self.where, slice) else int(self.where[position])


def select(view: View, groups: Bools) -> tuple[slice | NDArray[np.intp], Bools | None]:
    """The lines alive of those of the segment's groups: which to look at, and which of them count
    (None: all). Of most of a segment the whole of it is looked at, which spares a copy."""
    everything = view.segment.starts
    if groups.all():
        return slice(None), view.alive
    starts, ends = everything[:-1][groups], everything[1:][groups]
    sizes = ends - starts
    count = int(sizes.sum())
    if 2 * count > len(view.segment):
        inside = np.repeat(groups, np.diff(everything))
        return slice(None), inside if view.alive is None else inside & view.alive
    where = np.arange(count) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
    return where if view.alive is None else where[view.alive[where]], None


def evaluate(
    view: View, groups: Bools, ask: Ask, policy: Policy, tables: Tables, now: datetime
) -> Lines:
    """Test the lines of ``groups`` (a mask over the segment's groups)."""
    where, inside = select(view, groups)
    price = line_price(view, where, ask, tables)
    ok = np.ones(len(price), np.bool_) if inside is None else inside.copy()
    failures = np.zeros(len(price), np.uint8)
    if inside is not None:
        failures[~inside] = OUTSIDE
    first: dict[Reason, Bools] = {}
    bad = dict(_tests(view, where, price, ask, policy, tables, now))
    for reason, mask in bad.items():
        first[reason] = mask & ok
        ok &= ~mask
        failures += mask
    return Lines(view, where, price, ok, first, bad, failures)


def _tests(
    view: View,
    where: slice | NDArray[np.intp],
    price: Ints,
    ask: Ask,
    policy: Policy,
    tables: Tables,
    now: datetime,
) -> Iterator[tuple[Reason, Bools]]:
    """What fails each filter, in the filters' order."""
    columns, pool = view.segment.columns, view.segment.divisible
    if pool:
        yield Reason.SHAPE, _short(view, where, ask, "")
    for reason, names, wanted in _places(ask, policy):
        good = listed(tables.names, wanted)
        there = [name for name in names if name in columns]
        yield reason, ~np.logical_or.reduce([good[columns[name][where]] for name in there])
    free = _short(view, where, ask, "free_") if pool else columns["count"][where] < ask.tasks
    yield Reason.CAPACITY, free
    yield Reason.EXPIRED, columns["expires"][where] <= int(now.timestamp())
    unknown = price == NEVER
    yield Reason.PRICE_UNKNOWN, unknown
    yield Reason.PRICE_CEILING, (price > ceiling(ask) // ask.tasks) & ~unknown
    if ask.tasks > 1 and (view.segment.fleet if pool else ask.topology_required and ask.topology):
        yield Reason.TOGETHER, _apart(view, where, ask)


def ceiling(ask: Ask) -> int:
    """What all tasks may cost an hour, in nano."""
    return MOST if ask.price_ceiling is None else min(ask.price_ceiling, MOST)


def _places(ask: Ask, policy: Policy) -> list[tuple[Reason, tuple[str, ...], tuple[str, ...]]]:
    """The filters by place: the columns any of which must hold one of the names wanted."""
    found: list[tuple[Reason, tuple[str, ...], tuple[str, ...]]] = []
    if policy.operators is not None:
        found.append((Reason.OPERATOR, ("operator",), tuple(o for o in policy.operators if o)))
    if ask.zones:
        found.append((Reason.ZONE, ("zone",), ask.zones))
    if ask.sites:
        found.append((Reason.SITE, ("site", "at", "node"), ask.sites))
    if ask.volume_sites:
        together = set(ask.volume_sites)
        found.append((Reason.VOLUMES, ("at",), tuple(together) if len(together) == 1 else ()))
    return found


def _short(view: View, where: slice | NDArray[np.intp], ask: Ask, prefix: str) -> Bools:
    """Whether a pool (or what is free of it) holds less than all tasks need."""
    short: Bools | None = None
    for name, need in needs(ask):
        one = view.segment.columns[prefix + name][where] < need * _together(view, where, ask)
        short = one if short is None else short | one
    return np.zeros(len(view.segment.columns["key"][where]), np.bool_) if short is None else short


def _together(view: View, where: slice | NDArray[np.intp], ask: Ask) -> int | Ints:
    """How many tasks must find room at a line: all, of a gang at a node one."""
    if ask.tasks == 1 or not view.segment.fleet:
        return ask.tasks
    return np.where(view.segment.columns["node"][where] == NAMELESS, ask.tasks, 1)


def _apart(view: View, where: slice | NDArray[np.intp], ask: Ask) -> Bools:
    """Whether not all tasks can be together at a line: where several instances are to each other,
    nobody knows, and a node may have room for some of them only."""
    columns = view.segment.columns
    if not view.segment.divisible:
        return np.ones(len(columns["key"][where]), np.bool_)
    short: Bools = np.zeros(len(columns["key"][where]), np.bool_)
    for name, need in needs(ask):
        short |= columns["free_" + name][where] < need * ask.tasks
    alone: Bools = columns["node"][where] != NAMELESS
    return short & alone


def line_price(view: View, where: slice | NDArray[np.intp], ask: Ask, tables: Tables) -> Ints:
    """What a task costs an hour at each line; NEVER where that is unknown."""
    columns = view.segment.columns
    if not view.segment.divisible:
        price = columns["price"][where]
        if ask.storage:
            return np.full_like(price, NEVER)  # whole instances end with all that is on them
        return np.minimum(price, columns["spot"][where]) if ask.spot else price
    listed = {name: columns[name][where] for name in PRICES}
    return by_amount(priced(listed, columns["group"][where], ask, tables), ask)


def by_amount(prices: dict[str, Ints], ask: Ask) -> Ints:
    """What a task costs an hour where it is sold by amount; NEVER where that is unknown."""
    total = np.zeros(len(prices["core_price"]), np.int64)
    unknown = np.zeros(len(total), np.bool_)
    for name, quantity, per in (
        ("core_price", ask.millicores, 1000),
        ("memory_price", mebibytes(ask.memory), 1024),
        ("gpu_price", ask.gpus, 1),
        ("storage_price", mebibytes(ask.storage), 1024 * MONTH),
    ):
        if quantity:
            missing = prices[name] == NEVER
            unknown |= missing
            total += part(quantity, per, np.where(missing, 0, prices[name]))
    total[unknown] = NEVER
    return total


def scores(lines: Lines, positions: NDArray[np.intp], ask: Ask, tables: Tables) -> Ints:
    """The scores of eligible lines: nano per hour for all tasks, the lower the better."""
    latency = lines.column("latency")[positions].astype(np.int64)
    latency[latency < 0] = FARTHEST
    score = lines.price[positions] * ask.tasks + latency * ask.latency_worth
    if ask.spread_from:
        siblings = np.zeros(len(tables.names), np.int64)
        np.add.at(siblings, tables.names.find(ask.spread_from), 1)
        near = siblings[lines.column("at")[positions]]
        if lines.view.segment.fleet:
            near = near + siblings[lines.column("node")[positions]]
        score += near * ask.spread_worth
    return score

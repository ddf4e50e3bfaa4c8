"""The refused lines that came nearest to serving an ask (``reasons`` says what near means).

Classes of lines, each of one number of failures and one first failure, are gone through from the
nearest on until ten lines are found. Lines of groups that fail are only tested here, the groups
whose cheapest line is cheapest first, and no further than the tenth price found.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skerry.market.agreed import priced
from skerry.market.ask import Ask
from skerry.market.columns import NEVER, PRICES, Ints, Tables
from skerry.market.lines import Lines, by_amount, evaluate
from skerry.market.lowest import lowest
from skerry.market.policy import Policy
from skerry.market.reasons import REASONS, Reason
from skerry.market.snapshot import View

NEAREST = 10
BATCH = 2048
"""Lines tested at first; each further batch is four times as large."""


class Spot(NamedTuple):
    """A line's place."""

    view: View
    line: int
    failed: int = 0
    """The filters it fails, as bits by ``Reason``."""
    price: int = NEVER
    """Nano per hour and task, of a line that is refused."""


class _Found(NamedTuple):
    price: int
    key: int
    offer: str
    spot: Spot


@dataclass(frozen=True)
class Search:
    """One look for the nearest. ``failed`` is what each group fails, as bits by ``Reason``."""

    ask: Ask
    policy: Policy
    tables: Tables
    failed: Ints
    now: datetime

    def nearest(self, looked: list[tuple[View, Lines]], most: int) -> list[Spot]:
        """The ``most`` nearest, in order. ``looked``: the lines of groups that fail nothing,
        tested; ``most``: not more than ten, nor than were refused."""
        masks = [self.failed[view.segment.groups] for view, _ in looked]
        present = [int(np.bitwise_or.reduce(mask)) for mask in masks]
        # The nearest class first: few failures, and late in the order of filters.
        classes = product(range(1, len(REASONS) + 1), reversed(REASONS))
        found: list[Spot] = []
        while len(found) < most:
            level, reason = next(classes)
            best: list[_Found] = []
            for (view, lines), mask, some in zip(looked, masks, present, strict=True):
                best += self._tested(lines, reason, level)
                if some >> reason & 1:
                    best += self._failing(view, mask, reason, level, most - len(found))
            best.sort(key=_order)
            found += [f.spot for f in best]
        return found[:most]

    def _tested(self, lines: Lines, reason: Reason, level: int) -> list[_Found]:
        """The cheapest of lines whose groups fail nothing."""
        newly = lines.first.get(reason)
        if newly is None:
            return []
        return self._cheapest(lines, np.flatnonzero(newly & (lines.failures == level)))

    def _failing(
        self, view: View, mask: Ints, reason: Reason, level: int, most: int
    ) -> list[_Found]:
        """The cheapest lines of failing groups: ``level`` failures in all, ``reason`` the first."""
        bit = 1 << reason
        wanted = ((mask & (2 * bit - 1)) == bit) & (np.bitwise_count(mask) <= level)
        order = np.flatnonzero(wanted)
        bounds = self._lower_bounds(view)
        order = order[np.argsort(bounds[order], kind="stable")]
        ends = np.cumsum(view.sizes[order])
        best: list[_Found] = []
        at, batch = 0, BATCH
        while at < len(order):
            if len(best) >= most and bounds[order[at]] > best[most - 1].price:
                break
            done = ends[at - 1] if at else 0
            stop = max(at + 1, int(np.searchsorted(ends, done + batch)))
            chosen = np.zeros(len(mask), np.bool_)
            chosen[order[at:stop]] = True
            lines = evaluate(view, chosen, self.ask, self.policy, self.tables, self.now)
            total = np.bitwise_count(self.failed[lines.column("group")]) + lines.failures
            best += self._cheapest(lines, np.flatnonzero(total == level))
            best.sort(key=_order)
            at, batch = stop, 4 * batch
        return best[:most]

    def _lower_bounds(self, view: View) -> Ints:
        """For each group a price that no line of it is below."""
        cheapest = view.segment.cheapest
        if view.segment.divisible:
            listed = {name: cheapest[name] for name in PRICES}
            return by_amount(priced(listed, view.segment.groups, self.ask, self.tables), self.ask)
        if self.ask.spot:
            return np.minimum(cheapest["price"], cheapest["spot"])
        return cheapest["price"]

    def _cheapest(self, lines: Lines, where: NDArray[np.intp]) -> list[_Found]:
        if not len(where):
            return []
        price = lines.price[where]
        key, group, offer = (lines.column(name) for name in ("key", "group", "offer"))
        best = lowest(NEAREST, price, lambda some: key[where[some]])
        places, ids = where[best], self.tables.offers.list
        columns = (price[best], key[places], offer[places], self.failed[group[places]], places)
        found = []
        for cost, tie, code, bits, at in zip(*(c.tolist() for c in columns), strict=True):
            spot = Spot(lines.view, lines.at(at), bits | lines.failed(at), cost)
            found.append(_Found(cost, tie, ids[code], spot))
        return found


def _order(found: _Found) -> tuple[int, int, str]:
    return found.price, found.key, found.offer

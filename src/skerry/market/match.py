"""``match``: which offer serves an ask best under a policy, and why not the others.

A pure function of its arguments: it reads no clock and no database, and neither the order of the
offers nor how the snapshot came about changes the answer. Everything is integer arithmetic.

Where no offer holds all tasks, nodes of one site may together (``gang``).

It first tests the groups of offers, then the lines of the groups that passed; of the eligible it
takes the lowest score (price, and what latency and company are worth in money), and of the refused
it keeps the ten nearest. ``reasons`` holds the filters and their order.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from skerry.market.ask import Ask
from skerry.market.columns import Ints, Tables
from skerry.market.decision import Decision
from skerry.market.gang import Gang, assemble, packing
from skerry.market.groups import refuse_groups
from skerry.market.lines import Lines, evaluate, scores
from skerry.market.lowest import lowest
from skerry.market.nearest import NEAREST, Search, Spot
from skerry.market.policy import Policy
from skerry.market.reasons import REASONS, Reason
from skerry.market.snapshot import Snapshot, View
from skerry.market.terms import choice_of, near_of, spread_choice

CONTENDERS = 16
"""More than the GPU models of any one offer, so that the runner-up is another offer."""


@dataclass(frozen=True)
class _Scored:
    score: int
    key: int
    offer: str
    spot: Spot


def match(ask: Ask, offers: Snapshot, policy: Policy, now: datetime) -> Decision:
    """Decide. ``policy`` is what all policies that bind the asker allow together
    (``policy.intersect``); ``now`` is when the offers must be valid."""
    failed = refuse_groups(ask, offers.tables, policy)
    counts = np.zeros(len(REASONS), np.int64)
    contenders: list[_Scored] = []
    looked: list[tuple[View, Lines]] = []
    eligible = 0
    for view in offers.views:
        mask = failed[view.segment.groups]
        _count_groups(counts, mask, view.sizes)
        lines = evaluate(view, mask == 0, ask, policy, offers.tables, now)
        for reason, newly in lines.first.items():
            counts[reason] += np.count_nonzero(newly)
        eligible += int(np.count_nonzero(lines.ok))
        contenders += _contenders(view, lines, ask, offers.tables)
        looked.append((view, lines))
    contenders.sort(key=lambda c: (c.score, c.key, c.offer))
    chosen = contenders[0] if contenders else None
    other = next((c for c in contenders if chosen and c.offer != chosen.offer), None)
    choice = choice_of(chosen.spot, chosen.score, ask, policy, offers.tables) if chosen else None
    together = ""
    if chosen is None and counts[Reason.TOGETHER]:
        gang = assemble(looked, ask, offers.tables)
        if isinstance(gang, Gang):
            choice = spread_choice(gang, ask, policy, offers.tables)
            looked = [(view, _joined(view, lines)) for view, lines in looked]
            eligible = sum(int(np.count_nonzero(lines.ok)) for _, lines in looked)
            counts[Reason.TOGETHER] -= eligible
        else:
            together = gang
    near = Search(ask, policy, offers.tables, failed, now).nearest(
        looked, min(NEAREST, int(counts.sum()))
    )
    return Decision(
        ask=ask,
        policy=policy,
        at=now,
        snapshot=offers.digest,
        considered=offers.lines,
        eligible=eligible,
        refused={r.slug: int(counts[r]) for r in REASONS if counts[r]},
        chosen=choice,
        runner_up=choice_of(other.spot, other.score, ask, policy, offers.tables) if other else None,
        together=together,
        nearest=tuple(near_of(spot, ask, policy, offers.tables, now) for spot in near),
    )


def _count_groups(counts: Ints, mask: Ints, sizes: Ints) -> None:
    """Count the lines of refused groups under the first filter each group fails."""
    first = np.bitwise_count((mask & -mask) - 1)
    first[mask == 0] = len(REASONS)
    counts += np.bincount(first, sizes, len(REASONS) + 1)[:-1].astype(np.int64)


def _contenders(view: View, lines: Lines, ask: Ask, tables: Tables) -> list[_Scored]:
    """The best of a view. A score is never below the price, so only lines as cheap as the worst
    score of the cheapest few can be among them."""
    able = np.flatnonzero(lines.ok)
    if not len(able):
        return []
    offer, ids = lines.column("offer"), tables.offers.list
    price = lines.price[able]
    cheap = able[lowest(CONTENDERS, price, lambda some: _keys(lines, able[some]))]
    bound = int(scores(lines, cheap, ask, tables).max())
    rivals = able[price <= bound // ask.tasks]
    score = scores(lines, rivals, ask, tables)
    best = lowest(CONTENDERS, score, lambda some: _keys(lines, rivals[some]))
    places = rivals[best]
    columns = (score[best], _keys(lines, places), offer[places], places)
    return [
        _Scored(worth, tie, ids[code], Spot(view, lines.at(place)))
        for worth, tie, code, place in zip(*(c.tolist() for c in columns), strict=True)
    ]


def _keys(lines: Lines, places: NDArray[np.intp]) -> Ints:
    """What decides between equals; of nodes the one with the least left is taken first."""
    segment = lines.view.segment
    where = places if isinstance(lines.where, slice) else lines.where[places]
    return packing(segment.columns, where) if segment.fleet else segment.columns["key"][where]


def _joined(view: View, lines: Lines) -> Lines:
    """The same, those among the eligible that only are too small alone."""
    few = lines.first.get(Reason.TOGETHER)
    if few is None or not view.segment.divisible:
        return lines
    return replace(
        lines,
        ok=lines.ok | few,
        first={r: m for r, m in lines.first.items() if r != Reason.TOGETHER},
        bad={**lines.bad, Reason.TOGETHER: lines.bad[Reason.TOGETHER] & ~few},
        failures=lines.failures - few,
    )

"""A gang over several nodes of one site: all of its tasks, as near to each other as can be.

The members are lines of nodes that could serve a part: they fail no filter but ``TOGETHER``. Those
of one place, one sort and one price are a *class*, and a gang stays in one class, so that it has
one price and one driver. Classes that keep the topology asked for go first, then cheaper ones.

Within a class the smallest domain that holds the gang is chosen: an NVLink domain, else a rack,
else a zone, else the site; no wider than ``ask.topology`` where that is required. Of several
domains it is the one where the fewest nodes will do, then the one with the least room left over.
There, from the wider to the narrower, whole domains are filled up, the roomiest first, and the
rest goes to the smallest that holds it; so a gang lies in few racks, on few nodes, and spares the
others. What is equal in all of that is decided by the nodes' keys, whatever their order.

A node that does not say which rack it is in is in none: a rack is never guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skerry.market.ask import LEVELS, Ask
from skerry.market.columns import LEFT_BITS, NAMELESS, OWN_BITS, PRICES, Ints, Tables
from skerry.market.groups import needs
from skerry.market.lines import Lines, scores
from skerry.market.nearest import Spot
from skerry.market.reasons import Reason
from skerry.market.snapshot import View

HOST, LINK, RACK, ZONE, SITE = range(len(LEVELS))
_FACTS = ("at", "group", "core_price", "memory_price", "gpu_price")
"""What the lines of a class share."""


@dataclass(frozen=True)
class Gang:
    """Where a gang goes."""

    parts: tuple[tuple[Spot, int], ...]
    """Lines, and how many tasks each takes, in the order of ranks."""
    level: int
    domain: str
    score: int


class _Members(NamedTuple):
    """Lines that could serve a part, as columns over all views."""

    spots: list[tuple[View, NDArray[np.intp]]]
    view: Ints
    line: Ints
    score: Ints
    """Nano per hour for all tasks."""
    fit: Ints
    """How many tasks each has room for."""
    key: Ints
    """What is chosen first among equals: a node with less left."""
    kind: Ints
    """The class of each."""
    domains: tuple[Ints, ...]
    """For each level which domain of it each is in; -1: unknown."""
    columns: dict[str, Ints]


def packing(columns: dict[str, Ints], where: NDArray[np.intp]) -> Ints:
    """The keys by which nodes are chosen among equals: the one with the fewest free devices, then
    the fewest free cores, so that whole nodes stay free; of other lines their own."""
    key = columns["key"][where]
    devices = np.minimum(columns["free_gpus"][where], (1 << 11) - 1).astype(np.int64)
    cores = np.minimum(columns["free_millicores"][where] >> 7, (1 << 20) - 1).astype(np.int64)
    own = (1 << OWN_BITS) - 1
    packed = (key >> LEFT_BITS + OWN_BITS << LEFT_BITS + OWN_BITS) | (key & own)
    packed |= devices << (20 + OWN_BITS) | cores << OWN_BITS
    return np.where(columns["node"][where] == NAMELESS, key, packed)


def assemble(looked: Sequence[tuple[View, Lines]], ask: Ask, tables: Tables) -> Gang | str:
    """The best gang, or why there is none, in words (none, where nothing could serve a part)."""
    members = _members(looked, ask, tables)
    if members is None:
        return ""
    wished = LEVELS.index(ask.topology) if ask.topology else SITE
    widest = wished if ask.topology_required else SITE
    best: tuple[tuple[bool, int, int], Ints, int, int] | None = None
    for kind in range(int(members.kind.max()) + 1):
        where = np.flatnonzero(members.kind == kind)
        found = _domain(members, where, ask.tasks, widest)
        if found is not None:
            level, inside = found
            order = (level > wished, int(members.score[where].max()), int(members.key[where].min()))
            if best is None or order < best[0]:
                best = order, inside, level, kind
    if best is None:
        return _why(members, ask, widest, tables)
    (_, score, _), inside, level, _ = best
    taken = _fill(members, inside, level, ask.tasks)
    return _gang(members, taken, level, score, tables)


def _members(looked: Sequence[tuple[View, Lines]], ask: Ask, tables: Tables) -> _Members | None:
    parts: list[tuple[View, NDArray[np.intp], Ints]] = []
    for view, lines in looked:
        mask = lines.first.get(Reason.TOGETHER)
        if mask is None or not view.segment.divisible or not mask.any():
            continue
        some = np.flatnonzero(mask)
        where = some if isinstance(lines.where, slice) else lines.where[some]
        parts.append((view, where, scores(lines, some, ask, tables)))
    if not parts:
        return None

    def column(name: str) -> Ints:
        found = [view.segment.columns[name][where] for view, where, _ in parts]
        return np.concatenate(found).astype(np.int64)

    names = (*_FACTS, *PRICES, "zone", "rack", "link", "node", "offer")
    columns = {name: column(name) for name in names}
    fit = np.min([column("free_" + name) // need for name, need in needs(ask)], axis=0)
    kind = _numbered([columns[name] for name in _FACTS])
    packed = np.concatenate([packing(view.segment.columns, where) for view, where, _ in parts])
    zone, rack, link = columns["zone"], columns["rack"], columns["link"]
    lowest = np.arange(len(kind))
    domains = (
        lowest,
        _known(_numbered([kind, zone, rack, link]), link != NAMELESS),
        _known(_numbered([kind, zone, rack]), rack != NAMELESS),
        _known(_numbered([kind, zone]), zone != NAMELESS),
        kind,
    )
    return _Members(
        [(view, where) for view, where, _ in parts],
        np.repeat(np.arange(len(parts)), [len(where) for _, where, _ in parts]),
        np.concatenate([where for _, where, _ in parts]),
        np.concatenate([score for _, _, score in parts]),
        np.minimum(fit, ask.tasks),
        _ranked(column("key"), packed, columns["offer"], tables),
        kind,
        domains,
        columns,
    )


def _ranked(key: Ints, packed: Ints, offer: Ints, tables: Tables) -> Ints:
    """Each one's place in the order of keys, different for all."""
    order = np.lexsort((key, packed))
    if (np.diff(key[order]) == 0).any():
        ids = [tables.offers.list[code] for code in offer.tolist()]
        order = np.array(sorted(range(len(ids)), key=lambda i: (packed[i], key[i], ids[i])))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _numbered(columns: list[Ints]) -> Ints:
    """A number for each row, equal for equal rows."""
    order = np.lexsort(columns)
    new = np.zeros(len(order), np.int64)
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    found = np.empty(len(order), np.int64)
    found[order] = np.cumsum(new)
    return found


def _known(numbers: Ints, known: NDArray[np.bool_]) -> Ints:
    return np.where(known, numbers, -1)


def _domain(members: _Members, where: Ints, tasks: int, widest: int) -> tuple[int, Ints] | None:
    """The smallest domain of these that holds all tasks, and its members."""
    if int(members.fit[where].sum()) < tasks:
        return None
    for level in range(LINK, widest + 1):
        there = where[members.domains[level][where] >= 0]
        if not len(there):
            continue
        _ids, index = np.unique(members.domains[level][there], return_inverse=True)
        fit, key = members.fit[there], members.key[there]
        room = np.bincount(index, fit).astype(np.int64)
        if room.max() < tasks:
            continue
        order = np.lexsort((key, -fit, index))
        ordered, sizes = fit[order], np.bincount(index)
        before = np.cumsum(ordered) - ordered
        starts = np.cumsum(sizes) - sizes
        before -= np.repeat(before[starts], sizes)
        nodes = np.bincount(index[order], before < tasks).astype(np.int64)
        first = np.minimum.reduceat(key[np.argsort(index, kind="stable")], starts)
        able = np.flatnonzero(room >= tasks)
        chosen = able[np.lexsort((first[able], room[able], nodes[able]))[0]]
        return level, there[index == chosen]
    return None


def _fill(members: _Members, inside: Ints, level: int, tasks: int) -> list[tuple[int, int]]:
    """How many tasks each of a domain's members takes, where all of them hold so many."""
    if level == LINK:
        return _hosts(members, inside, tasks)
    below = members.domains[level - 1][inside]
    alone = below < 0
    below = np.where(alone, int(below.max(initial=0)) + 1 + np.arange(len(inside)), below)
    _ids, index = np.unique(below, return_inverse=True)
    room = np.bincount(index, members.fit[inside]).astype(np.int64)
    sizes = np.bincount(index)
    starts = np.cumsum(sizes) - sizes
    first = np.minimum.reduceat(members.key[inside][np.argsort(index, kind="stable")], starts)
    order = np.lexsort((first, -room))
    taken: list[tuple[int, int]] = []
    for place in range(len(order)):
        rest = order[place:]
        holding = rest[room[rest] >= tasks]
        if len(holding):
            chosen = holding[np.lexsort((first[holding], sizes[holding], room[holding]))[0]]
            return taken + _fill(members, inside[index == chosen], level - 1, tasks)
        whole = inside[index == rest[0]]
        taken += [(int(one), int(members.fit[one])) for one in whole]
        tasks -= int(room[rest[0]])
    return taken


def _hosts(members: _Members, inside: Ints, tasks: int) -> list[tuple[int, int]]:
    """The roomiest first; what is left over at the end to the smallest that holds it."""
    fit, key = members.fit[inside], members.key[inside]
    order = np.lexsort((key, -fit))
    taken: list[tuple[int, int]] = []
    for place, one in enumerate(order.tolist()):
        if fit[one] >= tasks:
            rest = order[place:]
            holding = rest[fit[rest] >= tasks]
            last = holding[np.lexsort((key[holding], fit[holding]))[0]]
            return [*taken, (int(inside[last]), tasks)]
        taken.append((int(inside[one]), int(fit[one])))
        tasks -= int(fit[one])
    return taken


def _gang(
    members: _Members, taken: list[tuple[int, int]], level: int, score: int, tables: Tables
) -> Gang:
    names, columns = tables.names.list, members.columns

    def place(one: tuple[int, int]) -> tuple[str, ...]:
        return tuple(names[int(columns[name][one[0]])] for name in ("zone", "rack", "link", "node"))

    taken = sorted(taken, key=place)  # neighbours have neighbouring ranks
    first = taken[0][0]
    domain = ("node", "link", "rack", "zone", "at")[level]
    return Gang(
        tuple(
            (Spot(members.spots[int(members.view[one])][0], int(members.line[one])), count)
            for one, count in taken
        ),
        level,
        names[int(columns[domain][first])],
        score,
    )


def _why(members: _Members, ask: Ask, widest: int, tables: Tables) -> str:
    """What is missing: how much the roomiest domain holds that would have been near enough."""
    level = max(widest, HOST)
    known = members.domains[level] >= 0
    name = {LINK: "NVLink domain"}.get(level, LEVELS[level])
    if not known.any():
        return f"no node says which {name} it is in, and it is required"
    room = np.bincount(members.domains[level][known], members.fit[known]).astype(np.int64)
    each, what = (ask.gpus, "free GPUs of this model") if ask.gpus else (1, "free places for tasks")
    wanted, most = ask.tasks * each, int(room.max()) * each
    of = "" if not ask.gpus or ask.gpus == 1 else f", {ask.gpus} on a node for each task"
    return f"no {name} has {wanted} {what}{of}; the largest has {most}"

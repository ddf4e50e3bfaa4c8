"""Snapshots: all offers as they were at one moment, never to change.

``Snapshot.of`` makes one from rows; ``replaced`` makes the next from changed rows in time that
hangs on their number: lines are never altered, the old ones of a changed offer are marked dead
and the new ones go into a small *tail*, which is folded into the main segments when it has grown
to a few per cent of them.

A snapshot is named by a digest over its content. One made from rows is a *base*: SHA-256 over the
sorted lines ``id, version, SHA-256 of the row``. One made by changes is named by its base and by
all that changed since, so a decision can say exactly what it saw in a few hundred bytes however
many offers there are, and an auditor can build it again (``decisions.recompute``).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skerry.market.ask import Fact, Row, canonical
from skerry.market.columns import Gatherer, Ints, Segment, Tables, row_digest


class Change(Fact, frozen=True, kw_only=True, array_like=True):
    """An offer's state since the base. Version 0: it is gone."""

    offer: str
    version: int
    digest: str = ""
    """SHA-256 of the row in hex."""


class View(NamedTuple):
    """A segment, less the lines that have been replaced since."""

    segment: Segment
    alive: NDArray[np.bool_] | None
    """None: all."""
    sizes: Ints
    """Lines alive of each of the segment's groups."""


@dataclass(frozen=True)
class Snapshot:
    """Offers at one moment, as ``match`` reads them."""

    tables: Tables
    main: tuple[View, ...]
    tail: tuple[View, ...] = ()
    base: str = ""
    """Digest of the base it grew from; empty: it is a base itself."""
    changes: Mapping[str, Change] | None = None
    """What changed since the base, by offer."""

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Snapshot":
        """A base. The order of rows makes no difference."""
        return cls.gathered((row, None) for row in rows)

    @classmethod
    def gathered(cls, rows: Iterable[tuple[Row, bytes | None]]) -> "Snapshot":
        """A base from rows with their digests, where those are known already."""
        tables = Tables.empty()
        gatherer = Gatherer(tables)
        for row, digest in rows:
            gatherer.add(row, digest)
        return cls(tables, tuple(_whole(s) for s in gatherer.segments()))

    @property
    def views(self) -> tuple[View, ...]:
        return (*self.main, *self.tail)

    @cached_property
    def lines(self) -> int:
        """How many there are; an offer with several GPU models has one for each."""
        return int(sum(view.sizes.sum() for view in self.views))

    @cached_property
    def digest(self) -> str:
        """The name of this content, ``sha256:<hex>``."""
        if not self.base:
            lines = "".join(f"{c.offer}\0{c.version}\0{c.digest}\n" for c in self.members())
            return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
        return named(self.base, self.changes or {})

    def members(self) -> list[Change]:
        """Every offer in it, by id."""
        found: dict[str, Change] = {}
        for view in self.views:
            columns, ids = view.segment.columns, self.tables.offers.list
            keep = slice(None) if view.alive is None else view.alive
            for code, version, digest in zip(
                columns["offer"][keep].tolist(),
                columns["version"][keep].tolist(),
                view.segment.digests[keep],
                strict=True,
            ):
                found[ids[code]] = Change(
                    offer=ids[code], version=version, digest=digest.tobytes().hex()
                )
        return [found[id] for id in sorted(found)]

    def as_base(self) -> "Snapshot":
        """The same content, named by itself."""
        return replace(self, base="", changes=None)

    def replaced(
        self, rows: Iterable[tuple[Row, bytes | None]], gone: Iterable[str] = ()
    ) -> "Snapshot":
        """The snapshot in which these offers have these states, and those are gone."""
        base = self.base or self.digest
        changes = dict(self.changes or {})
        fresh = [(row, digest or row_digest(row)) for row, digest in rows]
        for row, digest in fresh:
            id = row.offer.id
            changes[id] = Change(offer=id, version=row.version, digest=digest.hex())
        for id in gone:
            changes[id] = Change(offer=id, version=0)
        dead = self.tables.offers.find([*(row.offer.id for row, _ in fresh), *gone])
        gatherer = Gatherer(self.tables)
        for row, digest in fresh:
            gatherer.add(row, digest)
        main = tuple(_without(view, dead) for view in self.main)
        tail = _grown(tuple(_without(view, dead) for view in self.tail), gatherer.segments())
        if _long(tail, main):
            main, tail = _grown(main, tuple(v.segment for v in tail)), ()
        return Snapshot(self.tables, main, tail, base, changes)


def named(base: str, changes: Mapping[str, Change]) -> str:
    """The digest of a snapshot that grew from ``base`` by ``changes``."""
    body = canonical([base, [changes[id] for id in sorted(changes)]])
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _whole(segment: Segment) -> View:
    return View(segment, None, np.diff(segment.starts))


def _without(view: View, offers: list[int]) -> View:
    """The view with all lines of these offers dead."""
    column = view.segment.columns["offer"]
    hit = column == offers[0] if len(offers) == 1 else np.isin(column, offers)
    if not hit.any():
        return view
    killed = hit if view.alive is None else view.alive & hit
    sizes = view.sizes.copy()
    groups = np.searchsorted(view.segment.groups, view.segment.columns["group"][killed])
    np.subtract.at(sizes, groups, 1)
    return View(view.segment, ~hit if view.alive is None else view.alive & ~hit, sizes)


def _grown(views: tuple[View, ...], segments: tuple[Segment, ...]) -> tuple[View, ...]:
    """Views with further segments joined in, one for each sort."""
    found = []
    for divisible in (True, False):
        parts = [(v.segment, _alive(v)) for v in views if v.segment.divisible == divisible]
        parts += [(s, np.ones(len(s), np.bool_)) for s in segments if s.divisible == divisible]
        if any(alive.any() for _, alive in parts):
            found.append(_whole(parts[0][0] if _only(parts) else Segment.join(parts)))
    return tuple(found)


def _only(parts: list[tuple[Segment, NDArray[np.bool_]]]) -> bool:
    return len(parts) == 1 and bool(parts[0][1].all())


def _alive(view: View) -> NDArray[np.bool_]:
    return np.ones(len(view.segment), np.bool_) if view.alive is None else view.alive


def _long(tail: tuple[View, ...], main: tuple[View, ...]) -> bool:
    lines = sum(len(v.segment) for v in tail)
    return lines > max(64, sum(len(v.segment) for v in main) >> 6)

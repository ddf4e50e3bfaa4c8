"""Offers as numpy columns.

A *line* is what ``match`` looks at: a fixed-shape offer is one line, a divisible offer one line per
GPU model (or one without). Facts that many lines share (model, isolation, jurisdiction, region, …)
are a *group*; a line holds only its group's number, and a segment keeps its lines sorted by group,
so that a filter on such a fact costs one test per group and lines of hopeless groups are never
touched.

Strings are numbered in ``Names``. ``Names`` and ``Groups`` only grow, so all segments of one
lineage of snapshots share them; everything else here is immutable. An unknown amount is -1, less
than any need; an unknown price is ``NEVER``, more than any ceiling.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skerry.market.ask import (
    EVIDENCE,
    ISOLATIONS,
    MIB,
    Divisible,
    Fixed,
    GpuStock,
    Isolation,
    Offer,
    Row,
    canonical,
)

Ints = NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).max)
UNKNOWN = -1

COMMON = (
    "offer",
    "version",
    "key",
    "group",
    "operator",
    "zone",
    "site",
    "at",
    "expires",
    "latency",
)
FIXED = (*COMMON, "price", "spot", "count")
DIVISIBLE = (
    *COMMON,
    "core_price", "memory_price", "gpu_price", "storage_price",
    "millicores", "memory", "disk", "gpus",
    "free_millicores", "free_memory", "free_disk", "free_gpus",
    "node", "rack", "link", "out",
)  # fmt: skip
"""The columns of either sort of segment. Memory and disk are in MiB; ``expires`` in seconds since
1970, ``key`` breaks ties. ``node`` is the machine as ``Offer.where`` names it."""

PRICES = ("core_price", "memory_price", "gpu_price", "storage_price")
"""Of what is sold by amount."""

NAMELESS = 0
"""The number of the empty name."""

_NARROW = (
    frozenset(("node", "rack", "link", "out"))
    | frozenset(
        (
            "operator",
            "zone",
            "site",
            "at",
            "latency",
            "count",
            "millicores",
            "memory",
            "disk",
            "gpus",
        )
    )
    | {name for name in DIVISIBLE if name.startswith("free_")}
)


class Names:
    """Strings by number, in order of appearance."""

    def __init__(self) -> None:
        self.list: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        """The number of a name, new or old."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = len(self.list)
            self.list.append(name)
        return found

    def find(self, names: Iterable[str]) -> list[int]:
        """The numbers of those names that are known."""
        return [self._codes[n] for n in names if n in self._codes]

    def __len__(self) -> int:
        return len(self.list)


class Group(NamedTuple):
    """Facts that many lines share. Codes are of ``Names``; amounts per task."""

    divisible: bool
    gpu: int
    gpu_memory: int
    mark: int
    """Of parts of devices (``GpuStock.mark``)."""
    closed: int
    """Why it takes nothing new."""
    spot: int
    isolations: int
    """Bit i: offers ``ISOLATIONS[i]``."""
    currency: int
    jurisdiction: int
    tier: int
    evidence: int
    region: int
    price_version: int
    notice: int
    instance_type: int
    millicores: int
    memory: int
    disk: int
    gpus: int


class Groups:
    """All groups of a lineage, as columns that grow."""

    def __init__(self) -> None:
        self.list: list[Group] = []
        self.gpus: set[int] = set()
        """The models there are, as codes of names."""
        self.parts: list[int] = []
        """Those whose devices are parts of devices."""
        self.closed = self.spot = False
        """Whether any is."""
        self._codes: dict[Group, int] = {}
        self._columns: dict[str, Ints] = {}

    def code(self, group: Group) -> int:
        found = self._codes.get(group)
        if found is None:
            found = self._codes[group] = len(self.list)
            self.list.append(group)
            self.gpus.add(group.gpu)
            if group.mark != NAMELESS:
                self.parts.append(found)
            self.closed |= group.closed != NAMELESS
            self.spot |= bool(group.spot)
        return found

    def columns(self) -> dict[str, Ints]:
        """One array per field of ``Group``, of all groups there are now."""
        if not self._columns or len(self._columns["gpu"]) != len(self.list):
            table = np.array(self.list, dtype=np.int64).reshape(len(self.list), len(Group._fields))
            self._columns = {f: table[:, i].copy() for i, f in enumerate(Group._fields)}
        return self._columns


@dataclass(frozen=True)
class Tables:
    """What the segments of one lineage share."""

    offers: Names
    """Ids of offers."""
    names: Names
    """All other strings."""
    groups: Groups

    @classmethod
    def empty(cls) -> "Tables":
        tables = cls(Names(), Names(), Groups())
        assert tables.names.code("") == NAMELESS
        return tables


@dataclass(frozen=True)
class Segment:
    """Lines of one sort, sorted by group."""

    divisible: bool
    columns: dict[str, NDArray[Any]]
    digests: NDArray[np.uint8]
    """SHA-256 of each line's offer row, n × 32."""
    groups: Ints
    """The groups it has lines of, ascending."""
    starts: Ints
    """Where each of them starts, and at last the number of lines."""
    cheapest: dict[str, Ints]
    """For each of them, the lowest known price in each price column; NEVER if none is known."""
    fleet: bool
    """Whether any of it is a node."""

    def __len__(self) -> int:
        return len(self.columns["group"])

    @classmethod
    def of(cls, divisible: bool, columns: dict[str, Any], digests: Any) -> "Segment":
        order = np.argsort(columns["group"], kind="stable")
        kept = {}
        for name in DIVISIBLE if divisible else FIXED:
            dtype = np.int32 if name in _NARROW else np.int64
            kept[name] = np.asarray(columns[name], dtype=np.int64)[order].astype(dtype)
            kept[name].flags.writeable = False
        groups, starts = np.unique(kept["group"], return_index=True)
        cheapest = {}
        for name in PRICES if divisible else ("price", "spot"):
            cheapest[name] = np.minimum.reduceat(kept[name], starts)
        ordered = np.asarray(digests, np.uint8).reshape(-1, 32)[order]
        fleet = divisible and bool(kept["node"].any())
        return cls(divisible, kept, ordered, groups, np.append(starts, len(order)), cheapest, fleet)

    @classmethod
    def join(cls, parts: list[tuple["Segment", NDArray[np.bool_]]]) -> "Segment":
        """One segment of the lines of several that are still alive."""
        first = parts[0][0]
        columns = {
            name: np.concatenate([s.columns[name][alive] for s, alive in parts])
            for name in first.columns
        }
        digests = np.concatenate([s.digests[alive] for s, alive in parts])
        return cls.of(first.divisible, columns, digests)


def line_key(offer: str, model: str) -> int:
    """The tie-breaker: a number drawn from the offer's id, so that no seller wins ties by name."""
    digest = hashlib.blake2b(f"{offer}\0{model}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


PLACE_BITS, LEFT_BITS, OWN_BITS = 20, 31, 12
"""What the key of a node consists of: bits of its place, bits of its own that ``gang.packing`` puts
what is free of it into (11 bits of devices, 20 of cores), and further ones of its own."""


def node_key(at: str, offer: str, model: str) -> int:
    """The tie-breaker of a node: all of a place stand together."""
    own = LEFT_BITS + OWN_BITS
    return line_key(at, "") >> own << own | line_key(offer, model) & ((1 << own) - 1)


def row_digest(row: Row) -> bytes:
    """SHA-256 of a state of an offer: what a snapshot's digest is made of."""
    return hashlib.sha256(canonical(row)).digest()


class Gatherer:
    """Collects rows into segments."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._fixed: list[tuple[int, ...]] = []
        self._divisible: list[tuple[int, ...]] = []
        self._digests: dict[bool, bytearray] = {False: bytearray(), True: bytearray()}

    def add(self, row: Row, digest: bytes | None = None) -> None:
        """Take a row. ``digest`` is its ``row_digest``, if it is known already."""
        digest = row_digest(row) if digest is None else digest
        supply = row.offer.supply
        if isinstance(supply, Fixed):
            self._fixed.append(self._fixed_line(row, supply))
            self._digests[False] += digest
        else:
            for line in self._divisible_lines(row, supply):
                self._divisible.append(line)
                self._digests[True] += digest

    def segments(self) -> tuple[Segment, ...]:
        """What was collected; empty segments are left out."""
        found = []
        for divisible, lines, names in (
            (True, self._divisible, DIVISIBLE),
            (False, self._fixed, FIXED),
        ):
            if lines:
                table = np.array(lines, dtype=np.int64)
                columns = {name: table[:, i] for i, name in enumerate(names)}
                digests = np.frombuffer(bytes(self._digests[divisible]), np.uint8)
                found.append(Segment.of(divisible, columns, digests))
        return tuple(found)

    def _common(self, row: Row, model: str, group: Group) -> tuple[int, ...]:
        offer, code = row.offer, self._tables.names.code
        until = offer.valid_until
        return (
            self._tables.offers.code(offer.id),
            row.version,
            node_key(offer.at, offer.id, model) if offer.node else line_key(offer.id, model),
            self._tables.groups.code(group),
            code(offer.operator),
            code(offer.zone),
            code(offer.site),
            code(offer.at),
            NEVER if until is None else int(until.timestamp()),
            _known(offer.latency),
        )

    def _group(
        self, offer: Offer, gpu: str, gpu_memory: int | None, *shape: int, mark: str = ""
    ) -> Group:
        code = self._tables.names.code
        return Group(
            isinstance(offer.supply, Divisible),
            code(gpu),
            _mebibytes(gpu_memory),
            code(mark),
            code(offer.closed),
            offer.spot,
            sum(1 << ISOLATIONS.index(i) for i in set(offer.isolations)),
            code(offer.currency),
            code(offer.jurisdiction),
            offer.tier,
            EVIDENCE.index(offer.evidence),
            code(offer.region),
            offer.price_version,
            offer.notice,
            code(offer.supply.instance_type if isinstance(offer.supply, Fixed) else ""),
            *(shape or (0, 0, 0, 0)),
        )

    def _fixed_line(self, row: Row, supply: Fixed) -> tuple[int, ...]:
        group = self._group(
            row.offer,
            supply.gpu_model,
            supply.gpu_memory,
            _known(supply.millicores),
            _mebibytes(supply.memory),
            _mebibytes(supply.disk),
            _known(supply.gpus),
        )
        return (
            *self._common(row, "", group),
            _price(supply.price),
            _price(supply.spot_price),
            max(0, supply.count - row.used.count),
        )

    def _divisible_lines(self, row: Row, supply: Divisible) -> Iterator[tuple[int, ...]]:
        used, offer, code = row.used, row.offer, self._tables.names.code
        place = (code(offer.where), code(offer.rack), code(offer.link))
        totals = (supply.millicores, supply.memory // MIB, supply.disk // MIB)
        free = (
            max(0, supply.millicores - used.millicores),
            max(0, supply.memory - used.memory) // MIB,
            max(0, supply.disk - used.disk) // MIB,
        )
        for stock in supply.gpus or (GpuStock(model="", memory=None, count=0),):
            group = self._group(offer, stock.model, stock.memory, mark=stock.mark)
            yield (
                *self._common(row, stock.model, group),
                _price(supply.core_price),
                _price(supply.memory_price),
                _price(stock.price),
                _price(supply.storage_price),
                *totals,
                stock.count,
                *free,
                max(0, stock.count - used.gpus.get(stock.model, 0)),
                *place,
                code(stock.out),
            )


@cache
def isolations_of(mask: int) -> tuple[Isolation, ...]:
    """The isolations that a group's bits mean, weakest first."""
    return tuple(name for i, name in enumerate(ISOLATIONS) if mask >> i & 1)


def _known(value: int | None) -> int:
    return UNKNOWN if value is None else value


def _price(value: int | None) -> int:
    return NEVER if value is None else value


def _mebibytes(value: int | None) -> int:
    return UNKNOWN if value is None else value // MIB

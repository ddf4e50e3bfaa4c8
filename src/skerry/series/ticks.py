"""Ticks: what one source said at one instant, and the subjects it spoke of."""

import math
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from skerry.series.columns import COLUMNS
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.series")
STEP = 15
"""Seconds from one tick to the next."""
REACH = 4
"""Ticks that a counter's growth may span: over a longer silence nothing is said of the rate."""
UNKNOWN = math.nan
_AHEAD = timedelta(seconds=1)
"""Two processes that write for one source see times that differ by less."""

Sort = Literal["task", "host", "route", "gpu"]
Key = tuple[str, int]
"""A subject's name at its source: a workload's id and a rank; a route's uid, a device's UUID or
nothing, and 0."""
Owners = Callable[[Tx, Sequence[str]], Awaitable[Mapping[str, uuid.UUID]]]
"""Says which resource each of these names belongs to; those that belong to none are left out."""


@dataclass
class Batch:
    """What a source says of many subjects of one sort: a list for each column it knows, as long as
    ``keys``, with None for what it does not know."""

    sort: Sort
    keys: Sequence[Key]
    columns: Mapping[str, Sequence[float | None]]
    owners: Owners | None = None
    """None: they belong to no resource."""


@dataclass
class Ticker:
    """Writes ticks. Remembers which subjects it knows already."""

    _known: dict[str, dict[Key, int]] = field(default_factory=dict)

    async def write(self, tx: Tx, source: str, batches: Sequence[Batch]) -> bool:
        """Write down what a source says now; whether this instant still was to be written."""
        now = await tx.now()
        known = self._known.setdefault(source, {})
        ids: list[int] = []
        columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
        for batch in batches:
            unknown = [key for key in batch.keys if key not in known]
            if unknown:
                known.update(await self._register(tx, source, batch, unknown))
            kept = [i for i, key in enumerate(batch.keys) if key in known]
            ids += [known[batch.keys[i]] for i in kept]
            for name, column in columns.items():
                column += _picked(batch.columns.get(name), kept)
        if len(known) > 2 * len(ids) + 1000:
            self._known[source] = {}
        await tx.execute(
            _sql.forget_future, source, now + _AHEAD, slot(now) - timedelta(seconds=STEP * REACH)
        )
        rows = [column if any(v == v for v in column) else None for column in columns.values()]
        return await tx.fetchval(_sql.write_tick, slot(now), source, now, ids, *rows) is not None

    async def _register(
        self, tx: Tx, source: str, batch: Batch, keys: Sequence[Key]
    ) -> dict[Key, int]:
        names = sorted({name for name, _ in keys})
        owners = await batch.owners(tx, names) if batch.owners is not None else None
        made = []
        for name, rank in keys:
            owner = owners.get(name) if owners is not None else None
            if owners is None or owner is not None:
                made.append((name, rank, owner))
        rows = await tx.fetch(
            _sql.register,
            source,
            batch.sort,
            [name for name, _, _ in made],
            [rank for _, rank, _ in made],
            [owner for _, _, owner in made],
        )
        return {(row["name"], row["rank"]): row["id"] for row in rows}

    def forget(self) -> None:
        """Ask the database again: a transaction that registered subjects may have been undone."""
        self._known.clear()


def _picked(column: Sequence[float | None] | None, kept: Sequence[int]) -> list[float]:
    if column is None:
        return [UNKNOWN] * len(kept)
    return [UNKNOWN if (value := column[i]) is None else value for i in kept]


def slot(at: datetime, step: int = STEP) -> datetime:
    """The instant of the grid that a moment belongs to: the last one before it."""
    seconds = math.floor(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % step, UTC)

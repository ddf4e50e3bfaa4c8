"""Who uses which volume: written down with each run, asked before the next one takes its place."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.products.run.volumes")


@dataclass(frozen=True)
class Use:
    """A run that is not over, of a job or pod."""

    kind: str
    name: str
    uid: uuid.UUID
    """Of the job or pod."""
    read_only: bool

    @property
    def words(self) -> str:
        return f"{self.kind} {self.name}"


async def of(tx: Tx, volumes: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Use]]:
    """Who uses these volumes."""
    found: dict[uuid.UUID, list[Use]] = {uid: [] for uid in volumes}
    for row in await tx.fetch(_sql.holders, list(volumes)):
        use = Use(row["kind"], row["name"], row["uid"], row["read_only"])
        found[row["volume"]].append(use)
    return found


async def add(tx: Tx, workload: str, taken: Iterable[tuple[uuid.UUID, bool]]) -> None:
    """A run is given its place: it takes these volumes, each with whether it only reads."""
    await tx.executemany(_sql.add_use, [(workload, uid, read_only) for uid, read_only in taken])


def in_the_way(uses: Iterable[Use], *, read_only: bool) -> Use | None:
    """One that can't be there at the same time: of all only one writes, or several read."""
    return next((use for use in uses if not (use.read_only and read_only)), None)

"""Logs kept: pieces of what tasks wrote, by workspace, for a stated time and up to a stated size.

A reader takes a task's place with ``places``, reads on from there, and gives what it found to
``add``, which writes the lines and the new place in one transaction. Where two read the same, the
place has moved when the second comes, and what it brings is not written: each line stands once.

Lines are kept as ``Retention`` says; of a workspace that writes more than its share within that
time the oldest go first, and ``log_cut`` remembers how much and until when.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from skerry.series.lines import Cutter, Line, pack, pieces
from skerry.series.retention import Retention
from skerry.series.words import filter_of, words
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.series", "logs.sql")
_EARLIEST = timedelta(days=30)
"""No host's clock, and no link that was cut, puts a line further back."""
_AFTER_CUT = 0.9
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "at", "until", "tenant", "workspace", "owner", "workload", "rank", "lines", "bytes", "filter",
    "body",
)  # fmt: skip

Task = tuple[str, int]
"""A workload's id and a rank."""
Row = tuple[object, ...]


@dataclass
class Read:
    """What was read of one task's log."""

    task: Task
    owner: uuid.UUID
    cutter: Cutter
    """As ``places`` gave it, and fed."""
    lines: list[Line] = field(default_factory=list)
    behind: timedelta = timedelta()
    """To be added to the host's times, to have the database's."""
    packed: "list[Packed] | None" = None

    def pack(self, now: datetime) -> None:
        """Pack the lines, which takes a tenth of a second for each MiB: in a thread, where there
        may be many."""
        shift = round(self.behind.total_seconds() * 1000)
        earliest, latest = (round(t.timestamp() * 1000) for t in (now - _EARLIEST, now))
        lines = self.lines
        if shift or any(not earliest <= line.at <= latest for line in lines):
            lines = [
                line._replace(at=min(max(line.at + shift, earliest), latest)) for line in lines
            ]
        self.packed = [_packed(run) for run in pieces(lines)]


class Packed(NamedTuple):
    """A piece, but for whose it is."""

    at: datetime
    until: datetime
    lines: int
    size: int
    """Bytes of text."""
    filter: bytes
    body: bytes


def _packed(run: Sequence[Line]) -> Packed:
    times = [line.at for line in run]
    return Packed(
        datetime.fromtimestamp(min(times) / 1000, UTC),
        datetime.fromtimestamp(max(times) / 1000, UTC),
        len(run),
        sum(len(line.text.encode()) + 1 for line in run),
        filter_of(words("\n".join(line.text for line in run))),
        pack(run),
    )


async def places(tx: Tx, tasks: Sequence[Task]) -> dict[Task, Cutter]:
    """Where to go on in each of these logs."""
    rows = await tx.fetch(_sql.cursors, sorted({workload for workload, _ in tasks}))
    known = {(row["workload"], row["rank"]): Cutter(row["next"], row["begun"]) for row in rows}
    return {task: known.get(task) or Cutter() for task in tasks}


async def add(tx: Tx, reads: Sequence[Read]) -> set[Task]:
    """Keep what was read. The answer is those tasks of which nobody else had read it before."""
    fresh = [read.task for read in reads if not read.cutter.place[0]]
    if fresh:
        await tx.execute(_sql.new_cursors, [w for w, _ in fresh], [rank for _, rank in fresh])
    moved = await tx.fetch(
        _sql.move_cursors,
        [read.task[0] for read in reads],
        [read.task[1] for read in reads],
        [read.cutter.place[0] for read in reads],
        [read.cutter.place[1] for read in reads],
        [read.cutter.next for read in reads],
        [read.cutter.begun for read in reads],
    )
    ours = {(row["workload"], row["rank"]) for row in moved}
    uids = {read.owner for read in reads if read.task in ours and read.lines}
    homes = {
        row["uid"]: (row["tenant"], row["workspace"])
        for row in await tx.fetch(_sql.owners, sorted(uids))
    }
    rows: list[Row] = []
    now = await tx.now()
    for read in reads:
        if read.task in ours and read.owner in homes:
            if read.packed is None:
                read.pack(now)
            rows += _rows(read, *homes[read.owner])
    await _keep(tx, rows)
    return ours


def _rows(read: Read, tenant: str, workspace: str) -> Iterable[Row]:
    whose = tenant, workspace, read.owner, *read.task
    for piece in read.packed or ():
        yield (piece.at, piece.until, *whose, piece.lines, piece.size, piece.filter, piece.body)


async def _keep(tx: Tx, rows: Sequence[Row]) -> None:
    if not rows:
        return
    share: Counter[tuple[str, str, date]] = Counter()
    for at, _, tenant, workspace, *rest in rows:
        assert isinstance(at, datetime)
        share[str(tenant), str(workspace), at.date()] += int(str(rest[4]))
    for day in sorted({day for _, _, day in share}):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        await tx.fetchval(_sql.keep_partitions, noon, _EVER)
    await tx.copy("log_piece", _COLUMNS, rows)
    keys = sorted(share)
    await tx.execute(
        _sql.add_share,
        [tenant for tenant, _, _ in keys],
        [workspace for _, workspace, _ in keys],
        [day for _, _, day in keys],
        [share[key] for key in keys],
    )


async def keep(db: Database, retention: Retention) -> None:
    """Drop what is too old, and what is over a workspace's share."""
    async with db.transaction() as tx:
        now = await tx.now()
        oldest = now - retention.logs
        await tx.execute(_sql.impatient)
        await tx.fetchval(_sql.keep_partitions, now, oldest)
        await tx.execute(_sql.old_shares, oldest.date())
        await tx.execute(_sql.old_cuts, oldest)
        over = await tx.fetch(_sql.over_share, retention.share)
    for row in over:
        async with db.transaction() as tx:
            await _cut(tx, row, row["bytes"] - int(retention.share * _AFTER_CUT))


async def _cut(tx: Tx, of: Mapping[str, str], bytes: int) -> None:
    tenant, workspace = of["tenant"], of["workspace"]
    gone = await tx.fetch(_sql.cut, tenant, workspace, bytes)
    days: Counter[date] = Counter()
    for row in gone:
        days[row["day"]] += row["bytes"]
    for day, count in days.items():
        await tx.execute(_sql.lower_share, tenant, workspace, day, count)
    if gone:
        until = max(row["until"] for row in gone)
        await tx.execute(_sql.note_cut, tenant, workspace, until, days.total())

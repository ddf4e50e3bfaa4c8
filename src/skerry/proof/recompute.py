"""The log computed again: feed, changes, tiles, entries and checkpoints held against each other.

Each leaf stands in three places: the change's row, the entry bundle, the tile. Two that agree show
which one was altered, and the upper tiles and the roots are computed from what two agree on, so
that one altered byte is one finding and not a cascade. If two or three were altered alike, the
tile above or the signed root no longer fits, and that is named.

Every checkpoint ever signed must be the root of a beginning of the same sequence of leaves; that
makes them consistent with each other. Memory is bounded: pages of the feed, one edge of the tree.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from skerry.kernel.changes import leaf_of
from skerry.proof.findings import Findings, listed
from skerry.proof.inspection import Inspection
from skerry.proof.note import fast_check
from skerry.proof.tiles import CHECKPOINT, Level, Tiles, path_of
from skerry.proof.tree import HASH, HEIGHT, TILE, Edge, leaf_hash
from skerry.proof.verify import Checkpoint, Failed, Key, open_note, read_checkpoint
from skerry.store import Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.proof")

PAGE = 16 * TILE
HASHED = ("subject", "tenant", "workspace", "actor", "body")
LEAF_OF = ("id", "at", "kind", "verb", "version", "salt", *HASHED)


async def recompute(db: Database, tiles: Tiles, key: Key, findings: Findings) -> None:
    """Hold the database's feed and changes against the published files and each other."""
    async with tiles.lock(shared=True):
        note = tiles.checkpoint()
        latest = await db.fetchrow(_sql.latest_checkpoint)
    _newest(note, latest, key, findings)
    size = latest["size"] if latest else 0
    files = Inspection(tiles, size, findings)
    await _Run(db, files, key, findings, size).run()
    for row in await db.fetch(_sql.unplaced):
        where = f"change {row['id']} ({row['kind']} {row['subject']})"
        findings.add(where, "has lost its position in the feed")
    beyond = files.strays()
    end = int(await db.fetchval(_sql.feed_size))
    for path, last in beyond:
        if last > end:
            findings.add(path, "lies beyond the end of the log")


def _newest(note: str | None, latest: Row | None, key: Key, findings: Findings) -> None:
    """The file ``checkpoint`` is the newest checkpoint of the database."""
    if note is None:
        if latest:
            findings.add(CHECKPOINT, "the file is missing")
        return
    try:
        file = _read(note, key)
    except Failed as failed:
        findings.add(CHECKPOINT, failed.why)
        return
    if latest is None or file.size > latest["size"]:
        findings.add(CHECKPOINT, f"the file tells of {file.size} changes, more than the database")
    elif note != latest["note"]:
        findings.add(CHECKPOINT, f"the file is not the newest that was signed, of {latest['size']}")


def _read(note: str, key: Key) -> Checkpoint:
    checkpoint = read_checkpoint(open_note(note, key, CHECKPOINT, fast_check), CHECKPOINT)
    if checkpoint.origin != key.name:
        raise Failed(CHECKPOINT, f"is of the log {checkpoint.origin!r}, not of {key.name!r}")
    return checkpoint


class _Run:
    """One pass over the positions, growing the tree from checkpoint to checkpoint."""

    def __init__(
        self, db: Database, files: Inspection, key: Key, findings: Findings, size: int
    ) -> None:
        self._db = db
        self._files = files
        self._key = key
        self._add = findings.add
        self._size = size
        self._edge = Edge()
        self._asked = -1
        self._waiting: list[Row] = []
        self._wrong: list[int] = []

    async def run(self) -> None:
        end = int(await self._db.fetchval(_sql.feed_size))
        await self._grow([])
        for first in range(0, end, PAGE):
            rows = await self._db.fetch(_sql.audit_page, first, min(first + PAGE, end))
            there = {row["position"]: row for row in rows}
            for position in range(first, min(first + PAGE, end), TILE):
                await self._grow(self._chunk(position, min(TILE, end - position), there))
        if self._size > end:
            self._add("feed", f"ends at {end} changes, but a checkpoint of {self._size} was signed")
        if self._wrong:
            self._add(
                f"checkpoint {self._wrong[0]}",
                f"the root that was signed is not that of the leaves before it "
                f"(the same for {len(self._wrong) - 1} later checkpoints)",
            )

    def _chunk(self, first: int, width: int, rows: dict[int, Row]) -> list[bytes]:
        """256 positions: their changes, their entries, their tile. The leaf hashes agreed on."""
        number, due = first // TILE, max(0, min(TILE, self._size - first))
        tile, bundle = self._files.hashes(0, number, due), self._files.leaves(number, due)
        agreed: list[bytes] = []
        altered: dict[Level, list[int]] = {0: [], "entries": []}
        for offset in range(width):
            position = first + offset
            leaf = self._change(position, rows.get(position))
            if offset >= due:
                agreed.append(leaf or bytes(HASH))
                continue
            votes = Counter(hash for hash in (tile[offset], bundle[offset], leaf) if hash)
            best = votes.most_common(1)[0][0] if votes else bytes(HASH)
            agreed.append(best)
            if leaf not in (None, best):
                self._add(f"position {position}", "the change is not the one that was published")
            if tile[offset] not in (None, best):
                altered[0].append(position)
            if bundle[offset] not in (None, best):
                altered["entries"].append(position)
        for level, positions in altered.items():
            if positions:
                path = path_of(level, number, due)
                self._add(path, f"was altered at position {listed(positions)}")
            self._files.partial(level, number, due, agreed)
        return agreed

    def _change(self, position: int, row: Row | None) -> bytes | None:
        """The leaf hash of a change, whose columns must be what its leaf says."""
        if row is None:
            self._add(f"position {position}", "is missing from the feed: its row was removed")
            return None
        if row["id"] is None:
            self._add(f"position {position}", f"change {row['change_id']} was removed")
            return None
        altered = ", ".join(_altered_columns(row))
        if altered:
            where = f"change {row['id']} ({row['kind']} {row['subject']}, position {position})"
            self._add(where, f"altered: {altered}")
        return leaf_hash(row["leaf"])

    async def _grow(self, leaves: list[bytes]) -> None:
        """Add leaves, stopping at each checkpoint on the way to compare its root."""
        while (row := await self._next()) and row["size"] <= self._edge.size + len(leaves):
            taken = row["size"] - self._edge.size
            self._extend(leaves[:taken])
            leaves = leaves[taken:]
            self._compare(self._waiting.pop(0))
        self._extend(leaves)

    def _extend(self, leaves: list[bytes]) -> None:
        if not leaves:
            return
        filled = self._edge.extend(leaves)
        if self._edge.size == self._size:
            filled += self._edge.partial()
        for row in filled:
            covered = (row.number * TILE + len(row.hashes)) << HEIGHT * row.level
            if row.level and covered <= self._size:
                self._files.upper(row)

    async def _next(self) -> Row | None:
        if not self._waiting and self._asked < self._size:
            self._waiting = await self._db.fetch(_sql.checkpoints, self._asked, self._size)
            self._asked = self._waiting[-1]["size"] if self._waiting else self._size
        return self._waiting[0] if self._waiting else None

    def _compare(self, row: Row) -> None:
        where = f"checkpoint {row['size']}"
        try:
            said = _read(row["note"], self._key)
        except Failed as failed:
            self._add(where, failed.why)
        else:
            if (said.size, said.root) != (row["size"], row["root"]):
                self._add(where, f"its row differs from its signed note, of {said.size} changes")
        if row["root"] != self._edge.root():
            self._wrong.append(row["size"])
        self._files.promised(row["size"])


def _altered_columns(row: Row) -> Iterator[str]:
    """The columns of a change that differ from its leaf."""
    try:
        said = msgspec.json.decode(row["leaf"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    if not isinstance(said, dict):
        yield "leaf is not JSON"
        return
    due = msgspec.json.decode(leaf_of(**{name: row[name] for name in LEAF_OF}))
    wrong = [name for name in sorted({*due, *said}) if due.get(name) != said.get(name)]
    if set(HASHED) <= set(wrong):
        yield "salt"
        wrong = [name for name in wrong if name not in HASHED]
    yield from wrong

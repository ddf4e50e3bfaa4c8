"""The files of a published log as an audit reads them: what is missing, cut, altered or alien."""

from collections.abc import Sequence
from pathlib import Path

from skerry.proof.findings import Findings
from skerry.proof.tiles import (
    CHECKPOINT,
    Level,
    Tiles,
    both,
    parse_path,
    path_of,
    rows_at,
    unbundle,
)
from skerry.proof.tree import HASH, HEIGHT, TILE, Row, cut, leaf_hash

Hashes = list[bytes | None]
"""One per position; None where the file gives none."""


class Inspection:
    """Reads the tiles of a tree of ``size`` leaves; whatever is amiss becomes a finding."""

    def __init__(self, tiles: Tiles, size: int, findings: Findings) -> None:
        self._tiles = tiles
        self._size = size
        self._add = findings.add
        self._missed: set[str] = set()

    def hashes(self, level: int, number: int, due: int) -> Hashes:
        """The ``due`` hashes of a tile."""
        data = self._read(level, number, due)
        if data is not None and len(data) != due * HASH:
            self._add(path_of(level, number, due), f"has {len(data)} bytes, not {due * HASH}")
        found: Hashes = [(data or b"")[i * HASH : (i + 1) * HASH] or None for i in range(due)]
        return found

    def leaves(self, number: int, due: int) -> Hashes:
        """The hashes of the ``due`` entries of a bundle."""
        path = path_of("entries", number, due)
        try:
            entries = unbundle(self._read("entries", number, due) or b"")
        except ValueError as error:
            self._add(path, f"cannot be read: {error}")
            return [None] * due
        if entries and len(entries) != due:
            self._add(path, f"has {len(entries)} entries, not {due}")
        hashes: Hashes = [leaf_hash(entry) for entry in entries[:due]]
        return hashes + [None] * (due - len(hashes))

    def _read(self, level: Level, number: int, due: int) -> bytes | None:
        if not due:
            return None
        try:
            return self._tiles.read(level, number, due)
        except FileNotFoundError:
            self._missing(path_of(level, number, due))
        return None

    def _missing(self, path: str) -> None:
        if path not in self._missed:
            self._missed.add(path)
            self._add(path, "the file is missing")

    def upper(self, row: Row) -> None:
        """A tile above the leaves must hold these hashes."""
        found = self.hashes(row.level, row.number, len(row.hashes))
        for offset, (hash, due) in enumerate(zip(found, row.hashes, strict=True)):
            if hash not in (None, due):
                path = path_of(row.level, row.number, len(row.hashes))
                self._add(path, f"was altered: hash {offset} is not that of the tile below it")
                break
        self.partial(row.level, row.number, len(row.hashes), row.hashes)

    def promised(self, size: int) -> None:
        """The tiles that a checkpoint of ``size`` needs are there, partial or full by now."""
        for level, number, width in rows_at(size):
            for kind in both(level):
                names = path_of(kind, number, width), path_of(kind, number)
                if not any((self._tiles.directory / name).exists() for name in names):
                    self._missing(names[0])

    def partial(self, level: Level, number: int, due: int, hashes: Sequence[bytes]) -> None:
        """The partial forms of a tile that earlier checkpoints left begin as the tile does.

        ``due`` is the width of the newest, which has been looked at already.
        """
        place = self._tiles.directory / f"{path_of(level, number)}.p"
        for path in sorted(place.glob("*")):
            parsed = parse_path(str(path.relative_to(self._tiles.directory)))
            if parsed is None or parsed[2] == due or parsed[2] > len(hashes):
                continue
            want = [*hashes[: parsed[2]]]
            if self._hashes_in(path, level) != want:
                name = path_of(level, number, parsed[2])
                self._add(name, "was altered: the tile as it is now does not begin with it")

    def _hashes_in(self, path: Path, level: Level) -> list[bytes]:
        try:
            data = path.read_bytes()
            return (
                [leaf_hash(entry) for entry in unbundle(data)] if level == "entries" else cut(data)
            )
        except (FileNotFoundError, ValueError):
            return []

    def strays(self) -> list[tuple[str, int]]:
        """Name files that are none of the log's, and give back the tiles beyond the newest
        checkpoint, each with the position where it ends."""
        beyond = []
        for path in self._tiles.files():
            parsed = parse_path(path)
            if parsed is None:
                if path != CHECKPOINT:
                    self._add(path, "is not a file of the log")
                continue
            level, number, width = parsed
            end = (number * TILE + width) << (0 if level == "entries" else level * HEIGHT)
            if end > self._size:
                beyond.append((path, end))
        return beyond

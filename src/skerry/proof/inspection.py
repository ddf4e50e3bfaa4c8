"""The files of a published log as an audit reads them: what is missing, cut, altered or alien."""

from contextlib import suppress

from skerry.proof.findings import Findings
from skerry.proof.tiles import (
    CHECKPOINT,
    HASH,
    Level,
    Tiles,
    both,
    bundle,
    parse_path,
    path_of,
    rows_at,
    unbundle,
)
from skerry.proof.tree import HEIGHT, TILE, Row, leaf_hash

Hashes = list[bytes | None]
"""One per position; None where the file gives none."""


class Inspection:
    """Reads the tiles of a tree of ``size`` leaves; whatever is amiss becomes a finding."""

    def __init__(self, tiles: Tiles, size: int, findings: Findings) -> None:
        self._tiles = tiles
        self._size = size
        self._add = findings.add

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
            self._add(path_of(level, number, due), "the file is missing")
        return None

    def upper(self, row: Row) -> None:
        """A tile above the leaves must hold these hashes."""
        found = self.hashes(row.level, row.number, len(row.hashes))
        for offset, (hash, due) in enumerate(zip(found, row.hashes, strict=True)):
            if hash not in (None, due):
                path = path_of(row.level, row.number, len(row.hashes))
                self._add(path, f"was altered: hash {offset} is not that of the tile below it")
                return

    def promised(self, size: int) -> None:
        """The tiles that a checkpoint of ``size`` needs are there, partial or full by now."""
        for level, number, width in rows_at(size):
            for kind in both(level):
                names = path_of(kind, number, width), path_of(kind, number)
                if not any((self._tiles.directory / name).exists() for name in names):
                    self._add(names[0], f"is missing, and the checkpoint of {size} needs it")

    def strays(self) -> list[tuple[str, int]]:
        """Look at each file that is no tile of the newest checkpoint.

        Gives back those that lie beyond it, with the position where they begin.
        """
        beyond = []
        for path in self._tiles.files():
            parsed = parse_path(path)
            if parsed is None:
                if path != CHECKPOINT:
                    self._add(path, "is not a file of the log")
                continue
            level, number, width = parsed
            height = 0 if level == "entries" else level * HEIGHT
            due = min(TILE, (self._size >> height) - number * TILE)
            if due <= 0:
                beyond.append((path, number * TILE << height))
            elif width < due:
                self._older(path, level, number, width, due)
        return beyond

    def _older(self, path: str, level: Level, number: int, width: int, due: int) -> None:
        """A partial tile of an earlier checkpoint is the beginning of the tile as it is now."""
        with suppress(FileNotFoundError, ValueError):
            part = (self._tiles.directory / path).read_bytes()
            whole = self._tiles.read(level, number, due)
            if level == "entries":
                same = part == bundle(unbundle(whole)[:width])
            else:
                same = part == whole[: width * HASH]
            if not same:
                self._add(path, "was altered: the tile as it is now does not begin with it")

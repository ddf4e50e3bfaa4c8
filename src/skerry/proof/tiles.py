"""The published log as static files, laid out as C2SP tlog-tiles says.

``tile/<level>/<number>`` holds 256 hashes, ``tile/entries/<number>`` the 256 leaves themselves,
each after its length in two bytes; ``.p/<width>`` is a tile that is not full yet; ``checkpoint`` is
the newest signed tree head. Any web server can serve the directory as it is.

Files appear whole: they are drafted in ``.draft/``, flushed to disk, then renamed. A file that is
there already is never written again: it must hold the same bytes, and if it does not the writer
stops with ``Disagreement`` and leaves both as they are.
"""

import asyncio
import fcntl
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from skerry.durable import flush
from skerry.proof import tree
from skerry.proof.tree import HASH, HEIGHT, TILE, Edge, Node, Row, cut

CACHED = 512
FLUSHED_AT_ONCE = 16
CHECKPOINT = "checkpoint"
Level = int | Literal["entries"]

_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


class Disagreement(Exception):
    """Directory and database tell different histories. The message says what a person must do."""


def path_of(level: Level, number: int, width: int = TILE) -> str:
    """Where a tile lies below the log's address: ``(0, 1234067)`` is tile/0/x001/x234/067."""
    digits = f"{number:03d}"
    groups = f"{number:0{-(-len(digits) // 3) * 3}d}"
    parts = [groups[i : i + 3] for i in range(0, len(groups), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < TILE else "")


def parse_path(path: str) -> tuple[Level, int, int] | None:
    """Level, number and width of a tile's path; None for every other text."""
    found = _PATH.fullmatch(path)
    if not found:
        return None
    level: Level = "entries" if found[1] == "entries" else int(found[1])
    number = int(found[2].replace("/", "").replace("x", ""))
    width = int(found[3] or TILE)
    return (level, number, width) if path_of(level, number, width) == path else None


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle: each after its length, two bytes, the higher first."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; ValueError where it is cut short."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            raise ValueError("the bundle is cut short")
        entries.append(data[at + 2 : end])
        at = end
    return entries


def rows_at(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of the partial tiles of a tree of ``size`` leaves."""
    level = 0
    while size:
        if size % TILE:
            yield level, size >> HEIGHT, size % TILE
        size, level = size >> HEIGHT, level + 1


def both(level: int) -> tuple[Level, ...]:
    """What is kept for a level: hashes, and for the leaves their entries too."""
    return (level, "entries") if level == 0 else (level,)


class Tiles:
    """The directory of one log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._cache: OrderedDict[tuple[int, int, int], Node] = OrderedDict()
        self._guard = threading.Lock()

    @asynccontextmanager
    async def lock(self, *, shared: bool = False) -> AsyncIterator[None]:
        """Keep other writers out; ``shared`` only keeps writers out while others may read."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / ".lock").open("a") as file:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            while True:
                try:
                    fcntl.flock(file, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.05)
            yield

    def read(self, level: Level, number: int, width: int = TILE) -> bytes:
        """A tile's bytes; a partial one may be gone once the full one is there.

        Raises FileNotFoundError where neither is.
        """
        if width < TILE:
            try:
                return (self.directory / path_of(level, number, width)).read_bytes()
            except FileNotFoundError:
                data = (self.directory / path_of(level, number)).read_bytes()
                if level == "entries":
                    return bundle(unbundle(data)[:width])
                return data[: width * HASH]
        return (self.directory / path_of(level, number)).read_bytes()

    def _row(self, level: int, number: int, width: int) -> list[bytes]:
        data = self.read(level, number, width)
        if len(data) != width * HASH:
            path = self.directory / path_of(level, number, width)
            raise Disagreement(
                f"{path} has {len(data)} bytes, not {width * HASH}. Run: skerry audit verify"
            )
        return cut(data)

    def node(self, size: int) -> Node:
        """The complete subtrees of the tree of ``size`` leaves, read as they are needed."""

        def read(level: int, index: int) -> bytes:
            tile_level, height = divmod(level, HEIGHT)
            first = index << height
            return self._tile(tile_level, first >> HEIGHT, size)(height, (first % TILE) >> height)

        return read

    def _tile(self, level: int, number: int, size: int) -> Node:
        width = min(TILE, (size >> HEIGHT * level) - number * TILE)
        with self._guard:
            known = self._cache.get((level, number, width))
            if known is not None:
                self._cache.move_to_end((level, number, width))
                return known
        node = tree.memory(self._row(level, number, width))
        with self._guard:
            self._cache[level, number, width] = node
            if len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return node

    def edge(self, size: int) -> Edge:
        """The edge of the tree of ``size`` leaves. FileNotFoundError where a tile is missing."""
        rows: list[list[bytes]] = [[] for _ in range(-(-size.bit_length() // HEIGHT))]
        for level, number, width in rows_at(size):
            rows[level] = self._row(level, number, width)
        return Edge(size, rows)

    def checkpoint(self) -> str | None:
        """The note in the file ``checkpoint``; None where nothing was published yet."""
        try:
            return (self.directory / CHECKPOINT).read_text("utf-8")
        except FileNotFoundError:
            return None

    def write_checkpoint(self, note: str) -> None:
        """Put a newer checkpoint in the place of the older one."""
        self._put({CHECKPOINT: note.encode()})

    def write(self, rows: Iterable[Row], bundles: Iterable[tuple[int, Sequence[bytes]]]) -> None:
        """Write tiles and numbered bundles of entries. Those there already must be equal."""
        files = {path_of(r.level, r.number, len(r.hashes)): b"".join(r.hashes) for r in rows}
        for number, entries in bundles:
            files[path_of("entries", number, len(entries))] = bundle(entries)
        for name in list(files):
            try:
                there = (self.directory / name).read_bytes()
            except FileNotFoundError:
                continue
            if there != files.pop(name):
                raise Disagreement(
                    f"{self.directory / name} is not what the database gives for it. Run: skerry "
                    f"audit verify. If the file is at fault, move {self.directory} away: it will "
                    f"be built again from the database and checked against the signed checkpoint"
                )
        self._put(files)

    def _put(self, files: Mapping[str, bytes]) -> None:
        draft = self.directory / ".draft"
        draft.mkdir(parents=True, exist_ok=True)
        names = [(draft / str(i), self.directory / name) for i, name in enumerate(files)]
        for (source, _), data in zip(names, files.values(), strict=True):
            with source.open("wb") as file:
                file.write(data)
        # Together, so that the disk writes its journal once for many of them.
        with ThreadPoolExecutor(FLUSHED_AT_ONCE) as pool:
            list(pool.map(flush, [source for source, _ in names]))
        touched: set[Path] = set()
        for source, target in names:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            above = target.parent
            while above != self.directory.parent and above not in touched:
                touched.add(above)
                above = above.parent
        with ThreadPoolExecutor(FLUSHED_AT_ONCE) as pool:
            list(pool.map(flush, touched))

    def drop_partial(self, old: int, new: int) -> None:
        """Remove the partial forms of tiles that filled while the tree grew."""
        for level, number, _ in rows_at(old):
            if new >> HEIGHT * (level + 1) > number:
                for kind in both(level):
                    gone = self.directory / f"{path_of(kind, number)}.p"
                    shutil.rmtree(gone, ignore_errors=True)

    def files(self) -> Iterator[str]:
        """The path of each published file, relative to the directory."""
        for above, directories, names in os.walk(self.directory):
            directories[:] = sorted(d for d in directories if d != ".draft")
            for name in sorted(names):
                path = os.path.relpath(os.path.join(above, name), self.directory)
                if path != ".lock":
                    yield path

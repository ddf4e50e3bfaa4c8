"""Merkle trees of RFC 6962, section 2.1: pure functions over a store of hashes.

A tree of any size is made of *complete* subtrees of 2**level leaves. Whoever can give the hash of
a complete subtree (a ``Node`` function: from a list in memory, from tiles on disk) gets roots and
proofs from here, and reads only what the proof needs. ``Edge`` is the right-hand side of a growing
tree: enough to add leaves and to know the root, in memory bounded by the tree's height.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from skerry.proof.verify import leaf_hash, node_hash, root_from

__all__ = [
    "EMPTY",
    "TILE",
    "Batch",
    "Edge",
    "Node",
    "Row",
    "consistency",
    "cut",
    "inclusion",
    "leaf_hash",
    "memory",
    "node_hash",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

HASH = 32
HEIGHT = 8
TILE = 1 << HEIGHT
EMPTY = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

Node = Callable[[int, int], bytes]
"""Level and number of a complete subtree to its hash: ``(0, 5)`` is the sixth leaf."""


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the hashes of complete subtrees of one height."""
    level = list(hashes)
    if not level:
        return EMPTY
    while len(level) > 1:
        above = _above(level)
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def memory(hashes: Sequence[bytes]) -> Node:
    """The complete subtrees over hashes that are held in memory."""
    levels = [list(hashes)]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    return lambda level, index: levels[level][index]


def _above(level: list[bytes]) -> list[bytes]:
    """``node_hash`` of each pair, an odd last one left out: the work of every tree."""
    sha256, one = hashlib.sha256, iter(level)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(one, one, strict=False)]


def cut(hashes: bytes) -> list[bytes]:
    """Hashes that were written one after the other."""
    return [hashes[i : i + HASH] for i in range(0, len(hashes), HASH)]


def _range(begin: int, end: int, node: Node) -> bytes:
    """The root over leaves ``begin`` to ``end``, a subtree of the whole (so it is aligned)."""
    parts = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        parts.append(node(level, begin >> level))
        begin += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found


def _split(size: int) -> int:
    """The largest power of two below ``size``: where RFC 6962 divides a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The proof that leaf ``index`` is in the tree of ``size`` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(begin, middle, node))
            begin = middle
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """The proof that the tree of ``new`` leaves begins with the tree of ``old`` leaves."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves cannot begin with {old}")
    if old in (0, new):
        return []
    begin, end, path = 0, new, []
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(begin, middle, node))
            begin = middle
    if begin:
        path.append(_range(begin, end, node))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], top: bytes) -> bool:
    """Whether the leaf hash is number ``index`` of the ``size`` leaves under the root ``top``."""
    return root_from(leaf, index, size, path) == top


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of ``new`` leaves begins with that of ``old`` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY
    rest = [*path] if old & (old - 1) else [old_root, *path]
    if not rest:
        return False
    last_old, last_new = old - 1, new - 1
    while last_old & 1:
        last_old, last_new = last_old >> 1, last_new >> 1
    was = now = rest[0]
    for other in rest[1:]:
        if not last_new:
            return False
        if last_old & 1 or last_old == last_new:
            was, now = node_hash(other, was), node_hash(other, now)
            while last_old and not last_old & 1:
                last_old, last_new = last_old >> 1, last_new >> 1
        else:
            now = node_hash(now, other)
        last_old, last_new = last_old >> 1, last_new >> 1
    return last_new == 0 and was == old_root and now == new_root


class Row(NamedTuple):
    """One tile: up to 256 hashes of complete subtrees of 256**level leaves each."""

    level: int
    number: int
    hashes: tuple[bytes, ...]


class Edge:
    """The right-hand edge of a tree: the partial tile of each level."""

    def __init__(self, size: int = 0, rows: Iterable[Iterable[bytes]] = ()) -> None:
        self.size = size
        self._rows = [list(row) for row in rows]

    def copy(self) -> "Edge":
        return Edge(self.size, self._rows)

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """The leaf hashes of the last, partial tile."""
        return tuple(self._rows[0]) if self._rows else ()

    def extend(self, hashes: Sequence[bytes]) -> list[Row]:
        """Add leaf hashes; the tiles that this filled, lower levels first."""
        filled: list[Row] = []
        self._add(0, self.size >> HEIGHT, hashes, filled)
        self.size += len(hashes)
        filled.sort()
        return filled

    def _add(self, level: int, number: int, hashes: Sequence[bytes], filled: list[Row]) -> None:
        if not hashes:
            return
        if level == len(self._rows):
            self._rows.append([])
        row, done, above = self._rows[level], 0, []
        while done < len(hashes):
            taken = hashes[done : done + TILE - len(row)]
            row += taken
            done += len(taken)
            if len(row) == TILE:
                filled.append(Row(level, number, tuple(row)))
                above.append(root(row))
                row.clear()
                number += 1
        self._add(level + 1, self.size >> HEIGHT * (level + 2), above, filled)

    def partial(self) -> Iterator[Row]:
        """The tiles that are not full yet."""
        for level, row in enumerate(self._rows):
            if row:
                yield Row(level, self.size >> HEIGHT * (level + 1), tuple(row))

    def root(self) -> bytes:
        """The root over all leaves so far."""
        found: list[bytes] = []
        for row in self._rows:
            if row or found:
                found = [root([*row, *found])]
        return found[0] if found else EMPTY


class Batch:
    """A tree of its own over a list of texts, such as the usage records of one settlement.

    Its root and size stand in the body of one change (``{"root": hex, "size": n}``); ``path`` is
    what a receipt carries to lead from one text to that root.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._hashes = [leaf_hash(text.encode()) for text in texts]
        self._node = memory(self._hashes)

    @property
    def size(self) -> int:
        return len(self._hashes)

    @property
    def root(self) -> str:
        """Hex of the root; that of no texts is the SHA-256 of nothing."""
        return root(self._hashes).hex()

    def path(self, index: int) -> list[str]:
        """Hex of the hashes that lead from text ``index`` to the root."""
        return [step.hex() for step in inclusion(index, self.size, self._node)]

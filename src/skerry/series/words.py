"""Words of logs: how they are cut, hashed and asked for.

A word is a run of letters, digits and ``_``, in lower case. A piece of log has a *filter* of its
words (Bloom's): a few bits for each, set in a row of bits. Where all bits of a word are set, the
piece probably has it, and is looked through; where one is not, it has not. An index of words takes
many times as long to write, for logs are full of words that stand once.
"""

import re
import shlex
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.kernel.errors import InvalidRequest, Source

_WORD = re.compile(r"\w+")
_LONGEST = 64
"""Letters of a word that count: keys and encoded data are found by their beginning."""
_MOST_PARTS = 16


_LOW = 0x7FFFFFFF
_BITS = 5
"""Of each word."""
_ROOM = 10
"""Bits of the filter for each word: of pieces without it, one in a hundred seems to have it."""
_MOST_BYTES = 3800
"""Of a filter. It stands in its row, two rows to a page of Postgres'."""


def mark(word: str) -> int:
    """One of 262,144: what pieces had for each word before they had filters."""
    return zlib.crc32(word.encode("utf-8", "replace")) & 0x3FFFF


def bits(found: Collection[str]) -> NDArray[np.int64]:
    """The bits of words, as numbers below 2**31; in a filter they count modulo its length."""
    hashes = (zlib.crc32(word.encode("utf-8", "replace")) for word in found)
    mixed = np.fromiter(hashes, np.uint64, len(found)) * np.uint64(0x9E3779B97F4A7C15)
    first, stride = (mixed >> np.uint64(33)).astype(np.int64), mixed.astype(np.int64) & _LOW | 1
    rows: NDArray[np.int64] = first[:, None] + stride[:, None] * np.arange(_BITS)
    return rows.ravel() & _LOW


def filter_of(found: Collection[str]) -> bytes:
    """Their filter; bit 0 is the lowest of the first byte, as Postgres counts."""
    size = min(max(len(found) * _ROOM // 8, 8), _MOST_BYTES) * 8
    row = np.zeros(size, np.uint8)
    row[bits(found) % size] = 1
    return np.packbits(row, bitorder="little").tobytes()


def words(text: str) -> set[str]:
    return {word[:_LONGEST] for word in set(_WORD.findall(text.lower()))}


@dataclass(frozen=True)
class Wanted:
    """A search: every part is to stand in the line, as whole words, in whatever case."""

    parts: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return sorted({word for part in self.parts for word in words(part)})

    @property
    def marks(self) -> list[int]:
        return [mark(word) for word in self.words]

    @property
    def bits(self) -> list[int]:
        return [int(bit) for bit in bits(self.words)]


def parse(text: str) -> Wanted:
    """``connection refused``: both words, anywhere; ``"connection refused"``: side by side. Raises
    ``InvalidRequest`` for a text without words."""
    try:
        parts = shlex.split(text.lower())
    except ValueError:
        parts = text.lower().replace('"', " ").replace("'", " ").replace("\\", " ").split()
    parts = [part for part in parts if part.strip()]
    for part in parts:
        if not _WORD.search(part):
            raise InvalidRequest(
                f"{part[:40]!r} has no word in it",
                hint="Words are letters, digits and '_'; marks count only beside a word.",
                sources=[Source(parameter="text")],
            )
    if len(parts) > _MOST_PARTS:
        raise InvalidRequest(f"more than {_MOST_PARTS} words", sources=[Source(parameter="text")])
    return Wanted(tuple(parts))


def stands(part: str, text: str) -> Iterator[int]:
    """Where a part stands in a text in lower case, not within a longer word. By hand: an expression
    that looks back is tried at every letter, and takes forty times as long."""
    before, after = _is_letter(part[0]), _is_letter(part[-1])
    at = text.find(part)
    while at >= 0:
        end = at + len(part)
        begun = before and at > 0 and _is_letter(text[at - 1])
        goes_on = after and end < len(text) and _is_letter(text[end])
        if not begun and not goes_on:
            yield at
        at = text.find(part, at + 1)


def _is_letter(sign: str) -> bool:
    return sign.isalnum() or sign == "_"

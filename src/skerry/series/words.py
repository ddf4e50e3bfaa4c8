"""Words of logs: how they are cut, hashed and asked for.

A word is a run of letters, digits and ``_``, in lower case. Hashes of the words of a piece of log
stand in its ``marks``; words share them, so what the index finds is looked through again.
"""

import re
import shlex
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from skerry.kernel.errors import InvalidRequest, Source

_WORD = re.compile(r"\w+")
_LONGEST = 64
"""Letters of a word that count: keys and encoded data are found by their beginning."""
_MOST_PARTS = 16


def mark(word: str) -> int:
    """One of 262,144. Logs are full of words that stand once: an entry in the index for each would
    take twice the space of the text. Of other pieces, one in sixty has a mark by chance."""
    return zlib.crc32(word.encode("utf-8", "replace")) & 0x3FFFF


def place_mark(tenant: str, workspace: str) -> int:
    return _apart(f"in {tenant}/{workspace}")


def owner_mark(owner: uuid.UUID) -> int:
    return _apart(f"of {owner}")


def _apart(text: str) -> int:
    """Not the mark of any word, and an integer of Postgres'."""
    return -1 - (zlib.crc32(text.encode()) >> 1)


def words(text: str) -> set[str]:
    return {word[:_LONGEST] for word in _WORD.findall(text.lower())}


@dataclass(frozen=True)
class Wanted:
    """A search: every part is to stand in the line, as whole words, in whatever case."""

    parts: tuple[str, ...]

    @property
    def marks(self) -> list[int]:
        return sorted({mark(word) for part in self.parts for word in words(part)})


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

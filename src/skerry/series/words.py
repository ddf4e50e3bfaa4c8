"""Words of logs: how they are cut, hashed and asked for.

A word is a run of letters, digits and ``_``, in lower case. Hashes of the words of a piece of log
stand in its ``marks``; two words may share one, so what the index finds is looked through again.
"""

import re
import shlex
import uuid
import zlib
from dataclasses import dataclass

from skerry.kernel.errors import InvalidRequest, Source

_WORD = re.compile(r"\w+")
_LONGEST = 64
"""Letters of a word that count: keys and encoded data are found by their beginning."""
_MOST_PARTS = 16


def mark(text: str) -> int:
    """A hash that fits Postgres' integer."""
    number = zlib.crc32(text.encode("utf-8", "replace"))
    return number - (1 << 32) if number >= 1 << 31 else number


def place_mark(tenant: str, workspace: str) -> int:
    return mark(f"\0in {tenant}/{workspace}")


def owner_mark(owner: uuid.UUID) -> int:
    return mark(f"\0of {owner}")


def words(text: str) -> set[str]:
    return {word[:_LONGEST] for word in _WORD.findall(text.lower())}


@dataclass(frozen=True)
class Wanted:
    """A search: every part is to stand in the line, as whole words, in whatever case."""

    parts: tuple[str, ...]

    @property
    def marks(self) -> list[int]:
        return sorted({mark(word) for part in self.parts for word in words(part)})

    def pattern(self) -> list[re.Pattern[str]]:
        return [_pattern(part) for part in self.parts]


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


def _pattern(part: str) -> re.Pattern[str]:
    before = r"(?<!\w)" if part[0].isalnum() or part[0] == "_" else ""
    after = r"(?!\w)" if part[-1].isalnum() or part[-1] == "_" else ""
    return re.compile(before + re.escape(part) + after)

"""Searching logs: the newest lines of a workspace in which all words stand.

The filters tell which pieces have all the words somewhere; they are unpacked and looked through,
line by line. It goes back day by day, so that a word of today costs nothing of last week, and looks
through at most ``MOST_PIECES`` for one answer: an answer may have few lines, or none, and still say
where to go on.
"""

import asyncio
import re
import uuid
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from skerry.kernel.errors import InvalidRequest, Source
from skerry.series.lines import PIECE_SECONDS, Line, inflated, unpacked
from skerry.series.words import Wanted, stands
from skerry.store import Database
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.series", "logs.sql")
MOST_LINES = 1000
MOST_PIECES = 150
_AT_ONCE = 50
_DAY = timedelta(days=1)
_CURSOR = re.compile(r"(\d{1,17})\.(\d{1,18})\.(\d{1,9})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """The piece, and the line in it, before which to go on."""

    at: datetime
    id: int
    line: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}.{self.id}.{self.line}"

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises ``InvalidRequest``."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise InvalidRequest(
                f"{text[:40]!r} is no cursor",
                hint="Send `next` of the answer before as it is.",
                sources=[Source(parameter="cursor")],
            )
        at = _EPOCH + timedelta(microseconds=int(match[1]))
        return cls(at, int(match[2]), int(match[3]))


@dataclass(frozen=True)
class Search:
    tenant: str
    workspace: str
    wanted: Wanted
    start: datetime
    end: datetime
    owners: tuple[uuid.UUID, ...] | None = None
    """Only of these resources; None: all."""
    limit: int = 200
    cursor: Cursor | None = None


@dataclass(frozen=True)
class Found:
    lines: list[tuple[Row, Line]]
    """Newest first. Those of different tasks may be out of order by what lies in a piece."""
    next: Cursor | None
    """None: there is nothing more."""


Visible = Callable[[Collection[uuid.UUID]], Awaitable[Collection[uuid.UUID]]]
"""Those of these resources whose lines may be shown."""


async def search(db: Database, asked: Search, visible: Visible) -> Found:
    """The next page."""
    found: list[tuple[Row, Line]] = []
    cursor, looked = asked.cursor, 0
    if asked.owners == ():
        return Found([], None)
    end = asked.end
    if cursor is not None:
        end = min(end, cursor.at + timedelta(microseconds=1))
    # A piece begins before its lines do, by so much at most.
    oldest = await db.fetchval(_sql.oldest) or asked.end
    start = max(asked.start - timedelta(seconds=PIECE_SECONDS), oldest)
    while end > start:
        day = max(start, _midnight(end))
        rows = await _pieces(db, asked, day, end, cursor)
        shown = await visible({row["owner"] for row in rows})
        mine = [row for row in rows if row["owner"] in shown]
        room = asked.limit - len(found)
        places = await asyncio.to_thread(_look, mine, asked, cursor, room)
        found += [(row, line) for row, _, line in places]
        if len(places) == room:
            row, index, _ = places[-1]
            return Found(_newest_first(found), Cursor(row["at"], row["id"], index))
        looked += len(rows)
        if len(rows) == _AT_ONCE:
            cursor = Cursor(rows[-1]["at"], rows[-1]["id"], 0)
            end = cursor.at + timedelta(microseconds=1)
            if looked >= MOST_PIECES:
                return Found(_newest_first(found), cursor)
        else:
            end, cursor = day, None
    return Found(_newest_first(found), None)


def _midnight(end: datetime) -> datetime:
    """The last midnight before."""
    before = end - timedelta(microseconds=1)
    return datetime(before.year, before.month, before.day, tzinfo=UTC)


async def _pieces(
    db: Database, asked: Search, start: datetime, end: datetime, cursor: Cursor | None
) -> Sequence[Row]:
    place = cursor and cursor.at, cursor and cursor.id
    where = asked.tenant, asked.workspace, start, end, asked.owners
    wanted = asked.wanted
    return await db.fetch(_sql.search, *where, wanted.marks, wanted.bits, *place, _AT_ONCE)


def _look(
    rows: Sequence[Row], asked: Search, cursor: Cursor | None, most: int
) -> list[tuple[Row, int, Line]]:
    """The first so many lines that are meant, from the end of each piece, with their places."""
    found: list[tuple[Row, int, Line]] = []
    for row in rows:
        here = cursor is not None and (row["at"], row["id"]) == (cursor.at, cursor.id)
        for index, line in reversed(_matching(row, asked)):
            if cursor is not None and here and index >= cursor.line:
                continue
            found.append((row, index, line))
            if len(found) == most:
                return found
    return found


def _matching(row: Row, asked: Search) -> list[tuple[int, Line]]:
    """The lines of a piece that are meant, with their places."""
    body = inflated(row["body"])
    if asked.wanted.parts:
        whole = body.decode("utf-8", "replace").lower()
        if not all(part in whole for part in asked.wanted.parts):
            return []  # its filter only seemed to have them
    first, last = (round(t.timestamp() * 1000) for t in (asked.start, asked.end))
    lines = unpacked(body)
    return [
        (index, lines[index])
        for index in _having(lines, asked.wanted.parts)
        if first <= lines[index].at <= last
    ]


def _having(lines: Sequence[Line], parts: Sequence[str]) -> Sequence[int]:
    """Those in which all stand. Looked through as one text, which is ten times faster: no word
    goes over the end of a line."""
    if not parts:
        return range(len(lines))
    texts = [line.text.lower().replace("\n", " ") for line in lines]
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    whole = "\n".join(texts)
    rarest, *others = sorted(parts, key=whole.count)
    lines_of = sorted({bisect_right(starts, place) - 1 for place in stands(rarest, whole)})
    return [n for n in lines_of if all(_stands(part, texts[n]) for part in others)]


def _stands(part: str, text: str) -> bool:
    return next(stands(part, text), -1) >= 0


def _newest_first(found: list[tuple[Row, Line]]) -> list[tuple[Row, Line]]:
    return sorted(found, key=lambda one: (one[1].at, one[1].offset), reverse=True)


async def family(
    db: Database, tenant: str, workspace: str, kind: str, name: str
) -> tuple[uuid.UUID, ...]:
    """The resources of that name, those deleted included, and all that they own."""
    rows = await db.fetch(_sql.family, tenant, workspace, kind, name)
    return tuple(row["uid"] for row in rows)


async def cut_of(db: Database, tenant: str, workspace: str) -> dict[str, Any] | None:
    """What the workspace's share has cut off, if anything within the time kept."""
    row = await db.fetchrow(_sql.cut_of, tenant, workspace)
    return None if row is None else {"until": row["until"], "bytes": row["bytes"]}

"""The watch feed: what changed, in the order of the log, from any position still kept.

One reader per process follows the sequencer and keeps the newest events in memory; any number of
watchers take them from there, and only a watcher that is far behind reads the database itself. A
cursor is the position of the last event seen.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import NamedTuple

import structlog

from skerry.kernel.errors import Gone
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.queries import load

_sql = load("skerry.kernel", "changes.sql")
CHANNEL = "feed"
KEPT = 4096
PAGE = 500


class Happening(NamedTuple):
    """One event of the feed. ``body`` is the change's canonical JSON text."""

    position: int
    kind: str
    subject: str
    verb: str
    tenant: str
    workspace: str
    version: int
    body: str


Wanted = Callable[[Happening], bool]


class Feed:
    """Follows the sequenced changes and hands them to watchers."""

    def __init__(self, db: Database, poll: float = 1.0) -> None:
        self._db = db
        self._poll = poll
        self._recent: deque[Happening] = deque(maxlen=KEPT)
        self._last = -1
        self._notice = asyncio.Event()
        self._grown = asyncio.Event()
        """Set, once and for all, when there is more; then another one takes its place."""
        self._ready = asyncio.Event()
        self._log = structlog.get_logger("feed")

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._db.listen(CHANNEL, self._notice.set)
        while True:
            try:
                if not self._ready.is_set():
                    await self._begin((await self._bounds())[1])
                await self._catch_up()
            except DATABASE_ERRORS as error:
                self._log.warning("feed behind, trying again", error=str(error))
                await asyncio.sleep(self._poll)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._notice.wait()
            self._notice.clear()

    async def _begin(self, position: int) -> None:
        self._moved(position)
        self._ready.set()

    def _moved(self, position: int) -> None:
        self._last = position
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def _catch_up(self) -> None:
        while events := await self._read(self._last):
            self._recent.extend(events)
            self._moved(events[-1].position)

    async def _read(self, after: int) -> list[Happening]:
        rows = await self._db.fetch(_sql.events_after, after, PAGE)
        return [Happening(*row) for row in rows]

    async def _bounds(self) -> tuple[int, int]:
        row = await self._db.fetchrow(_sql.feed_bounds)
        assert row is not None
        return row["first"], row["last"]

    async def position(self) -> int:
        """The newest position now: a list read after this misses nothing from here on."""
        await self._ready.wait()
        return self._last

    async def cursor(self, after: int | None) -> int:
        """A position to watch from; None means from now on.

        Raises ``Gone`` if events that old are no longer kept.
        """
        cursor = await self.position() if after is None else after
        first, last = await self._bounds()
        if cursor < first - 1 or cursor > last:
            raise Gone(
                f"the feed goes from {first} to {last}, and position {cursor} is not in it",
                hint="List the resources again, then watch from now on.",
            )
        return cursor

    async def watch(
        self, wanted: Wanted, cursor: int, *, beat: float = 15.0
    ) -> AsyncIterator[Happening | None]:
        """Events after a position that ``cursor`` gave. None is yielded after ``beat`` seconds in
        which nothing was, so that a server notices a client that left."""
        clock = asyncio.get_running_loop().time
        said = clock()
        while True:
            for event in await self._since(cursor):
                cursor = event.position
                if wanted(event):
                    yield event
                    said = clock()
            if clock() >= said + beat:
                yield None
                said = clock()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(said + beat):
                    while self._last <= cursor:
                        await self._grown.wait()

    async def _since(self, cursor: int) -> list[Happening]:
        if self._last <= cursor:
            return []
        if self._recent and self._recent[0].position <= cursor + 1:
            missing = self._last - cursor
            return list(islice(reversed(self._recent), missing))[::-1]
        return await self._read(cursor)

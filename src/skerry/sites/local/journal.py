"""The whole site's life as numbered events, the last of which are kept in memory.

Cursors begin at the time of the start, in microseconds, so that they grow over restarts and a
cursor from before one is known as such: what happened meanwhile is not on record, so it has
expired and its holder lists again.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator

from skerry.sites.contract import CursorExpired, Event, SiteUnreachable, WorkloadStatus


class Journal:
    def __init__(self, kept: int) -> None:
        self._events: deque[Event] = deque(maxlen=kept)
        self._base = self.cursor = time.time_ns() // 1000
        self._news = asyncio.Event()
        self._closed = False

    def append(self, id: str, status: WorkloadStatus | None) -> None:
        self.cursor += 1
        self._events.append(Event(cursor=self.cursor, id=id, status=status))
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """Who watches is told that the site is gone."""
        self._closed = True
        self._news.set()

    async def watch(self, cursor: int) -> AsyncIterator[Event]:
        """Events after ``cursor``, for ever. Raises ``CursorExpired``, ``SiteUnreachable``."""
        while True:
            oldest = self._events[0].cursor - 1 if self._events else self.cursor
            if not (max(self._base, oldest) <= cursor <= self.cursor):
                raise CursorExpired(f"events after {cursor} are not on record")
            for event in list(self._events)[cursor - self.cursor + len(self._events) :]:
                yield event
                cursor = event.cursor
            if cursor == self.cursor:
                if self._closed:
                    raise SiteUnreachable("the driver was closed")
                await self._news.wait()

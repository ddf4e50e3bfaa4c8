"""One piece of work for all who want the same thing at the same time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from skerry.sites.contract import Progress

Report = Callable[[Progress], None]
Work = Callable[[Report], Coroutine[Any, Any, str]]
LINGER = 60.0
"""Seconds that a work goes on when nobody waits for it any more: who lost the connection is soon
back, who gave up is not."""


class _Going:
    def __init__(self) -> None:
        self.last = Progress(stage="waiting")
        self.news = asyncio.Event()
        self.followers = 0
        self.task: asyncio.Task[str]
        self.timer: asyncio.TimerHandle | None = None

    def report(self, progress: Progress) -> None:
        if progress != self.last:
            self.last = progress
            self.news.set()
            self.news = asyncio.Event()


class Sharing:
    def __init__(self) -> None:
        self._going: dict[str, _Going] = {}

    @property
    def busy(self) -> set[str]:
        return set(self._going)

    async def follow(self, key: str, work: Work) -> AsyncGenerator[Progress, None]:
        """Its progress, up to ``ready`` with the digest that ``work`` gives; begins it unless it
        is under way. Raises what it raises."""
        going = self._going.get(key) or self._begin(key, work)
        going.followers += 1
        if going.timer is not None:
            going.timer.cancel()
            going.timer = None
        try:
            shown = None
            while not going.task.done():
                news = going.news
                if going.last != shown:
                    shown = going.last
                    yield shown
                    continue
                waiting = asyncio.create_task(news.wait())
                try:
                    await asyncio.wait({waiting, going.task}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()
            yield Progress(stage="ready", digest=await asyncio.shield(going.task))
        finally:
            going.followers -= 1
            if not going.followers and not going.task.done():
                loop = asyncio.get_running_loop()
                going.timer = loop.call_later(LINGER, going.task.cancel)

    def _begin(self, key: str, work: Work) -> _Going:
        going = self._going[key] = _Going()
        going.task = asyncio.create_task(work(going.report))
        going.task.add_done_callback(lambda _: self._ended(key, going))
        return going

    def _ended(self, key: str, going: _Going) -> None:
        if self._going.get(key) is going:
            del self._going[key]
        if not going.task.cancelled():
            going.task.exception()  # whoever follows raises it; nobody may

    async def close(self) -> None:
        tasks = [going.task for going in self._going.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Waiting for something to change, without a coroutine per thing."""

import asyncio


class Notice:
    """``future`` is done at the next ``wake``. Nothing is remembered: look first, then wait."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] | None = None

    def future(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(future)
        return future

    def wake(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, None
            for future in waiting:
                done(future)


def done(future: asyncio.Future[None]) -> None:
    """Let the waiter go, unless it has gone already."""
    if not future.done():
        future.set_result(None)

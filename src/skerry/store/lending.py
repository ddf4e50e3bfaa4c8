"""Connections of the pool, lent and taken back.

The pool's own book-keeping (a task and two timers for each loan) costs as much as a small query
does. So a connection that comes back in order is kept at hand, and whoever asks next has it at
once. Whatever is not in order, because its work failed or was cancelled, goes back to the pool,
which knows how to mend or end it; and so does everything at hand, every few seconds, for the pool
sees to the age of connections.
"""

import asyncio

import asyncpg

WAIT_SECONDS = 30.0
"""For a connection, when all are taken."""
AT_HAND_SECONDS = 5.0


class Lender:
    """Who has which connection of a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._at_hand: list[asyncpg.pool.PoolConnectionProxy] = []
        self._waiting = 0
        self._closed = False
        self._turn: asyncio.TimerHandle | None = None
        self._returning: asyncio.Task[None] | None = None

    @property
    def idle(self) -> int:
        """Connections that could be had at once."""
        pool = self._pool
        made = pool.get_idle_size() + len(self._at_hand)
        return int(pool.get_max_size() - pool.get_size() + made)

    def at_hand(self) -> asyncpg.Connection | None:
        """A connection that can be had without waiting, if there is one."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if _open(connection):
                return connection
        return None

    async def take(self) -> asyncpg.Connection:
        """One of the pool's. Raises ``TimeoutError`` if none comes free in ``WAIT_SECONDS``."""
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self._pool.acquire()
        finally:
            self._waiting -= 1

    def keep(self, connection: asyncpg.Connection) -> bool:
        """Have it at hand for the next. Not if somebody waits for one at the pool."""
        if self._waiting or self._closed:
            return False
        self._at_hand.append(connection)
        if self._turn is None:
            loop = asyncio.get_running_loop()
            self._turn = loop.call_later(AT_HAND_SECONDS, self._let_go)
        return True

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """To the pool, in whatever state it is."""
        await self._pool.release(connection)

    def _let_go(self) -> None:
        self._turn = None
        if self._returning is None or self._returning.done():
            self._returning = asyncio.get_running_loop().create_task(self._return())

    async def _return(self) -> None:
        back, self._at_hand = self._at_hand, []
        # One that fails on its way has been ended by the pool: that is no reason to keep others.
        await asyncio.gather(*map(self._pool.release, back), return_exceptions=True)

    async def close(self) -> None:
        """Give all back and keep none from now on."""
        self.terminate()
        if self._returning is not None:
            await asyncio.wait((self._returning,))
        await self._return()

    def terminate(self) -> None:
        """Keep none from now on; the pool ends them all itself."""
        self._closed = True
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None


def _open(connection: asyncpg.Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it went back to the pool when it broke
        return False

"""Connections of the pool, lent and taken back.

The pool's own book-keeping (a task and two timers for each loan) costs as much as a small query
does. So a connection that comes back in order is kept at hand, and whoever asks next has it at
once. Whatever is not in order, because its work failed or was cancelled, goes back to the pool,
which knows how to mend or end it; and so does everything at hand, every few seconds, for the pool
sees to the age of connections.
"""

import asyncio
from collections import deque

import asyncpg

WAIT_SECONDS = 30.0
"""For a connection, when all are taken."""
AT_HAND_SECONDS = 5.0


class Lender:
    """Who has which connection of a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._most = pool.get_max_size()
        self._out = 0
        """Connections that are lent or at hand, or asked of the pool."""
        self._at_hand: list[asyncpg.pool.PoolConnectionProxy] = []
        self._waiters: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._closed = False
        self._turn: asyncio.TimerHandle | None = None
        self._returning: asyncio.Task[None] | None = None
        self._dropping: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> int:
        """Connections that could be had at once."""
        return int(self._most - self._out + len(self._at_hand))

    def at_hand(self) -> asyncpg.Connection | None:
        """A connection that can be had without waiting, if there is one."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if _open(connection):
                return connection
            self._drop(connection)
        return None

    async def take(self) -> asyncpg.Connection:
        """One of the pool's, or the next that comes free. Raises ``TimeoutError`` if none does in
        ``WAIT_SECONDS``."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                if self._out < self._most:
                    return await self._acquire()
                connection = await self._next()
                if connection is not None and _open(connection):
                    return connection
                if connection is not None:
                    self._drop(connection)

    async def _acquire(self) -> asyncpg.Connection:
        self._out += 1
        try:
            return await self._pool.acquire()
        except BaseException:
            self._one_less()
            raise

    async def _next(self) -> asyncpg.Connection | None:
        """What comes back next; None where the pool has room again."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except BaseException:
            # It may have been given one in the moment in which it was cancelled.
            if waiter.done() and not waiter.cancelled():
                given = waiter.result()
                if given is None:
                    self._wake(None)
                else:
                    self.keep(given)
            raise

    def keep(self, connection: asyncpg.Connection) -> None:
        """It is in order: hand it to who waits longest, or have it at hand for the next."""
        if self._wake(connection):
            return
        self._at_hand.append(connection)
        if self._turn is None:
            loop = asyncio.get_running_loop()
            wait = 0 if self._closed else AT_HAND_SECONDS
            self._turn = loop.call_later(wait, self._let_go)

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """To the pool, in whatever state it is."""
        try:
            await self._pool.release(connection)
        finally:
            self._one_less()

    def _drop(self, connection: asyncpg.Connection) -> None:
        task = asyncio.get_running_loop().create_task(self.give_back(connection))
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)

    def _one_less(self) -> None:
        self._out -= 1
        self._wake(None)

    def _wake(self, connection: asyncpg.Connection | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _let_go(self) -> None:
        self._turn = None
        if self._returning is None or self._returning.done():
            self._returning = asyncio.get_running_loop().create_task(self._return())

    async def _return(self) -> None:
        while self._at_hand:
            back, self._at_hand = self._at_hand, []
            # One that fails on its way has been ended by the pool: no reason to keep others.
            await asyncio.gather(*map(self.give_back, back), return_exceptions=True)

    async def close(self) -> None:
        """Give back all that are at hand, and from now on each as soon as it comes."""
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

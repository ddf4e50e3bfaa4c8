"""Connections and transactions.

``Database`` is a pool; ``Tx`` an open transaction on one connection of it. A transaction is
short and never open across a call to the outside. Work that must follow a commit (waking a
worker, a coalesced NOTIFY) is left with ``Tx.after_commit``: writing transactions themselves
never NOTIFY, because Postgres serialises their commits if they do.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import msgspec

from skerry.store.lending import Lender

Row: TypeAlias = asyncpg.Record
_LISTEN_SECONDS = 1.0
_NOTICES_APART = 0.01
"""Seconds. What comes meanwhile is folded into the next one."""

DATABASE_AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""The connection is gone: broken, ended by the server's operator, or closed under our hands. The
last is asyncpg's word for a query that crosses with the server's goodbye."""

DATABASE_ERRORS: tuple[type[Exception], ...] = (asyncpg.PostgresError, *DATABASE_AWAY, OSError)
"""Whatever a database can answer or fail to. A task that runs for ever waits and goes on."""


def _calling(callback: Callable[[], None]) -> Callable[..., None]:
    return lambda *_: callback()


def _encode_jsonb(value: Any) -> bytes:
    return b"\x01" + msgspec.json.encode(value)  # the one version of jsonb's binary form


def _decode_jsonb(data: bytes) -> Any:
    return msgspec.json.decode(data[1:])


async def _prepare(connection: asyncpg.Connection) -> None:
    # The binary forms, because COPY takes no other.
    for name, encoder, decoder in (
        ("json", msgspec.json.encode, msgspec.json.decode),
        ("jsonb", _encode_jsonb, _decode_jsonb),
    ):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="binary"
        )


async def _leave_as_it_is(connection: asyncpg.Connection) -> None:
    """Nothing here changes a session, so there is nothing to undo with a round trip each time a
    connection goes back. One with an open transaction has been rolled back before."""


class Tx:
    """One open transaction. Everything written through it commits together or not at all."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._now: datetime | None = None
        self._after: list[Callable[[], None]] = []
        self.known: dict[Hashable, Any] = {}
        """Rows that this transaction has locked or written, by identity: until it ends, nobody
        else can change them, so they need not be read again."""

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return list(await self._connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run one statement; the answer is Postgres' command tag, such as ``UPDATE 1``."""
        return str(await self._connection.execute(sql, *args))

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, rows)

    async def copy(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """Insert many rows by COPY."""
        await self._connection.copy_records_to_table(table, columns=columns, records=records)

    async def cursor(self, sql: str, *args: Any, prefetch: int = 500) -> AsyncIterator[Row]:
        """Stream a large result without holding it in memory."""
        async for row in self._connection.cursor(sql, *args, prefetch=prefetch):
            yield row

    async def now(self) -> datetime:
        """The database's time, one value for the whole transaction."""
        if self._now is None:
            self._now = await self._connection.fetchval("select skerry_now()")
        assert self._now is not None
        return self._now

    def now_is(self, now: datetime) -> None:
        """Another statement of this transaction has asked for the time; the first answer stays."""
        self._now = self._now or now

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that can fail on its own without losing the rest."""
        try:
            async with self._connection.transaction():
                yield
        except BaseException:
            self.known.clear()
            raise

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once the commit is durable; never called if it rolls back."""
        self._after.append(callback)

    def _committed(self) -> None:
        for callback in self._after:
            callback()


class _Lent:
    """A connection. TimeoutError if none comes free in ``WAIT_SECONDS``."""

    __slots__ = ("_connection", "_lender")

    def __init__(self, lender: Lender) -> None:
        self._lender = lender

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = self._lender.at_hand() or await self._lender.take()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self._lender.keep(self._connection)
        else:
            await self._lender.give_back(self._connection)


class _Reading(_Lent):
    __slots__ = ()

    async def __aenter__(self) -> Tx:
        return Tx(await super().__aenter__())


class _Transaction(_Lent):
    __slots__ = ("_block", "_readonly", "_tx")

    def __init__(self, lender: Lender, readonly: bool) -> None:
        super().__init__(lender)
        self._readonly = readonly

    async def __aenter__(self) -> Tx:
        connection = await super().__aenter__()
        if self._readonly:
            self._block = connection.transaction(isolation="repeatable_read", readonly=True)
        else:
            self._block = connection.transaction()
        try:
            await self._block.__aenter__()
        except BaseException as error:
            await super().__aexit__(type(error))
            raise
        self._tx = Tx(connection)
        return self._tx

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            await self._block.__aexit__(kind, *error)
        except BaseException as failed:
            await super().__aexit__(type(failed))
            raise
        await super().__aexit__(kind)
        if kind is None:
            self._tx._committed()


class Database:
    """A pool of connections to one Postgres."""

    def __init__(self, pool: asyncpg.Pool, url: str) -> None:
        self._pool = pool
        self._lender = Lender(pool)
        self.url = url
        self._pending: set[str] = set()
        self._notifier: asyncio.Task[None] | None = None
        self._heard: dict[str, list[Callable[[], None]]] = {}
        self._listener: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, size: int = 8, *, command_timeout: float = 60) -> "Database":
        """Connect. ``size`` bounds the connections; ``command_timeout`` is in seconds."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_prepare,
            reset=_leave_as_it_is,
            command_timeout=command_timeout,
        )
        return cls(pool, url)

    @property
    def idle(self) -> int:
        """Connections that could be had at once."""
        return self._lender.idle

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
        # Waited for, not awaited: after ``terminate`` they end by cancellation.
        if tasks := [task for task in (self._notifier, self._listener) if task is not None]:
            await asyncio.wait(tasks)
        await self._lender.close()
        await self._pool.close()

    def terminate(self) -> None:
        """Drop every connection at once, as a killed process would."""
        if self._notifier is not None:
            self._notifier.cancel()
        if self._listener is not None:
            self._listener.cancel()
        self._lender.terminate()
        self._pool.terminate()

    def transaction(self, *, readonly: bool = False) -> "_Transaction":
        """Commit on exit, roll back on any exception.

        ``readonly`` transactions see one snapshot throughout (repeatable read).
        """
        return _Transaction(self._lender, readonly)

    def reading(self) -> "_Reading":
        """A connection for a read or two, each of which sees what is committed by then, as in a
        transaction of ours; it saves the round trips that begin and end one. For reads only."""
        return _Reading(self._lender)

    def _lent(self) -> "_Lent":
        return _Lent(self._lender)

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        async with self._lent() as connection:
            return list(await connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        async with self._lent() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        async with self._lent() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        async with self._lent() as connection:
            return str(await connection.execute(sql, *args))

    def notify(self, channel: str) -> None:
        """Send one NOTIFY soon. Calls that come before it is sent are folded into it."""
        self._pending.add(channel)
        if self._notifier is None or self._notifier.done():
            self._notifier = asyncio.get_running_loop().create_task(self._send_notices())

    async def _send_notices(self) -> None:
        while self._pending:
            channels, self._pending = sorted(self._pending), set()
            try:
                await self.execute(
                    "select pg_notify(name, '') from unnest($1::text[]) as t (name)", channels
                )
                await asyncio.sleep(_NOTICES_APART)
            except DATABASE_ERRORS:
                # A lost notice only delays: every listener polls as well.
                return

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """Call back on each notice, and after each gap in which notices may have been lost.

        Notices are a help, never a promise: callers poll as well.
        """
        gap = [called for calls in self._heard.values() for called in calls]
        self._heard.setdefault(channel, []).append(callback)
        if self._listener is not None:
            self._listener.cancel()
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._listener = loop.create_task(self._keep_listening(ready, gap))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_SECONDS):
                await ready.wait()

    async def _keep_listening(self, ready: asyncio.Event, gap: list[Callable[[], None]]) -> None:
        while True:
            try:
                await self._listen_once(ready, gap)
            except DATABASE_ERRORS:
                await asyncio.sleep(_LISTEN_SECONDS)
            gap = [called for calls in self._heard.values() for called in calls]

    async def _listen_once(self, ready: asyncio.Event, gap: list[Callable[[], None]]) -> None:
        connection = await asyncpg.connect(self.url)
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            for channel, callbacks in self._heard.items():
                for callback in callbacks:
                    await connection.add_listener(channel, _calling(callback))
            ready.set()
            for callback in gap:
                callback()
            await lost.wait()
        finally:
            connection.terminate()

    async def shift_clock(self, by: timedelta) -> None:
        """Move ``skerry_now()`` for everyone on this database. For tests and rehearsals."""
        await self.execute("update clock set shift = shift + $1", by)

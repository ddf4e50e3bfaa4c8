"""Duties that one process at a time has: elected by an advisory lock of Postgres.

Each candidate keeps one connection for it. Who has the lock does the work until it ends or the
connection does; Postgres frees the lock with the connection, at once where a process dies and
within half a minute where a whole machine falls silent, and the next candidate that looks takes
over. For that moment two may be at work, so a duty must bear being done twice; the election only
keeps many processes from doing the same over and over.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncpg
import structlog

from skerry.store.cancelling import apart
from skerry.store.database import DATABASE_ERRORS, Database

_log = structlog.get_logger("election")
LOOK = 1.0
"""Seconds between two tries to be elected. Waiting in Postgres would hold its oldest snapshot."""
BEAT = 5.0
_KEEPALIVE = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; " \
    "set tcp_keepalives_count = 3"  # fmt: skip
_TRY = "select pg_try_advisory_lock(hashtextextended('skerry duty ' || $1, 0))"

Work = Callable[[], Coroutine[Any, Any, None]]


class _Lost(Exception):
    """The connection that the election hangs on has ended."""


async def elected(db: Database, duty: str, works: Sequence[Work]) -> None:
    """Do the works of a duty whenever it is ours, until cancelled."""
    while True:
        try:
            await apart(_campaign(db, duty, works))
        except* _Lost:
            _log.warning("duty lost", duty=duty)
        except* DATABASE_ERRORS as group:
            _log.warning("no election", duty=duty, error=str(group.exceptions[0]))
        await asyncio.sleep(LOOK)


async def _campaign(db: Database, duty: str, works: Sequence[Work]) -> None:
    connection = await asyncpg.connect(db.url, command_timeout=BEAT)
    try:
        await connection.execute(_KEEPALIVE)
        while not await connection.fetchval(_TRY, duty):  # noqa: ASYNC110 - others hold it
            await asyncio.sleep(LOOK)
        _log.info("elected", duty=duty)
        async with asyncio.TaskGroup() as group:
            group.create_task(_until_lost(connection))
            for work in works:
                group.create_task(work())
    finally:
        connection.terminate()


async def _until_lost(connection: asyncpg.Connection) -> None:
    """A connection that does not answer is as good as lost: another may be elected by then."""
    while True:
        await asyncio.sleep(BEAT)
        try:
            await connection.fetchval("select 1")
        except DATABASE_ERRORS as error:  # among them OSError, and with it TimeoutError
            raise _Lost from error

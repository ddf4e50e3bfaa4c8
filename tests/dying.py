"""Transactions that die at any statement, as those of a killed process do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from skerry.store import Database, Tx


class Killed(Exception):
    """The process dies here."""


class DyingTx:
    """A transaction that is cut off at its n-th statement."""

    def __init__(self, tx: Tx, after: int) -> None:
        self._tx = tx
        self._left = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute", "executemany", "copy"):
            return found

        async def counted(*args: Any) -> Any:
            if not self._left:
                raise Killed
            self._left -= 1
            return await found(*args)

        return counted


class DyingDatabase:
    """A database whose transactions die at their n-th statement."""

    def __init__(self, db: Database, after: int) -> None:
        self._db = db
        self._after = after

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self._db.transaction() as tx:
            yield DyingTx(tx, self._after)

"""The recorder: takes what sources say, reads those of this process, packs, and lets go of the old.

One in each process that has something to say. Several may run on one database.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from skerry.series import logs, packing
from skerry.series.retention import Retention
from skerry.series.ticks import STEP, Batch, Ticker
from skerry.store import DATABASE_ERRORS, Database

_log = structlog.get_logger("series")


class Source(Protocol):
    """Something in this process that counts."""

    def read(self) -> Batch:
        """How its counters stand now."""


class Recorder:
    """Writes samples down and keeps the tables in order."""

    def __init__(self, db: Database, retention: Retention | None = None) -> None:
        self._db = db
        self._retention = retention or Retention()
        self._ticker = Ticker()
        self._sources: dict[str, Source] = {}

    def add(self, name: str, source: Source) -> None:
        """Read this from now on, every ``STEP`` seconds. ``name`` is unique among all processes."""
        self._sources[name] = source

    async def write(self, source: str, batches: Sequence[Batch]) -> bool:
        """Write down what a source says now. False: it has spoken at this instant already."""
        try:
            async with self._db.transaction() as tx:
                return await self._ticker.write(tx, source, batches)
        except DATABASE_ERRORS:
            self._ticker.forget()
            raise

    async def run(self) -> None:
        """Every ``STEP`` seconds, until cancelled."""
        while True:
            try:
                await self.turn()
            except DATABASE_ERRORS as error:
                _log.warning("series not kept, trying again", error=str(error))
            await self.rest()

    async def turn(self) -> None:
        """What is to be done at each step."""
        for name, source in self._sources.items():
            await self.write(name, [source.read()])
        await packing.pack(self._db)
        await packing.keep(self._db, self._retention)
        await logs.keep(self._db, self._retention)

    async def rest(self) -> None:
        """Sleep until the next instant of the grid, by the database's clock."""
        try:
            now = (await self._db.fetchval("select skerry_now()")).timestamp()
        except DATABASE_ERRORS:
            now = 0.0
        await asyncio.sleep(STEP - now % STEP)

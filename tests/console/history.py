"""A past for the cloud that is photographed, so that its charts have something to say.

These rows are made up here and written behind the cloud's back: six hours of what its machines
used, and a month of what its tenants were billed for. Only pictures are made of them. No test sees
them, and an audit of this cloud would name them.
"""

import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from skerry.store.postgres import EmbeddedPostgres

STEP, HOURS, DAYS = 15, 6, 29
BUSY = {"falkenberg": 41.0, "home-1": 1.1, "keflavik": 38.0, "marseille": 52.0}
"""Cores in use at each place, on average."""
MEMORY = {"falkenberg": 120 << 30, "home-1": 6 << 30, "keflavik": 70 << 30, "marseille": 96 << 30}
GPU = {"falkenberg": 0.82, "keflavik": 0.46}
SECONDS = 120.0
_NOT_PACKED = """
select not exists (select from packed where level = 'sample' and until > now() - interval '1 hour')
"""


async def remember(data: Path) -> None:
    """Give the cloud of this data directory its past."""
    connection = await asyncpg.connect(EmbeddedPostgres(data / "postgres").url)
    try:
        end = time.monotonic() + SECONDS
        while not (rows := await _first_ticks(connection)):
            assert time.monotonic() < end, "no place has told what it uses"
            await _pause(connection)
        # At once: what is packed has no place for what comes later.
        async with connection.transaction():
            await connection.execute("delete from packed")
            await connection.execute("delete from sample")
            for row in rows:
                await _ticks(connection, row)
            await _usage(connection)
        while await connection.fetchval(_NOT_PACKED):
            assert time.monotonic() < end, "the past is not packed"
            await _pause(connection)
    finally:
        await connection.close()


async def _pause(connection: asyncpg.Connection) -> None:
    await connection.execute("select pg_sleep(0.5)")


async def _first_ticks(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The first that each place told, once all have."""
    rows = await connection.fetch(
        "select distinct on (source) * from tick where source = any($1) and cpu is not null "
        "order by source, at",
        list(BUSY),
    )
    return rows if len(rows) == len(BUSY) else []


def _wave(seconds: float, phase: float) -> float:
    """Around 1, as work comes and goes."""
    slow = math.sin(seconds / 5400 + phase) * 0.22
    return 1 + slow + math.sin(seconds / 610 + 3 * phase) * 0.09 + math.sin(seconds / 97) * 0.03


async def _ticks(connection: asyncpg.Connection, first: asyncpg.Record) -> None:
    """Before its first one; counters only grow, so they are counted backwards from it."""
    source = first["source"]
    phase = sum(map(ord, source)) % 7
    cpu = list(first["cpu"])
    rows: list[tuple[Any, ...]] = []
    for back in range(1, HOURS * 3600 // STEP):
        ago = timedelta(seconds=back * STEP)
        wave = _wave(-back * STEP, phase)
        cpu[0] -= BUSY[source] * wave * STEP
        memory = list(first["memory"])
        memory[0] = MEMORY[source] * (0.7 + 0.3 * wave)
        gpu = [min(1.0, GPU[source] * wave)] * len(cpu) if source in GPU else None
        at, taken = first["at"] - ago, first["taken_at"] - ago
        rows.append((at, source, taken, first["subjects"], list(cpu), memory, gpu))
    await connection.executemany(
        "insert into tick (at, source, taken_at, subjects, cpu, memory, gpu) "
        "values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        rows,
    )


async def _usage(connection: asyncpg.Connection) -> None:
    """A record a day for each meter that runs, weekends being quiet."""
    streams = await connection.fetch(
        "select distinct on (s.id) u.* from usage u join stream s on s.id = u.stream "
        "where s.meter in ('gpu-hour', 'cpu-hour') order by s.id, u.starts_at"
    )
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for row in streams:
        for back in range(1, DAYS):
            at = noon - timedelta(days=back)
            quiet = 0.35 if at.weekday() > 4 else 1.0
            amount = int(38_000_000 * quiet * _wave(back * 30_000, 1))
            await connection.execute(
                "insert into usage values ($1, $2, $3, $4, $5, 0, $6, $7) on conflict do nothing",
                row["stream"], at, at + timedelta(hours=4), row["quantity"] + 1000, amount,
                at.date().replace(day=1), row["batch"],
            )  # fmt: skip

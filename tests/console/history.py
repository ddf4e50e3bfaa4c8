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
BUSY = {"falkenberg": 26.0, "home-1": 0.4, "keflavik": 31.0, "marseille": 40.0}
"""Cores in use at each place, on average."""
MEMORY = {"falkenberg": 50 << 30, "home-1": 1 << 30, "keflavik": 62 << 30, "marseille": 80 << 30}
GPU = {"falkenberg": 0.75, "keflavik": 0.5}
SECONDS = 120.0
_UNPAID = """
select exists (select from hold h where state = 'open'
  and not exists (select from stream s join usage u on u.stream = s.id where s.lease = h.lease))
"""
_NOT_PACKED = """
select not exists (select from packed where level = 'sample' and until > now() - interval '1 hour')
"""


async def remember(data: Path) -> None:
    """Give the cloud of this data directory its past."""
    connection = await asyncpg.connect(EmbeddedPostgres(data / "postgres").url)
    try:
        end = time.monotonic() + SECONDS
        while not (rows := await _first_ticks(connection)) or await connection.fetchval(_UNPAID):
            assert time.monotonic() < end, "no place has told what it uses"
            await _pause(connection)
        # At once: what is packed has no place for what comes later.
        async with connection.transaction():
            await connection.execute("delete from packed")
            await connection.execute("delete from sample")
            for row in rows:
                await _ticks(connection, row)
            await _usage(connection)
            await _alert(connection)
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


def _until_now(seconds: float, phase: float) -> float:
    """The same, coming to 1 where what is real begins."""
    return _wave(seconds, phase) / _wave(0, phase)


async def _ticks(connection: asyncpg.Connection, first: asyncpg.Record) -> None:
    """Before its first one; counters only grow, so they are counted backwards from it."""
    source = first["source"]
    phase = sum(map(ord, source)) % 7
    cpu = list(first["cpu"])
    rows: list[tuple[Any, ...]] = []
    for back in range(1, HOURS * 3600 // STEP):
        ago = timedelta(seconds=back * STEP)
        wave = _until_now(-back * STEP, phase)
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
    """A record a day for each meter that runs, weekends being quiet, and its money."""
    streams = await connection.fetch(
        "select distinct on (s.id) u.*, h.tenant, h.workspace, h.currency, a.id as revenue, "
        "s.rate, s.price, s.per from usage u join stream s on s.id = u.stream "
        "join hold h on h.lease = s.lease "
        "join account a on a.owner = h.tenant and a.code = 'revenue:' || h.product "
        "where s.meter in ('gpu-hour', 'cpu-hour', 'memory-gib-hour') order by s.id, u.starts_at"
    )
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for row in streams:
        # What it costs an hour, as far as is known from what it cost in its first moments.
        seconds = max((row["ends_at"] - row["starts_at"]).total_seconds(), 0.001)
        hourly = int(row["amount"] / seconds * 3600)
        for back in range(1, DAYS):
            at = noon - timedelta(days=back)
            quiet = 0.35 if at.weekday() > 4 else 1.0
            amount = int(hourly * quiet * _wave(back * 30_000, len(row["tenant"])))
            month = at.date().replace(day=1)
            await connection.execute(
                "insert into usage values ($1, $2, $3, $4, $5, 0, $6, $7) on conflict do nothing",
                row["stream"], at, at + timedelta(hours=4), row["quantity"] + 1000, amount,
                month, row["batch"],
            )  # fmt: skip
            await connection.execute(
                "insert into transfer (id, batch, at, verb, debit, credit, amount, code, subject) "
                "select gen_random_uuid(), $1, $2, 'move', id, $3, $4, 'usage', '' from account "
                "where owner = $5 and code = 'funds' limit 1",
                row["batch"], at, row["revenue"], amount, row["tenant"],
            )  # fmt: skip
            await connection.execute(
                "insert into spending values ($1, $2, $3, $4, $5) "
                "on conflict (tenant, workspace, currency, period) "
                "do update set amount = spending.amount + excluded.amount",
                row["tenant"], row["workspace"], row["currency"], month, amount,
            )  # fmt: skip


async def _alert(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "insert into alert (id, subject, tenant, reason, message, remedy, raised_at) values "
        "(gen_random_uuid(), 'skerry.site/v1/sites/keflavik', '', 'Unreachable', "
        "'keflavik was silent for 4 min; what runs there is not billed for them.', "
        "'Look at its link to the outside; what runs there goes on.', now() - interval '2 hours')"
    )

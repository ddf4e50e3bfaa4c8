"""The database: reached, safe, at the right version and time; and what it says of the cloud."""

import asyncio
import time
from pathlib import Path

import asyncpg

from skerry.doctor import Report
from skerry.doctor.directory import expiry
from skerry.store.errors import StoreError
from skerry.store.migrations import shipped
from skerry.store.postgres import MAJOR, EmbeddedPostgres
from skerry.store.queries import load

_sql = load("skerry.doctor")
_SECONDS = 10.0
OFF, FAR_OFF = 2.0, 60.0
"""Seconds between two clocks."""
MOST_ALERTS = 50


async def look(report: Report, data: Path, database_url: str, up: bool) -> None:
    """``up``: whether a server runs, so that work must go on."""
    url = database_url or _embedded(report, data)
    if not url:
        return
    try:
        async with asyncio.timeout(_SECONDS):
            connection = await asyncpg.connect(url)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        _unreached(report, error, bool(database_url), up)
        return
    try:
        async with asyncio.timeout(_SECONDS):
            await _settings(report, connection)
            if await _version(report, connection):
                await _clock(report, connection)
                await _work(report, connection, up)
                await _certificates(report, connection)
                await _alerts(report, connection)
    except TimeoutError:
        remedy = "Look for what keeps it busy: select * from pg_stat_activity."
        report.broken("database", f"it has not answered within {_SECONDS:.0f} s", remedy)
    finally:
        connection.terminate()


def _embedded(report: Report, data: Path) -> str:
    """The address of the directory's own Postgres; "" if there is none to ask."""
    cluster = data / "postgres" / "cluster"
    try:
        if not cluster.exists():
            return ""
        version = (cluster / "PG_VERSION").read_text().strip()
        if version != str(MAJOR):
            report.broken(
                "database", f"it was written by PostgreSQL {version}; this is {MAJOR}",
                "Start the Skerry that wrote it, back up, and restore into a new directory.",
            )  # fmt: skip
            return ""
        return EmbeddedPostgres(data / "postgres").url
    except StoreError as error:
        report.broken("database", str(error), error.hint)
    except OSError as error:
        remedy = "Restore postgres/ from a backup."
        report.broken("database", f"{cluster} can't be read: {error.strerror}", remedy)
    return ""


def _unreached(report: Report, error: Exception, own: bool, up: bool) -> None:
    said = f"it can't be reached: {error or 'no answer'}"
    if own:
        report.broken("database", said, "Start it, and check DATABASE_URL and its pg_hba.conf.")
    elif up:
        report.broken("database", said, "Look at postgres/postgres.log; Skerry starts it again.")
    else:
        report.note("database", "not running, as no server does", "skerry up")


async def _settings(report: Report, connection: asyncpg.Connection) -> None:
    row = await connection.fetchrow(_sql.settings)
    version, version_name = row["version"] // 10_000, row["version_name"]
    if version != MAJOR:
        remedy = f"Use PostgreSQL {MAJOR}, which Skerry is tested with."
        report.warning("database", f"it is PostgreSQL {version_name}", remedy)
    unsafe = [n for n in ("fsync", "full_page_writes", "synchronous_commit") if row[n] == "off"]
    if unsafe:
        report.broken(
            "database", f"{' and '.join(unsafe)} off: a power cut may lose what was confirmed",
            "Turn it on in postgresql.conf.",
        )  # fmt: skip
    else:
        report.ok("database", f"PostgreSQL {version_name} answers, and every commit is on disk")
    if row["used"] > 0.9 * row["most"]:
        report.warning(
            "database", f"{row['used']} of {row['most']} connections are taken",
            "Raise max_connections, or find who holds them: pg_stat_activity.",
        )  # fmt: skip
    if row["stuck"]:
        report.warning(
            "database", f"{row['stuck']} sessions sit in a transaction for over a minute, and hold"
            " the feed and the log back", "End them: pg_terminate_backend; pg_stat_activity names"
            " them.",
        )  # fmt: skip


async def _version(report: Report, connection: asyncpg.Connection) -> bool:
    """Whether its tables are those that this version knows."""
    if await connection.fetchval("select to_regclass('migration')") is None:
        report.note("migrations", "the database is empty", "skerry up makes its tables.")
        return False
    at, known = await connection.fetchval(_sql.migrated), shipped()[-1].number
    if at > known:
        report.broken(
            "migrations", f"the database is at {at:04}, newer than this Skerry, which knows"
            f" {known:04}", "Start the version that was running, or a later one.",
        )  # fmt: skip
    elif at < known:
        report.note("migrations", f"at {at:04}", f"skerry up brings it to {known:04}.")
    else:
        report.ok("migrations", f"at {at:04}, as this version wants")
    return bool(at == known)


async def _clock(report: Report, connection: asyncpg.Connection) -> None:
    before = time.time()
    row = await connection.fetchrow(_sql.clock)
    after = time.time()
    ahead = row["now"] - min(max(row["now"], before), after)
    remedy = "Keep both machines' time by NTP (systemd-timesyncd or chrony)."
    if abs(ahead) > OFF:
        said = f"this machine's is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} the"
        level = report.broken if abs(ahead) > FAR_OFF else report.warning
        level("clock", f"{said} database's", remedy)
    else:
        report.ok("clock", "this machine's and the database's agree")
    if abs(row["shift"]) > OFF:
        report.warning(
            "clock", f"the cloud's is set {row['shift']:.0f} s off, as tests do",
            "delete from clock; where it was not meant.",
        )  # fmt: skip


async def _work(report: Report, connection: asyncpg.Connection, up: bool) -> None:
    row = await connection.fetchrow(_sql.work)
    if row["stale"] and up:
        report.broken(
            "work", f"{row['stale']} flows wait since over a minute for a worker; the oldest lease"
            f" ended {row['oldest']:.0f} s ago", "Look for errors in the server's log; start a"
            " worker. Nothing is lost: it goes on from the step it was at.",
        )  # fmt: skip
    else:
        said = f"{row['flows']} resources have work in progress, {row['failing']} of it failing"
        report.ok("work", said)
    if row["unsequenced"] > 60 and up:
        report.broken(
            "log", f"changes have had no position for {row['unsequenced']:.0f} s",
            "End sessions that sit in a transaction (pg_stat_activity), look at the server's log.",
        )  # fmt: skip
    elif row["logged"] < row["positions"] and row["behind"] > 60 and up:
        report.broken(
            "log", f"the last checkpoint is {row['behind']:.0f} s old and lacks"
            f" {row['positions'] - row['logged']} changes",
            "The server's log says why nothing is signed; `skerry audit verify` compares.",
        )  # fmt: skip
    else:
        report.ok("log", f"{row['logged']} of {row['positions']} changes are in it")
    for silent in await connection.fetch(_sql.silent) if up else ():
        report.warning(
            "sites", f"{silent['at']} has not been heard for {silent['seconds']:.0f} s",
            "Nothing of it is closed or billed meanwhile. Look at its agent and its network.",
        )  # fmt: skip


async def _certificates(report: Report, connection: asyncpg.Connection) -> None:
    for row in await connection.fetch(_sql.certificates):
        expiry(report, f"the one for {row['name']}", row["ends"], row["now"])
        if row["problem"]:
            remedy = "See `skerry explain route NAME`; it is tried again."
            report.warning("certificates", f"{row['name']}: {row['problem']}", remedy)


async def _alerts(report: Report, connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(_sql.alerts, MOST_ALERTS)
    for row in rows:
        report.warning("alert", f"{row['subject']}: {row['message']}", row["remedy"])
    if not rows:
        report.ok("alerts", "none is open")

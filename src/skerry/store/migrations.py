"""The schema grows by numbered SQL files, forward only.

``migrations/0001_kernel.sql`` and so on are applied in order, each in a transaction of its own
together with its row in ``migration``. One advisory lock lets many processes start at once: one
of them does the work, the others find it done. A file that has been applied somewhere is never
edited, because databases that have it would differ from those that get it later: its digest is
kept and checked.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg

from skerry.store.errors import StoreError

_LOCK = 0x534B45525259  # "SKERRY": one number for all who migrate this database
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TABLE = """
create table if not exists migration (
  number integer primary key,
  name text not null,
  sha256 text not null,
  applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


def shipped(directory: Traversable | None = None) -> list[Migration]:
    """The migrations of this version of the code, in order."""
    place = directory or resources.files("skerry.store") / "migrations"
    found: dict[int, Migration] = {}
    for file in place.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise StoreError(f"{file.name} is no migration: they are called 0001_words.sql.")
        migration = Migration(int(match[1]), match[2], file.read_text("utf-8"))
        if migration.number in found:
            raise StoreError(f"{found[migration.number]} and {migration} have one number.")
        found[migration.number] = migration
    return [found[number] for number in sorted(found)]


async def migrate(url: str, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """Bring the database up to the code; returns what was applied now.

    Raises StoreError, having changed nothing, if the database is newer than the code or was made
    by other migrations than these; and if a migration fails, with those before it kept.
    """
    wanted = shipped() if migrations is None else list(migrations)
    applied: list[Migration] = []
    # Neither the pool nor its time limit: a migration may take as long as it needs.
    connection = await asyncpg.connect(url)
    try:
        while True:
            # One lock per step, in the step's own transaction: it cannot be left behind.
            async with connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
                step = await _next(connection, wanted)
                if step is None:
                    return applied
                await _apply(connection, step)
            applied.append(step)
    finally:
        await connection.close()


async def _next(connection: asyncpg.Connection, wanted: list[Migration]) -> Migration | None:
    """The first that is missing, once those that are there have been found to be these."""
    await connection.execute("set local client_min_messages = warning")
    await connection.execute(_TABLE)
    rows = await connection.fetch("select number, name, sha256 from migration order by number")
    known = {migration.number: migration for migration in wanted}
    last = max(known, default=0)
    for row in rows:
        number, name = row["number"], f"{row['number']:04}_{row['name']}"
        if number > last:
            raise StoreError(
                f"The database is newer than this Skerry: it has migration {name}, and this"
                f" version knows them up to {last:04}.",
                "Start the version that was running, or a later one.",
            )
        if number not in known:
            raise StoreError(
                f"The database has migration {name}, which this Skerry does not know.",
                "It was made by a different build of Skerry; start that one.",
            )
        if known[number].sha256 != row["sha256"]:
            raise StoreError(
                f"Migration {known[number]} was changed after this database had applied it.",
                "Restore the file as it was and put the change into a new migration.",
            )
    present = {row["number"] for row in rows}
    missing = [migration for migration in wanted if migration.number not in present]
    if missing and missing[0].number < max(present, default=0):
        raise StoreError(
            f"Migration {missing[0]} came after later ones were applied to this database.",
            "Give it a number above all others.",
        )
    return missing[0] if missing else None


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.PostgresError as error:
        line = migration.sql.count("\n", 0, int(error.position or 0)) + 1
        raise StoreError(f"Migration {migration} failed near line {line}: {error}.") from error
    await connection.execute(
        "insert into migration (number, name, sha256) values ($1, $2, $3)",
        migration.number,
        migration.name,
        migration.sha256,
    )

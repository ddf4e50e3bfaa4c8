"""The disk runs full, or Postgres dies: nothing is lost, it goes on by itself, and it is told."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.harness.prepared import prepare

from skerry.kernel import alerts
from skerry.kernel.vitals import Vitals
from skerry.store import DATABASE_ERRORS, Database
from skerry.store.postgres import EmbeddedPostgres

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """One of 200 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    made = tmp_path / "disk"
    made.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=700", "none", made], check=True)
    try:
        yield made
    finally:
        subprocess.run(["umount", "--lazy", made], check=True)


@asynccontextmanager
async def kept(data: Path) -> AsyncIterator[tuple[EmbeddedPostgres, Database]]:
    """A Postgres that is started again when it dies, with a table to write to."""
    prepare(data)
    postgres = EmbeddedPostgres(data / "postgres")
    db = await Database.open(await postgres.start())
    await db.execute("create table kept (number int primary key, text text)")
    keeping = asyncio.create_task(postgres.keep())
    try:
        yield postgres, db
        assert not keeping.done()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await db.close()
        await postgres.stop()


def leave(disk: Path, room: int) -> None:
    """Take all of the disk but so many bytes."""
    facts = os.statvfs(disk)
    with (disk / "filler").open("ab") as filler:
        more = facts.f_bavail * facts.f_frsize - room
        os.posix_fallocate(filler.fileno(), filler.tell(), more)


async def open_alerts(db: Database) -> list[str]:
    return [row["reason"] for row in await alerts.open_alerts(db)]


async def numbers(db: Database) -> list[int]:
    return [row["number"] for row in await db.fetch("select number from kept order by number")]


async def write(db: Database, number: int, pages: int = 0) -> None:
    """Repeated, it changes nothing: who lost the connection can't know whether it was written."""
    text = "(select string_agg(md5(n::text), '') from generate_series(1, $2 * 250) n)"
    statement = f"insert into kept values ($1, {text}) on conflict do nothing"
    await db.execute(statement, number, pages)


async def write_until_refused(db: Database) -> int:
    number = 0
    while True:
        try:
            await write(db, number, 128)
        except DATABASE_ERRORS:
            return number
        number += 1


async def write_when_it_goes_on(db: Database, number: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await write(db, number)
                return
            except DATABASE_ERRORS:
                await asyncio.sleep(0.1)


async def test_a_full_disk(disk: Path) -> None:
    async with kept(disk) as (_, db):
        vitals = Vitals(db, "here", [disk])
        await vitals.look()
        assert await open_alerts(db) == []
        leave(disk, 15 * MIB)
        await vitals.look()
        [alert] = await alerts.open_alerts(db)
        assert (alert["reason"], alert["remedy"][:9]) == ("DiskLow", "Make room")
        leave(disk, 0)
        written = await write_until_refused(db)
        (disk / "filler").unlink()
        await write_when_it_goes_on(db, written)
        assert await numbers(db) == list(range(written + 1))
        await vitals.look()
        assert "DiskLow" not in await open_alerts(db)


async def test_a_postgres_that_dies_under_load(tmp_path: Path) -> None:
    async with kept(tmp_path / "data") as (postgres, db):
        vitals = Vitals(db, "here")
        await vitals.look()
        writing = [asyncio.create_task(write_when_it_goes_on(db, n)) for n in range(200)]
        await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        os.kill(postgres.pid or 0, signal.SIGKILL)
        await asyncio.gather(*writing)
        await write_when_it_goes_on(db, 200)
        assert await numbers(db) == list(range(201))
        await vitals.look()
        [alert] = await alerts.open_alerts(db)
        assert alert["reason"] == "DatabaseRestarted"
        assert "postgres.log" in alert["remedy"]

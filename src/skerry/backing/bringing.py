"""Bringing a backup back: to a machine that has nothing, and proved before it is there.

Everything is made in a directory beside the one that was named. Only when the log computed from the
restored database has the root that was signed, the audit finds nothing, and what is there has been
counted, is the directory renamed to its name. A restore that fails removes what it made.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import msgspec

from skerry.backing.archive import DUMP, About, Reader, full
from skerry.backing.tools import load as load_dump
from skerry.kernel.kinds import Registry
from skerry.kernel.rows import watch_over
from skerry.ledger.reconcile import reconcile
from skerry.proof import audit, tree
from skerry.proof.log import Log
from skerry.proof.note import Signer, fast_check, origin
from skerry.proof.tiles import Disagreement
from skerry.proof.verify import Checkpoint, Failed, open_note, read_checkpoint
from skerry.store import Blobs, Database
from skerry.store.blobs import parse_digest
from skerry.store.errors import StoreError
from skerry.store.migrations import migrate, shipped
from skerry.store.postgres import EmbeddedPostgres
from skerry.store.queries import load

_sql = load("skerry.backing")

Say = Callable[[str], None]


class Brought(msgspec.Struct, frozen=True):
    """A cloud that was brought back."""

    about: About
    checkpoint: str
    """The log's checkpoint now."""


async def bring(
    file: Path, data: Path, say: Say, *, database_url: str = "", checkpoint: str = ""
) -> Brought:
    """Restore into ``data``, which must be empty or not there, and into the database, likewise.

    ``checkpoint`` is one that was kept elsewhere: what is restored must lead to it. Raises
    ``StoreError`` and ``OSError``; then nothing is left of it.
    """
    say(f"reading {file}")
    reader = await asyncio.to_thread(Reader, file)
    about = reader.about
    say(f"whole: {about.changes} changes, {about.resources} resources, taken {about.at}")
    newest = shipped()[-1].number
    if about.migration > newest:
        raise StoreError(
            f"{file} was made by Skerry {about.skerry}, and this one is older.",
            "Restore it with that version, or a later one.",
        )
    await _clear(data)
    with _staged(data) as stage:
        try:
            await asyncio.to_thread(_files, reader, stage, say)
            async with _database(stage, database_url) as url:
                await load_dump(url, reader.chunks(DUMP))
                await _count(url, about)
                await migrate(url)
                say("database: loaded")
                note = await _prove(reader, stage, url, checkpoint, say)
        except OSError as error:
            if (words := full(data, error)) is not None:
                raise words from error
            raise
    return Brought(about, note)


def _empty(data: Path) -> None:
    if data.is_symlink() or (data.exists() and (not data.is_dir() or any(data.iterdir()))):
        raise StoreError(
            f"{data} is not empty: a restore never writes over a cloud.",
            "Name a directory that is empty or not there.",
        )
    if data.is_mount():
        raise StoreError(
            f"{data} is the root of a file system, and is to be put in place at once, by renaming.",
            "Name a directory in it.",
        )


async def _clear(data: Path) -> None:
    """Remove what a restore that was killed has left: its Postgres may run on."""
    for left in data.parent.glob(f".{data.name}.*"):
        pid = left.name.rpartition(".")[2]
        if not pid.isdecimal() or Path("/proc", pid).exists():
            continue
        if (left / "postgres" / "cluster").exists():
            postgres = EmbeddedPostgres(left / "postgres")
            await postgres.start()
            await postgres.stop()
        await asyncio.to_thread(shutil.rmtree, left)


@contextmanager
def _staged(data: Path) -> Iterator[Path]:
    """A directory that takes the place of ``data`` if the block ends well, and is gone if not."""
    _empty(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    stage = data.with_name(f".{data.name}.{os.getpid()}")
    stage.mkdir(mode=0o700)
    try:
        yield stage
        _empty(data)
        stage.rename(data)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _files(reader: Reader, stage: Path, say: Say) -> None:
    """Keys and blobs, each with mode 0600."""
    (stage / "keys").mkdir(mode=0o700)
    for name in [*reader.names("keys/"), *reader.names("agent.json")]:
        _write(reader, name, stage / name)
    Blobs(stage / "blobs")  # makes its folders
    names = reader.names("blobs/")
    for name in names:
        digest = parse_digest(f"sha256:{name.removeprefix('blobs/')}")
        if reader.sums[name].sha256 != name.removeprefix("blobs/"):
            raise StoreError(f"{name} is not what its name says.")
        _write(reader, name, Blobs(stage / "blobs").path(digest))
    say(f"keys and {len(names)} blobs: written")


def _write(reader: Reader, name: str, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for data in reader.chunks(name):
            file.write(data)
        file.flush()
        os.fsync(file.fileno())


@asynccontextmanager
async def _database(stage: Path, url: str) -> AsyncIterator[str]:
    """An empty database: an embedded one in the stage, or the one named. What was brought into
    the latter is dropped if the block fails."""
    if not url:
        postgres = EmbeddedPostgres(stage / "postgres")
        embedded = await postgres.start()
        try:
            yield embedded
        finally:
            await postgres.stop()
        return
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval(_sql.is_empty):
            raise StoreError(
                "The database holds tables already: a restore never writes over a cloud.",
                "Name one that is empty.",
            )
        try:
            yield url
        except BaseException:
            await connection.execute(_sql.drop_all)
            await connection.execute("create schema public")
            raise
    finally:
        await connection.close()


async def _count(url: str, about: About) -> None:
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(_sql.counts)
    finally:
        await connection.close()
    for what in ("resources", "transfers", "changes"):
        if row[what] != getattr(about, what):
            raise StoreError(f"{row[what]} {what} came back of {getattr(about, what)}.")


async def _prove(reader: Reader, stage: Path, url: str, kept: str, say: Say) -> str:
    """The log's checkpoint. Raises ``StoreError`` where what was restored is not what was kept."""
    about = reader.about
    signer = Signer.open(stage / "keys" / "log.key", origin(about.operator))
    db = await Database.open(url, size=4, command_timeout=3600)
    try:
        log = Log(db, stage / "log", signer)
        try:
            last = await log.publish()
        except Disagreement as error:
            raise StoreError(f"The log does not come back as it was: {error}.") from error
        for text, whose in ((about.checkpoint, "the backup"), (kept, "the one given")):
            if text:
                await _leads_to(log, signer, text, whose)
                say(f"log: extends the checkpoint of {whose}")
        watch_over(Registry.discover())
        found = [str(f) for f in await audit.verify(db, stage / "log", signer.vkey)]
        async with db.transaction(readonly=True) as tx:
            found += [str(f) for f in await reconcile(tx)]
        if found:
            raise StoreError(f"The audit of what came back finds: {'; '.join(found[:5])}.")
        say(f"audit: log, tables, files and money agree on {last.size} changes")
        return last.note
    finally:
        await db.close()


async def _leads_to(log: Log, signer: Signer, text: str, whose: str) -> None:
    """The restored log is the tree of that checkpoint, or one that begins with it."""
    try:
        old: Checkpoint = read_checkpoint(open_note(text, signer.key, whose, fast_check), whose)
    except Failed as failed:
        raise StoreError(f"The checkpoint of {whose} is not of this log: {failed}.") from failed
    now = await log.checkpoint()
    assert now is not None
    if old.size > now.size:
        raise StoreError(
            f"The checkpoint of {whose} tells of {old.size} changes, the backup of {now.size}: "
            "it was taken before them.",
            "Use a later backup; or restore without that checkpoint, and know that what came "
            "after the backup is lost, and that whoever has the checkpoint can show it.",
        )
    path = await log.consistency(old.size, now.size)
    if not tree.verify_consistency(old.size, now.size, old.root, now.root, path):
        raise StoreError(f"The log that came back is not the one of the checkpoint of {whose}.")

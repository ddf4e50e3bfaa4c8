"""Taking a backup, of a cloud that runs or of one that is down."""

import asyncio
import getpass
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from skerry import __version__
from skerry.auditing import reached
from skerry.backing.archive import ABOUT, DUMP, FORMAT, About, Sum, Writer, writing
from skerry.backing.tools import dump
from skerry.kernel import changes
from skerry.kernel.paths import OPERATOR_TENANT
from skerry.settings import Settings
from skerry.store import Blobs, Database
from skerry.store.blobs import Digest
from skerry.store.errors import StoreError
from skerry.store.postgres import MAJOR
from skerry.store.queries import load

_sql = load("skerry.backing")
_CHUNK = 1 << 20
_LEAVE = {"lock", "agent.token"}
"""Files among the keys that are made anew by whoever needs them."""

Say = Callable[[str], None]


class Taken(msgspec.Struct, frozen=True):
    """A backup that was made."""

    path: Path
    size: int
    sha256: str
    about: About
    damaged: list[str]
    """Blobs that were not what their names say."""


def named(target: Path, about_at: str) -> Path:
    """The file: the target itself or, where that is a directory, one of that instant in it."""
    return target / f"skerry-{about_at}.tar" if target.is_dir() else target


async def take(settings: Settings, target: Path, say: Say) -> Taken:
    """Back a cloud up. Raises ``StoreError`` and ``OSError``; then nothing is left."""
    operator = _operator(settings.data)
    async with reached(settings) as db, _snapshot(db) as (snapshot, about, live):
        about = msgspec.structs.replace(about, operator=operator)
        path = named(target, f"{about.at:%Y%m%dT%H%M%SZ}")
        with writing(path) as writer:
            await _dump(writer, db.url, snapshot, say)
            _keys(writer, settings.data, say)
            missing, damaged = await _blobs(writer, settings.data / "blobs", live, say)
            about = msgspec.structs.replace(
                about, missing=missing, blobs=sum(n.startswith("blobs/") for n in writer.sums)
            )
            writer.add(ABOUT, msgspec.json.encode(about))
        size, digest = await asyncio.to_thread(_digest, path)
        await _told(db, path, size, digest)
    return Taken(path, size, digest, about, damaged)


async def _told(db: Database, path: Path, size: int, digest: str) -> None:
    """Write down that there is a copy of everything: every tenant's auditor may ask for that."""
    async with db.transaction() as tx:
        await changes.record(
            tx, kind="backup", subject=path.name, verb="take", tenant=OPERATOR_TENANT,
            actor=f"{getpass.getuser()} at {socket.gethostname()}",
            body={"file": path.name, "size": size, "sha256": digest,
                  "host": socket.gethostname()},
        )  # fmt: skip


def _operator(data: Path) -> str:
    """Whose cloud it is, by the key that its log is signed with."""
    try:
        text = (data / "keys" / "log.key").read_text()
    except FileNotFoundError:
        raise StoreError(f"There is no cloud in {data}.", "Name its --data.") from None
    name = text.split("+")[2] if text.count("+") >= 4 else ""
    if not name.startswith("skerry/"):
        raise StoreError(f"{data}/keys/log.key is no signing key.", "Put back the one it was.")
    return name.removeprefix("skerry/")


@asynccontextmanager
async def _snapshot(db: Database) -> AsyncIterator[tuple[str, About, set[str]]]:
    """One instant of the database, for others to look at, too; what it says of itself, and the
    blobs that it knows of."""
    connection = await asyncpg.connect(db.url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval(_sql.export_snapshot)
            row: Any = await connection.fetchrow(_sql.about)
            live = {row["digest"] for row in await connection.fetch(_sql.live)}
            about = About(
                format=FORMAT,
                skerry=__version__,
                operator="",
                at=row["at"],
                migration=row["migration"],
                postgres=MAJOR,
                resources=row["resources"],
                transfers=row["transfers"],
                changes=row["changes"],
                checkpoint=row["checkpoint"] or "",
                blobs=0,
            )
            yield snapshot, about, live
    finally:
        await connection.close()


async def _dump(writer: Writer, url: str, snapshot: str, say: Say) -> None:
    with writer.member(DUMP) as write:
        async for data in dump(url, snapshot):
            await asyncio.to_thread(write, data)
    say(f"database: {_size(writer.sums[DUMP])}")


def _keys(writer: Writer, data: Path, say: Say) -> None:
    names = []
    for file in sorted((data / "keys").rglob("*")):
        if file.is_file() and file.name not in _LEAVE and not file.name.startswith("."):
            writer.add(str(file.relative_to(data)), file.read_bytes())
            names.append(file.name)
    if (data / "agent.json").is_file():
        writer.add("agent.json", (data / "agent.json").read_bytes())
    say(f"keys: {len(names)} files")


async def _blobs(
    writer: Writer, root: Path, live: set[str], say: Say
) -> tuple[list[str], list[str]]:
    """Copy all there are; those that are missing, and those that are damaged."""
    there = sorted(await Blobs(root).digests())
    damaged: list[str] = []
    total = 0
    for number, digest in enumerate(there, 1):
        found = await asyncio.to_thread(_blob, writer, Blobs(root).path(digest), digest)
        if found is None:
            continue  # nobody needed it any more
        total += found.size
        if found.damaged:
            damaged.append(digest)
        if number % 100 == 0:
            say(f"blobs: {number} of {len(there)}, {_bytes(total)}")
    say(f"blobs: {len(there)}, {_bytes(total)}")
    written = {f"sha256:{name[6:]}" for name in writer.sums if name.startswith("blobs/")}
    return sorted(live - written), damaged


def _blob(writer: Writer, path: Path, digest: Digest) -> Sum | None:
    plain = digest.removeprefix("sha256:")
    name = f"blobs/{plain}"
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file, writer.member(name) as write:
        while data := file.read(_CHUNK):
            write(data)
    if writer.sums[name].sha256 != plain:
        writer.damaged(name)
    return writer.sums[name]


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _size(found: Sum) -> str:
    return _bytes(found.size)


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"

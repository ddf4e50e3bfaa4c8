"""pg_dump and pg_restore, as the wheel brings them.

A password stands in the environment of the child and never in its arguments, which anyone on the
machine can read.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

from skerry.store.errors import StoreError
from skerry.store.postgres import binaries

_CHUNK = 1 << 20


def _told(url: str) -> tuple[str, dict[str, str]]:
    """The URL without its password, and the environment that has it."""
    parts = urlsplit(url)
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    env |= {name: value for name, value in os.environ.items() if name.startswith("PG")}
    if parts.password is None:
        return url, env
    user, _, place = parts.netloc.rpartition("@")
    plain = f"{user.partition(':')[0]}@{place}"
    return urlunsplit(parts._replace(netloc=plain)), env | {"PGPASSWORD": unquote(parts.password)}


async def dump(url: str, snapshot: str) -> AsyncIterator[bytes]:
    """The database as of an exported snapshot, in pg_dump's own form."""
    plain, env = _told(url)
    process = await asyncio.create_subprocess_exec(
        binaries() / "pg_dump", "--format=custom", "--no-owner", "--no-privileges",
        "--no-unlogged-table-data", f"--snapshot={snapshot}", f"--dbname={plain}",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=env,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    try:
        while data := await process.stdout.read(_CHUNK):
            yield data
        await _done(process, "pg_dump", await said)
    finally:
        await _end(process)
        said.cancel()


async def load(url: str, chunks: Iterable[bytes]) -> None:
    """Bring a dump into an empty database: all of it, or nothing."""
    plain, env = _told(url)
    process = await asyncio.create_subprocess_exec(
        binaries() / "pg_restore", "--no-owner", "--no-privileges", "--single-transaction",
        "--exit-on-error", f"--dbname={plain}",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE, env=env,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    try:
        try:
            for data in chunks:
                process.stdin.write(data)
                await process.stdin.drain()
            process.stdin.close()
        except ConnectionError:
            pass  # it has ended, and says why
        await _done(process, "pg_restore", await said)
    finally:
        await _end(process)
        said.cancel()


async def _done(process: asyncio.subprocess.Process, name: str, said: bytes) -> None:
    if await process.wait():
        words = said.decode(errors="replace").strip().splitlines()[-3:]
        raise StoreError(f"{name} failed: {' '.join(words)}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()

"""``skerry audit``: the log, the tables and the money, computed again and compared.

It reads the data directory and the database and needs no server: while one runs, it uses that one's
Postgres; otherwise it starts Postgres for the time of the audit.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from skerry.kernel.kinds import Registry
from skerry.kernel.rows import watch_over
from skerry.ledger.reconcile import reconcile
from skerry.proof import audit
from skerry.proof.note import Signer, origin
from skerry.proof.verify import Key, Unreadable
from skerry.settings import Settings
from skerry.store import Database
from skerry.store.postgres import EmbeddedPostgres


async def verify(settings: Settings, key: str = "") -> list[str]:
    """Sentences that name what differs; none is a clean audit.

    ``key`` is the operator's public key; without one, the data directory's own is used, which
    shows nothing against whoever could replace that, too.
    """
    watch_over(Registry.discover())
    if key:
        try:
            Key.parse(key)
        except Unreadable as error:
            raise ValueError(f"the key to verify with: {error}") from None
    else:
        signer = Signer.open(settings.data / "keys" / "log.key", origin(settings.operator))
        key = signer.vkey
    async with reached(settings) as db:
        findings = [str(f) for f in await audit.verify(db, settings.data / "log", key)]
        async with db.transaction(readonly=True) as tx:
            findings += [str(f) for f in await reconcile(tx)]
    return findings


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Database]:
    """The cloud's database, running or not."""
    if settings.database_url:
        async with _opened(settings.database_url) as db:
            yield db
        return
    postgres = EmbeddedPostgres(_existing(settings.data / "postgres"))
    if await _answers(postgres.url):
        async with _opened(postgres.url) as db:
            yield db
        return
    url = await postgres.start()
    try:
        async with _opened(url) as db:
            yield db
    finally:
        await postgres.stop()


def _existing(directory: Path) -> Path:
    if not directory.is_dir():
        raise FileNotFoundError(f"there is no cloud in {directory.parent}: name its --data")
    return directory


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    db = await Database.open(url, size=2, command_timeout=600)
    try:
        yield db
    finally:
        await db.close()

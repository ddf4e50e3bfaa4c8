"""A cloud taken and brought back: the same rows, the same log, the same secrets; or nothing."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from skerry import up
from skerry.backing.archive import Damaged
from skerry.backing.bringing import bring
from skerry.backing.taking import Taken, take
from skerry.kernel import uploads
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path as At
from skerry.server import Server, opened
from skerry.settings import Settings
from skerry.store.errors import StoreError

CONTENT = b"what a job brought" * 10_000
SECRET = "it stays between us"
TABLES = """select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r' and c.relpersistence = 'p' order by 1"""


UNPLACED = (
    "select exists(select from change where not exists"
    " (select from feed where feed.change_id = change.id))"
)


@dataclass
class Small:
    """A cloud that has one of each: resources, money, a log, a secret, a blob."""

    server: Server
    settings: Settings
    secret: uuid.UUID
    blob: str

    async def more(self) -> None:
        """Something more happens, and is published."""
        async with self.server.db.transaction() as tx:
            await up._put(tx, self.server, "workspace", At("operator", name=_name()), {})
        await self.publish()

    async def publish(self) -> str:
        # No position is given while an older transaction runs, be it in another test's database.
        async with asyncio.timeout(60):
            while await self.server.db.fetchval(UNPLACED):
                await self.server.sequencer.run_once()
                await asyncio.sleep(0.01)
        return (await self.server.log.publish()).note

    async def backup(self, folder: Path) -> Taken:
        return await take(self.settings, folder / "backup.tar", lambda text: None)


def _name() -> str:
    return f"w-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def small(pg_url: str, tmp_path: Path) -> AsyncIterator[Small]:
    settings = Settings(data=tmp_path / "old", database_url=pg_url, agent=False, operator="acme")
    async with opened(settings) as server:
        up.equip(server)
        await up.bootstrap(server)
        async with server.db.transaction() as tx:
            put = await server.resources.put(
                tx, server.registry["secret"], At("operator", "default", name="keep"),
                {"spec": {"data": {"key": SECRET}}}, SYSTEM,
            )  # fmt: skip
        blob = await server.blobs.put(CONTENT)
        await uploads.note(server.db, "operator", "default", blob)
        made = Small(server, settings, put.resource.uid, blob)
        await made.more()
        yield made


async def _rows(url: str) -> dict[str, str]:
    """Every table's rows, as one number each."""
    connection = await asyncpg.connect(url)
    try:
        found = {}
        for row in await connection.fetch(TABLES):
            found[row["relname"]] = await connection.fetchval(
                f"select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text))"
                f", '') from {row['relname']} t"
            )
        return found
    finally:
        await connection.close()


async def test_everything_comes_back(small: Small, empty_url: str, tmp_path: Path) -> None:
    kept = await small.publish()
    before = await _rows(small.settings.database_url)
    taken = await small.backup(tmp_path)
    assert taken.path.stat().st_mode & 0o777 == 0o600
    assert (taken.damaged, taken.about.missing) == ([], [])
    await small.more()  # what comes after is not in it
    said: list[str] = []
    new = Settings(data=tmp_path / "new", database_url=empty_url, agent=False, operator="acme")
    done = await bring(taken.path, new.data, said.append, database_url=empty_url, checkpoint=kept)
    assert done.checkpoint == kept
    assert "log: extends the checkpoint of the one given" in said
    assert await _rows(empty_url) == before
    old = small.settings.data
    assert (new.data / "log/checkpoint").read_text() == kept
    assert (new.data / "keys/seal.json").read_bytes() == (old / "keys/seal.json").read_bytes()
    assert new.data.stat().st_mode & 0o77 == 0
    async with opened(new) as server:
        assert b"".join([piece async for piece in server.blobs.open(small.blob)]) == CONTENT
        async with server.db.transaction() as tx:
            opened_ = await server.resources.sealer.open(tx, "operator", small.secret, "data")
        assert opened_ == {"key": SECRET}


async def test_a_later_checkpoint_is_not_led_to(
    small: Small, empty_url: str, tmp_path: Path
) -> None:
    taken = await small.backup(tmp_path)
    await small.more()
    later = await small.publish()
    with pytest.raises(StoreError, match="taken before them"):
        await bring(taken.path, tmp_path / "new", str, database_url=empty_url, checkpoint=later)
    await _nothing_is_left(tmp_path, empty_url)


async def test_another_history_is_refused(small: Small, empty_url: str, tmp_path: Path) -> None:
    """A backup whose rows were altered before it was taken has not the root that was signed."""
    await small.server.db.execute(
        "update change set leaf = leaf || ' '::bytea where id = "
        "(select change_id from feed order by position limit 1)"
    )
    taken = await small.backup(tmp_path)
    with pytest.raises(StoreError, match="log does not come back as it was"):
        await bring(taken.path, tmp_path / "new", str, database_url=empty_url)
    await _nothing_is_left(tmp_path, empty_url)


async def test_what_the_audit_finds_is_refused(
    small: Small, empty_url: str, tmp_path: Path
) -> None:
    await small.server.db.execute('update resource set labels = \'{"a": "b"}\'')
    taken = await small.backup(tmp_path)
    with pytest.raises(StoreError, match="audit"):
        await bring(taken.path, tmp_path / "new", str, database_url=empty_url)
    await _nothing_is_left(tmp_path, empty_url)


async def test_nothing_is_restored_over_a_cloud(
    small: Small, empty_url: str, tmp_path: Path
) -> None:
    taken = await small.backup(tmp_path)
    with pytest.raises(StoreError, match="is not empty"):
        await bring(taken.path, small.settings.data, str, database_url=empty_url)
    with pytest.raises(StoreError, match="holds tables already"):
        await bring(taken.path, tmp_path / "new", str, database_url=small.settings.database_url)
    assert not (tmp_path / "new").exists()
    await small.more()  # and it goes on


async def test_a_damaged_backup_leaves_nothing(
    small: Small, empty_url: str, tmp_path: Path
) -> None:
    taken = await small.backup(tmp_path)
    data = taken.path.read_bytes()
    taken.path.write_bytes(data[: len(data) // 2])
    with pytest.raises(Damaged):
        await bring(taken.path, tmp_path / "new", str, database_url=empty_url)
    await _nothing_is_left(tmp_path, empty_url)


async def test_damaged_blobs_are_told_of(small: Small, empty_url: str, tmp_path: Path) -> None:
    """They keep nobody from having a backup of all the rest."""
    other = await small.server.blobs.put(b"whole")
    small.server.blobs.path(small.blob).write_bytes(b"altered")
    lost = await small.server.blobs.put(b"lost")
    await uploads.note(small.server.db, "operator", "default", lost)
    await small.server.blobs.delete(lost)
    taken = await small.backup(tmp_path)
    assert (taken.damaged, taken.about.missing) == ([small.blob], [lost])
    await bring(taken.path, tmp_path / "new", str, database_url=empty_url)
    new = tmp_path / "new/blobs/sha256"
    assert [f"sha256:{f.parent.name}{f.name}" for f in new.glob("*/*")] == [other]


async def _nothing_is_left(tmp_path: Path, url: str) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "old"]
    assert await _rows(url) == {}


async def test_what_a_killed_restore_left_is_cleared(
    small: Small, empty_url: str, tmp_path: Path
) -> None:
    taken = await small.backup(tmp_path)
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = tmp_path / f".new.{gone.pid}"
    (left / "keys").mkdir(parents=True)
    await bring(taken.path, tmp_path / "new", str, database_url=empty_url)
    assert not left.exists()


async def test_where_there_is_no_cloud_nothing_is_made(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "none")
    with pytest.raises(StoreError, match="There is no cloud"):
        await take(settings, tmp_path / "backup.tar", str)
    assert list(tmp_path.iterdir()) == []

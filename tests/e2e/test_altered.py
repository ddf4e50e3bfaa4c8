"""What somebody with all rights alters behind Skerry's back is found and named."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from skerry.store.postgres import EmbeddedPostgres
from tests.e2e.conftest import Cloud, until


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud in which a job ran and was billed."""
    cloud = Cloud(tmp_path_factory.mktemp("altered"))
    cloud.start()
    until(cloud.offers, cloud.tail)
    cloud.skerry("run", "--name", "proved", "--memory", "64MiB", "--", "sleep", "1")
    cloud.skerry("receipt", "proved")
    assert cloud.audit().returncode == 0
    yield cloud
    cloud.stop()


def alter(cloud: Cloud, statement: str) -> str:
    """As a superuser who knows how to get past every trigger."""

    async def work() -> str:
        url = EmbeddedPostgres(cloud.data / "postgres").url
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("set session_replication_role = replica")
            return str(await connection.execute(statement))
        finally:
            await connection.close()

    return asyncio.run(work())


ALTERED = {
    "an amount": (
        "update transfer set amount = amount + {} where code = 'usage'",
        "transfer",
    ),
    "a usage row": ("update usage set quantity = quantity + {}", "usage"),
    "a decision": (
        "update decision set body = replace(body, 'home-1', 'elsewhere-{}')",
        "decision",
    ),
    "a job": ("update resource set status = replace(status::text, '\"succeeded\"', '\"failed\"')"
              "::json where kind = 'job' and {} = 1", "job"),
    "a change": ("update change set actor = 'somebody-{}' where kind = 'job'", "actor"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_row_is_named(used: Cloud, what: str) -> None:
    statement, named = ALTERED[what]
    table = statement.split()[1]
    alter(used, f"create table kept as select * from {table}")
    try:
        assert alter(used, statement.format(1)) != "UPDATE 0"
        audited = used.audit()
        assert audited.returncode == 1
        assert named in audited.stdout
        assert "audit FAILED" in audited.stderr
    finally:
        alter(used, f"delete from {table}")
        alter(used, f"insert into {table} select * from kept")
        alter(used, "drop table kept")
    assert used.audit().returncode == 0


def test_a_flipped_byte_of_a_tile_is_named(used: Cloud) -> None:
    tiles: list[Path] = sorted((used.data / "log" / "tile" / "0").rglob("*"))
    tile = next(path for path in tiles if path.is_file())
    whole = tile.read_bytes()
    tile.chmod(0o600)
    tile.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    try:
        audited = used.audit()
        assert audited.returncode == 1
        assert "tile/0" in audited.stdout
    finally:
        tile.write_bytes(whole)
    assert used.audit().returncode == 0

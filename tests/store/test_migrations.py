"""Migrations: forward, once, whole, and refused when the files and the database disagree."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from skerry.store import StoreError, schema
from skerry.store.migrations import Migration, migrate, shipped
from skerry.store.schema import SCHEMA, dump, main

ONE = Migration(1, "one", "create table one (it integer); insert into one values (1);")
TWO = Migration(2, "two", "alter table one add column also text;")
THREE = Migration(3, "three", "create table three ();")
BROKEN = Migration(3, "broken", "create table half_made ();\nselect nonsense;\n")


async def names(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select number, name from migration order by number")
    finally:
        await connection.close()
    return [f"{row['number']}_{row['name']}" for row in rows]


async def has_table(url: str, table: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("select to_regclass($1) is not null", table)
    finally:
        await connection.close()


async def test_each_is_applied_once_and_in_order(empty_url: str) -> None:
    assert await migrate(empty_url, [ONE]) == [ONE]
    assert await migrate(empty_url, [ONE, TWO, THREE]) == [TWO, THREE]
    assert await migrate(empty_url, [ONE, TWO, THREE]) == []
    assert await names(empty_url) == ["1_one", "2_two", "3_three"]


async def test_many_may_start_at_once(empty_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_url, [ONE, TWO, THREE]) for _ in range(6)))
    assert sorted(str(step) for steps in done for step in steps) == [
        "0001_one",
        "0002_two",
        "0003_three",
    ]


async def test_a_failing_one_leaves_nothing_of_itself(empty_url: str) -> None:
    with pytest.raises(StoreError, match=r"Migration 0003_broken failed near line 2: .*nonsense"):
        await migrate(empty_url, [ONE, TWO, BROKEN])
    assert await names(empty_url) == ["1_one", "2_two"]
    assert not await has_table(empty_url, "half_made")
    assert await migrate(empty_url, [ONE, TWO, THREE]) == [THREE]


async def test_a_newer_database_is_refused(empty_url: str) -> None:
    await migrate(empty_url, [ONE, TWO, THREE])
    with pytest.raises(StoreError, match=r"newer than this Skerry: it has migration 0003_three"):
        await migrate(empty_url, [ONE, TWO])


async def test_an_edited_migration_is_refused(empty_url: str) -> None:
    await migrate(empty_url, [ONE])
    with pytest.raises(StoreError, match="Migration 0001_one was changed after"):
        await migrate(empty_url, [Migration(1, "one", ONE.sql + "-- better"), TWO])
    assert await names(empty_url) == ["1_one"]


async def test_an_unknown_one_below_the_last_is_refused(empty_url: str) -> None:
    await migrate(empty_url, [ONE, TWO, THREE])
    with pytest.raises(StoreError, match="has migration 0002_two, which this Skerry does not know"):
        await migrate(empty_url, [ONE, THREE])


async def test_one_that_comes_too_late_is_refused(empty_url: str) -> None:
    await migrate(empty_url, [ONE, THREE])
    with pytest.raises(StoreError, match="Migration 0002_two came after later ones"):
        await migrate(empty_url, [ONE, TWO, THREE])


def test_the_shipped_ones_are_numbered_and_named(tmp_path: Path) -> None:
    numbers = [migration.number for migration in shipped()]
    assert numbers == sorted(set(numbers))
    (tmp_path / "README.md").touch()
    (tmp_path / "0001_one.sql").write_text("select 1")
    assert shipped(tmp_path) == [Migration(1, "one", "select 1")]
    (tmp_path / "0001_also_one.sql").touch()
    with pytest.raises(StoreError, match="have one number"):
        shipped(tmp_path)
    (tmp_path / "0001_also_one.sql").rename(tmp_path / "2-two.sql")
    with pytest.raises(StoreError, match=r"2-two\.sql is no migration"):
        shipped(tmp_path)


async def test_they_add_up_to_the_schema(pg_url: str) -> None:
    """If this fails, run `make schema` and look at what the difference says."""
    assert dump(pg_url) == SCHEMA.read_text("utf-8")


async def test_the_schema_makes_a_database_that_is_the_same(empty_url: str) -> None:
    connection = await asyncpg.connect(empty_url)
    await connection.execute(SCHEMA.read_text("utf-8"))
    await connection.close()
    assert dump(empty_url) == SCHEMA.read_text("utf-8")


def test_a_schema_that_cannot_be_read_says_why() -> None:
    with pytest.raises(StoreError, match="The schema could not be read"):
        dump("postgresql://skerry@/skerry?host=/nowhere")


def test_the_command_knows_whether_the_file_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["--check"]) == 0
    monkeypatch.setattr(schema, "SCHEMA", tmp_path / "schema.sql")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert (tmp_path / "schema.sql").read_text("utf-8") == SCHEMA.read_text("utf-8")

"""Sealed fields: what goes in is not found by looking."""

import uuid
from pathlib import Path

import pytest

from skerry.kernel.sealing import Sealer, SealError
from skerry.store import Database
from tests.kernel.conftest import Cloud
from tests.kernel.widgets import WIDGET


async def opened(cloud: Cloud, name: str = "w") -> object:
    widget = await cloud.read(WIDGET, name)
    async with cloud.db.transaction() as tx:
        return await cloud.resources.sealer.open(tx, widget.tenant, widget.uid, "pin")


async def test_a_secret_is_nowhere_in_clear(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "pin": "hunter2-hunter2"})
    assert await opened(cloud) == "hunter2-hunter2"
    assert (await cloud.read(WIDGET, "w")).spec == {"size": 1}
    for table in ("resource", "change", "sealed", "flow", "data_key"):
        rows = await cloud.db.fetch(f"select t::text as row from {table} t")
        assert not [r for r in rows if "hunter2" in r["row"]]


async def test_a_put_without_it_keeps_it_and_a_new_one_replaces_it(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "pin": "one"})
    await cloud.put(WIDGET, "w", {"size": 2})
    assert await opened(cloud) == "one"
    await cloud.put(WIDGET, "w", {"size": 2, "pin": "two"})
    assert await opened(cloud) == "two"


async def test_it_goes_with_its_resource(cloud: Cloud) -> None:
    put = await cloud.put(WIDGET, "w", {"size": 1, "pin": "one"})
    async with cloud.db.transaction() as tx:
        await cloud.resources.finish_delete(tx, put.resource)
    assert await cloud.db.fetchval("select count(*) from sealed") == 0


async def test_rotation_keeps_every_value_and_survives_a_restart(
    cloud: Cloud, tmp_path: Path
) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "pin": "one"})
    before = await cloud.db.fetchval("select key_id from data_key")
    async with cloud.db.transaction() as tx:
        assert await cloud.resources.sealer.rotate(tx) == 1
    assert await cloud.db.fetchval("select key_id from data_key") != before
    assert await opened(cloud) == "one"
    cloud.resources.sealer = Sealer(tmp_path / "keys")
    assert await opened(cloud) == "one"
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


async def test_a_moved_or_altered_ciphertext_is_noticed(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "pin": "one"})
    await cloud.put(WIDGET, "v", {"size": 1, "pin": "two"})
    await cloud.db.execute(
        "update sealed s set ciphertext = o.ciphertext from sealed o where o.uid <> s.uid"
    )
    with pytest.raises(SealError, match="was altered"):
        await opened(cloud)


async def test_what_is_no_field_is_sealed_alike(cloud: Cloud) -> None:
    sealer = cloud.resources.sealer
    async with cloud.db.transaction() as tx:
        sealed = await sealer.wrap(tx, "acme", "gateway/key", b"secret")
        assert b"secret" not in sealed
        assert await sealer.unwrap(tx, "acme", "gateway/key", sealed) == b"secret"
        altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
        for about, text in (("gateway/other", sealed), ("gateway/key", altered)):
            with pytest.raises(SealError, match="was altered"):
                await sealer.unwrap(tx, "acme", about, text)


async def test_another_key_file_opens_nothing(cloud: Cloud, tmp_path: Path) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "pin": "one"})
    cloud.resources.sealer = Sealer(tmp_path / "other")
    with pytest.raises(SealError, match="put back the key file"):
        await opened(cloud)


async def test_a_forged_data_key_is_noticed(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "w", {"size": 1, "pin": "one"})
    await cloud.db.execute("update data_key set wrapped = set_byte(wrapped, 20, 0)")
    await cloud.db.execute("update data_key set wrapped = set_byte(wrapped, 21, 1)")
    with pytest.raises(SealError, match="can't be opened"):
        await opened(cloud)


def test_a_key_file_open_to_others_is_refused(tmp_path: Path) -> None:
    Sealer(tmp_path / "k")
    (tmp_path / "k").chmod(0o644)
    with pytest.raises(SealError, match="chmod 600"):
        Sealer(tmp_path / "k")


def test_a_file_that_is_no_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k").touch(mode=0o600)
    with pytest.raises(SealError, match="not a Skerry key file"):
        Sealer(tmp_path / "k")


async def test_nothing_sealed_is_none(cloud: Cloud, db: Database) -> None:
    async with db.transaction() as tx:
        assert await cloud.resources.sealer.open(tx, "acme", uuid.uuid4(), "pin") is None

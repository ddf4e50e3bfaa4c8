"""Uploaded blobs: whose they are, and how long."""

import os
from datetime import timedelta
from pathlib import Path

from skerry.kernel import uploads
from skerry.store import Blobs, Database
from tests.kernel.conftest import Cloud
from tests.kernel.widgets import WIDGET

DAYS = timedelta(days=31)


async def put(db: Database, blobs: Blobs, data: bytes, workspace: str = "prod") -> str:
    digest = await blobs.put(data)
    await uploads.note(db, "acme", workspace, digest)
    return digest


async def test_what_nobody_uses_goes_and_what_is_used_stays(cloud: Cloud, tmp_path: Path) -> None:
    db, blobs = cloud.db, Blobs(tmp_path / "blobs")
    old, renewed = await put(db, blobs, b"old"), await put(db, blobs, b"renewed")
    named = await put(db, blobs, b"named")
    await cloud.put(WIDGET, "w", {"size": 1, "colour": named})
    await db.shift_clock(DAYS)
    async with db.transaction() as tx:
        assert await uploads.use(tx, "acme", "prod", [renewed, "sha256:none"]) == {renewed}
    for digest in (old, renewed, named):
        path = blobs.path(digest)  # type: ignore[arg-type]
        os.utime(path, (1, 1))
    assert (await uploads.collect(db, blobs)).blobs == 1
    assert not await uploads.has(db, "acme", "prod", old)
    assert await uploads.has(db, "acme", "prod", renewed)
    assert await uploads.has(db, "acme", "prod", named)
    assert not await blobs.has(old)  # type: ignore[arg-type]


async def test_a_blob_of_two_workspaces_goes_with_the_last(cloud: Cloud, tmp_path: Path) -> None:
    db, blobs = cloud.db, Blobs(tmp_path / "blobs")
    digest = await put(db, blobs, b"shared")
    await db.shift_clock(DAYS)
    await put(db, blobs, b"shared", "other")
    assert (await uploads.collect(db, blobs)).blobs == 0
    assert not await uploads.has(db, "acme", "prod", digest)
    assert await uploads.has(db, "acme", "other", digest)


async def test_a_fresh_upload_is_never_collected(cloud: Cloud, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    await blobs.put(b"on its way")
    assert (await uploads.collect(cloud.db, blobs)).blobs == 0

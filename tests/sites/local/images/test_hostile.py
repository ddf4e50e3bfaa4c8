"""Images made to harm the host: packed nothing without end, and the host's own devices."""

import gzip
import io
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import ImageSource
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from tests.harness.images import image
from tests.sites.contract.imaging import brought, refused
from tests.sites.contract.rig import log, run, upload, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig, clean, config

MIB = 1 << 20


@pytest.fixture
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalDriver]:
    engine = getattr(request, "param", "runc")
    settings = {"engines": (engine,), "keepFree": 0, "cacheBytes": 16 * MIB}
    driver = LocalDriver(read(config(tmp_path / "site", **settings)))
    yield driver
    await driver.close()
    await clean(tmp_path / "site")


def nothing(size: int) -> bytes:
    """A tar file of one long file of zeros."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("nothing")
        member.size = size
        with open("/dev/zero", "rb") as zeros:
            tar.addfile(member, zeros)
    return packed.getvalue()


def node(name: str, major: int, minor: int) -> bytes:
    """A layer with a device in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.mode = tarfile.CHRTYPE, 0o666
        member.devmajor, member.devminor = major, minor
        tar.addfile(member)
    return packed.getvalue()


async def test_an_archive_of_packed_nothing(site: LocalDriver, tmp_path: Path) -> None:
    bomb = gzip.compress(nothing(64 * MIB))
    assert len(bomb) < MIB
    refusal = await refused(site, ImageSource(archive=await upload(site, bomb)))
    assert refusal.reason == "ImageTooLarge"
    assert left(tmp_path) == []


async def test_a_layer_of_packed_nothing(site: LocalDriver, tmp_path: Path) -> None:
    made = image([nothing(64 * MIB)])
    assert len(made.archive()) < 8 * MIB
    refusal = await refused(site, ImageSource(archive=await upload(site, made.archive())))
    assert refusal.reason == "ImageTooLarge"
    assert left(tmp_path) == []


async def test_an_image_in_a_packed_archive_is_taken(site: LocalDriver, tmp_path: Path) -> None:
    source = ImageSource(archive=await upload(site, gzip.compress(image().archive())))
    assert (await brought(site, source))[-1].stage == "ready"


@pytest.mark.parametrize("site", ["runc", "bubblewrap"], indirect=True)
async def test_a_device_in_a_layer_is_none_in_the_task(site: LocalDriver, tmp_path: Path) -> None:
    """Neither one of the host's memory nor one that does no harm; its own can be read."""
    made = image([node("zero", 1, 5), node("kmem", 1, 1)])
    digest = (await brought(site, ImageSource(archive=await upload(site, made.archive()))))[-1]
    script = (
        "for f in /dev/zero /zero /kmem; do busybox head -c 1 $f >/dev/null 2>&1 && echo $f; done;"
        "echo end"
    )
    rig = LocalRig(tmp_path)
    work = workload(rig, Script(), image=digest.digest, command=("sh", "-c", script))
    await run(site, work)
    assert await log(site, work.id) == "/dev/zero\nend\n"


def left(tmp_path: Path) -> list[str]:
    images = tmp_path / "site/images"
    return [*os.listdir(images / "roots"), *os.listdir(images / "scratch")]

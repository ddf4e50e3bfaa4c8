"""What is kept for the next, for how long, and what goes when the disk is full."""

import os
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import ImageSource, Refused
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.images.shelf import GRACE, Shelf, Tidier
from tests.harness.images import Entry, image, layer
from tests.sites.contract.imaging import brought, refused
from tests.sites.contract.rig import run, running, upload, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig, clean, config

HOUR, DAY = 3600.0, 86400.0


class Shelves:
    """Some shelves with things of some size and age."""

    def __init__(self, folder: Path) -> None:
        self.images = Shelf(folder / "images", folder / "scratch")
        self.others = Shelf(folder / "others", folder / "scratch")
        self.used: set[str] = set()

    def put(self, shelf: Shelf, name: str, size: int, age: float) -> None:
        made = shelf.work()
        (made / "content").write_bytes(b"x")
        shelf.keep(made, name, size)
        then = time.time() - age
        os.utime(shelf.path(name), (then, then))

    def tidy(self, limit: int, age: float = DAY, *, keep_free: int = 0, hard: bool = False) -> str:
        shelves = (self.images, self.others)
        Tidier(shelves, lambda: self.used, limit, age, keep_free).tidy(hard=hard)
        return "".join(sorted(item.path.name for s in shelves for item in s.items()))


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    made = Shelves(tmp_path)
    for name, age in (("a", 2 * DAY), ("b", 5 * HOUR), ("d", HOUR), ("e", GRACE / 2)):
        made.put(made.images, name, 10, age)
    made.put(made.others, "c", 10, 2 * HOUR)
    return made


def test_what_is_old_goes(shelves: Shelves) -> None:
    assert shelves.tidy(1000) == "bcde"


def test_the_oldest_of_too_much_goes(shelves: Shelves) -> None:
    assert shelves.tidy(50, 9 * DAY) == "abcde"
    assert shelves.tidy(30, 9 * DAY) == "cde"
    assert shelves.tidy(0, 9 * DAY) == "e"


def test_what_is_used_stays(shelves: Shelves) -> None:
    shelves.used = {"a", "c"}
    assert shelves.tidy(0) == "ace"


def test_a_full_disk_takes_all_that_nobody_uses(shelves: Shelves) -> None:
    shelves.used = {"b"}
    assert shelves.tidy(1000, 9 * DAY, hard=True) == "be"
    assert shelves.tidy(1000, 9 * DAY, keep_free=1 << 62) == "be"


def test_use_makes_it_young(shelves: Shelves) -> None:
    assert shelves.images.has("a")
    assert "a" in shelves.tidy(0)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[LocalDriver]:
    """A site on a disk of 32 MiB that keeps 2 MiB free."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", disk], check=True)
    settings = {"engines": ("runc",), "keepFree": 2 << 20, "stall": 5.0}
    driver = LocalDriver(read(config(disk / "site", **settings)))
    try:
        yield driver
        await driver.close()
        await clean(disk / "site")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


async def test_an_image_that_does_not_fit(small: LocalDriver, tmp_path: Path) -> None:
    """It is refused, nothing of it stays, and what fits is still taken."""
    rig = LocalRig(tmp_path)
    big = image([layer(Entry("big", bytes(40 << 20)))])
    source = ImageSource(archive=await upload(small, big.archive()))
    refusal = await refused(small, source)
    assert refusal.reason == "DiskFull"
    images = tmp_path / "disk/site/images"
    assert os.listdir(images / "roots") == os.listdir(images / "scratch") == []
    source = ImageSource(archive=await upload(small, image().archive()))
    digest = (await brought(small, source))[-1].digest
    work = workload(rig, Script().exit(5), image=digest)
    assert (await run(small, work)).tasks[0].exit_code == 5


async def test_what_runs_keeps_its_image(tmp_path: Path) -> None:
    """However little may be kept, and however old it is."""
    settings = {"engines": ("runc",), "keepFree": 0, "cacheBytes": 8 << 20, "cacheDays": 0.01}
    site = LocalDriver(read(config(tmp_path / "site", **settings)))
    try:
        digests = []
        for text in (b"one", b"two"):
            made = image([layer(Entry("mark", text))])
            source = ImageSource(archive=await upload(site, made.archive()))
            digests.append((await brought(site, source))[-1].digest)
        work = workload(LocalRig(tmp_path), Script().stay(), image=digests[0])
        await site.apply(work, 1)
        await running(site, work.id)
        roots = tmp_path / "site/images/roots"
        for digest in digests:
            os.utime(roots / digest.removeprefix("sha256:"), (1, 1))
        third = image([layer(Entry("mark", b"three"))])
        source = ImageSource(archive=await upload(site, third.archive()))
        await brought(site, source)
        assert digests[0].removeprefix("sha256:") in os.listdir(roots)
        assert digests[1].removeprefix("sha256:") not in os.listdir(roots)
        with pytest.raises(Refused) as told:
            await site.apply(workload(LocalRig(tmp_path), Script(), image=digests[1]), 1)
        assert told.value.reason == "MissingImage"
        await site.delete(work.id, 1)
    finally:
        await site.close()
        await clean(tmp_path / "site")


async def test_an_image_too_large_to_be_kept(tmp_path: Path) -> None:
    settings = {"engines": ("runc",), "keepFree": 0, "cacheBytes": 1 << 20}
    site = LocalDriver(read(config(tmp_path / "site", **settings)))
    try:
        source = ImageSource(archive=await upload(site, image().archive()))
        assert (await refused(site, source)).reason == "ImageTooLarge"
        assert os.listdir(tmp_path / "site/images/roots") == []
    finally:
        await site.close()

"""A cloud is backed up while it works, its machine is lost, and it comes back on an empty one."""

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import SKERRY, Cloud, until

pytestmark = pytest.mark.long
SECRET = "it stays between us"


class Here:
    """Commands on this machine, with a cloud's environment."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def run(self, *words: object, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SKERRY, *map(str, words)], env=self.cloud.env, capture_output=True, text=True,
            timeout=300, check=False, **more,
        )  # fmt: skip

    def ok(self, *words: object) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def cloud(own_cloud: Cloud) -> Cloud:
    return own_cloud


def _filled(cloud: Cloud, tmp_path: Path) -> None:
    """Somebody worked here: secrets, files, jobs, money."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/input.txt").write_text("brought along\n")
    cloud.skerry("secret", "create", "shared", "--data", "key", key=SECRET)
    cloud.skerry("tenant", "create", "acme")
    cloud.skerry(
        "run", "--name", "reader", "--memory", "64MiB", "--dir", str(tmp_path / "in"),
        "--", "cat", "input.txt",
    )  # fmt: skip
    cloud.skerry("receipt", "reader", "--to", str(tmp_path / "receipt.json"))


def test_a_lost_machine_comes_back(cloud: Cloud, tmp_path: Path) -> None:
    here = Here(cloud)
    _filled(cloud, tmp_path)
    for number in range(8):  # it works on while the backup is taken
        cloud.skerry("run", "--detach", "--name", f"n{number}", "--memory", "16MiB", "--", "true")
    kept = (cloud.data / "log/checkpoint").read_text()
    (tmp_path / "kept").write_text(kept)
    (tmp_path / "key").write_text(cloud.skerry("key").stdout)
    (tmp_path / "backups").mkdir()
    made = [Path(here.ok("backup", tmp_path / "backups", "--data", cloud.data).strip())]
    taken = _names(cloud)
    assert {"job/reader", "secret/shared", "tenant/acme"} <= taken
    cloud.kill()
    shutil.rmtree(cloud.data)

    for path in made:
        _damaged_ones_are_refused(here, path, cloud.data)
    here.ok("restore", made[0], "--data", cloud.data, "--checkpoint", tmp_path / "kept")
    audited = cloud.audit()
    assert audited.returncode == 0, audited.stdout
    again = here.run("restore", made[0], "--data", cloud.data)
    assert again.returncode == 1
    assert "is not empty" in again.stderr

    cloud.start()
    until(cloud.offers, cloud.tail)
    assert _names(cloud) == taken
    here.ok("verify", tmp_path / "receipt.json", "--key", (tmp_path / "key").read_text().strip())
    shown = cloud.skerry(
        "run", "--memory", "64MiB", "--secret", "shared/key=KEY", "--", "sh", "-c", "echo $KEY"
    )
    assert SECRET in shown.stdout
    job = cloud.json("job", "get", "reader")
    assert job["status"]["phase"] == "succeeded"
    until(lambda: len((cloud.data / "log/checkpoint").read_text()) > 0)
    audited = cloud.audit()
    assert audited.returncode == 0, audited.stdout


def _damaged_ones_are_refused(here: Here, path: Path, data: Path) -> None:
    whole = path.read_bytes()
    for bad in (whole[: len(whole) // 2], whole[:3000] + b"x" + whole[3001:], b""):
        broken = path.with_name("broken.tar")
        broken.write_bytes(bad)
        done = here.run("restore", broken, "--data", data)
        assert done.returncode == 1
        assert "Nothing was restored" in done.stderr
        assert not data.exists()


def _names(cloud: Cloud) -> set[str]:
    found = set()
    for noun in (
        "job",
        "secret",
        "tenant",
        "workspace",
        "user",
        "token",
        "lease",
        "site",
        "region",
    ):
        for item in cloud.json(noun, "list"):
            found.add(f"{noun}/{item['metadata']['name']}")
    return found


@pytest.mark.parametrize("size", [20_000, 400_000])
def test_a_full_disk_leaves_nothing(cloud: Cloud, tmp_path: Path, size: int) -> None:
    """No file may grow beyond ``size``, which is what a process sees of a disk that is full."""
    here = Here(cloud)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/big").write_bytes(os.urandom(1_000_000))
    cloud.skerry("run", "--dir", str(tmp_path / "in"), "--", "true")
    place = tmp_path / "backups"
    place.mkdir()

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = here.run("backup", place, "--data", cloud.data, preexec_fn=narrow)
    assert done.returncode == 1
    assert "is full" in done.stderr, done.stderr
    assert list(place.iterdir()) == []
    whole = Path(here.ok("backup", place, "--data", cloud.data).strip())
    empty = tmp_path / "empty"
    empty.mkdir()
    done = here.run("restore", whole, "--data", empty / "data", preexec_fn=narrow)
    assert done.returncode == 1, done.stdout
    assert list(empty.iterdir()) == []
    assert json.loads((cloud.data / "server.json").read_text())["url"]

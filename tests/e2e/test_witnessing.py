"""Two whole clouds cosign each other's logs; one of them comes back from an old backup."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cloud, until
from tests.e2e.test_backup import Here

pytestmark = pytest.mark.long
PROOF = "/providers/skerry.proof/v1"


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[tuple[Cloud, Cloud]]:
    """North and south, each named as the other's witness."""
    names = ("north", "south")
    both = [
        Cloud(tmp_path / name, "--no-agent", "--gateway", "none", "--operator", name)
        for name in names
    ]
    try:
        for one in both:
            one.home.mkdir()
            one.start()
        for own, other, name in zip(both, both[::-1], names[::-1], strict=True):
            other.skerry("witnessed-log", "create", "neighbour", "--key", said(own, "key"))
            endpoint = other.told()["SKERRY_URL"] + PROOF
            key = said(other, "key", "--witness")
            own.skerry("witness", "create", name, "--endpoint", endpoint, "--key", key)
        yield both[0], both[1]
    finally:
        for one in both:
            one.stop()


def said(cloud: Cloud, *command: str) -> str:
    return cloud.skerry(*command).stdout.strip()


def size(cloud: Cloud) -> int:
    """Of its newest signed checkpoint."""
    return int((cloud.data / "log/checkpoint").read_text().splitlines()[1])


def cosigned(cloud: Cloud, least: int) -> None:
    """Wait until its witness has cosigned so much of its log."""

    def has() -> bool:
        [witness] = cloud.get(f"{PROOF}/witnesses")["items"]
        return int(witness["status"].get("size", 0)) >= least

    until(has, cloud.tail, cloud.process)


def held(witness: Cloud) -> dict[str, Any]:
    """What a cloud holds of the log that it witnesses."""
    [log] = witness.get(f"{PROOF}/witnessed-logs")["items"]
    return {key: log["status"][key] for key in ("size", "checkpoint")}


def split(cloud: Cloud) -> list[str]:
    """Its alerts of another history."""
    found = cloud.get("/providers/skerry.series/v1/alerts")["items"]
    return [a["status"]["message"] for a in found if a["spec"]["reason"] == "another-history"]


def test_who_comes_back_from_an_old_backup_is_told_by_its_witness(
    clouds: tuple[Cloud, Cloud], tmp_path: Path
) -> None:
    north, south = clouds
    here = Here(north)
    for cloud in clouds:
        cloud.skerry("tenant", "create", "acme")
        cosigned(cloud, size(cloud))
    audit = tmp_path / "audit.jsonl"
    keys = ("--key", said(north, "key"), "--witness", said(south, "key", "--witness"))
    north.skerry("audit", "export", "--tenant", "acme", "--from", "-1d", "--file", str(audit))
    assert here.ok("verify", audit, *keys).endswith("audit OK\n")

    (tmp_path / "backups").mkdir()
    backup = here.ok("backup", tmp_path / "backups", "--data", north.data).strip()
    for number in range(3):
        north.skerry("tenant", "create", f"later-{number}")
    cosigned(north, size(north))
    before = held(south)
    north.stop()
    shutil.rmtree(north.data)
    here.ok("restore", backup, "--data", north.data)
    north.start()
    assert size(north) < before["size"]

    # It says so while the log is shorter than what was cosigned, and when it has outgrown that.
    north.skerry("tenant", "create", "other")
    until(lambda: split(north), north.tail, north.process)
    while size(north) <= before["size"]:
        north.skerry("tenant", "create", f"other-{size(north)}")
    until(lambda: any("has seen another history" in a for a in split(north)), north.tail)
    assert held(south) == before
    north.skerry("audit", "export", "--tenant", "other", "--from", "-1d", "--file", str(audit))
    refused = here.run("verify", audit, *keys)
    assert refused.returncode == 1
    assert "witness" in refused.stderr
    # The other way it is the witness that forgot: it is told of all from where it is, and agrees.
    south.skerry("tenant", "create", "new")
    cosigned(south, size(south))

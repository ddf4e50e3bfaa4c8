"""What is in a volume outlives the job that wrote it, the agent that mounted it and the server."""

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Cloud, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="volumes of fixed size need root")
WRITER = """
import pathlib, time
data = pathlib.Path("/data")
data.joinpath("model").write_text("weights")
print("written", flush=True)
while not data.joinpath("go").exists():
    time.sleep(0.1)
    with data.joinpath("log").open("a") as log:
        log.write("x")
print("done")
"""


def run(cloud: Cloud, *command: str, mount: str = "data:/data") -> str:
    return cloud.skerry("run", "-q", "--memory", "64MiB", "--volume", mount, "--", *command).stdout


def leftovers(cloud: Cloud) -> list[str]:
    """Mounts and loop devices of this cloud."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    loops = [f.read_text() for f in Path("/sys/block").glob("loop*/loop/backing_file")]
    return [line for line in (*mounts, *loops) if f"{cloud.data}/" in line and "/volumes/" in line]


def test_data_survives_job_agent_and_server(cloud: Cloud) -> None:
    cloud.skerry("volume", "create", "data", "--size", "64M")
    cloud.skerry("volume", "wait", "data", "--for", "phase=ready")
    run(cloud, "sh", "-c", "echo first > /data/first")
    assert run(cloud, "cat", "/data/first") == "first\n"

    # One that writes goes on while all of Skerry is killed around it.
    cloud.skerry("run", "-d", "--name", "writer", "--memory", "64MiB", "--volume", "data:/data",
                 "--", "python3", "-c", WRITER)  # fmt: skip
    until(lambda: "written" in cloud.skerry("logs", "writer").stdout)
    cloud.kill()
    cloud.start()
    volume = cloud.json("volume", "get", "data")
    assert volume["status"]["writer"] == "job writer"

    # Until it has ended nobody else writes, and the volume is not deleted.
    cloud.skerry("run", "-d", "--name", "second", "--memory", "64MiB", "--volume", "data:/data",
                 "--", "touch", "/data/second")  # fmt: skip
    until(
        lambda: cloud.json("job", "get", "second")["status"].get("reason") == "VolumeInUse",
        lambda: str(cloud.json("job", "get", "second")["status"]),
    )
    refused = cloud.skerry("volume", "delete", "data", "-y", check=False)
    assert refused.returncode != 0
    assert "in use by job writer" in refused.stderr
    cloud.skerry("job", "cancel", "writer")
    cloud.skerry("job", "wait", "second", "--for", "phase=succeeded")

    survived = run(cloud, "cat", "/data/model", "/data/first", mount="data:/data:ro")
    assert survived == "weightsfirst\n"
    until(lambda: not leftovers(cloud), lambda: str(leftovers(cloud)))
    cloud.skerry("volume", "delete", "data", "-y")
    until(lambda: not cloud.json("volume", "list"))
    assert not list(cloud.data.glob("**/volumes/volume-*"))
    assert cloud.audit().returncode == 0


@pytest.mark.long
def test_a_full_volume_is_told_to_its_writer_alone(cloud: Cloud) -> None:
    for name in ("small", "other"):
        cloud.skerry("volume", "create", name, "--size", "16MiB")
        cloud.skerry("volume", "wait", name, "--for", "phase=ready")
    full = cloud.skerry("run", "--volume", "small:/data", "--", "sh", "-c",
                        "head -c 30000000 /dev/zero > /data/a", check=False)  # fmt: skip
    assert full.returncode != 0
    assert "No space left on device" in full.stdout + full.stderr
    fine = run(cloud, "sh", "-c", "echo fine > /data/a; cat /data/a", mount="other:/data")
    assert fine == "fine\n"
    # A part of so small a volume is its file system's own.
    assert cloud.json("volume", "stats", "small")["used"] > 10_000_000
    # It can grow, and then there is room.
    cloud.skerry("volume", "update", "small", "--size", "64MiB")
    until(lambda: cloud.json("volume", "get", "small")["status"]["size"] == 64 << 20)
    run(cloud, "sh", "-c", "head -c 30000000 /dev/zero > /data/b", mount="small:/data")
    smaller = cloud.skerry("volume", "update", "small", "--size", "16MiB", check=False)
    assert "it can grow, not shrink" in smaller.stderr
    for name in ("small", "other"):
        cloud.skerry("volume", "delete", name, "-y")

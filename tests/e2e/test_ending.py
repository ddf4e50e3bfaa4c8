"""SIGTERM at any moment: the server ends, soon, with all it started, and starts again after.

Moments are what others can see of a start, from the first file on; then a cloud under load, and
what it needs dead or standing still beneath it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Cloud, until
from tests.e2e.lives import once
from tests.harness.prepared import prepare

pytestmark = pytest.mark.long

SOON = 30
"""Seconds; standing still for longer is told to be too long by those who stop services."""
JOBS = "/providers/skerry.run/v1/tenants/operator/workspaces/default/jobs"


class Ending(Cloud):
    """A cloud that is watched while it starts."""

    def begin(self) -> subprocess.Popen[bytes]:
        self.told_at = len(self.text())
        self.spawn()
        assert self.process is not None
        return self.process

    def ready(self) -> None:
        until((self.data / "server.json").exists, self.tail, self.process)
        until(self.offers, self.tail)

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def says(self, words: str) -> Callable[[], bool]:
        return lambda: words in self.text()[self.told_at :]

    def load(self, number: int, count: int = 12) -> None:
        """Jobs that want a place, run a moment, and end."""
        for one in range(count):
            body = {"spec": {"command": ["sleep", "0.2"], "millicores": 50, "memory": 64 << 20}}
            once(self, "PUT", f"{JOBS}/job-{number}-{one}", body)

    def ends(self, *also: signal.Signals) -> None:
        assert self.process is not None
        for number in (signal.SIGTERM, *also):
            self.process.send_signal(number)
        try:
            code = self.process.wait(SOON)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on: {self.tail()}") from None
        assert code in (0, -signal.SIGTERM), self.tail()
        assert "error:" not in self.text()[self.told_at :], self.tail()
        until(lambda: len(self.pids()) == 1, lambda: f"left: {self.left()}")

    def left(self) -> list[str]:
        return [
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            for pid in self.pids()[1:]
        ]

    def agents(self) -> list[int]:
        return [pid for pid in self.pids()[1:] if "skerry.sites.agent" in _line(pid)]

    def postmaster(self) -> int:
        return int((self.data / "postgres/cluster/postmaster.pid").read_text().split("\n", 1)[0])


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture
def cloud(tmp_path: Path) -> Ending:
    return Ending(tmp_path)


def test_while_it_starts(cloud: Ending) -> None:
    """Each moment once, on the directory that the one before has left behind."""
    moments: dict[str, Callable[[], bool]] = {
        "at once": lambda: True,
        "its words": cloud.says("Postgres"),
        "the database is made": (cloud.data / "postgres/cluster.new").exists,
        "the database is made, again": (cloud.data / "postgres/cluster.new/base").exists,
        "the database starts": (cloud.data / "postgres/cluster/postmaster.pid").exists,
        "the database answers": (cloud.data / "postgres/.s.PGSQL.5432").exists,
        "keys": (cloud.data / "keys/log.key").exists,
        "the agents' socket": (cloud.data / "agent.sock").exists,
        "an agent starts": lambda: bool(cloud.agents()),
        "it is announced": (cloud.data / "server.json").exists,
        "it is up": cloud.says("Skerry is up"),
        "on sale": lambda: (cloud.data / "server.json").exists() and cloud.offers(),
    }
    for name, happens in moments.items():
        process = cloud.begin()
        until(happens, lambda name=name: f"{name}: {cloud.tail()}", process)
        cloud.ends()
    cloud.start()
    until(cloud.offers, cloud.tail)
    cloud.ends()


def test_under_load(cloud: Ending) -> None:
    """At moments spread over the placement of a dozen jobs, and the jobs end all the same."""
    prepare(cloud.data)
    cloud.begin()
    cloud.ready()
    for number in range(5):
        cloud.load(number)
        time.sleep(number * 0.15)
        cloud.ends(*([signal.SIGTERM] if number % 2 else []))
        cloud.begin()
        cloud.ready()
    until(lambda: _ended(cloud) == 5 * 12, lambda: f"{_ended(cloud)}: {cloud.tail()}", seconds=180)
    cloud.ends()


def _ended(cloud: Ending) -> int:
    items = cloud.get(f"{JOBS}?limit=1000")["items"]
    return sum(item["status"]["phase"] == "succeeded" for item in items)


@pytest.mark.parametrize("what", ["postgres is dead", "the agent is frozen"])
def test_without_what_it_needs(cloud: Ending, what: str) -> None:
    prepare(cloud.data)
    cloud.begin()
    cloud.ready()
    cloud.load(0)
    if what == "postgres is dead":
        os.kill(cloud.postmaster(), signal.SIGKILL)
    else:
        for pid in cloud.agents():
            os.kill(pid, signal.SIGSTOP)
    cloud.ends()


def test_a_database_that_stands_still(cloud: Ending) -> None:
    """It ends without it, and says so: to kill what may be writing is not its business."""
    prepare(cloud.data)
    process = cloud.begin()
    cloud.ready()
    postmaster = cloud.postmaster()
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    frozen = [postmaster, *map(int, children)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 1
        told = [line for line in cloud.text().splitlines() if line.startswith("error:")]
        assert len(told) == 1, cloud.tail()
        assert "does not stop" in told[0]
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    until(lambda: len(cloud.pids()) == 1, lambda: f"left: {cloud.left()}")

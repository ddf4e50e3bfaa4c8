"""A service on two machines, of which one loses its power."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import until
from tests.e2e.load import SERVER
from tests.e2e.machines import ROOT, Machines, machines

pytestmark = [ROOT, pytest.mark.long]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Machines]:
    with machines(tmp_path, "one", "two") as made:
        yield made


class Visitor(threading.Thread):
    """Asks a URL over and over, and notes what came of it."""

    def __init__(self, two: Machines, url: str) -> None:
        super().__init__(daemon=True)
        self._two, self._url = two, urlsplit(url)
        self.answers: list[tuple[float, str, float]] = []
        """When it was asked, what was said, and after how many seconds."""
        self.over = threading.Event()

    def run(self) -> None:
        with self._two.inside():
            while not self.over.wait(0.2):
                began = time.monotonic()
                said = self._ask()
                self.answers.append((began, said, time.monotonic() - began))

    def _ask(self) -> str:
        where = f"http://127.0.0.1:{self._url.port}/"
        asked = urllib.request.Request(where, headers={"Host": self._url.netloc})
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return str(answer.read().decode().split()[0])
        except OSError as error:
            return repr(error)

    def since(self, when: float) -> list[str]:
        return [said for began, said, _ in self.answers if began >= when]


def test_one_machine_dies_and_its_services_move(two: Machines) -> None:
    cloud = two.cloud
    cloud.skerry(
        "service", "create", "web", "--port", "8000", "--replicas", "2", "--patience", "40",
        "--cpus", "0.1", "--memory", "64MiB", "--", "python3", "-c", SERVER,
    )  # fmt: skip

    def status() -> Any:
        return cloud.json("service", "get", "web")["status"]

    def at() -> list[str]:
        return sorted(pod["at"] for pod in status()["pods"] if pod.get("ready"))

    assert at() == ["home/one", "home/two"]
    visitor = Visitor(two, status()["url"])
    visitor.start()
    until(lambda: {"web-1", "web-2"} <= set(visitor.since(0)), cloud.tail)
    two["two"].power_off()
    off = time.monotonic()
    until(lambda: at() == ["home/one", "home/one"], cloud.tail, seconds=120)
    moved = time.monotonic()
    until(lambda: len(set(visitor.since(moved))) == 2, cloud.tail)
    # What was on its way to the machine when it died is lost; nothing else is.
    lost = [said for said in visitor.since(off) if not said.startswith("web-")]
    assert len(lost) <= 1, lost
    assert max(took for began, _, took in visitor.answers if began > off + 1) < 5
    two["two"].start()
    two["two"].until_phase("connected")
    until(lambda: not two["two"].tasks(), cloud.tail)
    # A machine that is only cut off goes on with what it has, until it hears that this is over.
    two["one"].cut()
    until(lambda: at() == ["home/two", "home/two"], cloud.tail, seconds=120)
    assert two["one"].tasks()
    two["one"].mend()
    until(lambda: not two["one"].tasks(), cloud.tail, seconds=120)
    visitor.over.set()
    assert at() == ["home/two", "home/two"]
    cloud.skerry("service", "delete", "web", "--yes")

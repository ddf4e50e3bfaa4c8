"""Two machines that joined over the network, used as a person uses one."""

import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import SKERRY, until
from tests.e2e.machines import ROOT, Machines, machines

pytestmark = ROOT


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(tmp_path_factory.mktemp("two"), "one", "two") as made:
        yield made


@pytest.mark.parametrize("host", ["one", "two"])
def test_it_runs_a_folder_and_keeps_its_artifacts(two: Machines, host: str, tmp_path: Path) -> None:
    machine = two[host]
    (tmp_path / "words.txt").write_text("some words\n")
    name = f"work-{machine.name}"
    done = two.cloud.skerry(
        "run", "--name", name, "--site", machine.at, "--dir", str(tmp_path), "--artifact", "out/*",
        "--memory", "64MiB", "--cpus", "0.2",
        "--", "sh", "-c", "cat words.txt; mkdir out; wc -c <words.txt >out/size; exit 3",
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "some words\n")
    job = two.cloud.json("job", "get", name)
    assert job["status"]["place"]["host"] == machine.name
    assert two.cloud.skerry("logs", name).stdout == "some words\n"
    files = f"/providers/{job['metadata']['ref']}/files"
    assert two.cloud.skerry("curl", f"{files}/0/out/size").stdout.strip() == "11"
    assert "EUR" in done.stderr


@pytest.mark.parametrize("host", ["two", pytest.param("one", marks=pytest.mark.long)])
def test_one_goes_into_it_and_through_it(two: Machines, host: str) -> None:
    machine = two[host]
    name = f"web-{machine.name}"
    two.cloud.skerry(
        "job", "create", name, "--site", machine.at, "--ports", "8000", "--millicores", "200",
        "--memory", "64MiB", "--no-wait", "--",
        "sh", "-c", "cd /tmp; echo hello > word; exec python3 -m http.server 8000",
    )  # fmt: skip
    until(lambda: two.job(name)["phase"] == "running", machine.tail)
    done = two.cloud.skerry("exec", name, "--", "sh", "-c", "cat /tmp/word; exit 4", check=False)
    assert (done.returncode, done.stdout) == (4, "hello\n")
    forward = subprocess.Popen(
        [*two.cloud.prefix, *SKERRY, "port-forward", name, ":8000"], stdout=subprocess.PIPE,
        text=True, env=two.cloud.told(),
    )  # fmt: skip
    assert forward.stdout is not None
    try:
        found = re.match(r"Forwarding (127\.0\.0\.1:\d+)", forward.stdout.readline())
        assert found
        with two.inside(), urllib.request.urlopen(f"http://{found[1]}/word", timeout=20) as answer:
            assert answer.read() == b"hello\n"
    finally:
        forward.send_signal(signal.SIGINT)
        forward.wait(20)
    two.cloud.skerry("job", "delete", name, "--yes")


@pytest.mark.long
def test_without_a_place_named_both_are_used(two: Machines) -> None:
    """Each has the whole of this computer's cores to give."""
    hosts = set()
    for machine in two.all:
        other = next(m for m in two.all if m is not machine)
        two.cloud.skerry("host", "cordon", other.name, "--site", "home")
        two.cloud.skerry("run", "-q", "-n", f"any-{machine.name}", "--cpus", "0.1", "--", "true")
        found = two.job(f"any-{machine.name}")
        hosts.add(found["place"]["host"])
        two.cloud.skerry("host", "uncordon", other.name, "--site", "home")
    assert hosts == {"one", "two"}


@pytest.mark.long
def test_a_host_that_keeps_a_volume_is_not_removed(two: Machines) -> None:
    two.cloud.skerry("volume", "create", "kept", "--size", "64MiB", "--site", "home/two")
    refused = two.cloud.skerry("host", "delete", "two", "--site", "home", "--yes", check=False)
    assert refused.returncode != 0
    assert "is leased to" in refused.stderr
    assert "volumes/kept" in refused.stderr
    assert "skerry host lost two --site home" in refused.stderr
    two.cloud.skerry("volume", "delete", "kept", "--yes")


def test_the_agent_killed_and_the_cable_pulled(two: Machines) -> None:
    """What runs goes on and is found again: once, with all that it wrote."""
    one = two["one"]
    script = "for n in $(seq 100000); do echo $n; sleep 0.2; done"
    two.cloud.skerry(
        "job", "create", "counts", "--site", one.at, "--millicores", "100", "--memory", "64MiB",
        "--no-wait", "--", "sh", "-c", script,
    )  # fmt: skip
    until(lambda: len(two.cloud.skerry("logs", "counts").stdout.split()) > 2, one.tail)
    one.kill()
    one.cut()
    one.start()
    one.mend()
    before = two.cloud.skerry("logs", "counts", check=False).stdout.split()
    until(
        lambda: len(two.cloud.skerry("logs", "counts", check=False).stdout.split()) > 10,
        one.tail, one.agent,
    )  # fmt: skip
    lines = two.cloud.skerry("logs", "counts").stdout.split()
    assert lines == [str(n) for n in range(1, len(lines) + 1)], before
    found = two.job("counts")
    assert (found["phase"], [task.get("restarts", 0) for task in found["tasks"]]) == (
        "running",
        [0],
    )
    two.cloud.skerry("job", "delete", "counts", "--yes")

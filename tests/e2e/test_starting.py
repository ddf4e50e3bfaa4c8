"""Starting and stopping: what goes wrong is said in words, and breaks nothing that runs."""

import json
import subprocess
from pathlib import Path

from tests.e2e.conftest import SKERRY, Cloud


def second(cloud: Cloud, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SKERRY, "up", *flags], env=cloud.env, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_two_on_one_directory_is_one_too_many(cloud: Cloud) -> None:
    refused = second(cloud, "--data", str(cloud.data), "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "error:" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert cloud.skerry("run", "--", "echo", "still here").stdout == "still here\n"


def test_a_port_in_use_is_named(cloud: Cloud, tmp_path: Path) -> None:
    port = json.loads((cloud.data / "server.json").read_text())["url"].rsplit(":", 1)[1]
    refused = second(cloud, "--data", str(tmp_path / "d"), "--listen", f"127.0.0.1:{port}")
    assert refused.returncode == 1
    assert port in refused.stderr
    assert "Traceback" not in refused.stderr


def test_plain_http_outside_loopback_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    refused = second(cloud, "--data", str(tmp_path / "d"), "--listen", "0.0.0.0:0")
    assert refused.returncode == 2
    assert "--tls-ca" in refused.stderr
    assert "--insecure-http" in refused.stderr


def test_a_price_list_with_a_mistake_names_its_line(cloud: Cloud, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        'version = 1\ncurrency = "EUR"\neffective = 2026-01-01\n[prices]\ncpu-hour = 1\n'
    )
    refused = second(
        cloud, "--data", str(tmp_path / "d"), "--listen", "127.0.0.1:0", "--prices", str(prices)
    )
    assert refused.returncode == 1
    assert "prices.toml:5: prices.cpu-hour" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_down_stops_it_and_jobs_go_on(own_cloud: Cloud) -> None:
    own_cloud.skerry("run", "--detach", "--name", "goes-on", "-m", "64MiB", "--", "sleep", "5")
    own_cloud.skerry("job", "wait", "goes-on", "--for", "phase=running")
    stopped = subprocess.run(
        [*SKERRY, "down", "--data", str(own_cloud.data)], env=own_cloud.env, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (stopped.returncode, stopped.stderr) == (0, "Stopped.\n")
    assert own_cloud.process is not None
    own_cloud.process.wait(20)
    own_cloud.start()
    own_cloud.skerry("job", "wait", "goes-on", "--for", "ended")
    assert own_cloud.json("job", "get", "goes-on")["status"]["exitCode"] == 0


def test_the_doctor_finds_a_cloud_well_and_one_that_was_killed_not(own_cloud: Cloud) -> None:
    def doctor() -> tuple[int, dict[str, list[str]]]:
        done = subprocess.run(
            [*SKERRY, "doctor", "--data", str(own_cloud.data), "--listen", "127.0.0.1:0",
             "-o", "json"],
            env=own_cloud.env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        found: dict[str, list[str]] = {}
        for finding in json.loads(done.stdout):
            found.setdefault(finding["about"], []).append(finding["level"])
        return done.returncode, found

    code, found = doctor()
    assert code == 0, found
    for about in ("data", "keys", "server", "database", "migrations", "clock", "work", "log"):
        assert set(found[about]) == {"ok"}, (about, found)
    own_cloud.kill()
    code, found = doctor()
    assert (code, found["server"], found["database"]) == (0, ["warning", "note"], ["note"])

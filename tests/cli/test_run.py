"""``skerry run`` and ``skerry logs``: a job as if it ran here."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Skerry
from tests.client.standin import WHY, Cloud

JOBS = "providers/skerry.run/v1/tenants/acme/workspaces/w/jobs"
COMMAND = [sys.executable, "-m", "skerry.cli.main"]
SUMMARY = "on attic (home, DE; operated by ann) with bubblewrap; cost 0.001234 EUR"


def only_job(cloud: Cloud) -> str:
    (key,) = (key for key in cloud.documents if key.startswith(JOBS))
    return key


def test_its_output_is_ours_and_the_price_is_told(skerry: Skerry) -> None:
    said = skerry("run", "-q", "--cpus", "1", "--", "python3", "-c", "print(6*7)")
    assert said == (0, "42\n", "")
    said = skerry("run", "--name", "sum", "--", "python3", "-c", "print(6*7)")
    assert (said.code, said.out) == (0, "42\n")
    assert said.err.splitlines()[-1] == f"job sum succeeded in 2 s {SUMMARY}"


def test_its_streams_and_its_exit_code_are_ours(skerry: Skerry) -> None:
    said = skerry("run", "-q", "sh", "-c", "printf '\\001x'; echo oops >&2; exit 7")
    assert said == (7, "\x01x", "oops\n")
    said = skerry("run", "-n", "j", "sh", "-c", "exit 7")
    assert said.err.splitlines()[-1] == f"job j failed in 2 s {SUMMARY}; exit code 7"


def test_several_copies_are_told_apart(skerry: Skerry) -> None:
    said = skerry("run", "-q", "--count", "2", "--", "printf", "a\\nb")
    assert sorted(said.out.splitlines()) == ["[0] a", "[0] b", "[1] a", "[1] b"]
    assert said.out.index("[1] a") < said.out.index("[1] b")


def test_what_is_asked_for_is_sent(skerry: Skerry, cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("x")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "a.log").write_text("x")
    said = skerry(
        "run", "--detach", "-n", "j", "--cpus", "0.5", "--memory", "2GiB", "--gpus", "1",
        "--env", "A=b=c", "--secret-env", "KEY=s3cret", "--dir", str(tmp_path), "--artifact",
        "out/*", "--retries", "2", "--time-limit", "90m", "--region", "home", "--label", "x=y",
        "--", "true",
    )  # fmt: skip
    assert (said.code, said.out) == (0, "j\n")
    assert said.err.splitlines()[-1] == "upload: 2 of 2 files, 7 B sent"
    job = cloud.documents[f"{JOBS}/j"]
    inputs = job["spec"].pop("inputs")
    assert [entry["path"] for entry in inputs] == [".gitignore", "main.py"]
    assert job["spec"] == {
        "command": ["true"], "millicores": 500, "memory": 2 << 30, "gpus": 1,
        "env": {"A": "b=c"}, "artifacts": ["out/*"], "retries": 2, "timeLimit": 5400,
        "region": "home",
    }  # fmt: skip
    assert job["labels"] == {"x": "y"}


def test_a_document_on_stdout_is_alone_there(skerry: Skerry) -> None:
    import json

    said = skerry("run", "-q", "-o", "json", "--", "echo", "hello")
    assert json.loads(said.out)["status"]["phase"] == "succeeded"
    assert said.err == "hello\n"


def test_nothing_fits_is_told_while_it_waits(skerry: Skerry, cloud: Cloud) -> None:
    cloud.hold = True
    said = skerry("run", "-n", "j", "--wait-timeout", "1", "--", "true")
    assert (said.code, said.out) == (6, "")
    assert said.err == (
        f"job j: queued: {WHY}\n"
        f"Error: job j is queued after 1 s: {WHY}\n"
        "Hint: It goes on: raise --wait-timeout, or skerry logs -f j\n"
    )


def test_words_that_can_not_be_read(skerry: Skerry, cloud: Cloud) -> None:
    assert skerry("run", "--cpus", "many", "--", "true").code == 2
    assert skerry("run", "--memory", "2XB", "--", "true").code == 2
    assert skerry("run", "--env", "A", "--", "true").code == 2
    assert skerry("run").code == 2
    assert cloud.requests == []


def test_logs_show_what_was_written(skerry: Skerry) -> None:
    skerry("run", "-q", "-n", "j", "--count", "2", "sh", "-c", "echo out; echo err >&2")
    said = skerry("logs", "j")
    assert said.out == "[0] out\n[1] out\n"
    assert said.err == "[0] err\n[1] err\n"
    assert skerry("logs", "-f", "--rank", "1", "j") == (0, "out\n", "err\n")
    assert skerry("job", "logs", "j", "--rank", "0", "--offset", "4") == (0, "", "err\n")
    assert skerry("logs", "nope").code == 3


@pytest.fixture
def held(skerry: Skerry, cloud: Cloud) -> Cloud:
    """A cloud whose jobs stay queued, and an environment that points at it."""
    cloud.hold = True
    return cloud


def wait_for(what: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def start(cloud: Cloud) -> subprocess.Popen[str]:
    command = [*COMMAND, "run", "-n", "j", "--", "true"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    wait_for(lambda: any(path.endswith("/j/logs") for _, path, _ in cloud.requests))
    return process


def test_ctrl_c_cancels_where_nobody_can_be_asked(held: Cloud) -> None:
    process = start(held)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "cancelling job j in 2 s; interrupt again to leave it running\n" in err
    assert err.splitlines()[-1] == "job j cancelled; it never ran and costs nothing"
    assert held.events[-1]["verb"] == "cancel"


def test_a_second_ctrl_c_leaves_it_running(held: Cloud) -> None:
    process = start(held)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    line = ""
    while "interrupt again" not in line:
        line = process.stderr.readline()
        assert line
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "job j goes on: skerry logs -f j\n"
    assert [event["verb"] for event in held.events] == ["put"]


def on_a_terminal(cloud: Cloud, answer: bytes) -> tuple[int, str]:
    """Start ``skerry run`` on a terminal, interrupt it, answer its question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*COMMAND, "run", "-n", "j", "--", "true"])
    seen = b""

    def reading() -> None:
        nonlocal seen
        while True:
            try:
                block = os.read(terminal, 1024)
            except OSError:
                return
            if not block:
                return
            seen += block

    reader = threading.Thread(target=reading, daemon=True)
    reader.start()
    wait_for(lambda: b"queued" in seen)
    os.write(terminal, b"\x03")
    wait_for(lambda: b"leaves it running)" in seen)
    os.write(terminal, answer)
    _, status = os.waitpid(pid, 0)
    reader.join(5)
    os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    return os.waitstatus_to_exitcode(status), text


def test_on_a_terminal_it_asks(held: Cloud) -> None:
    code, text = on_a_terminal(held, b"y\n")
    assert code == 130
    assert "Cancel job j? (Ctrl-C again leaves it running) [Y/n]:" in text
    assert "job j cancelled" in text
    assert held.events[-1]["verb"] == "cancel"


def test_on_a_terminal_a_second_ctrl_c_leaves_it_running(held: Cloud) -> None:
    code, text = on_a_terminal(held, b"\x03")
    assert code == 130
    assert "job j goes on: skerry logs -f j" in text
    assert [event["verb"] for event in held.events] == ["put"]

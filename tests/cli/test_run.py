"""``skerry run`` and what comes of it, on a whole cloud: a job as if it ran here."""

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skerry.store.postgres import EmbeddedPostgres
from tests.cli.conftest import Said, Skerry, use
from tests.cli.house import House
from tests.client.standin import WHY, Cloud
from tests.harness.served import until

COMMAND = [sys.executable, "-m", "skerry.cli.main"]
PLACE = r"on home-1 \(home, SE; operated by skerry\) with \w+"
COST = r"cost 0\.[0-9]{2,9} EUR"


@pytest.fixture(scope="module")
def house(_postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(_postgres, tmp_path_factory.mktemp("house") / "data")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def home(house: House, bare: Skerry, monkeypatch: pytest.MonkeyPatch) -> Skerry:
    """Run a command line against the whole cloud, as its operator."""
    use(monkeypatch, house.url, house.token)
    monkeypatch.setenv("SKERRY_TENANT", "operator")
    monkeypatch.setenv("SKERRY_WORKSPACE", "default")
    monkeypatch.delenv("SKERRY_CATALOGUE")
    return bare


def last(said: Said) -> str:
    return said.err.splitlines()[-1]


def test_its_output_is_ours_and_the_price_is_told(home: Skerry) -> None:
    said = home("run", "-q", "--cpus", "1", "--", "python3", "-c", "print(6*7)")
    assert said == (0, "42\n", "")
    said = home("run", "--name", "sum", "--", "python3", "-c", "print(6*7)")
    assert (said.code, said.out) == (0, "42\n")
    assert re.fullmatch(rf"job sum succeeded in [0-9.]+ m?s {PLACE}; {COST}", last(said))
    listed = home("job", "list", "-o", "columns=name,phase,exit", "-o", "noheader").out
    assert "sum            succeeded   0\n" in listed


def test_its_streams_and_its_exit_code_are_ours(home: Skerry) -> None:
    said = home("run", "-q", "sh", "-c", "printf '\\001x'; echo oops >&2; exit 7")
    assert said == (7, "\x01x", "oops\n")
    said = home("run", "-n", "seven", "sh", "-c", "exit 7")
    assert said.code == 7
    assert re.fullmatch(
        rf"job seven failed in [0-9.]+ m?s {PLACE}; {COST}; exit code 7", last(said)
    )
    assert home("run", "-q", "--", "nosuchcommand").code == 127


def test_a_folder_goes_along_and_artifacts_come_back(home: Skerry, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "main.py").write_text(
        "import os; r = os.environ['SKERRY_RANK']; os.mkdir('out')\n"
        "open(f'out/{r}', 'w').write(f'{os.environ[\"A\"]} {open(\"data\").read()} {r}')\n"
        "print('done')\nprint('here', end='')\n"
    )
    (work / "data").write_text("DATA")
    (work / "a.log").write_text("x")
    (work / ".gitignore").write_text("*.log\n")
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    said = home(
        "run", "-n", "duo", "--count", "2", "--cpus", "0.5", "--memory", "64MiB", "--env", "A=b=c",
        "--secret-env", f"KEY=@{key}", "--dir", str(work), "--artifact", "out/*", "--time-limit",
        "90m", "--label", "x=y", "--", "python3", "main.py",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "upload: 3 of 3 files, " in said.err
    assert sorted(said.out.splitlines()) == ["[0] done", "[0] here", "[1] done", "[1] here"]
    assert home("job", "files", "duo", "-o", "noheader").out.split()[::4] == ["0/out/0", "1/out/1"]
    got = tmp_path / "got"
    assert home("job", "files", "duo", "--to", str(got)).code == 0
    assert (got / "1/out/1").read_text() == "b=c DATA 1"
    assert home("job", "files", "duo", "0/out/0").out == "b=c DATA 0"
    document = json.loads(home("job", "get", "duo", "-o", "json").out)
    assert (document["labels"], document["spec"]["millicores"]) == ({"x": "y"}, 500)
    assert "s3cret" not in json.dumps(document)
    paths = [entry["path"] for entry in document["spec"]["inputs"]]
    assert paths == [".gitignore", "data", "main.py"]
    assert home("logs", "duo").out == "[0] done\n[0] here\n[1] done\n[1] here\n"
    assert home("logs", "-f", "--rank", "1", "--offset", "5", "duo").out == "here"


def test_a_receipt_verifies_offline(home: Skerry, house: House, tmp_path: Path) -> None:
    home("run", "-q", "-n", "proved", "--", "true")
    receipt, key = tmp_path / "receipt.json", tmp_path / "key"
    assert home("receipt", "proved", "--to", str(receipt)).code == 0
    key.write_text(home("key").out)
    said = home("verify", str(receipt), "--key", str(key))
    assert (said.code, said.out.splitlines()[-1]) == (0, "receipt OK"), said.err
    receipt.write_text(receipt.read_text().replace("proved", "proven", 1))
    said = home("verify", str(receipt), "--key", str(key))
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Error: receipt FAILS at ")


def test_an_audit_is_checked_offline_and_read(
    home: Skerry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = "echo said; echo 42 > answer"
    home("run", "-q", "--name", "audited", "--artifact", "answer", "--", "sh", "-c", shell)
    file, key, got = tmp_path / "audit.jsonl", tmp_path / "key", tmp_path / "got"
    assert home("job", "files", "audited", "--to", str(got)).code == 0
    key.write_text(home("key").out)

    def exported() -> Said:
        return home("audit", "export", "--from", "2026-01-01", "--file", str(file))

    until(lambda: exported().code == 0 and b"kept" in file.read_bytes(), lambda: exported().err)
    said = exported()
    assert (said.code, said.out) == (0, f"{file}\n"), said.err
    said = home("audit", "export", "--from", "someday", "--file", str(tmp_path / "none"))
    assert (said.code, "someday" in said.err) == (2, True)
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("SKERRY_URL", "http://127.0.0.1:1")
    said = home("verify", str(file), "--key", str(key))
    assert (said.code, said.out.splitlines()[-1]) == (0, "audit OK")
    shown = json.loads(home("audit", "show", str(file), "--key", str(key), "-o", "json").out)
    (job,) = (row for row in shown["placed"] if row["NAME"] == "jobs/audited")
    assert (job["PHASE"], job["PLACE"], job["EVIDENCE"]) == (
        "succeeded", "home-1 SE", "attested-host",
    )  # fmt: skip
    [log, answer] = (row for row in shown["left by jobs"] if row["BY"] == "jobs/audited copy 0")
    assert (log["WHAT"], log["SHA-256"]) == ("its log", hashlib.sha256(b"said\n").hexdigest())
    assert (answer["WHAT"], answer["BYTES"], answer["EVIDENCE"]) == ("answer", "3", "attested-host")
    compare = ("audit", "show", str(file), "--key", str(key), "--compare", str(got))
    assert "jobs/audited copy 0: answer" in home(*compare).out
    (got / "answer").write_text("41\n")
    said = home(*compare)
    assert (said.code, "NO JOB OF THIS AUDIT LEFT IT" in said.out) == (1, True)
    assert "\nPlaced: " in home("audit", "show", str(file), "--key", str(key)).out
    file.write_bytes(file.read_bytes().replace(b"jobs/audited", b"jobs/deleted", 1))
    for command in (("verify",), ("audit", "show")):
        said = home(*command, str(file), "--key", str(key))
        assert said.code == 1
        assert said.err.startswith("Error: audit FAILS at line ")


def test_a_quote_can_be_accepted_as_it_stands(home: Skerry) -> None:
    said = home("quote", "job", "--name", "quoted", "--millicores", "500", "--", "true")
    assert said.code == 0, said.err
    assert re.search(r"(?m)^Price: +0\.[0-9]+ EUR per hour$", said.out)
    assert re.search(r"(?m)^Place: +home-1 \(home, SE; operated by skerry\)$", said.out)
    accept = said.out.splitlines()[-1].removeprefix("Accept:  skerry ").split()
    assert home(*accept).code == 0
    assert home("job", "wait", "quoted", "--for", "ended", "-q").out == "job quoted succeeded\n"
    assert home("explain", "job", "quoted").out.startswith("job quoted: succeeded\nHere:  home-1 ")
    assert home("quote", "job", "--gpus", "64", "--", "true").code == 6


def test_a_document_on_stdout_is_alone_there(home: Skerry) -> None:
    said = home("run", "-q", "-o", "json", "--", "echo", "hello")
    assert json.loads(said.out)["status"]["phase"] == "succeeded"
    assert said.err == "hello\n"


def test_nothing_fits_is_told_while_it_waits(home: Skerry) -> None:
    said = home("run", "-n", "huge", "--gpus", "64", "--wait-timeout", "1", "--", "true")
    assert (said.code, said.out) == (6, "")
    *_, progress, error, hint = said.err.splitlines()
    assert progress.startswith("job huge: queued: ")
    why = progress.removeprefix("job huge: queued: ")
    assert "64 more GPUs" in why
    assert error == f"Error: job huge is queued after 1 s: {why}"
    assert hint == "Hint: It goes on: raise --wait-timeout, or skerry logs -f huge"
    assert home("job", "cancel", "huge").out == "job huge: cancel asked\n"
    said = home("job", "wait", "huge", "--for", "ended", "-q")
    assert said == (0, "job huge cancelled\n", "")


def test_words_that_can_not_be_read(home: Skerry) -> None:
    before = home("job", "list", "-o", "name").out
    assert home("run", "--cpus", "many", "--", "true").code == 2
    assert home("run", "--memory", "2XB", "--", "true").code == 2
    assert home("run", "--env", "A", "--", "true").code == 2
    assert home("run").code == 2
    assert home("logs", "nope").code == 3
    assert home("job", "list", "-o", "name").out == before


def wait_for(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "run", *args],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_cloud_that_dies_meanwhile_loses_nothing(home: Skerry, house: House) -> None:
    process = start("-n", "survivor", "--", "sh", "-c",
                    "for i in 1 2 3 4 5 6; do echo $i; sleep 1; done; exit 5")  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    house.kill()
    house.start()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, "2\n3\n4\n5\n6\n"), err
    assert home("logs", "survivor").out == "1\n2\n3\n4\n5\n6\n"


def started(name: str) -> subprocess.Popen[str]:
    """A job that has begun."""
    process = start("-n", name, "--", "sh", "-c", "echo begun; exec sleep 300")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_ctrl_c_cancels_where_nobody_can_be_asked(home: Skerry) -> None:
    process = started("stopped")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cancelling job stopped in 2 s; interrupt again to leave it running\n" in err
    assert err.splitlines()[-1].startswith("job stopped cancelled in ")


def test_a_second_ctrl_c_leaves_it_running(home: Skerry) -> None:
    process = started("left")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    line = ""
    while "interrupt again" not in line:
        line = process.stderr.readline()
        assert line
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "job left goes on: skerry logs -f left\n"
    assert home("job", "list", "-o", "columns=name,phase").out.count("running") == 1
    home("job", "cancel", "left")


def on_a_terminal(name: str, answer: bytes) -> tuple[int, str]:
    """Start ``skerry run`` on a terminal, interrupt it, answer its question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*COMMAND, "run", "-n", name, "--gpus", "64", "--", "true"])
    seen = bytearray()

    def reading() -> None:
        while True:
            try:
                block = os.read(terminal, 1024)
            except OSError:
                return
            if not block:
                return
            seen.extend(block)

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


def phase(home: Skerry, name: str) -> str:
    return str(json.loads(home("job", "get", name, "-o", "json").out)["status"]["phase"])


def test_on_a_terminal_it_asks(home: Skerry) -> None:
    code, text = on_a_terminal("asked", b"y\n")
    assert code == 130
    assert "Cancel job asked? (Ctrl-C again leaves it running) [Y/n]:" in text
    assert "job asked cancelled; it never ran and costs nothing" in text
    assert phase(home, "asked") == "cancelled"


def test_on_a_terminal_a_second_ctrl_c_leaves_it_running(home: Skerry) -> None:
    code, text = on_a_terminal("kept", b"\x03")
    assert code == 130
    assert "job kept goes on: skerry logs -f kept" in text
    assert phase(home, "kept") == "queued"
    home("job", "cancel", "kept")


def test_detached_prints_its_name(home: Skerry) -> None:
    assert home("run", "-q", "-d", "-n", "later", "--", "true") == (0, "later\n", "")
    said = home("run", "-q", "-d", "-o", "json", "--", "true")
    name = json.loads(said.out)["metadata"]["name"]
    assert re.fullmatch(r"run-[a-z0-9]{8}", name)
    home("job", "wait", "later", name, "--for", "ended", "-q")


def test_how_urgent_it_is_and_whether_it_gives_way(home: Skerry) -> None:
    urgent = ("--priority-class", "urgent", "--preemptible")
    home("priority-class", "create", "urgent", "--value", "100")
    home("run", "-q", "-d", "-n", "yielding", *urgent, "--", "true")
    spec = json.loads(home("job", "get", "yielding", "-o", "json").out)["spec"]
    assert (spec["priorityClass"], spec["preemptible"]) == ("urgent", True)


def test_what_waits_while_the_cloud_holds_back(standin: Skerry, cloud: Cloud) -> None:
    """A queued job is told once, not at every look."""
    cloud.hold = True
    said = standin("run", "-n", "j", "--wait-timeout", "2", "--", "true")
    assert said.err.count(f"job j: queued: {WHY}\n") == 1

"""Contexts, signing in, and the tools around the API."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.client import config
from tests.cli.conftest import Skerry
from tests.client.standin import TOKEN, Cloud


@pytest.fixture
def home(bare: Skerry, url: str) -> Skerry:
    """A command line whose context ``home`` is the cloud."""
    said = bare(
        "--url", url, "--token", TOKEN, "--tenant", "acme", "--workspace", "w", "context", "create",
        "home",
    )  # fmt: skip
    assert said == (0, f"context home kept and in use: {url}\n", "")
    return bare


def test_a_context_is_all_that_is_needed(home: Skerry, url: str) -> None:
    assert home("whoami").out == "subject: ann@acme\ntenant:  acme\n"
    assert home("job", "list", "-o", "json").out == "[]\n"
    assert config.contexts_file().stat().st_mode & 0o777 == 0o600
    listed = home("context", "list")
    assert listed.out == (
        f"    NAME   URL{' ' * (len(url) - 3)}   TENANT   WORKSPACE   TOKEN\n"
        f"*   home   {url}   acme     w           yes\n"
    )
    assert TOKEN not in home("context", "list", "-o", "json").out


def test_contexts_are_chosen_and_forgotten(home: Skerry, url: str) -> None:
    assert home("context", "create", "away", "--url", "http://127.0.0.1:9", "--no-use").code == 0
    assert home("context", "list", "-o", "name").out == "home\naway\n"
    said = home("whoami", "--context", "away")
    assert said.code == 1
    assert said.err.startswith("Error: no cloud answers at http://127.0.0.1:9: ")
    assert said.err.endswith("Hint: Check the address; skerry up starts a cloud on this machine.\n")
    home("context", "use", "away")
    assert home("whoami").code == 1
    assert home("--context", "home", "whoami").code == 0
    assert home("context", "delete", "away").out == "context away deleted\n"
    assert home("context", "use", "away") == (
        2,
        "",
        "Error: there is no context 'away'\nHint: Contexts: home.\nDocs: skerry --help\n",
    )


def test_flags_over_environment_over_context(
    home: Skerry, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    home("job", "list", "--workspace", "flag")
    monkeypatch.setenv("SKERRY_WORKSPACE", "env")
    home("job", "list")
    home("--workspace", "root", "job", "list", "--workspace", "flag")
    monkeypatch.setenv("SKERRY_OUTPUT", "json")
    assert home("job", "list").out == "[]\n"
    assert home("-o", "name", "job", "list").out == ""
    monkeypatch.setenv("SKERRY_JOB_LIST_LIMIT", "7")
    home("job", "list")
    asked = [(path.split("/")[7], query) for _, path, query in cloud.requests if "jobs" in path]
    assert [workspace for workspace, _ in asked] == ["flag", "env", "flag", "env", "env", "env"]
    assert asked[-1][1]["limit"] == "7"


def test_a_clouds_own_kinds_are_learned(
    bare: Skerry, url: str, cloud: Cloud, catalogue_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKERRY_CATALOGUE")
    theirs = json.loads(catalogue_file.read_text().replace('"cipher"', '"riddle"'))
    cloud.views["/catalogue.json"] = theirs
    bare("context", "create", "home", "--url", url, "--token", TOKEN, "--tenant", "acme")
    assert "riddle" in bare("--help").out
    assert bare("riddle", "list", "-q", "-o", "json", "--workspace", "w").out == "[]\n"
    bare("context", "delete", "home")
    assert "riddle" not in bare("--help").out


def test_login_keeps_the_token_and_does_not_show_it(
    bare: Skerry, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    with (tmp_path / "password").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        said = bare("login", "--url", url, "--tenant", "acme", "-u", "ann", "--password-stdin")
    assert said == (
        0,
        "signed in as ann@acme until 2026-11-21 08:00:00 UTC, in context default\n",
        "",
    )
    assert bare("whoami").code == 0
    assert config.load_contexts()["default"].token == TOKEN


def test_login_never_asks_without_a_terminal(bare: Skerry, url: str) -> None:
    said = bare("login", "--url", url, "--tenant", "acme", "-u", "ann")
    assert (said.code, said.out) == (2, "")
    assert "Hint: Give it on standard input with --password-stdin." in said.err


def test_a_wrong_token_is_exit_code_four(bare: Skerry, url: str) -> None:
    assert bare("whoami", "--url", url, "--token", "wrong") == (
        4,
        "",
        "Error: Unauthorized: no valid token\nHint: Log in again.\nDocs: skerry login --help\n"
        "Request: req-1\n",
    )
    assert bare("whoami").err == (
        "Error: no cloud is given\n"
        "Hint: Use --url, SKERRY_URL or skerry context create; skerry up starts one here.\n"
        "Docs: skerry --help\n"
    )


def test_status(home: Skerry, url: str, cloud: Cloud) -> None:
    cloud.views["/providers/skerry.proof/v1/checkpoint"] = b"home\n42\nroot\n\n- sig\n"
    assert home("status").out == (
        f"url:       {url}\n"
        "ready:     yes\n"
        "who:\n"
        "  subject: ann@acme\n"
        "  tenant:  acme\n"
        "tenant:    acme\n"
        "workspace: w\n"
        "log:       42\n"
    )


def test_curl_has_the_token(home: Skerry, url: str) -> None:
    said = home("curl", "/providers/skerry.identity/v1/whoami", "-i")
    assert said.code == 0, said.err
    assert said.out.startswith("HTTP/1.1 200 OK")
    assert said.out.endswith('{"subject":"ann@acme","tenant":"acme"}')
    said = home("curl", "http://elsewhere.example/x")
    assert said.code == 2
    assert "Hint: The token is only sent to its own cloud." in said.err


def test_debug_shows_requests_without_secrets(home: Skerry) -> None:
    run = [sys.executable, "-m", "skerry.cli.main", "whoami", "--debug"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert "> GET /providers/skerry.identity/v1/whoami\n> authorization: [hidden]\n" in done.stderr
    assert TOKEN not in done.stderr
    assert done.stdout == "subject: ann@acme\ntenant:  acme\n"


def test_completion_knows_live_names(home: Skerry, monkeypatch: pytest.MonkeyPatch) -> None:
    home("network", "create", "n1", "-d")
    home("network", "create", "m1", "-d")
    monkeypatch.setenv("_SKERRY_COMPLETE", "bash_complete")

    def completed(*words: str, last: str = "") -> list[str]:
        monkeypatch.setenv("COMP_WORDS", " ".join(("skerry", *words, last)))
        monkeypatch.setenv("COMP_CWORD", str(len(words) + 1))
        run = [sys.executable, "-m", "skerry.cli.main"]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    assert completed("network", "get", last="n") == ["n1"]
    assert completed("network", "delete") == ["m1", "n1"]
    assert "subnet" in completed(last="sub")
    assert completed("explain", last="net") == ["network", "network-sku"]
    assert completed("context", "use") == ["home"]
    monkeypatch.setenv("SKERRY_URL", "http://127.0.0.1:9")
    assert completed("network", "get") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(bare: Skerry, shell: str) -> None:
    assert "_SKERRY_COMPLETE" in bare("completion", shell).out


def test_receipts_are_fetched_as_they_are(home: Skerry, cloud: Cloud, tmp_path: Path) -> None:
    jobs = "/providers/skerry.run/v1/tenants/acme/workspaces/w/jobs"
    cloud.views[f"{jobs}/j/receipt"] = b'{"format": "x"}'
    assert home("receipt", "j").out == '{"format": "x"}'
    assert home("receipt", "job/j", "--to", str(tmp_path / "r.json")).code == 0
    assert (tmp_path / "r.json").read_bytes() == b'{"format": "x"}'
    cloud.views["/providers/skerry.proof/v1/key"] = b"home+1+x\n"
    assert home("key").out == "home+1+x\n"
    said = home("verify", str(tmp_path / "r.json"), "--key", "nonsense")
    assert said.code == 2
    assert said.err.startswith("Error: this can't be verified: ")

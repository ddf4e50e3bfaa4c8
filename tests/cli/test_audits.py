"""The auditor's package on the command line: fetched, checked offline, read as tables."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Skerry
from tests.cli.house import House


@pytest.fixture
def audit(home: Skerry, house: House, tmp_path: Path) -> tuple[Path, Path]:
    """The file, and the key to check it with."""
    home("run", "-q", "--name", "seen", "--", "true")
    file, key = tmp_path / "audit.jsonl", tmp_path / "key"
    key.write_text(home("key").out)
    said = home("audit", "export", "--from", "2026-01-01", "--file", str(file))
    assert (said.code, said.out) == (0, f"{file}\n"), said.err
    return file, key


def test_an_audit_is_checked_offline_and_read(
    home: Skerry, bare: Skerry, audit: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = audit
    monkeypatch.setenv("SKERRY_URL", "http://127.0.0.1:1")
    said = bare("verify", str(file), "--key", str(key))
    assert (said.code, said.out.splitlines()[-1]) == (0, "audit OK")
    shown = bare("audit", "show", str(file), "--key", str(key), "-o", "json")
    (job,) = (row for row in json.loads(shown.out)["placed"] if row["NAME"] == "jobs/seen")
    assert (job["PHASE"], job["EVIDENCE"]) == ("succeeded", "attested-host")
    text = bare("audit", "show", str(file), "--key", str(key)).out
    assert "\nRefused: none\n" in text
    assert "\nPlaced: " in text


def test_a_doctored_audit_is_not_read(bare: Skerry, audit: tuple[Path, Path]) -> None:
    file, key = audit
    file.write_bytes(file.read_bytes().replace(b"jobs/seen", b"jobs/none", 1))
    for command in (("verify",), ("audit", "show")):
        said = bare(*command, str(file), "--key", str(key))
        assert said.code == 1
        assert said.err.startswith("Error: audit FAILS at line ")


def test_a_wrong_period_is_told(home: Skerry, tmp_path: Path) -> None:
    said = home("audit", "export", "--from", "tomorrow", "--file", str(tmp_path / "a"))
    assert said.code == 2
    assert "from=tomorrow is no time" in said.err or "'tomorrow' is no time" in said.err
    said = home("audit", "export", "--from", "2026-02-01", "--to", "2026-01-01")
    assert "the period ends before it begins" in said.err
    assert not (tmp_path / "a").exists()

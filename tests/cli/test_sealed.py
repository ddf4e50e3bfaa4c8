"""Secrets are named on a command line and never written there."""

from pathlib import Path

import pytest

from skerry.cli import sealed
from tests.cli.conftest import Skerry


def test_a_literal_is_refused_without_repeating_it(skerry: Skerry) -> None:
    said = skerry("cipher", "create", "k", "-q", "--password", "hunter2")
    assert said.code == 2
    assert "must not stand here" in said.err
    assert "hunter2" not in said.err


def test_a_file_gives_it_without_the_end_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("one\n")
    assert sealed.read("KEY", f"@{file}") == "one"
    file.write_text("-----BEGIN\nAA\n")
    assert sealed.read("KEY", f"@{file}") == "-----BEGIN\nAA\n"


def test_a_key_alone_is_the_variable_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    assert sealed.read("DB_PASSWORD", "") == "hunter2"
    monkeypatch.delenv("DB_PASSWORD")
    with pytest.raises(ValueError, match="no environment variable DB_PASSWORD"):
        sealed.read("DB_PASSWORD", "")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none can't be read"):
        sealed.read("KEY", f"@{tmp_path}/none")

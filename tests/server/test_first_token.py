"""Where the operator's first token goes: before a person's eyes, or into a file of the operator's
own, and never into what may be a log."""

import stat
import sys
from pathlib import Path

import pytest

from skerry.commands import _hand_over
from skerry.settings import Settings

TOKEN = "skerry_user_made0up"


def test_without_a_terminal_it_is_kept_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _hand_over(TOKEN, Settings(data=tmp_path))
    file = tmp_path / "operator.token"
    assert file.read_text() == f"{TOKEN}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = capsys.readouterr()
    assert str(file) in said.err
    assert TOKEN not in said.err + said.out


def test_who_names_a_file_finds_it_in_that_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _hand_over(TOKEN, Settings(data=tmp_path, token_file=tmp_path / "mine"))
    assert list(tmp_path.iterdir()) == []
    assert TOKEN not in capsys.readouterr().err


def test_a_terminal_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _hand_over(TOKEN, Settings(data=tmp_path))
    assert TOKEN in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

"""Whatever stands in a file that a command is given, or in its place: an answer in words, and no
trace of the program's insides."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import structlog

from skerry.cli.common import Session
from skerry.cli.main import invoke, root
from skerry.proof.note import Signer

Ended = Callable[..., tuple[int, str]]
SORTS = ("missing", "directory", "empty", "bytes", "list", "words", "unreadable")
# There is no file that root can't read.
WRONG = [sort for sort in SORTS if sort != "unreadable" or os.geteuid() != 0]
FILES = ("--key", "--ca-file", "--id-token-file", "--witness")
"""Options that name a file, and are no paths to click, since they may be the thing itself."""
SERVERS = ("up", "serve", "agent")
NOUN = "job"
"""The verbs of all nouns are the same code."""


def _commands(
    command: click.Command, ctx: click.Context, *path: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    nouns = [noun for noun, *_ in ctx.obj.catalogue.summaries] if not path else []
    for name in command.list_commands(ctx):
        found = command.get_command(ctx, name)
        if found is not None and (name not in nouns or name == NOUN):
            below = click.Context(found, info_name=name, parent=ctx, obj=ctx.obj)
            yield from _commands(found, below, *path, name)


def _is_file(parameter: click.Parameter) -> bool:
    return isinstance(parameter.type, (click.Path, click.File)) or parameter.opts[0] in FILES


def _value(parameter: click.Parameter) -> str:
    match parameter.type:
        case click.Choice(choices=choices):
            return str(choices[0])
        case click.IntRange() | click.types.IntParamType():
            return "1"
    return "x"


def _cases() -> Iterator[tuple[tuple[str, ...], click.Command, click.Parameter]]:
    for path, command in _commands(root, click.Context(root, obj=Session())):
        for parameter in command.params:
            if path[0] not in SERVERS and _is_file(parameter):
                yield path, command, parameter


CASES = list(_cases())


def _line(command: click.Command, wrong: click.Parameter, file: Path) -> list[str]:
    """Its arguments: what must be there, and the file."""
    options, arguments = [], []
    for parameter in command.params:
        value = str(file) if parameter is wrong else _value(parameter)
        if parameter is not wrong and not parameter.required:
            continue
        if isinstance(parameter, click.Argument):
            arguments.append(value)
        else:
            options += [parameter.opts[0], value]
    return [*options, *arguments]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("wrong")
    found = {name: place / name for name in SORTS}
    found["directory"].mkdir()
    found["empty"].write_bytes(b"")
    found["bytes"].write_bytes(bytes(range(256)) * 40)
    found["list"].write_text('[1, {"kind": ["x"]}, null]\n')
    found["words"].write_text("these are: [just, words\n\tand: {no} file\n")
    found["unreadable"].write_text("{}")
    found["unreadable"].chmod(0)
    return found


@pytest.fixture
def ended(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Ended]:
    """Run a command line without a cloud: its exit code, and what it said."""
    kept = structlog.get_config()
    settings = {"URL": "http://127.0.0.1:9", "TOKEN": "x", "TENANT": "acme", "WORKSPACE": "prod"}
    for name, value in {**settings, "DATA": str(tmp_path)}.items():
        monkeypatch.setenv(f"SKERRY_{name}", value)
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def run(*line: str) -> tuple[int, str]:
        capfd.readouterr()
        try:
            code = invoke(line)
        except SystemExit as left:
            code = int(left.code or 0)
        return code, capfd.readouterr().err

    yield run
    structlog.configure(**kept)


@pytest.mark.parametrize("sort", WRONG)
def test_a_wrong_file_is_told_in_words(ended: Ended, wrong: dict[str, Path], sort: str) -> None:
    silent = []
    for path, command, parameter in CASES:
        line = [*path, *_line(command, parameter, wrong[sort])]
        code, words = ended(*line)
        if code and not words.strip():
            silent.append(line)
    assert silent == []


def _other_operator(data: Path) -> None:
    (data / "keys").mkdir()
    Signer.open(data / "keys/log.key", "skerry/somebody-else")


def _right(data: Path) -> None:
    (data / "keys").mkdir()
    Signer.open(data / "keys/log.key", "skerry/skerry")


def _open_to_all(data: Path) -> None:
    _other_operator(data)
    (data / "keys/log.key").chmod(0o644)


def _no_key(data: Path) -> None:
    (data / "keys").mkdir()
    (data / "keys/log.key").touch(0o600)
    (data / "keys/log.key").write_bytes(bytes(range(256)))


def _file(data: Path) -> None:
    (data / "keys").write_text("no directory")


NOWHERE = ("--database-url", "postgresql://127.0.0.1:9/none")
PLACES: list[tuple[tuple[str, ...], Callable[[Path], None], str]] = [
    (("audit", "verify", *NOWHERE), _other_operator, "is skerry/somebody-else's"),
    (("audit", "verify", *NOWHERE), _open_to_all, "chmod 600"),
    (("audit", "verify", *NOWHERE), _no_key, "is not a signing key"),
    (("audit", "verify", *NOWHERE), _file, "Not a directory"),
    (("audit", "verify", *NOWHERE, "--key", "nonsense"), _other_operator, "the key to verify with"),
    (("audit", "verify", "--database-url", "nonsense"), _right, "invalid DSN"),
    (("audit", "verify", *NOWHERE), _right, "refused"),
    (("audit", "verify", "--operator", "a b"), _other_operator, "operator name"),
    (("backup", "somewhere", *NOWHERE), _file, ""),
]


@pytest.mark.parametrize(("line", "make", "says"), PLACES)
def test_a_wrong_data_directory_is_told_in_words(
    ended: Ended, tmp_path: Path, line: tuple[str, ...], make: Callable[[Path], None], says: str
) -> None:
    make(tmp_path)
    code, words = ended(*line)
    assert code == 1
    assert words.startswith("error: ")
    assert says in words


def test_a_server_says_what_is_wrong_with_its_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/seal.json").touch(0o600)
    (tmp_path / "keys/seal.json").write_text("[]")
    command = [sys.executable, "-m", "skerry.cli.main", "up", "--no-agent", *NOWHERE]
    own = {"SKERRY_NO_CONTEXT": "1", "SKERRY_DATA": str(tmp_path)}
    said = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **own})
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert "error: " in said.stderr

"""Start-up: fast, and nothing imported that is not needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.api import catalogue
from skerry.cli.main import COMMANDS
from skerry.kernel.kinds import Registry
from tests.cli.conftest import Skerry
from tests.client.kinds import KINDS

HEAVY = ("httpx2", "rich", "yaml", "msgspec", "asyncio", "asyncpg", "starlette", "numpy", "pyarrow")
SERVER = ("store", "kernel", "proof", "notices", "identity", "ledger", "market", "sites", "gateway",
          "products", "api", "server")  # fmt: skip


def modules(*args: str) -> set[str]:
    """What a command line has imported when it ends."""
    code = (
        "import sys; from skerry.cli.main import invoke; invoke(sys.argv[1:], program=True);"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    run = [sys.executable, "-c", code, *args]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("job", "--help"),
        ("job", "create", "--help"),
        ("run", "--help"),
        ("--version",),
    ],
)
def test_help_imports_no_server_and_nothing_heavy(args: tuple[str, ...]) -> None:
    found = modules(*args)
    assert [name for name in SERVER if f"skerry.{name}" in found] == []
    assert [name for name in HEAVY if name in found] == []


def test_a_request_imports_no_server(bare: Skerry) -> None:
    found = modules(
        "job", "list", "--url", "http://127.0.0.1:9", "--tenant", "a", "--workspace", "b"
    )
    assert "httpx2" in found
    assert "h2" not in found
    assert [name for name in SERVER if f"skerry.{name}" in found] == []


def test_importing_skerry_is_free() -> None:
    code = "import sys, skerry; print(len([m for m in sys.modules if m.startswith('skerry')]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_every_command_says_what_it_does(bare: Skerry) -> None:
    """The help of every command can be made, and each has a summary."""
    said = bare("manual")
    assert said.code == 0, said.err
    for name, entry in COMMANDS.items():
        assert entry.summary
        if ":" not in entry.home:
            assert f"# skerry {name}\n" in said.out
    for kind in KINDS:
        assert f"# skerry {kind.noun} list\n" in said.out


def test_a_wrong_word_is_helped(bare: Skerry) -> None:
    assert bare("jbo") == (
        2,
        "",
        "Error: there is no command 'jbo'. Did you mean job?\nDocs: skerry --help\n",
    )
    assert bare("job", "lst").code == 2
    assert bare("--version").out.startswith("skerry ")
    assert bare().out.startswith("Usage: skerry ")


def test_what_is_typed_is_checked_before_it_is_sent(bare: Skerry) -> None:
    said = bare("job", "create", "j", "--memory", "2XB")
    assert said.code == 2
    assert "'2XB' is not a size. Write 512MiB, 2GiB or a number of bytes." in said.err
    assert bare("job", "create", "j", "--isolation", "none").code == 2
    assert bare("job", "create", "j", "--env", "A").code == 2
    assert bare("job", "create", "j", "--set", "a").code == 2
    assert bare("job", "create", "j", "--set", "command.x.y=1", "--set", "command=2").code == 2


def test_the_committed_catalogue_is_the_registry() -> None:
    assert catalogue.COMMITTED.read_bytes() == catalogue.render(Registry.discover())


def test_no_noun_hides_behind_a_command() -> None:
    nouns = {kind.noun for kind in Registry.discover().kinds}
    assert nouns & COMMANDS.keys() <= {"quote"}


def test_a_broken_catalogue_is_told(
    bare: Skerry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "broken.json"
    file.write_text(json.dumps({"format": "skerry-catalogue/9", "kinds": []}))
    monkeypatch.setenv("SKERRY_CATALOGUE", str(file))
    said = bare("job", "list")
    assert said.code == 2
    assert "the catalogue's format is 'skerry-catalogue/9'" in said.err

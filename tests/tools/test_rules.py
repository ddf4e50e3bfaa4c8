"""The house's own checks find what they are for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CONTRACTS = """
[importlinter]
root_package = house
contract_types =
    drivers: tools.import_contracts.DriversContract
    alone: tools.import_contracts.AloneContract

[importlinter:contract:drivers]
name = drivers
type = drivers
parent = house.sites
allowed =
    house.sites.contract

[importlinter:contract:alone]
name = alone
type = alone
modules =
    house.verify
"""


def lint(place: Path) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name in (
        "house/__init__.py",
        "house/verify.py",
        "house/store.py",
        "house/sites/__init__.py",
        "house/sites/contract.py",
        "house/sites/kinds.py",
        "house/sites/local/__init__.py",
        "house/sites/local/driver.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / ".importlinter").write_text(CONTRACTS)
    return tmp_path


def test_a_driver_may_import_the_contract_and_itself(house: Path) -> None:
    (house / "house/sites/local/driver.py").write_text(
        "from house.sites import contract\nfrom house.sites import local\nimport json\n"
    )
    assert "2 kept, 0 broken" in lint(house)


def test_a_driver_that_reaches_further_is_named(house: Path) -> None:
    (house / "house/sites/local/driver.py").write_text("from house.sites import kinds\n")
    (house / "house/sites/local/__init__.py").write_text("import house.store\n")
    said = lint(house)
    assert "house.sites.local.driver imports house.sites.kinds" in said
    assert "house.sites.local imports house.store" in said
    assert "1 kept, 1 broken" in said


def test_the_contract_itself_leads_nowhere_else(house: Path) -> None:
    (house / "house/sites/contract.py").write_text("import house.store\n")
    assert "house.sites.contract imports house.store" in lint(house)


def test_a_verifier_that_is_not_alone_is_named(house: Path) -> None:
    (house / "house/verify.py").write_text("import hashlib\nimport house.store\n")
    assert "house.verify imports house.store" in lint(house)


def test_house_rules_are_checked(tmp_path: Path) -> None:
    def says(name: str, text: str) -> tuple[int, str]:
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools/house.py").write_text((ROOT / "tools/house.py").read_text())
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        done = subprocess.run(
            [sys.executable, "tools/house.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        path.unlink()
        assert done.stderr == ""
        return done.returncode, done.stdout

    assert says("src/fine.py", "x = 1\n") == (0, "")
    assert says("src/long.py", "x = 1\n" * 401) == (0, "warning: src/long.py: 401 lines\n")
    assert says("src/long.py", "x = 1\n" * 601) == (1, "error: src/long.py: 601 lines\n")
    body = "def f():\n" + "    x = 1\n" * 60
    assert says("src/f.py", body) == (0, "warning: src/f.py:1: f has 61 lines\n")
    assert says("docs/page.md", "word " * 801) == (1, "error: docs/page.md: 801 words\n")
    assert says("docs/table.md", "| word " * 800) == (0, "")
    assert says("README.md", "[there](https://example.org) [here](#top) [x](tools/)") == (0, "")
    assert says("docs/a.md", "[b](b.md#part)") == (
        1,
        "error: docs/a.md: the link to b.md#part leads nowhere\n",
    )

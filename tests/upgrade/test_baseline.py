"""The baseline: the commit from which a cloud must be able to come with its data.

``baseline`` names it. From then on a migration is never edited, only followed by another.
"""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MIGRATIONS = "src/skerry/store/migrations"


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )


def baseline() -> str:
    return (HERE / "baseline").read_text().strip()


def test_the_baseline_is_a_commit() -> None:
    assert re.fullmatch("[0-9a-f]{40}", baseline())


def test_its_migrations_are_as_they_were() -> None:
    """In a clone without history there is nothing to compare with."""
    listed = git("ls-tree", "--name-only", baseline(), f"{MIGRATIONS}/").stdout.split()
    for name in listed:
        if name.endswith(".sql"):
            then = git("show", f"{baseline()}:{name}").stdout
            assert (ROOT / name).read_text() == then, f"{name}: add a migration, don't edit one"

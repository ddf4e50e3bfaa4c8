"""What docs/security.md points at is there: a promise without its file or its test is none."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/security.md").read_text("utf-8")


def test_each_promise_names_what_holds_it_and_what_shows_it() -> None:
    table = PAGE.split("| promise |", 1)[1].split("\n\n", 1)[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines()[2:]]
    assert len(rows) > 15
    for promise, held, shown in rows:
        for cell, place in ((held, "src/skerry"), (shown, "tests")):
            named = re.findall(r"`([^`]+)`", cell)
            assert named, promise
            for name in named:
                assert (ROOT / place / name).resolve().is_file(), (promise, name)
        tests = [(ROOT / "tests" / name).read_text() for name in re.findall(r"`([^`]+)`", shown)]
        assert all("def test_" in text for text in tests), promise

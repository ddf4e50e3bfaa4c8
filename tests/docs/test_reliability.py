"""What docs/reliability.md points at is there, and so are the alerts that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/reliability.md").read_text("utf-8")


def test_what_is_said_to_be_shown_is_shown() -> None:
    named = set(re.findall(r"`([\w/]+/test_\w+\.py)`( \*long\*| \(\*long\*\))?", PAGE))
    assert len(named) > 15
    for name, long in named:
        text = (ROOT / "tests" / name).read_text("utf-8")
        assert "def test_" in text, name
        assert not long or "mark.long" in text, f"{name} is not long"


def test_each_alert_is_raised_somewhere() -> None:
    table = PAGE.split("| alert |", 1)[1].split("\n\n", 1)[0]
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    for row in table.splitlines()[2:]:
        for reason in row.split("|")[3].replace(", before", "").split(","):
            assert reason.strip() == "none" or f'"{reason.strip()}"' in source, reason

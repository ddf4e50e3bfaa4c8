"""What stands in the pages: their blocks of code, and the commands within their sentences."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INDENTED = re.compile(r"(?:^    .*\n)+", re.M)
_INLINE = re.compile(r"`(skerry [^`]+)`")


class Block(NamedTuple):
    page: str
    language: str
    text: str

    @property
    def title(self) -> str:
        return f"{self.page}: {self.text.strip().splitlines()[0][:50]}"


def blocks() -> list[Block]:
    """All blocks. An indented one that begins with a command is a shell's."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        found += [Block(page.name, *match.groups()) for match in _FENCED.finditer(text)]
        for match in _INDENTED.finditer(_FENCED.sub("", text)):
            lines = re.sub(r"(?m)^    ", "", match[0])
            shell = re.match(r"(skerry|python|make|tools/uv) (?! *API)", lines)
            found.append(Block(page.name, "sh" if shell else "", lines))
    return found


def inline() -> list[tuple[str, str]]:
    """(page, command) of every command in a sentence."""
    return [
        (page.name, " ".join(match[1].split()))
        for page in PAGES
        for match in _INLINE.finditer(_FENCED.sub("", page.read_text("utf-8")))
    ]

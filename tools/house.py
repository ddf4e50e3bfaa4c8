"""Check the house rules that no linter knows. Exit 1 if one is broken; warnings only tell.

* a source file has at most 600 lines (a warning over 400), a function at most 60 (a warning)
* a page in docs/ has at most 800 words, and links in Markdown lead somewhere
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = {"src/skerry/store/schema.sql", "console/src/api/schema.d.ts"}
SOURCES = {".py", ".sql", ".ts", ".tsx"}
FILE_LINES, FILE_LINES_WARN, FUNCTION_LINES, PAGE_WORDS = 600, 400, 60, 800
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def files() -> list[Path]:
    """What git tracks, and what is new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (Path(name) for name in sorted(set(listed.split("\0"))) if name)
    return [path for path in paths if (ROOT / path).is_file() and str(path) not in GENERATED]


def long_file(path: Path, text: str) -> Iterator[tuple[bool, str]]:
    lines = text.count("\n")
    if lines > FILE_LINES_WARN:
        yield lines > FILE_LINES, f"{path}: {lines} lines"


def long_functions(path: Path, text: str) -> Iterator[tuple[bool, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield False, f"{path}:{node.lineno}: {node.name} has {lines} lines"


def long_page(path: Path, text: str) -> Iterator[tuple[bool, str]]:
    words = sum(any(map(str.isalnum, word)) for word in text.split())
    if path.parts[0] == "docs" and words > PAGE_WORDS:
        yield True, f"{path}: {words} words"


def dead_links(path: Path, text: str) -> Iterator[tuple[bool, str]]:
    for target in _LINK.findall(text):
        place = target.partition("#")[0]
        outside = not place or "://" in place or place.startswith("mailto:")
        if not outside and not (ROOT / path.parent / place).exists():
            yield True, f"{path}: the link to {target} leads nowhere"


def findings(path: Path) -> Iterator[tuple[bool, str]]:
    if path.suffix in SOURCES:
        text = (ROOT / path).read_text("utf-8")
        yield from long_file(path, text)
        if path.suffix == ".py":
            yield from long_functions(path, text)
    elif path.suffix == ".md":
        text = (ROOT / path).read_text("utf-8")
        yield from long_page(path, text)
        yield from dead_links(path, text)


def main() -> int:
    broken = False
    for path in files():
        for wrong, what in findings(path):
            print(f"{'error' if wrong else 'warning'}: {what}")
            broken = broken or wrong
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

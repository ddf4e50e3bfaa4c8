"""Say how much of each package the tests went through; exit 1 where it is too little.

Reads what ``make coverage`` has measured. Branches are counted alone: beside lines they vanish.
"""

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST = 95.0
"""Per cent of the branches of each package."""


def main() -> int:
    measured = json.loads((ROOT / ".coverage.json").read_text())["files"]
    sums: dict[str, Counter[str]] = {}
    for name, file in measured.items():
        package = name.split("skerry/", 1)[1].split("/")[0]
        sums.setdefault(package, Counter()).update(
            {key: value for key, value in file["summary"].items() if isinstance(value, int)}
        )
    short = False
    for package, found in sorted(sums.items()):
        lines = 100 * found["covered_lines"] / found["num_statements"]
        branches = 100 * found["covered_branches"] / found["num_branches"]
        short |= branches < LEAST
        verdict = "holds" if branches >= LEAST else "short"
        print(f"{package:10} lines {lines:5.1f} %  branches {branches:5.1f} %  {verdict}")
    return int(short)


if __name__ == "__main__":
    sys.exit(main())

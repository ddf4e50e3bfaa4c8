"""Run every benchmark, or the named ones, and end with those that are short.

python -m bench.figures [NAME ...]
"""

import json
import subprocess
import sys
from pathlib import Path

from . import RESULTS, machine

BENCHES = Path(__file__).parent.parent


def main() -> int:
    names = sys.argv[1:] or sorted(file.stem for file in BENCHES.glob("*.py"))
    print(" · ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    failed, held, short = [], 0, []
    for name in names:
        print(f"\n== {name}", flush=True)
        (RESULTS / f"{name}.json").unlink(missing_ok=True)
        ended = subprocess.run([sys.executable, BENCHES / f"{name}.py"])
        if ended.returncode not in (0, 1) or not (RESULTS / f"{name}.json").exists():
            failed.append(f"{name}: ended with {ended.returncode}")
            continue
        for figure in json.loads((RESULTS / f"{name}.json").read_text("utf-8"))["figures"]:
            held += figure["verdict"] == "holds"
            if figure["verdict"] == "short":
                short.append(f"{name}: {figure['name']}: ratio {figure['ratio']:.3g}, "
                             f"{figure['bound']}")  # fmt: skip
    print(f"\n{held} figures hold, {len(short)} are short, {len(failed)} benchmarks failed")
    print("\n".join(f"  {line}" for line in [*short, *failed]))
    return 1 if short or failed else 0


if __name__ == "__main__":
    sys.exit(main())

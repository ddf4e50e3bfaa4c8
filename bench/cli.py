"""What it costs to ask `skerry` for its help: CPU of the whole process, start to end.

The peer is a Python that imports click and ends, in the same run; of so many runs the median
counts. What was imported is read from the running command itself: of Skerry there may be the
command line and the client, and nothing that only the server needs.

    python bench/cli.py [--runs 15]
"""

import argparse
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from figures import Figures

SKERRY = str(Path(sys.executable).with_name("skerry"))
IMPORTED = r"""
import atexit, sys
atexit.register(lambda: print("\n".join(sys.modules), file=sys.stderr))
sys.argv = ["skerry", *{words!r}]
from skerry.cli.main import main
main()
"""
OURS = ("skerry.cli", "skerry.client")
SERVERS = (
    "starlette", "uvicorn", "asyncpg", "uvloop", "structlog", "prometheus_client", "cryptography",
    "aiohttp", "numpy", "lightkube", "argon2", "httptools", "websockets",
)  # fmt: skip


def cpu(command: Sequence[str]) -> float:
    """Milliseconds of CPU that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def foreign(*words: str) -> list[str]:
    """The modules of the server that a command imports."""
    program = IMPORTED.format(words=words)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(ran.stderr)
    return [
        name
        for name in ran.stderr.split()
        if name.partition(".")[0] in SERVERS
        or (name.startswith("skerry.") and not f"{name}.".startswith(tuple(f"{o}." for o in OURS)))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="What the command line's help costs.")
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    commands = {
        "skerry --help": [SKERRY, "--help"],
        "click": [sys.executable, "-c", "import click"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        cpu(command)
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(cpu(command))
    middle = {name: statistics.median(times) for name, times in taken.items()}
    figures = Figures("cli")
    ours = middle["skerry --help"]
    figures.add("skerry --help, CPU", ours, "ms", limit=150)
    figures.add("skerry --help, CPU", ours, "ms", peer=("import click", middle["click"]))
    found = foreign("--help")
    print("server's modules:", ", ".join(found) or "none")
    figures.add("server's modules imported by --help", len(found), "", limit=0)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())

"""End what the demo left running: the service that shows its map, then the cloud.

A cloud's end leaves alone what runs on its machines, so the service goes first.
"""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(".demo")


def skerry(*words: str) -> int:
    program = [sys.executable, "-m", "skerry.cli.main", *words]
    env = {**os.environ, "XDG_CONFIG_HOME": str((HOME / "config").resolve())}
    return subprocess.run(program, env=env, check=False).returncode


def main() -> int:
    cloud = HOME / "cloud"
    if not cloud.exists():
        print("Nothing runs.")
        return 0
    if (cloud / "server.json").exists() and skerry("service", "delete", "map", "--yes"):
        print("The map's service may go on; its cloud is stopped all the same.", file=sys.stderr)
    return skerry("down", "--data", str(cloud))


if __name__ == "__main__":
    sys.exit(main())

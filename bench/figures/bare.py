"""Bare runc: the least that a container costs."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path


class Bare:
    """A bundle as `runc spec` writes it, with a tree that is there as its root."""

    def __init__(
        self, folder: Path, rootfs: Path, args: Sequence[str], *, memory: int, pids: int
    ) -> None:
        folder.mkdir()
        self.folder = folder
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        config = json.loads((folder / "config.json").read_text())
        config["root"] = {"path": str(rootfs), "readonly": True}
        config["process"] |= {"terminal": False, "args": list(args), "rlimits": []}
        config["process"]["env"] = ["PATH=/bin"]
        config["linux"]["resources"] |= {
            "memory": {"limit": memory},
            "cpu": {"quota": 100_000, "period": 100_000},
            "pids": {"limit": pids},
        }
        config["linux"]["cgroupsPath"] = f"/bench-{os.getpid()}"
        (folder / "config.json").write_text(json.dumps(config))

    def command(self, number: int) -> list[str]:
        """To be run in ``folder``."""
        state = str(self.folder / "state")
        return ["runc", "--root", state, "run", f"bench-{os.getpid()}-{number}"]

"""How long a workload takes to start in an image that is here already: from asking for it to the
end of its only command, `true`.

The peer is bare runc on the same unpacked image with the same limits, in the same run, turn by
turn. At most 1.5 times as long, and 100 ms more.

    python bench/start.py [--rounds 20]
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.harness.images import image
from tests.sites.contract.rig import ended, upload

from skerry.sites.contract import ImageSource, Resources, Workload
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver

FACTOR, MORE = 1.5, 0.1
MEMORY, MILLICORES, PIDS = 64 << 20, 1000, 512


class Bare:
    """A bundle for runc, as `runc spec` writes it, with the image as its root."""

    def __init__(self, folder: Path, rootfs: Path) -> None:
        folder.mkdir()
        self._folder = folder
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        config = json.loads((folder / "config.json").read_text())
        config["root"] = {"path": str(rootfs), "readonly": True}
        config["process"] |= {"terminal": False, "args": ["true"], "rlimits": []}
        config["process"]["env"] = ["PATH=/bin"]
        config["linux"]["resources"] |= {
            "memory": {"limit": MEMORY},
            "cpu": {"quota": MILLICORES * 100, "period": 100_000},
            "pids": {"limit": PIDS},
        }
        config["linux"]["cgroupsPath"] = f"/bench-start-{os.getpid()}"
        (folder / "config.json").write_text(json.dumps(config))

    def run(self, number: int) -> float:
        begun = time.perf_counter()
        name = f"bench-{os.getpid()}-{number}"
        state = str(self._folder / "state")
        subprocess.run(["runc", "--root", state, "run", name], cwd=self._folder, check=True)
        return time.perf_counter() - begun


async def ours(site: LocalDriver, digest: str, number: int) -> float:
    begun = time.perf_counter()
    work = Workload(
        id=f"start-{number}",
        tenant="bench",
        command=("true",),
        image=digest,
        resources=Resources(millicores=MILLICORES, memory=MEMORY, pids=PIDS),
        isolation="sandbox",
    )
    await site.apply(work, 1)
    status = await ended(site, work.id)
    took = time.perf_counter() - begun
    assert status.tasks[0].exit_code == 0, status
    await site.delete(work.id, 1)
    return took


async def measure(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    settings = {"data": str(folder / "site"), "engines": ["runc"], "reserveMemory": 0}
    site = LocalDriver(read({**settings, "keepFree": 0}))
    try:
        source = ImageSource(archive=await upload(site, image().archive()))
        digest = [item async for item in site.prepare_image(source)][-1].digest
        rootfs = folder / "site/images/roots" / digest.removeprefix("sha256:") / "rootfs"
        bare = Bare(folder / "bare", rootfs)
        await ours(site, digest, 0)
        bare.run(0)
        here, there = [], []
        for number in range(1, rounds + 1):
            here.append(await ours(site, digest, number))
            there.append(await asyncio.to_thread(bare.run, number))
        return here, there
    finally:
        await site.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0:
        print("bare runc needs root: nothing was measured")
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        here, there = asyncio.run(measure(Path(folder), rounds))
    mine, peer = statistics.median(here), statistics.median(there)
    limit = FACTOR * peer + MORE
    print(f"{rounds} rounds, medians, from asking to the end of `true` in a cached image")
    print(f"bare runc  {peer * 1000:7.1f} ms")
    print(f"skerry     {mine * 1000:7.1f} ms  at most {limit * 1000:.0f}  ratio {limit / mine:.2f}"
          f"  {mine / peer:.2f} × bare runc")  # fmt: skip
    return 0 if mine <= limit else 1


if __name__ == "__main__":
    sys.exit(main())

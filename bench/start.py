"""How long a workload takes to start in an image that is here already: from asking for it to the
end of its only command, `true`.

The peer is bare runc on the same unpacked image with the same limits, in the same run, turn by
turn. At most 1.5 times as long, and 100 ms more.

    python bench/start.py [--rounds 20]
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figures
from figures.bare import Bare

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.harness.images import image
from tests.sites.contract.rig import ended, upload

from skerry.sites.contract import ImageSource, Resources, Workload
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver

FIGURES = Figures("start")
FACTOR, MORE = 1.5, 0.1
MEMORY, MILLICORES, PIDS = 64 << 20, 1000, 512


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


def barely(bare: Bare, number: int) -> float:
    begun = time.perf_counter()
    subprocess.run(bare.command(number), cwd=bare.folder, check=True)
    return time.perf_counter() - begun


async def measure(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    settings = {"data": str(folder / "site"), "engines": ["runc"], "reserveMemory": 0}
    site = LocalDriver(read({**settings, "keepFree": 0}))
    try:
        source = ImageSource(archive=await upload(site, image().archive()))
        digest = [item async for item in site.prepare_image(source)][-1].digest
        rootfs = folder / "site/images/roots" / digest.removeprefix("sha256:") / "rootfs"
        bare = Bare(folder / "bare", rootfs, ["true"], memory=MEMORY, pids=PIDS)
        await ours(site, digest, 0)
        barely(bare, 0)
        here, there = [], []
        for number in range(1, rounds + 1):
            here.append(await ours(site, digest, number))
            there.append(await asyncio.to_thread(barely, bare, number))
        return here, there
    finally:
        await site.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0 or not shutil.which("runc"):
        print("bare runc needs root: nothing was measured")
        return FIGURES.end()
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        here, there = asyncio.run(measure(Path(folder), rounds))
    mine, peer = (1000 * statistics.median(found) for found in (here, there))
    FIGURES.add("asked to the end of `true`, p50", mine, "ms", limit=FACTOR * peer + 1000 * MORE)
    FIGURES.add("beside bare runc", mine, "ms", peer=("bare runc", peer))
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(main())

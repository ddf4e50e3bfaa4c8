"""A database that is there already, for clouds of which a test wants other things than their first
start: made once in a run, by the same means as the first start itself, then copied."""

import asyncio
import fcntl
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres


def prepare(data: Path) -> None:
    """Give a cloud's new data directory its database."""
    run = Path(os.environ["SKERRY_TEST_RUN"]) / "prepared"
    run.mkdir(exist_ok=True)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "ready").exists():
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, _made(run / "postgres")).result()
            (run / "ready").touch()
    (data / "postgres").mkdir(mode=0o700, parents=True)
    data.chmod(0o700)
    shutil.copytree(run / "postgres/cluster", data / "postgres/cluster")


async def _made(place: Path) -> None:
    postgres = EmbeddedPostgres(place)
    await migrate(await postgres.start())
    await postgres.stop()

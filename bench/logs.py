"""Logs: how fast lines are kept, what they take on disk, and how soon words are found in them.

The lines are those of services: times, levels, request ids that stand once, paths, latencies and
words from a vocabulary of 20,000, some of them rare. The peers, in the same run: COPY of the same
lines into a plain table (fsync on), and ``grep -wi`` over the same lines in one file.

    python bench/logs.py [--lines 1000000]
"""

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from figures import Figures
from skerry.series.logs import Read, add, places
from skerry.series.search import Search, search
from skerry.series.words import parse
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

START = datetime(2026, 10, 5, tzinfo=UTC)
DAYS = 7
JOBS = 50
CHUNK = 5_000
"""Lines of one task in one round: a few hundred KiB."""

FIGURES = Figures("logs")


class Writer:
    """Lines with the statistics of those that services write."""

    def __init__(self) -> None:
        self.chance = random.Random(1)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.vocabulary = [
            "".join(self.chance.choices(letters, k=self.chance.randint(3, 10)))
            for _ in range(20_000)
        ]
        self.common = self.vocabulary[:200]

    def chunk(self, number: int) -> list[str]:
        pick, lines = self.chance, []
        for n in range(CHUNK):
            words = " ".join(pick.choices(self.common, k=5) + pick.choices(self.vocabulary, k=2))
            lines.append(
                f"{START.date()}T{n % 24:02}:{n % 60:02}:{n % 59:02}.{n % 1000:03}Z"
                f" {'ERROR' if n % 500 == 7 else 'INFO'} req={pick.getrandbits(64):016x}"
                f" GET /v1/{pick.choice(self.common)}/{pick.randrange(100_000)}"
                f" {pick.randrange(5000)}ms {words}"
            )
        lines[CHUNK // 2] += f" needle{number}"
        return lines


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


def rounds(count: int) -> Iterator[tuple[int, str, datetime]]:
    """Chunks in the order of time, over the days that are kept."""
    every = timedelta(days=DAYS - 1) / max(count // CHUNK, 1)
    for number in range(count // CHUNK):
        yield number, f"w-{number % JOBS}", START + number * every


async def keeping(db: Database, count: int, file: Path) -> None:
    owner = uuid.uuid4()
    await db.execute(
        "insert into resource select $1, 'job', 'a', 'a', 'acme', 'lab', '', '', null, $1, '',"
        " '{}', '{}', '{}', '{}', 'v1', '{}', 'active', '[]', 1, 1, now(), now(), null", owner,
    )  # fmt: skip
    await db.execute("create table peer (at timestamptz, line text)")
    await db.execute(
        "update clock set shift = $1 - clock_timestamp()", START + timedelta(days=DAYS)
    )
    writer, ours, theirs, size = Writer(), 0.0, 0.0, 0
    with file.open("w") as plain:
        for number, task, at in rounds(count):
            lines = writer.chunk(number)
            text = "".join(f"{one}\n" for one in lines)
            size += plain.write(text)
            data = text.encode()

            async def keep(task: str = task, at: datetime = at, data: bytes = data) -> None:
                async with db.transaction() as tx:
                    cutter = (await places(tx, [(task, 0)]))[(task, 0)]
                    found = list(cutter.feed(cutter.next, "stdout", at, data))
                    await add(tx, [Read((task, 0), owner, cutter, found)])

            async def copy(at: datetime = at, lines: list[str] = lines) -> None:
                async with db.transaction() as tx:
                    await tx.copy("peer", ("at", "line"), [(at, one) for one in lines])

            ours += await seconds(keep)
            theirs += await seconds(copy)
    # What a host may say is 1 MiB of each task in 15 s: so many tasks at full speed.
    rate, plainly = size / ours / 2**20, size / theirs / 2**20
    FIGURES.add("text kept", rate, "MiB/s", limit=4, least=1)
    FIGURES.add("text kept, beside COPY of lines", rate, "MiB/s", peer=("COPY", plainly))
    FIGURES.add("lines kept", count / ours, "/s", limit=20_000, least=1)
    await db.execute("vacuum analyze")
    like = "select sum(pg_total_relation_size(oid))::bigint from pg_class where relname like $1"
    kept = await db.fetchval(f"{like} and relkind = 'r'", "log_piece%")
    table = await db.fetchval(f"{like} and relkind = 'r'", "peer")
    FIGURES.add("disk for a byte of text", kept / size, "bytes", limit=1.5)
    FIGURES.add("disk, beside lines as rows", kept / size, "bytes", peer=("rows", table / size))


async def _all(owners: Collection[uuid.UUID]) -> Collection[uuid.UUID]:
    return owners


async def finding(db: Database, count: int, file: Path) -> None:
    writer, chunks = Writer(), count // CHUNK
    pick = random.Random(2)
    asked = {
        "a word that stands once": [f"needle{pick.randrange(chunks)}" for _ in range(20)],
        "two rare words": [
            " ".join(pick.sample(writer.vocabulary[200:], 2)) for _ in range(20)
        ],
        "a common word": pick.sample(writer.common, 20),
        "an error with a common word": [f"error {word}" for word in pick.sample(writer.common, 20)],
        "nothing": ["".join(pick.choices("qxzj", k=12)) for _ in range(20)],
    }  # fmt: skip
    end = START + timedelta(days=DAYS)
    for name, words in asked.items():
        ours = []
        for text in words:

            async def ask(text: str = text) -> None:
                wanted = Search("acme", "lab", parse(text), START, end, None, 200)
                page = await search(db, wanted, _all)
                while page.next is not None and not page.lines:
                    wanted = Search("acme", "lab", wanted.wanted, START, end, None, 200, page.next)
                    page = await search(db, wanted, _all)

            ours.append(await seconds(ask) * 1000)
        theirs = [grep(text.split(), file) * 1000 for text in words[:3]]
        middle = statistics.median(ours)
        peer = statistics.median(theirs)
        FIGURES.add(f"found: {name}, p50", middle, "ms", limit=500)
        FIGURES.add(f"found: {name}, beside grep", middle, "ms", peer=("grep", peer))


def grep(words: list[str], file: Path) -> float:
    """Seconds until grep has looked through all lines for the first word."""
    start = time.perf_counter()
    subprocess.run(["grep", "-wic", words[0], str(file)], stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        postgres = EmbeddedPostgres(Path(place) / "pg")
        await postgres.start()
        try:
            await migrate(postgres.url_of("postgres"))
            db = await Database.open(postgres.url_of("postgres"))
            await keeping(db, given.lines, Path(place) / "lines")
            await finding(db, given.lines, Path(place) / "lines")
            await db.close()
        finally:
            await postgres.stop()
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

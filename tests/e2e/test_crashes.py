"""Everything is killed at every step of every flow, for real.

All kinds that have a flow live at once on one cloud, again and again. A hand in the server strikes
(``tests.harness.mortal``): at each step of each kind it kills the server once, Postgres once, the
host agent once, and once whatever runs. The kinds are the registry's, so a product added tomorrow
is killed tomorrow; the moments in between are in ``tests/coverage/test_flows.py``, in process.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from skerry.kernel.kinds import Registry
from skerry.store.postgres import EmbeddedPostgres
from tests.e2e.conftest import Cloud, until
from tests.e2e.lives import Lives, left_to_strike, marks
from tests.e2e.test_notebooks import KEPT
from tests.harness import mortal
from tests.harness.crash import flows
from tests.harness.mortal import FATE, VICTIMS, Fate, shims

REGISTRY = Registry.discover()
BUDGET = float(os.environ.get("SKERRY_CRASH_SECONDS", "420"))
"""How long blows fall. Lives that have begun are lived to their end."""


class Mortal(Cloud):
    """A cloud with the hand in it. Whoever finds it dead starts it again."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.fate = Fate(home / "fate")
        self.fate.directory.mkdir()
        self.entry = [self.entry[0], str(Path(mortal.__file__))]
        self.starts = 0

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, FATE: str(self.fate.directory)}

    def revive(self) -> None:
        """Start it if it has ended; it may be killed again before it is up."""
        while self.process is None or self.process.poll() is not None:
            self.starts += 1
            with contextlib.suppress(AssertionError):
                self.start()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Mortal]:
    made = Mortal(tmp_path)
    (KEPT / "environments").mkdir(mode=0o700, parents=True, exist_ok=True)
    (made.data / "agent").mkdir(mode=0o700, parents=True)
    (made.data / "agent/environments").symlink_to(KEPT / "environments")
    made.start()
    until(made.offers, made.tail)
    yield made
    made.fate.armed.unlink(missing_ok=True)
    made.revive()
    made.stop()


@pytest.mark.long
def test_everything_is_killed_at_every_step(cloud: Mortal) -> None:
    over, fate = threading.Event(), cloud.fate
    above = [Lives(cloud, REGISTRY.above(k), (), fate, over) for k in flows(REGISTRY) if k.parents]
    for one in above:
        one.begin("one")
    lives = [
        Lives(cloud, kind, ("one",) * len(kind.parents), fate, over) for kind in flows(REGISTRY)
    ]
    watch = Watch(cloud)
    end = time.monotonic() + BUDGET
    fate.armed.touch()
    with ThreadPoolExecutor(len(lives)) as pool:
        running = [pool.submit(one.run) for one in lives]
        while not all(one.done() for one in running):
            cloud.revive()
            watch.look()
            spared = {one.kind.noun for one in lives} - {blow[0] for blow in fate.noted("struck")}
            late = time.monotonic() - end
            enough = late > BUDGET or (late > 0 and not spared) or watch.idle
            if enough or any(one.done() for one in running):
                over.set()
                fate.armed.unlink(missing_ok=True)
            time.sleep(0.1)
        for one in running:
            one.result()
    for one in above:
        one.end("one")
    _tell(cloud, lives)
    struck = {blow[:2] for blow in fate.noted("struck")}
    assert [at for one in lives for at in one.steps if at not in struck] == []
    assert spared == set()
    assert watch.doubled == set()
    until(lambda: not shims(cloud.data), lambda: f"orphans: {shims(cloud.data)} {cloud.tail()}")
    asyncio.run(_assert_nothing_is_left(cloud))
    audited = cloud.audit()
    assert audited.returncode == 0, audited.stdout


class Watch:
    """What runs, looked at all the time."""

    def __init__(self, cloud: Mortal) -> None:
        self._fate = cloud.fate
        self._count = 0
        self._since = time.monotonic()
        self.doubled: set[str] = set()

    def look(self) -> None:
        found: Counter[str] = Counter()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").strip()
                if (mark := marks(line.decode(errors="replace"))) is not None:
                    found[mark] += 1
        self.doubled |= {mark for mark, count in found.items() if count > 1}
        struck = len(self._fate.noted("struck"))
        if struck != self._count:
            self._count, self._since = struck, time.monotonic()

    @property
    def idle(self) -> bool:
        """Whether there is nothing more to strike, and was nothing for a while."""
        done = not left_to_strike(self._fate, VICTIMS)
        return done and time.monotonic() - self._since > 30


def _tell(cloud: Mortal, lives: list[Lives]) -> None:
    struck = Counter(words[2] for words in cloud.fate.noted("struck"))
    print(f"struck {dict(struck)}, {cloud.starts} starts")
    for one in lives:
        print(one.kind.noun, dict(Counter(one.ends)))
    print(f"not struck: {len(left_to_strike(cloud.fate, VICTIMS))} of them")


async def _assert_nothing_is_left(cloud: Mortal) -> None:
    db = await asyncpg.connect(EmbeddedPostgres(cloud.data / "postgres").url)

    async def none(what: str, sql: str) -> None:
        for _ in range(600):
            if not (rows := await db.fetch(sql)):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{what}: {[dict(row) for row in rows]}")

    try:
        await none("resources that stay", "select ref, state from resource r join flow using (uid)")
        await none("capacity", "select id, owner, state from lease where state <> 'closed'")
        await none("money set aside", "select lease, state from hold where state <> 'closed'")
        await none("meters", "select id, meter from stream where not closed")
        await none(
            "seconds billed twice",
            "select u.stream, u.starts_at from usage u join usage o on o.stream = u.stream"
            " and o.starts_at > u.starts_at and o.starts_at < u.ends_at",
        )
        await none(
            "more billed than ran",
            """
            select used.root_uid, used.quantity, ran.quantity as ran from (
              select h.root_uid, sum(u.quantity)::float8 as quantity
              from usage u join stream s on s.id = u.stream join hold h on h.lease = s.lease
              where s.meter = 'cpu-hour' group by 1) used
            left join (
              select r.root_uid, sum(extract(epoch from w.ended_at - w.started_at)
                * coalesce((r.spec ->> 'millicores')::int, 1000)) as quantity
              from workload w join resource r on r.uid = w.owner
              group by 1) ran using (root_uid)
            where used.quantity > coalesce(ran.quantity, 0) * 1.001 + 100""",
        )
    finally:
        await db.close()

"""What goes wrong below a server, the alert that tells it, and that it closes."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest

from skerry.kernel import alerts
from skerry.kernel.vitals import CHANNEL, MISSED, Vitals
from skerry.store import Database


class Seconds:
    """Those that have passed, as a test says."""

    def __init__(self) -> None:
        self.count = 0.0

    def __call__(self) -> float:
        return self.count


class Ground:
    """A server's vitals, and a clock of its database that stands still unless it is moved."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.seconds = Seconds()
        self.vitals = Vitals(db, "one", patience=0.5, passing=self.seconds)

    async def passes(self, seconds: float) -> None:
        """Time passes, here and there."""
        self.seconds.count += seconds
        await self.leaps(seconds)

    async def leaps(self, seconds: float) -> None:
        await self.db.execute("update clock set shift = shift + $1", timedelta(seconds=seconds))

    async def now(self) -> datetime:
        found: datetime = await self.db.fetchval("select skerry_now()")
        return found

    async def alerts(self) -> list[str]:
        rows = await alerts.open_alerts(self.db)
        assert all(row["remedy"] and row["message"] for row in rows)
        return sorted(row["reason"] for row in rows)


@pytest.fixture
def ground(db: Database) -> Ground:
    return Ground(db)


async def test_nothing_is_wrong(ground: Ground) -> None:
    for _ in range(3):
        await ground.vitals.look()
        await ground.passes(2)
    assert await ground.alerts() == []


async def test_time_does_not_run_back(ground: Ground) -> None:
    await ground.vitals.look()
    before = await ground.now()
    await ground.leaps(-3600)
    await ground.vitals.look()
    assert await ground.alerts() == ["ClockPutBack"]
    after = await ground.now()
    assert abs(after - before) < timedelta(minutes=1)
    # It loses a twentieth of what passes, never more, until it is the machine's again.
    await ground.passes(1000)
    await ground.vitals.look()
    assert (await ground.now() - after).total_seconds() == pytest.approx(950, abs=20)
    for _ in range(75):
        await ground.passes(1000)
        ground.vitals.heard()
        await ground.vitals.look()
    assert await ground.alerts() == []
    assert await ground.db.fetchval("select held from clock") == timedelta(0)


async def test_a_clock_that_is_put_right_again_leaves_nothing(ground: Ground) -> None:
    await ground.vitals.look()
    for leap in (-3600, 3600):
        before = await ground.now()
        await ground.leaps(leap)
        await ground.vitals.look()
        assert abs(await ground.now() - before) < timedelta(minutes=1)
        await ground.vitals.look()
    assert await ground.alerts() == []


async def test_two_servers_put_it_right_once(ground: Ground) -> None:
    other = Vitals(ground.db, "two", passing=ground.seconds)
    await ground.vitals.look()
    await other.look()
    before = await ground.now()
    await ground.leaps(-3600)
    await asyncio.gather(ground.vitals.look(), other.look())
    await asyncio.gather(ground.vitals.look(), other.look())
    assert abs(await ground.now() - before) < timedelta(minutes=1)
    assert await ground.alerts() == ["ClockPutBack"]


async def test_a_leap_ahead_is_told_for_a_while(ground: Ground) -> None:
    await ground.vitals.look()
    await ground.leaps(3600)
    await ground.vitals.look()
    assert await ground.alerts() == ["ClockLeapt"]
    await ground.passes(500)
    await ground.vitals.look()
    assert await ground.alerts() == ["ClockLeapt"]
    await ground.passes(200)
    await ground.vitals.look()
    assert await ground.alerts() == []


async def test_no_connection_is_free(ground: Ground) -> None:
    await ground.vitals.look()
    async with AsyncExitStack() as stack:
        while ground.db.idle:
            await stack.enter_async_context(ground.db.transaction())
        await ground.vitals.look()
        outside = await Database.open(ground.db.url, 1)
        stack.push_async_callback(outside.close)
        [alert] = await alerts.open_alerts(outside)
        assert (alert["subject"], alert["reason"]) == ("one", "ConnectionsExhausted")
        assert "pg_stat_activity" in alert["remedy"]
    await ground.vitals.look()
    assert await ground.alerts() == []


async def test_notices_that_do_not_arrive(ground: Ground) -> None:
    for _ in range(MISSED + 2):
        await ground.vitals.look()
    assert await ground.alerts() == ["NoticesLost"]
    heard = asyncio.Event()

    def hear() -> None:
        ground.vitals.heard()
        heard.set()

    await ground.db.listen(CHANNEL, hear)
    await ground.vitals.look()
    await heard.wait()
    await ground.vitals.look()
    assert await ground.alerts() == []

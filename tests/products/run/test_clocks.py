"""The clock of the database's machine is moved while a job runs."""

from datetime import timedelta

import pytest

from skerry.kernel.vitals import Pace, Vitals
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

QUARTER = 900


async def test_a_leap_ahead_is_not_billed(cloud: Cloud) -> None:
    """Host and database are one machine, as in most clouds, so the host's clock leaps as well."""
    leapt = 0
    await cloud.site()
    cloud.observer.mind("one", Pace(lambda: cloud.clock.shift - leapt))
    job = await cloud.job(script=Script().sleep(2 * QUARTER))
    await cloud.until(job, "running")
    await cloud.let_pass(300, step=60)
    leapt = QUARTER
    await cloud.shift(QUARTER)
    await cloud.let_pass(10)
    assert await cloud.alerts() == []
    ended = await cloud.until(job, "succeeded", most=2 * QUARTER, step=60)
    assert ended.status["attempt"] == 1
    assert await cloud.seconds(job) == pytest.approx(QUARTER, abs=20)
    assert len(await cloud.works(job)) == 1
    await cloud.assert_books_closed()


async def test_a_clock_put_back_holds_nothing_up(cloud: Cloud) -> None:
    """What naps wakes as if nothing had happened, and no second is billed twice."""
    await cloud.site()
    vitals = Vitals(cloud.db, "here", passing=lambda: cloud.clock.shift)
    job = await cloud.job(script=Script().sleep(QUARTER))
    await cloud.until(job, "running")
    await cloud.let_pass(300, step=60)
    await vitals.look()
    # The database's machine alone: the host is another.
    await cloud.db.shift_clock(-timedelta(minutes=15))
    await vitals.look()
    assert await cloud.alerts() == ["ClockPutBack"]
    ended = await cloud.until(job, "succeeded", most=QUARTER, step=60)
    assert ended.status["attempt"] == 1
    assert await cloud.seconds(job) == pytest.approx(QUARTER, abs=20)
    await cloud.assert_books_closed()

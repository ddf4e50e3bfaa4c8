"""A job's life when nothing goes wrong but the job itself."""

import pytest

from skerry.products.run.specs import ENDED
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script


async def test_a_job_is_queued_placed_run_and_billed(cloud: Cloud) -> None:
    await cloud.site(startSeconds=5)
    job = await cloud.job(script=Script().sleep(100).exit(0), millicores=2000)
    assert (job.state, job.phase) == ("pending", "queued")
    await cloud.turn()
    starting = await cloud.read(job)
    assert (starting.state, starting.phase) == ("creating", "starting")
    assert starting.status["place"]["site"] == "one"
    assert await cloud.used() == 2000
    running = await cloud.until(job, "running")
    assert running.state == "active"
    ended = await cloud.until(job, "succeeded")
    assert ended.state == "active"
    assert ended.status["exitCode"] == 0
    assert [c["state"] for c in ended.conditions] == ["active", "creating", "pending"]
    assert await cloud.seconds(job) == pytest.approx(100, abs=0.1)
    assert ended.status["cost"]["amountNano"] == await cloud.charged(job) > 0
    assert await cloud.leases(job) == [("closed", "done")]
    await cloud.assert_books_closed()

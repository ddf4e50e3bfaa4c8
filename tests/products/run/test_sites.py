"""What sites do to jobs: no room after all, refusals, silence, losses."""

import asyncio
import time

import pytest

from skerry.products.run import place
from skerry.products.run.work import GRACE
from skerry.sites.simulated.faults import Fault
from tests.products.run.cloud import Cloud, driver
from tests.sites.contract.script import Script

HOUR = 3600.0


async def outage(cloud: Cloud, seconds: float) -> None:
    """Time in which the server is there and the site can't be heard."""
    await cloud.let_pass(seconds, step=10 if seconds < 300 else 14)


async def test_no_room_at_the_site_though_the_market_had_some(cloud: Cloud) -> None:
    """Somebody else uses the machine: the job waits in the queue, and takes nothing meanwhile."""
    world = await cloud.site()
    world.fail(Fault(kind="no-room", verbs=("apply",), seconds=60, message="it is full"))
    job = await cloud.job(script=Script().sleep(10))
    await cloud.turn()
    queued = await cloud.read(job)
    assert (queued.phase, queued.status["reason"]) == ("queued", "NoRoom")
    assert queued.status["message"] == "it is full."
    assert await cloud.used() == 0
    assert await cloud.held() == 0
    ended = await cloud.until(job, "succeeded")
    assert ended.status["attempt"] == 1
    states = await cloud.leases(job)
    assert states[-1] == ("closed", "done")
    assert set(states[:-1]) == {("closed", "failed")}
    # It asks less and less often.
    assert len(states) <= 6
    await cloud.assert_books_closed()


async def test_refused_by_the_site(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(Fault(kind="refuse", verbs=("apply",), reason="Network", message="no network here"))
    job = await cloud.job()
    failed = await cloud.until(job, "failed")
    assert (failed.status["reason"], failed.status["message"]) == ("Network", "no network here.")
    assert "exitCode" not in failed.status
    assert failed.state == "active"
    assert await cloud.leases(job) == [("closed", "failed")]
    await cloud.assert_books_closed()


async def test_a_refusal_is_a_failure_that_may_be_tried_again(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(
        Fault(kind="refuse", verbs=("apply",), reason="start failed!", message="disk full", times=1)
    )
    job = await cloud.job(script=Script().sleep(1), retries=1)
    again = await cloud.until(job, lambda r: "reason" in r.status)
    assert again.status["reason"] == "Refused"
    assert again.status["message"] == "Attempt 1 of 2 failed. disk full."
    ended = await cloud.until(job, "succeeded")
    assert ended.status["attempt"] == 2
    await cloud.assert_books_closed()


async def test_a_site_that_is_busy_is_asked_again(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(Fault(kind="refuse", verbs=("apply",), reason="Busy", times=1))
    job = await cloud.job(script=Script().sleep(1))
    await cloud.until(job, "succeeded")


async def test_a_site_that_is_away_before_anything_was_sent_is_left_for_another(
    cloud: Cloud,
) -> None:
    """The market does not know yet that it is away."""
    await cloud.site("one", gpus=[{"model": "L4", "count": 1}])
    await cloud.site("two", gpus=[{"model": "L4", "count": 1}])
    job = await cloud.job(gpus=1, script=Script().sleep(5))
    await cloud.hub.close("one")
    await cloud.hub.close("two")
    await cloud.worker.drain()
    queued = await cloud.read(job)
    assert (queued.phase, queued.status["reason"]) == ("queued", "SiteUnreachable")
    assert "is not connected." in queued.status["message"]
    assert await cloud.used("one") == await cloud.used("two") == 0
    cloud.hub.open("two", "simulated", {"name": cloud.sites["two"].config.name})
    ended = await cloud.until(job, "succeeded")
    assert ended.status["place"]["site"] == "two"
    assert await cloud.charged(job) == ended.status["cost"]["amountNano"]
    await cloud.assert_books_closed()


async def test_once_sent_it_may_be_there_and_is_started_nowhere_else(cloud: Cloud) -> None:
    world = await cloud.site()
    await cloud.site("two")
    world.fail(Fault(kind="answer-lost", verbs=("apply",), times=1))
    cloud.sites["two"].fail(Fault(kind="answer-lost", verbs=("apply",), times=1))
    job = await cloud.job(script=Script().sleep(200))
    await cloud.worker.drain()
    starting = await cloud.read(job)
    assert starting.phase == "starting"
    site = starting.status["place"]["site"]
    assert starting.status["message"].endswith("It is tried again until the site is back.")
    cloud.sites[site].fail(Fault(kind="unreachable"))
    await outage(cloud, 120)
    waiting = await cloud.shown(job)
    assert (waiting["phase"], waiting["reason"]) == ("starting", "SiteUnreachable")
    assert "out of contact since 2026-10-05" in waiting["message"]
    cloud.sites[site].heal()
    ended = await cloud.until(job, "succeeded")
    assert len(await cloud.works(job)) == 1
    assert "message" not in ended.status
    assert cloud.at_site("one") + cloud.at_site("two") == ["exited"]
    # It ran from the start, while nobody could see it: that time is free.
    assert await cloud.seconds(job) == pytest.approx(80, abs=25)
    await cloud.assert_books_closed()


async def test_cancelled_while_nobody_knows_whether_it_started(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(Fault(kind="answer-lost", verbs=("apply",), times=1))
    job = await cloud.job(script=Script().sleep(1000))
    await cloud.worker.drain()
    world.fail(Fault(kind="unreachable"))
    await cloud.cancel(job)
    await outage(cloud, 60)
    assert (await cloud.read(job)).phase == "starting"
    world.heal()
    await cloud.until(job, "cancelled")
    assert "running" not in cloud.at_site()
    await cloud.assert_books_closed()


async def test_two_hours_unheard_are_free_and_end_nothing(cloud: Cloud) -> None:
    begun = time.monotonic()
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(3 * HOUR))
    await cloud.until(job, "running")
    await cloud.let_pass(600, step=60)
    world.fail(Fault(kind="unreachable"))
    await outage(cloud, 120)
    before = (await cloud.shown(job))["cost"]["amountNano"]
    await outage(cloud, 2 * HOUR - 120)
    unseen = await cloud.shown(job)
    assert (unseen["phase"], unseen["reason"]) == ("running", "SiteUnreachable")
    assert unseen["cost"]["amountNano"] == before
    assert await cloud.leases(job) == [("active", "")]
    assert "SiteUnreachable" in await cloud.alerts()
    world.heal()
    ended = await cloud.until(job, "succeeded", most=2 * HOUR, step=60)
    assert ended.status["attempt"] == 1
    assert len(await cloud.works(job)) == 1
    # The clock goes on by itself while the test runs, in sight and out of it.
    assert await cloud.seconds(job) == pytest.approx(HOUR, abs=20 + time.monotonic() - begun)
    assert ended.status["cost"]["amountNano"] == await cloud.charged(job)
    assert await cloud.alerts() == []
    await cloud.assert_books_closed()


async def test_what_ended_unheard_is_billed_to_the_silence(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(1000).exit(4))
    await cloud.until(job, "running")
    await cloud.let_pass(300)
    world.fail(Fault(kind="unreachable"))
    await outage(cloud, 2000)
    assert (await cloud.read(job)).phase == "running"
    world.heal()
    failed = await cloud.until(job, "failed")
    assert failed.status["exitCode"] == 4
    assert await cloud.seconds(job) == pytest.approx(300, abs=20)
    await cloud.assert_books_closed()


async def test_the_servers_own_absence_is_billed_as_the_host_reports(cloud: Cloud) -> None:
    await cloud.site()
    short = await cloud.job("short", Script().sleep(1000))
    long = await cloud.job("long", Script().sleep(3 * HOUR))
    await cloud.until(short, "running")
    await cloud.until(long, "running")
    await cloud.shift(2 * HOUR)
    cloud = cloud.restart()
    await cloud.let_pass(120)
    assert (await cloud.read(short)).phase == "succeeded"
    assert await cloud.seconds(short) == pytest.approx(1000, abs=0.1)
    assert (await cloud.read(long)).phase == "running"
    await cloud.let_pass(HOUR, step=60)
    assert (await cloud.read(long)).phase == "succeeded"
    assert await cloud.seconds(long) == pytest.approx(3 * HOUR, abs=0.1)
    assert len(await cloud.works(long)) == 1
    await cloud.assert_books_closed()


async def test_the_site_comes_back_later_than_the_server(cloud: Cloud) -> None:
    """Only the time in which the server was there and did not hear it is free."""
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(3 * HOUR))
    await cloud.until(job, "running")
    await cloud.shift(HOUR)
    cloud = cloud.restart()
    world.fail(Fault(kind="unreachable"))
    await outage(cloud, HOUR)
    # Nothing is known of it since the server went: nothing is charged yet.
    assert await cloud.seconds(job) == pytest.approx(0, abs=60)
    world.heal()
    await cloud.until(job, "succeeded", most=2 * HOUR, step=60)
    assert await cloud.seconds(job) == pytest.approx(2 * HOUR, abs=20)
    await cloud.assert_books_closed()


async def test_grace_begins_when_the_site_is_asked(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().ignore("TERM").sleep(9 * HOUR))
    await cloud.until(job, "running")
    world.fail(Fault(kind="unreachable", verbs=("signal",), seconds=60))
    earliest = cloud.clock.now() + 60 + GRACE
    await cloud.cancel(job)
    # The clock goes on by itself as well, and on a busy machine that is not little.
    await cloud.let_pass(55, step=11)
    while True:
        await cloud.let_pass(1, step=1)
        phases = cloud.at_site()
        if cloud.clock.now() >= earliest:
            break
        assert phases == ["running"]
    await cloud.until(job, "cancelled", most=20)
    await cloud.assert_books_closed()


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_ended_while_its_site_is_unheard(cloud: Cloud, how: str) -> None:
    """It is not closed before the site has said so, and billed for no time unseen."""
    world = await cloud.site()
    job = await cloud.job(script=Script().ignore("TERM").sleep(9 * HOUR))
    await cloud.until(job, "running")
    await cloud.let_pass(60)
    world.fail(Fault(kind="unreachable"))
    await (cloud.cancel(job) if how == "cancel" else cloud.delete(job))
    await outage(cloud, 2 * HOUR)
    assert await cloud.leases(job) == [("active", "")]
    waiting = await cloud.shown(job)
    assert waiting["phase"] == "running"
    assert cloud.at_site() == ["running"]
    world.heal()
    for _ in range(60):
        await cloud.let_pass(1)
    if how == "cancel":
        assert (await cloud.read(job)).phase == "cancelled"
        assert cloud.at_site() == ["exited"]
    else:
        assert await cloud.gone(job)
        assert cloud.at_site() == []
    assert await cloud.leases(job) == [("closed", "tenant")]
    assert await cloud.seconds(job) == pytest.approx(60, abs=25)
    await cloud.assert_books_closed()


async def test_one_that_has_ended_is_deleted_without_its_site(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(1))
    await cloud.until(job, "succeeded")
    await cloud.hub.close("one")
    await cloud.delete(job)
    await cloud.turn()
    assert await cloud.gone(job)
    assert cloud.at_site() == ["exited"]
    cloud.hub.open("one", "simulated", {"name": world.config.name})
    await cloud.let_pass(20)
    assert cloud.at_site() == []
    await cloud.assert_books_closed()


async def test_a_workload_that_vanished(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(1000))
    await cloud.until(job, "running")
    await cloud.let_pass(100)
    [work] = await cloud.works(job)
    await driver(world).delete(work.id, world.find(work.id).fence)
    await cloud.turn()
    failed = await cloud.read(job)
    assert (failed.phase, failed.status["reason"]) == ("failed", "Lost")
    assert failed.status["message"] == "It is gone: site 'one' has nothing of it any more."
    assert await cloud.leases(job) == [("closed", "breach")]
    assert await cloud.seconds(job) == pytest.approx(100, abs=5)
    await cloud.assert_books_closed()


async def test_a_workload_that_vanished_is_noticed_when_it_is_to_be_stopped(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(1000))
    gone = await cloud.job("gone", script=Script().sleep(1000))
    await cloud.until(job, "running")
    await cloud.until(gone, "running")
    for work in await cloud.works(job) + await cloud.works(gone):
        await driver(world).delete(work.id, world.find(work.id).fence)
    await cloud.cancel(job)
    await cloud.delete(gone)
    await cloud.worker.drain()
    assert (await cloud.read(job)).phase == "cancelled"
    assert await cloud.gone(gone)
    await cloud.assert_books_closed()


async def test_a_lost_task_is_tried_again_and_never_runs_on(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script()._then("sleep", 30)._then("lose"), retries=1)
    again = await cloud.until(job, lambda r: r.status.get("reason") == "Lost")
    assert again.status["message"] == "Attempt 1 of 2 failed. the site lost this task."
    failed = await cloud.until(job, "failed")
    assert failed.status["message"] == "the site lost this task."
    assert await cloud.leases(job) == [("closed", "breach")] * 2
    assert await cloud.seconds(job) == pytest.approx(60, abs=0.1)
    assert all(work.given_up_at for work in await cloud.works(job))
    await cloud.assert_books_closed()


async def test_a_site_that_never_answers_holds_nobody_up(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "PATIENCE", 0.05)
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(5))
    world.fail(Fault(kind="hang", verbs=("apply",)))
    async with asyncio.timeout(20):
        await cloud.worker.drain()
    starting = await cloud.read(job)
    assert starting.status["message"].startswith("site 'one' did not answer in")
    world.heal()
    await cloud.until(job, "succeeded")


async def test_files_that_can_not_be_had(cloud: Cloud) -> None:
    world = await cloud.site()
    digest = await cloud.blobs.put(b"some input")
    await cloud.db.execute(
        "insert into workspace_blob values ('acme', 'lab', $1, skerry_now())", str(digest)
    )
    inputs = [{"path": "a", "digest": str(digest), "size": 10}]
    world.fail(Fault(kind="unreachable", verbs=("upload",), times=1))
    job = await cloud.job(inputs=inputs, script=Script().sleep(1))
    await cloud.turn()
    assert (await cloud.read(job)).status["reason"] == "SiteUnreachable"
    await cloud.until(job, "succeeded")
    await cloud.delete(job)
    await cloud.site("two", millicores=100_000)
    cloud.blobs.path(digest).unlink()
    lost = await cloud.job("lost", inputs=inputs, millicores=90_000)
    failed = await cloud.until(lost, "failed")
    assert failed.status["reason"] == "InputMissing"
    await cloud.turn()
    await cloud.assert_books_closed()


async def test_secrets_put_anew_do_not_start_it_twice(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(Fault(kind="answer-lost", verbs=("apply",), times=1))
    job = await cloud.job(script=Script().sleep(30), secretEnv={"PIN": "old"})
    await cloud.worker.drain()
    await cloud.put("job", job.name, {**job.spec, "secretEnv": {"PIN": "new"}})
    await cloud.until(job, "succeeded")
    assert len(await cloud.works(job)) == 1
    assert await cloud.seconds(job) == pytest.approx(30, abs=0.1)


async def test_silence_is_noticed_within_ten_seconds_and_handled_later(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(300))
    await cloud.until(job, "running")
    world.fail(Fault(kind="unreachable"))
    await cloud.let_pass(10, step=1)
    [site] = await cloud.db.fetch(
        "select uid, status ->> 'phase' as phase from resource where kind = 'site'"
    )
    assert site["phase"] == "silent"
    other = await cloud.job("other", Script().sleep(5))
    await cloud.let_pass(5, step=1)
    assert (await cloud.read(other)).status["reason"] == "NoOffer"
    assert (await cloud.read(job)).phase == "running"
    assert "SiteUnreachable" not in await cloud.alerts()
    assert await cloud.db.fetchval("select count(*) from site_outage") == 0
    world.heal()
    await cloud.until(other, "succeeded")
    await cloud.until(job, "succeeded")
    assert len(await cloud.works(job)) == 1
    # It was heard again before it was missed: all of it is billed.
    assert await cloud.seconds(job) == pytest.approx(300, abs=1)
    await cloud.assert_books_closed()

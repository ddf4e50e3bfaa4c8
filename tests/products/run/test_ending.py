"""Cancelled and deleted, in every phase."""

import pytest

from skerry.kernel.errors import Conflict
from skerry.kernel.worker import Worker
from skerry.sites.simulated.faults import Fault
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

STUBBORN = Script().ignore("TERM").sleep(1000)


async def test_cancelled_while_queued(cloud: Cloud) -> None:
    job = await cloud.job()
    await cloud.turn()
    await cloud.cancel(job)
    cancelled = await cloud.until(job, "cancelled")
    assert cancelled.status["reason"] == "Cancelled"
    assert cancelled.status["message"] == "It was cancelled before it ran."
    assert [c["state"] for c in cancelled.conditions] == ["active", "creating", "pending"]
    with pytest.raises(Conflict, match="ended already, as cancelled"):
        await cloud.cancel(job)


async def test_cancelled_while_it_starts(cloud: Cloud) -> None:
    """Images are pulled, nothing runs yet: it ends at once, not when it has started."""
    await cloud.site(startSeconds=3600)
    job = await cloud.job(script=Script().sleep(10))
    await cloud.until(job, "starting")
    await cloud.cancel(job)
    cancelled = await cloud.until(job, "cancelled", most=5)
    assert "exitCode" not in cancelled.status
    assert cloud.at_site() == []
    assert await cloud.leases(job) == [("closed", "tenant")]
    assert await cloud.charged(job) == 0
    await cloud.assert_books_closed()


async def test_cancelled_while_it_runs(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().write("out", "x").sleep(1000), artifacts=["out"])
    await cloud.until(job, "running")
    await cloud.let_pass(20)
    await cloud.cancel(job)
    cancelled = await cloud.until(job, "cancelled")
    assert cancelled.status["exitCode"] == 128 + 15
    assert await cloud.leases(job) == [("closed", "tenant")]
    assert cancelled.status["cost"]["amountNano"] == await cloud.charged(job) > 0
    [world] = cloud.sites.values()
    [live] = world._live.values()
    assert "out" in live.tasks[0].files
    await cloud.assert_books_closed()


async def test_one_that_does_not_listen_has_its_whole_grace(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=STUBBORN, count=2)
    await cloud.until(job, "running")
    before = cloud.clock.now()
    await cloud.cancel(job)
    await cloud.turn()
    # A copy that ends meanwhile takes nothing of the other's grace.
    [world] = cloud.sites.values()
    [live] = world._live.values()
    live.tasks[0]._finish(world.now(), 0)
    world.run_due()
    await cloud.let_pass(8, step=1)
    assert sorted(cloud.at_site()) == ["exited", "running"]
    assert (await cloud.read(job)).phase == "running"
    cancelled = await cloud.until(job, "cancelled")
    assert cloud.clock.now() - before == pytest.approx(10, abs=2)
    assert cancelled.status["exitCode"] == 128 + 9
    await cloud.assert_books_closed()


async def test_cancelled_before_its_next_try(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(1).exit(1), retries=5)
    await cloud.until(job, lambda r: "Attempt" in r.status.get("message", ""))
    await cloud.cancel(job)
    await cloud.until(job, "cancelled", most=5)
    assert len(await cloud.works(job)) == 1
    await cloud.assert_books_closed()


async def test_cancelled_twice_is_cancelled_once(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=STUBBORN)
    await cloud.until(job, "running")
    await cloud.cancel(job)
    await cloud.turn()
    await cloud.cancel(job)
    await cloud.let_pass(9, step=1)
    assert (await cloud.read(job)).phase == "running"
    await cloud.until(job, "cancelled")


@pytest.mark.parametrize("phase", ["queued", "starting", "running", "stopping", "failed"])
async def test_deleted(cloud: Cloud, phase: str) -> None:
    if phase != "queued":
        await cloud.site(startSeconds=0 if phase in ("running", "stopping", "failed") else 600)
    script = Script().sleep(5).exit(1) if phase == "failed" else STUBBORN
    job = await cloud.job(script=script)
    await cloud.until(job, "running" if phase == "stopping" else phase)
    if phase == "running":
        await cloud.let_pass(30)
    if phase == "stopping":
        await cloud.cancel(job)
        await cloud.turn()
    await cloud.delete(job)
    for _ in range(20):
        await cloud.let_pass(1)
    assert await cloud.gone(job)
    if phase != "queued":
        assert cloud.at_site() == []
        [work] = await cloud.works(job)
        assert work.gone_at is not None
        ran = (work.ended_at - work.started_at).total_seconds() if work.started_at else 0
        assert await cloud.seconds(job) == pytest.approx(ran, abs=0.002)
        assert (await cloud.read(job)).status["cost"]["amountNano"] == await cloud.charged(job)
    if phase == "running":
        assert await cloud.seconds(job) == pytest.approx(30, abs=2)
        assert await cloud.leases(job) == [("closed", "tenant")]
    await cloud.assert_books_closed()


async def lived(cloud: Cloud, name: str, probe: "Acting") -> None:
    """One life in which something is asked for at one moment; at the end it is deleted."""
    cloud.worker = Worker(cloud.db, cloud.resources, cloud.services, probe=probe)
    [world] = cloud.sites.values()
    for verb in ("apply", "signal", "delete"):
        world.fail(Fault(kind="answer-lost", verbs=(verb,), times=1))
    probe.job = job = await cloud.job(name, Script().sleep(20).exit(1), retries=1)
    for _ in range(100):
        await cloud.turn()
        if (await cloud.read(job)).phase in ("failed", "cancelled") or await cloud.gone(job):
            break
        await cloud.let_pass(5)
    assert (await cloud.read(job)).phase in ("failed", "cancelled") or await cloud.gone(job)
    if not await cloud.gone(job) and (await cloud.read(job)).state != "deleting":
        await cloud.delete(job)
    for _ in range(20):
        if await cloud.gone(job):
            break
        await cloud.let_pass(5)
    assert await cloud.gone(job)
    world.heal()


class Acting:
    """Notes moments, and acts at the n-th if told one."""

    def __init__(self, cloud: Cloud, action: str = "", at: int = -1) -> None:
        self.moments: list[tuple[str, str]] = []
        self.acted = False
        self.job = None
        self._cloud, self._action, self._at = cloud, action, at

    async def __call__(self, noun: str, step: str, moment: str) -> None:
        if noun != "job" or moment not in ("claimed", "ran", "committed"):
            return
        self.moments.append((step, moment))
        if len(self.moments) - 1 == self._at:
            act = self._cloud.cancel if self._action == "cancel" else self._cloud.delete
            try:
                await act(self.job)
            except Conflict:
                return
            self.acted = True


@pytest.mark.parametrize("action", ["cancel", "delete"])
async def test_at_any_moment(cloud: Cloud, action: str) -> None:
    """Whatever step is under way, and whatever answer gets lost: it ends, it is billed for what it
    ran, and nothing is left."""
    world = await cloud.site(startSeconds=3)
    watching = Acting(cloud)
    await lived(cloud, "undisturbed", watching)
    assert {step for step, _ in watching.moments} >= {"queue", "bring", "launch", "run", "finish"}
    for at, moment in enumerate(watching.moments):
        probe = Acting(cloud, action, at)
        await lived(cloud, f"disturbed-{at}", probe)
        job = probe.job
        assert job is not None
        works = await cloud.works(job)
        ran = sum((w.ended_at - w.started_at).total_seconds() for w in works if w.ended_at)
        assert await cloud.seconds(job) == pytest.approx(ran, abs=0.005), moment
        assert cloud.at_site() == [], moment
        assert await cloud.used() == 0, moment
        assert await cloud.held() == 0, moment
        final = await cloud.read(job)
        if action == "cancel" and moment[0] in ("queue", "bring", "launch"):
            assert probe.acted, moment
            assert final.phase == "cancelled", moment
    assert not await cloud.alerts()
    assert world.room.capacity().free_millicores == world.room.capacity().millicores
    await cloud.assert_books_closed()

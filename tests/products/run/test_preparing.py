"""Images and packages are brought before anything starts: told, not billed, and the same again."""

import asyncio

import pytest

from skerry.products.run import prepare
from skerry.sites.simulated.faults import Fault
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

REFERENCE = "registry.example/team/app:1"


async def test_it_is_told_how_far_it_is_and_costs_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "_SHORTEST", 0.05)
    world = await cloud.site(pullSeconds=50)
    job = await cloud.job(image=REFERENCE, script=Script().sleep(30))
    await cloud.turn()
    waiting = await cloud.read(job)
    assert waiting.phase == "starting"
    assert waiting.status["message"] == "Pulling its image: 0 of 100 MiB."
    await cloud.let_pass(40)
    assert (await cloud.read(job)).phase == "starting"
    world.config.pull_seconds = 0
    ended = await cloud.until(job, "succeeded")
    assert "message" not in ended.status
    assert ended.status["image"].startswith("sha256:")
    assert await cloud.seconds(job) == pytest.approx(30, abs=1)
    await cloud.assert_books_closed()


async def test_who_cancels_does_not_wait_for_a_pull(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "_SHORTEST", 0.05)
    await cloud.site(pullSeconds=1000)
    job = await cloud.job(image=REFERENCE, script=Script())
    await cloud.turn()
    await cloud.cancel(job)
    await cloud.let_pass(2)
    assert (await cloud.read(job)).phase == "cancelled"
    assert await cloud.works(job) == [] or cloud.at_site() == []
    await cloud.assert_books_closed()


async def test_a_registry_that_stalls_is_tried_five_times(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(
        Fault(kind="refuse", verbs=("prepare_image",), reason="Stalled", message="it stands still")
    )
    job = await cloud.job(image=REFERENCE, script=Script())
    await cloud.turn()
    queued = await cloud.read(job)
    assert (queued.phase, queued.status["reason"]) == ("queued", "Stalled")
    assert await cloud.used() == 0
    assert await cloud.held() == 0
    failed = await cloud.until(job, "failed")
    assert failed.status["reason"] == "Stalled"
    assert len(await cloud.leases(job)) == 5
    assert await cloud.charged(job) == 0
    await cloud.assert_books_closed()


async def test_what_can_not_be_had_fails_at_once(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(requirements="-e .", script=Script())
    failed = await cloud.until(job, "failed", most=5)
    assert failed.status["reason"] == "BadRequirements"
    assert len(await cloud.leases(job)) == 1
    await cloud.assert_books_closed()


async def test_an_evicted_image_is_brought_again(cloud: Cloud) -> None:
    world = await cloud.site()
    world.fail(Fault(kind="hang", verbs=("apply",), seconds=5))
    job = await cloud.job(image=REFERENCE, script=Script().sleep(1))
    turning = asyncio.create_task(cloud.turn())
    while not world.images.has(_digest(REFERENCE)):
        await asyncio.sleep(0.01)
    world.images.evict()
    world.heal()
    await turning
    ended = await cloud.until(job, "succeeded")
    assert ended.status["image"] == _digest(REFERENCE)
    assert ended.status["attempt"] == 1
    await cloud.assert_books_closed()


async def test_a_second_try_asks_for_what_the_first_found(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(image=REFERENCE, script=Script().sleep(5).exit(1), retries=1)
    await cloud.until(job, "running")
    asked = []
    found = world.images.add
    world.images.add = lambda digest: (asked.append(digest), found(digest))[1]  # type: ignore[method-assign]
    failed = await cloud.until(job, "failed")
    assert asked == [failed.status["image"]] == [_digest(REFERENCE)]


def _digest(reference: str) -> str:
    from skerry.sites.contract import ImageSource
    from skerry.sites.simulated.blobs import Blobs
    from skerry.sites.simulated.images import image_of

    return image_of(ImageSource(reference=reference), Blobs(None))

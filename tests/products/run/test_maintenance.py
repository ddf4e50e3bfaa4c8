"""Maintenance windows: who is told, what moves, what waits, and that it is over afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource
from skerry.kernel.worker import Worker
from tests.products.run.cloud import REGISTRY, Cloud
from tests.sites.contract.script import Script

HOUR = 3600
GIB = 1 << 30
STAYS = Script().sleep(100 * HOUR)


async def window(
    cloud: Cloud, start: float = 2 * HOUR, length: float = HOUR, site: str = "one", **spec: Any
) -> Resource:
    """One that begins in so many seconds."""
    now = datetime.fromtimestamp(cloud.clock.now(), UTC)
    begins = now + timedelta(seconds=start)
    times = {"start": begins, "end": begins + timedelta(seconds=length)}
    body = {"spec": {**{k: v.isoformat() for k, v in times.items()}, **spec}}
    async with cloud.db.transaction() as tx:
        path = Path(parents=(site,), name="disks")
        put = await cloud.resources.put(tx, REGISTRY["maintenance"], path, body, SYSTEM)
    await cloud.turn()
    return await cloud.read(put.resource)


async def told(cloud: Cloud) -> list[str]:
    rows = await cloud.db.fetch(
        "select text from notice_outbox where topic = 'maintenance.announced'"
    )
    return [row["text"] for row in rows]


async def test_a_window_closes_its_place_and_opens_it_again(cloud: Cloud) -> None:
    await cloud.site()
    planned = await window(cloud)
    assert planned.phase == "planned"
    job = await cloud.job("before", Script().sleep(5))
    await cloud.until(job, "succeeded")
    await cloud.until(planned, "announced", most=2 * HOUR, step=60)
    waits = await cloud.job("within", Script().sleep(5))
    await cloud.let_pass(60)
    assert (await cloud.read(waits)).phase == "queued"
    await cloud.until(planned, "under-way", most=2 * HOUR, step=60)
    assert (await cloud.read(waits)).phase == "queued"
    await cloud.until(planned, "over", most=2 * HOUR, step=60)
    await cloud.until(waits, "succeeded")
    await cloud.assert_books_closed()


async def test_who_runs_there_is_told_once_in_time(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=STAYS)
    await cloud.until(job, "running")
    planned = await window(cloud, policy="warn", reason="New disks.")
    assert await told(cloud) == []
    await cloud.until(planned, "announced", most=2 * HOUR, step=60)
    [text] = await told(cloud)
    assert job.ref in text
    assert "New disks." in text
    over = await cloud.until(planned, "over", most=4 * HOUR, step=60)
    assert over.status["told"] == 1
    assert len(await told(cloud)) == 1
    still = await cloud.read(job)
    assert (still.phase, still.status["attempt"]) == ("running", 1)


async def test_pods_move_ahead_of_it(cloud: Cloud) -> None:
    await cloud.site("one")
    pod = await cloud.put("pod", "web", {"command": ["serve"], "env": {"SKERRY_SIM": STAYS.json}})
    await cloud.until(pod, "running")
    await cloud.site("two")
    planned = await window(cloud)
    await cloud.until(planned, "announced", most=2 * HOUR, step=60)
    moved = await cloud.until(
        pod, lambda r: r.phase == "running" and r.status["place"]["site"] == "two", most=HOUR / 2
    )
    assert moved.phase == "running"
    assert (await cloud.read(planned)).phase == "announced"


async def test_a_job_with_a_checkpoint_goes_on_afterwards_and_others_run_on(cloud: Cloud) -> None:
    await cloud.site()
    script = Script().env("SKERRY_ATTEMPT").trap("TERM", 0).sleep(100 * HOUR)
    scratch = {"size": GIB, "path": "/scratch"}
    saving = await cloud.job("saving", script, scratch=scratch)
    other = await cloud.job("other", STAYS)
    for job in (saving, other):
        await cloud.until(job, "running")
    planned = await window(cloud)
    await cloud.until(planned, "under-way", most=3 * HOUR, step=60)
    queued = await cloud.until(saving, "queued", most=120)
    assert (await cloud.read(other)).phase == "running"
    assert queued.status["attempt"] == 1
    await cloud.until(planned, "over", most=2 * HOUR, step=60)
    again = await cloud.until(saving, "running", most=300)
    assert again.status["attempt"] == 2
    assert (await cloud.read(other)).status["attempt"] == 1
    assert [state for state, _ in await cloud.leases(saving)] == ["closed", "active"]


async def test_all_ends_at_its_start_if_that_is_the_policy(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=STAYS)
    await cloud.until(job, "running")
    planned = await window(cloud, policy="end")
    await cloud.until(planned, "under-way", most=3 * HOUR, step=60)
    await cloud.until(job, "queued", most=120)
    await cloud.site("two")
    running = await cloud.until(job, "running")
    assert (running.status["place"]["site"], running.status["attempt"]) == ("two", 2)
    assert len(await cloud.works(job)) == 2


async def test_windows_that_can_not_be_are_refused(cloud: Cloud) -> None:
    await cloud.site()
    for spec, words in (
        ({"length": -60}, "ends before it begins"),
        ({"start": -7200}, "over already"),
        ({"hosts": ["nobody"]}, "no host 'nobody'"),
        ({"policy": "burn"}, "policy"),
    ):
        with pytest.raises(ValidationError, match=words):
            await window(cloud, **spec)  # type: ignore[arg-type]


async def test_one_that_is_taken_back_opens_its_place(cloud: Cloud) -> None:
    await cloud.site()
    planned = await window(cloud, start=600)
    assert planned.phase == "announced"
    job = await cloud.job(script=Script().sleep(5))
    await cloud.let_pass(60)
    assert (await cloud.read(job)).phase == "queued"
    await cloud.delete(planned)
    await cloud.until(job, "succeeded")


async def test_a_killed_worker_tells_nobody_twice(cloud: Cloud) -> None:
    """Another process takes the flow over between any two steps."""
    await cloud.site()
    job = await cloud.job(script=STAYS)
    await cloud.until(job, "running")
    planned = await window(cloud, policy="warn")
    for _ in range(20):
        cloud.worker = Worker(cloud.db, cloud.resources, cloud.services)
        await cloud.let_pass(600, 300)
    assert (await cloud.read(planned)).phase == "over"
    assert len(await told(cloud)) == 1

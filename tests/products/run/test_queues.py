"""Jobs that wait for their queue: admitted within quotas, told why they wait, and until when."""

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

ACME = Path("acme")
BETA = Path("beta", "lab")


def cores(nominal: int, **more: int) -> dict[str, object]:
    return {"resource": "millicores", "nominal": 1000 * nominal, **more}


async def queue(cloud: Cloud, name: str, *quotas: object, at: Path = ACME, **more) -> None:
    await cloud.put("queue", name, {"quotas": list(quotas), **more}, at)


async def phases(cloud: Cloud, *jobs: Resource) -> list[str]:
    await cloud.turn()
    return [(await cloud.read(job)).phase for job in jobs]


async def test_without_a_queue_nobody_waits(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(10))
    await cloud.until(job, "succeeded")
    assert await cloud.db.fetchval("select count(*) from queue_entry") == 0
    await cloud.assert_books_closed()


async def test_a_queue_admits_up_to_its_quota_and_the_next_when_one_ends(cloud: Cloud) -> None:
    await cloud.site()
    await queue(cloud, "small", cores(2))
    jobs = [
        await cloud.job(f"job-{n}", Script().sleep(100 + 20 * n), timeLimit=600) for n in range(3)
    ]
    assert await phases(cloud, *jobs) == ["running", "running", "queued"]
    waiting = await cloud.shown(jobs[2])
    assert (waiting["reason"], waiting["queue"]["position"]) == ("Queued", 1)
    assert waiting["message"] == waiting["queue"]["reason"]
    assert waiting["message"] == "It waits for 1 core: the quota is 2 cores, 2 cores of it used."
    assert waiting["queue"]["startsAt"] > "2026-10-05T12:10"
    assert "time limits" in waiting["queue"]["basis"]
    await cloud.until(jobs[0], "succeeded")
    assert (await phases(cloud, jobs[2]))[0] in ("starting", "running")
    for job in jobs:
        await cloud.until(job, "succeeded")
    assert await cloud.db.fetchval("select count(*) from queue_entry") == 0
    await cloud.assert_books_closed()


async def test_queues_of_a_cohort_lend_to_each_other_and_the_tenant_sees_it(cloud: Cloud) -> None:
    await cloud.site()
    await cloud.put("tenant", "beta", {}, Path())
    await cloud.put("workspace", "lab", {}, BETA)
    await queue(cloud, "mine", cores(1, borrowingLimit=1000), cohort="all")
    await queue(cloud, "theirs", cores(4), at=Path("beta"), cohort="all")
    jobs = [await cloud.job(f"job-{n}", Script().sleep(100)) for n in range(3)]
    assert await phases(cloud, *jobs) == ["running", "running", "queued"]
    kind = cloud.resources.registry["queue"]
    async with cloud.db.transaction() as tx:
        found = await cloud.resources.get(tx, cloud.resources.ref(kind, Path("acme", name="mine")))
        assert kind.hooks is not None
        status = await kind.hooks.shown(tx, cloud.resources, found)
    assert status["words"] == "2 cores of 1 core, 1 core of it borrowed"
    assert (status["admitted"], status["waiting"]) == (2, 1)


async def test_the_workspaces_own_queue_goes_before_the_tenants(cloud: Cloud) -> None:
    await cloud.site()
    await queue(cloud, "all", cores(0))
    job = await cloud.job(script=Script().sleep(10))
    assert await phases(cloud, job) == ["queued"]
    await queue(cloud, "lab", cores(4), workspaces=["lab"])
    await cloud.let_pass(310)
    assert (await cloud.read(job)).phase == "succeeded"
    with pytest.raises(Conflict, match="for workspace lab already"):
        await queue(cloud, "again", cores(4), workspaces=["lab"])
    with pytest.raises(Conflict, match="for all workspaces already"):
        await queue(cloud, "another", cores(4))


async def test_a_higher_priority_goes_first(cloud: Cloud) -> None:
    await cloud.site()
    await cloud.put("priority-class", "urgent", {"value": 10, "preempts": False}, Path())
    await queue(cloud, "one", cores(1))
    first = await cloud.job("first", Script().sleep(50))
    assert await phases(cloud, first) == ["running"]
    low = await cloud.job("low", Script().sleep(50))
    high = await cloud.job("high", Script().sleep(50), priorityClass="urgent")
    await cloud.turn()
    assert (await cloud.shown(low))["queue"]["position"] == 2
    await cloud.until(high, "running")
    assert (await cloud.read(low)).phase == "queued"
    await cloud.until(low, "succeeded")
    await cloud.assert_books_closed()


async def test_a_class_that_is_not_there_or_not_for_a_tenant_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ValidationError, match="no priority class 'urgent'"):
        await cloud.job(priorityClass="urgent")
    await cloud.put("priority-class", "urgent", {"value": 10, "tenants": ["beta"]}, Path())
    with pytest.raises(ValidationError, match="not for tenant 'acme'"):
        await cloud.job(priorityClass="urgent")


async def test_one_that_finds_no_place_gives_its_quota_back(cloud: Cloud) -> None:
    await cloud.site(millicores=4000)
    await queue(cloud, "wide", cores(8))
    filler = await cloud.job("filler", Script().sleep(60), millicores=3000)
    assert await phases(cloud, filler) == ["running"]
    big = await cloud.job("big", Script().sleep(10), millicores=4000)
    small = await cloud.job("small", Script().sleep(10), millicores=1000)
    assert await phases(cloud, big, small) == ["queued", "running"]
    assert (await cloud.shown(big))["reason"] == "NoOffer"
    used = await cloud.db.fetchval(
        "select sum(millicores) from queue_entry where state = 'admitted'"
    )
    assert used == 4000
    await cloud.until(big, "succeeded")
    await cloud.assert_books_closed()


async def test_one_that_is_deleted_or_cancelled_while_it_waits_leaves_nothing(
    cloud: Cloud,
) -> None:
    await cloud.site()
    await queue(cloud, "none", cores(0))
    gone, ended = await cloud.job("gone"), await cloud.job("ended")
    assert await phases(cloud, gone, ended) == ["queued", "queued"]
    await cloud.delete(gone)
    await cloud.cancel(ended)
    await cloud.until(ended, "cancelled")
    assert await cloud.gone(gone)
    assert await cloud.db.fetchval("select count(*) from queue_entry") == 0


async def test_what_waits_goes_on_when_its_queue_is_removed(cloud: Cloud) -> None:
    await cloud.site()
    await queue(cloud, "none", cores(0))
    job = await cloud.job(script=Script().sleep(10))
    assert await phases(cloud, job) == ["queued"]
    kind = cloud.resources.registry["queue"]
    async with cloud.db.transaction() as tx:
        found = await cloud.resources.get(tx, cloud.resources.ref(kind, Path("acme", name="none")))
        await cloud.resources.delete(tx, found, SYSTEM)
    assert (await phases(cloud, job))[0] == "running"
    await cloud.until(job, "succeeded")
    await cloud.assert_books_closed()


async def test_admissions_stand_in_the_log_once(cloud: Cloud) -> None:
    await cloud.site(millicores=1000)
    await queue(cloud, "wide", cores(8))
    jobs = [await cloud.job(f"job-{n}", Script().sleep(30)) for n in range(3)]
    for job in jobs:
        await cloud.until(job, "succeeded")
    bodies = await cloud.db.fetch("select body::json as body from change where kind = 'queueing'")
    told = [one["subject"] for row in bodies for one in row["body"]["admitted"]]
    assert sorted(told) == sorted(job.ref for job in jobs)
    await cloud.assert_books_closed()

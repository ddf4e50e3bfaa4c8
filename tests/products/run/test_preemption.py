"""Jobs that give way: told so, given time, billed to the second, and run again."""

from typing import Any

import pytest

from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource
from skerry.ledger import price_lists
from tests.products.run.cloud import Cloud
from tests.products.run.test_queues import BETA, cores, phases, queue
from tests.sites.contract.script import Script


async def lending(cloud: Cloud, **theirs: Any) -> None:
    """Acme may borrow all that beta does not use."""
    await cloud.site(millicores=8000)
    await cloud.put("tenant", "beta", {}, Path())
    await cloud.put("workspace", "lab", {}, BETA)
    await queue(cloud, "mine", cores(2), cohort="all")
    await queue(cloud, "theirs", cores(2), at=Path("beta"), cohort="all", **theirs)


async def of_beta(cloud: Cloud, name: str, **spec: Any) -> Resource:
    env = {"SKERRY_SIM": Script().sleep(60).exit(0).json}
    return await cloud.put("job", name, {"command": ["train"], "env": env, **spec}, BETA)


async def test_a_queue_takes_its_share_back_after_the_notice(cloud: Cloud) -> None:
    await lending(cloud)
    jobs = [await cloud.job(f"job-{n}", Script().sleep(500), millicores=2000) for n in range(2)]
    assert await phases(cloud, *jobs) == ["running", "running"]
    await cloud.let_pass(20)
    mine = await of_beta(cloud, "mine", millicores=1000)
    await cloud.turn()
    # Both are of one age and price, one is enough.
    shown = [await cloud.shown(job) for job in jobs]
    [(stopped, told)] = [(j, s) for j, s in zip(jobs, shown, strict=True) if "reason" in s]
    assert told["reason"] == "Preempted"
    assert told["message"] == (
        "Its queue had borrowed what one of another tenant took back for its queue's own share. "
        "It is queued again."
    )
    await cloud.until(mine, "running", step=5)
    again = await cloud.shown(stopped)
    assert (again["phase"], again["reason"]) == ("queued", "Preempted")
    assert again["attempt"] == 1
    assert "is queued again" in again["message"]
    # It ran 20 seconds, and ended as soon as it was asked to.
    assert await cloud.seconds(stopped) == pytest.approx(20, abs=15)
    for job in (mine, *jobs):
        await cloud.until(job, "succeeded", most=2000, step=10)
    assert await cloud.leases(stopped) == [("closed", "preempted"), ("closed", "done")]
    await cloud.assert_books_closed()


async def test_one_that_does_not_end_is_ended_when_its_notice_is_over(cloud: Cloud) -> None:
    await lending(cloud)
    await cloud.put("priority-class", "slow", {"notice": 120}, Path())
    job = await cloud.job("job", Script().ignore("TERM").sleep(500),
                          millicores=4000, priorityClass="slow")  # fmt: skip
    assert await phases(cloud, job) == ["running"]
    await cloud.let_pass(20)
    mine = await of_beta(cloud, "mine", millicores=2000)
    await cloud.turn()
    told = await cloud.shown(job)
    assert "It has 120 seconds to end, and is queued again." in told["message"]
    assert [state for state, _ in await cloud.leases(job)] == ["draining"]
    await cloud.let_pass(100)
    assert (await cloud.read(job)).phase == "running"
    assert (await cloud.read(mine)).phase == "queued"
    await cloud.until(mine, "running", step=5)
    assert await cloud.seconds(job) == pytest.approx(20 + 120, abs=25)
    await cloud.until(job, "succeeded", most=2000, step=10)
    await cloud.assert_books_closed()


async def test_a_higher_priority_ends_a_lower_one_of_its_queue(cloud: Cloud) -> None:
    await cloud.site()
    await queue(cloud, "one", cores(2))
    await cloud.put("priority-class", "urgent", {"value": 10, "notice": 0}, Path())
    await cloud.put("priority-class", "polite", {"value": 10, "preempts": False}, Path())
    low = await cloud.job("low", Script().sleep(300), millicores=2000)
    assert await phases(cloud, low) == ["running"]
    polite = await cloud.job("polite", Script().sleep(30), priorityClass="polite")
    assert await phases(cloud, polite, low) == ["queued", "running"]
    high = await cloud.job("high", Script().sleep(30), priorityClass="urgent")
    await cloud.turn()
    assert "gave way to skerry.run/" in (await cloud.shown(low))["message"]
    for job in (high, polite, low):
        await cloud.until(job, "succeeded", most=2000, step=5)
    ended = [(await cloud.read(job)).status["endedAt"] for job in (high, polite, low)]
    assert max(ended[:2]) < ended[2]
    told = await cloud.db.fetch("select body::json as body from change where verb = 'preempted'")
    assert [row["body"]["preempted"]["for"] for row in told] == [high.ref]
    await cloud.assert_books_closed()


async def test_the_preemptible_give_way_for_a_place_and_pay_less(cloud: Cloud) -> None:
    await cloud.site(millicores=4000)
    spots = [
        await cloud.job(f"spot-{n}", Script().sleep(400), millicores=2000, preemptible=True)
        for n in range(2)
    ]
    assert await phases(cloud, *spots) == ["running", "running"]
    other = await cloud.job("other", Script().sleep(30), millicores=2000)
    await cloud.turn()
    kept, ended = sorted(spots, key=lambda j: j.name)  # one of them is enough
    prices = [(await cloud.read(j)).status["pricePerHourNano"] for j in (kept, ended)]
    await cloud.until(other, "succeeded", step=5)
    full = (await cloud.read(other)).status["pricePerHourNano"]
    async with cloud.db.transaction() as tx:
        part = (await price_lists.at(tx)).preemptible
    assert prices == [full * part // 1000] * 2
    reasons = [[why for _, why in await cloud.leases(job)] for job in spots]
    assert sorted(len(r) for r in reasons) == [1, 2]
    for job in spots:
        await cloud.until(job, "succeeded", most=2000, step=10)
    await cloud.assert_books_closed()


async def test_nobody_is_ended_for_one_that_could_not_run_all_the_same(cloud: Cloud) -> None:
    await cloud.site(millicores=4000)
    spot = await cloud.job("spot", Script().sleep(60), millicores=2000, preemptible=True)
    kept = await cloud.job("kept", Script().sleep(60), millicores=1000)
    assert await phases(cloud, spot, kept) == ["running", "running"]
    gang = await cloud.job("gang", Script().sleep(30), millicores=1000, count=4)
    await cloud.let_pass(30)
    assert await phases(cloud, spot, gang) == ["running", "queued"]
    await cloud.until(gang, "succeeded", step=5)
    assert await cloud.leases(spot) == [("closed", "done")]
    await cloud.assert_books_closed()


async def test_cancelled_while_it_gives_way_it_is_not_run_again(cloud: Cloud) -> None:
    await cloud.site(millicores=2000)
    spot = await cloud.job("spot", Script().ignore("TERM").sleep(500),
                           millicores=2000, preemptible=True)  # fmt: skip
    assert await phases(cloud, spot) == ["running"]
    other = await cloud.job("other", Script().sleep(30), millicores=2000)
    await cloud.turn()
    await cloud.cancel(spot)
    await cloud.until(other, "succeeded", step=5)
    await cloud.until(spot, "cancelled", step=5)
    await cloud.assert_books_closed()

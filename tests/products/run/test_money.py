"""Budgets and funds: nothing is spent that was not there, and what is shown is the ledger's."""

import pytest

from skerry.kernel.paths import Path
from skerry.market.ask import GIB
from tests.ledger.world import pay_in
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

HOUR = 3600.0
HOURLY = 13_600_000
"""Of a core and a GiB, in nano."""
CORE = {"millicores": 1000, "memory": GIB}


async def test_what_it_costs_is_shown_while_it_runs(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(HOUR), **CORE)
    await cloud.until(job, "running")
    versions = (await cloud.read(job)).version
    seen = []
    for _ in range(3):
        await cloud.let_pass(600, step=60)
        seen.append((await cloud.shown(job))["cost"]["amountNano"])
    assert seen == pytest.approx([HOURLY * n / 6 for n in (1, 2, 3)], rel=0.02)
    # Watching it costs no change of the job.
    assert (await cloud.read(job)).version == versions
    ended = await cloud.until(job, "succeeded", most=HOUR, step=60)
    assert ended.status["cost"]["amountNano"] == pytest.approx(HOURLY, rel=0.001)
    assert ended.status["cost"] == (await cloud.shown(job))["cost"]
    await cloud.assert_books_closed()


async def test_without_money_it_waits_and_says_so(cloud: Cloud) -> None:
    await cloud.site()
    await cloud.prepay(HOURLY // 2)
    job = await cloud.job(script=Script().sleep(10), **CORE)
    await cloud.turn()
    queued = await cloud.read(job)
    assert (queued.phase, queued.status["reason"]) == ("queued", "NoMoney")
    assert queued.status["message"].count("..") == 0
    assert queued.status["message"].endswith(".")
    short = await cloud.job("short", Script().sleep(10), timeLimit=60, **CORE)
    await cloud.until(short, "succeeded")
    async with cloud.db.transaction() as tx:
        await pay_in(tx, "acme", HOURLY, "more")
    await cloud.until(job, "succeeded")
    await cloud.assert_books_closed()


@pytest.mark.parametrize("stubborn", [False, True])
async def test_stopped_before_it_overspends(cloud: Cloud, stubborn: bool) -> None:
    await cloud.site()
    await cloud.put("budget", "month", {"amount": "0.0150"}, Path("acme"))
    script = Script().write("out", "so far")
    script = script.ignore("TERM") if stubborn else script
    job = await cloud.job(script=script.sleep(9 * HOUR), artifacts=["out"], **CORE)
    await cloud.until(job, "running")
    await cloud.until(
        job, lambda r: r.status.get("reason") == "BudgetExhausted", most=2 * HOUR, step=60
    )
    failed = await cloud.until(job, "failed", step=5)
    assert failed.status["reason"] == "BudgetExhausted"
    assert "what it wrote so far is kept" in failed.status["message"]
    assert failed.status["exitCode"] == 128 + (9 if stubborn else 15)
    spent = await cloud.charged(job)
    assert 14_000_000 < spent <= 15_000_000
    assert failed.status["cost"]["amountNano"] == spent
    assert await cloud.db.fetchval("select sum(unbilled) from usage") == 0
    assert await cloud.leases(job) == [("closed", "funds")]
    [world] = cloud.sites.values()
    [live] = world._live.values()
    assert "out" in live.tasks[0].files
    await cloud.assert_books_closed()


async def test_money_that_ended_is_no_reason_to_try_again(cloud: Cloud) -> None:
    await cloud.site()
    await cloud.prepay(HOURLY + 1_000_000)
    job = await cloud.job(script=Script().sleep(9 * HOUR), retries=3, **CORE)
    failed = await cloud.until(job, "failed", most=2 * HOUR, step=60)
    assert (failed.status["reason"], failed.status["attempt"]) == ("BudgetExhausted", 1)


async def test_word_of_an_earlier_run_does_not_stop_the_next(cloud: Cloud) -> None:
    """Its money ended in the very moment in which it failed by itself."""
    await cloud.site()
    job = await cloud.job(script=Script().sleep(5).exit(1), retries=1)
    await cloud.until(job, lambda r: "Attempt" in r.status.get("message", ""))
    async with cloud.db.transaction() as tx:
        await cloud.resources.intend(tx, job.uid, "exhausted")
    failed = await cloud.until(job, "failed")
    assert (failed.status["reason"], failed.status["exitCode"]) == ("ExitCode", 1)
    assert failed.status["attempt"] == 2

"""What the twin does with time that a test moves, and with what it is told to be."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from skerry.sites.contract import Refused, Resources
from skerry.sites.simulated.driver import Simulated
from tests.sites.contract.rig import find, log
from tests.sites.contract.script import Script
from tests.sites.simulated.sites import site, work


async def test_an_hour_is_over_at_once() -> None:
    driver, clock = site()
    await driver.apply(work("hour", Script().print("on").sleep(3599).print("off").exit(4)), 1)
    await clock.advance(3598)
    halfway = await find(driver, "hour")
    assert halfway is not None
    assert halfway.running
    await clock.advance(2)
    done = await find(driver, "hour")
    assert done is not None
    [task] = done.tasks
    assert task.exit_code == 4
    assert task.started_at is not None
    assert task.ended_at is not None
    assert task.ended_at - task.started_at == timedelta(seconds=3599)
    assert await log(driver, "hour") == "on\noff\n"


async def test_a_command_without_a_script_is_pretended() -> None:
    driver, clock = site(runSeconds=60, exitCode=3)
    await driver.apply(work("plain"), 1)
    await clock.advance(61)
    status = await find(driver, "plain")
    assert status is not None
    assert status.tasks[0].exit_code == 3
    assert await log(driver, "plain") == "[simulated] pretending to run train --fast\n"


async def test_starting_takes_as_long_as_told_and_differs_by_id() -> None:
    driver, clock = site(startSeconds=10, startJitter=10)
    for n in range(5):
        await driver.apply(work(f"w{n}", Script().stay()), 1)
    await clock.advance(9.9)
    _, early = await driver.list()
    assert {status.tasks[0].phase for status in early} == {"pending"}
    await clock.advance(10.2)
    _, late = await driver.list()
    assert {status.tasks[0].phase for status in late} == {"running"}
    assert len({status.tasks[0].started_at for status in late}) == 5


async def test_gpus_of_any_model_are_told_apart() -> None:
    driver, _ = site(gpus=[{"model": "H100", "count": 2}, {"model": "Abacus 9", "count": 1}])
    ask = Resources(millicores=1, memory=1, gpus=1, gpu_model="Abacus 9")
    status = await driver.apply(work("a", Script().stay(), resources=ask), 1)
    whole = await driver.capacity()
    [model] = {gpu.model for gpu in whole.gpus if gpu.uuid in status.tasks[0].gpus}
    assert model == "Abacus 9"
    with pytest.raises(Refused, match="0 are free"):
        await driver.apply(work("b", Script().stay(), resources=ask), 1)


async def test_a_lost_task_is_lost_for_good() -> None:
    driver, clock = site()
    script = Script(steps=(("sleep", 1), ("lose",)))
    await driver.apply(work("gone", script), 1)
    await clock.advance(2)
    status = await find(driver, "gone")
    assert status is not None
    assert status.ended
    assert (status.tasks[0].phase, status.tasks[0].exit_code) == ("lost", None)


async def test_a_task_can_go_round() -> None:
    driver, clock = site()
    await driver.apply(work("beat", Script(steps=(("print", "."), ("sleep", 1), ("again",)))), 1)
    await clock.advance(4.5)
    assert await log(driver, "beat") == ".\n" * 5


@pytest.mark.parametrize(
    "script",
    [
        "not json",
        '[["fly"]]',
        '[["exit", 256]]',
        '[["sleep", -1]]',
        '[["again"]]',
        '[["sleep", 0], ["again"]]',
        '[["trap", "NONE", 1]]',
        '[["write", "../x", ""]]',
        '[["lines", 60000000, 4096]]',
    ],
)
async def test_a_wrong_script_is_refused(script: str) -> None:
    driver, _ = site()
    with pytest.raises(Refused):
        await driver.apply(work("wrong", env={"SKERRY_SIM": script}), 1)
    assert await find(driver, "wrong") is None


@pytest.mark.parametrize("config", [{"millicores": 0}, {"colour": "red"}, {"gpus": "many"}])
def test_a_wrong_config_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(Refused, match="config is wrong"):
        Simulated.open(config)


async def test_sites_of_one_name_are_one_site() -> None:
    one, two = Simulated.open({"name": "shared"}), Simulated.open({"name": "shared"})
    await one.apply(work("w", Script().stay()), 1)
    await one.close()
    assert await find(two, "w") is not None
    await two.close()


async def test_a_thousand_workloads_need_no_task_each() -> None:
    driver, clock = site(millicores=10**9, memory=1 << 60, disk=1 << 60)
    before = len(asyncio.all_tasks())
    for n in range(1000):
        await driver.apply(work(f"w{n}", Script().print("x").sleep(1 + n % 60).exit(n % 7)), 1)
    assert len(asyncio.all_tasks()) == before
    await clock.advance(61)
    _, all_of_them = await driver.list()
    assert [s.tasks[0].exit_code for s in all_of_them] == [n % 7 for n in range(1000)]
    whole = await driver.capacity()
    assert whole.free_millicores == whole.millicores


async def test_it_is_started_again_for_ever_after_growing_pauses() -> None:
    driver, clock = site()
    script = Script().print("up").sleep(1).exit(1)
    await driver.apply(work("w", script, restart="always", max_restarts=1 << 30), 1)
    for _ in range(10):
        await clock.advance(86_400)
    starts = [chunk.at async for chunk in driver.logs("w", 0)]
    pauses = [(b - a).total_seconds() - 1 for a, b in itertools.pairwise(starts)]
    assert pauses[:13] == pytest.approx([*(0.1 * 2**n for n in range(12)), 300])
    assert pauses[13:] == pytest.approx([300] * (len(pauses) - 13))
    assert len(pauses) > 2_800
    status = await find(driver, "w")
    assert status is not None
    assert status.tasks[0].phase == "running"

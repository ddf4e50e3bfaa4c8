"""Faults on demand: each does what it says, and no more."""

import asyncio

import pytest

from skerry.sites.contract import (
    CursorExpired,
    Event,
    NoRoom,
    Refused,
    Resources,
    SiteUnreachable,
)
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.faults import Fault
from tests.sites.contract.rig import find, log
from tests.sites.contract.script import Script
from tests.sites.simulated.sites import site, work


async def _events(driver: Simulated, cursor: int, count: int) -> list[Event]:
    seen: list[Event] = []
    async for event in driver.watch(cursor):
        seen.append(event)
        if len(seen) == count:
            break
    return seen


async def test_unreachable_for_a_while() -> None:
    driver, clock = site()
    await driver.apply(work("w", Script().print("a").sleep(5).print("b")), 1)
    driver.world.fail(Fault(kind="unreachable", seconds=30))
    for attempt in (driver.list(), driver.delete("w", 1), driver.capacity()):
        with pytest.raises(SiteUnreachable):
            await attempt
    await clock.advance(31)
    status = await find(driver, "w")
    assert status is not None
    assert status.tasks[0].exit_code == 0
    assert await log(driver, "w") == "a\nb\n"


async def test_unreachable_breaks_the_watch() -> None:
    driver, _ = site()
    cursor, _ = await driver.list()
    watching = asyncio.create_task(_events(driver, cursor, 1))
    await asyncio.sleep(0)
    driver.world.fail(Fault(kind="unreachable"))
    with pytest.raises(SiteUnreachable):
        await watching


async def test_an_answer_lost_after_apply_leaves_it_running() -> None:
    driver, clock = site(faults=[{"kind": "answer-lost", "verbs": ["apply"], "times": 1}])
    asked = work("w", Script().print("once").exit(3))
    with pytest.raises(SiteUnreachable):
        await driver.apply(asked, 1)
    await clock.advance(1)
    again = await driver.apply(asked, 1)
    assert again.tasks[0].exit_code == 3
    assert await log(driver, "w") == "once\n"


async def test_a_workload_brings_its_own_faults() -> None:
    driver, _ = site()
    faults = '[{"kind": "no-room", "verbs": ["apply"], "times": 2}]'
    unlucky = work("unlucky", Script().stay(), env={"SKERRY_SIM_FAULTS": faults})
    for _ in range(2):
        with pytest.raises(NoRoom):
            await driver.apply(unlucky, 1)
        await driver.apply(work("other", Script().stay()), 1)
    assert (await driver.apply(unlucky, 1)).running


async def test_a_refusal_has_the_words_it_was_given() -> None:
    fault = {"kind": "refuse", "verbs": ["apply"], "reason": "Quota", "message": "no more today"}
    driver, _ = site(faults=[fault])
    with pytest.raises(Refused, match="no more today") as refused:
        await driver.apply(work("w"), 1)
    assert refused.value.reason == "Quota"


async def test_slow_takes_its_time() -> None:
    driver, clock = site(faults=[{"kind": "slow", "verbs": ["apply"], "delay": 20}])
    call = asyncio.create_task(driver.apply(work("w", Script().stay()), 1))
    await clock.advance(19)
    assert await find(driver, "w") is None
    await clock.advance(2)
    assert (await call).running


async def test_a_call_that_hangs_can_be_given_up() -> None:
    driver, _ = site(faults=[{"kind": "hang", "verbs": ["apply"]}])
    call = asyncio.create_task(driver.apply(work("w", Script().stay()), 1))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await find(driver, "w") is None


async def test_a_hanging_call_goes_on_when_the_fault_is_over() -> None:
    driver, clock = site(faults=[{"kind": "hang", "seconds": 30}])
    call = asyncio.create_task(driver.apply(work("w", Script().stay()), 1))
    await asyncio.sleep(0)
    await clock.advance(29)
    assert not call.done()
    await clock.advance(2)
    assert (await call).running


async def test_healing_ends_them_all() -> None:
    driver, _ = site(faults=[{"kind": "unreachable"}, {"kind": "hang"}])
    call = asyncio.create_task(driver.list())
    await asyncio.sleep(0)
    driver.world.heal()
    assert await call == (0, ())


async def test_doubled_events_are_doubled() -> None:
    driver, _ = site(faults=[{"kind": "doubled"}])
    cursor, _ = await driver.list()
    await driver.apply(work("w", Script().stay()), 1)
    await driver.delete("w", 1)
    seen = await _events(driver, cursor, 6)
    assert seen[0::2] == seen[1::2]
    assert seen[-1].status is None


async def test_late_events_come_late_and_in_order() -> None:
    driver, clock = site(faults=[{"kind": "late", "delay": 60}])
    cursor, _ = await driver.list()
    await driver.apply(work("w", Script().stay()), 1)
    watching = asyncio.create_task(_events(driver, cursor, 2))
    await asyncio.sleep(0)
    await clock.advance(59)
    assert not watching.done()
    await clock.advance(62)
    assert [event.cursor for event in await watching] == [1, 2]


async def test_too_many_events_expire_the_cursor() -> None:
    driver, _ = site(keepEvents=3)
    cursor, _ = await driver.list()
    for n in range(2):
        await driver.apply(work(f"w{n}", Script().stay()), 1)
    with pytest.raises(CursorExpired):
        await _events(driver, cursor, 1)


async def test_a_lost_node_loses_its_tasks_and_takes_nothing() -> None:
    driver, _ = site(nodes=[{"name": "n", "count": 2, "millicores": 2000}])
    await driver.apply(work("gang", Script().stay(), tasks=2, nodes=("n-0", "n-1")), 1)
    driver.world.lose_node("n-1")
    _, [status] = await driver.list()
    assert [task.phase for task in status.tasks] == ["running", "lost"]
    room = await driver.capacity()
    assert [bool(node.closed) for node in room.nodes] == [False, True]
    driver.world.close_node("n-1", "")
    await driver.apply(work("again", Script().stay(), nodes=("n-1",)), 1)


async def test_a_sick_device_is_given_to_nobody() -> None:
    driver, _ = site(nodes=[{"name": "n", "gpus": [{"model": "H100", "count": 2}]}])
    [node] = (await driver.capacity()).nodes
    sick, well = (gpu.uuid for gpu in node.gpus)
    driver.world.sicken(sick, "Xid 79")
    [node] = (await driver.capacity()).nodes
    assert [gpu.sick for gpu in node.gpus] == ["Xid 79", ""]
    one = Resources(millicores=1000, memory=1 << 30, gpus=1)
    status = await driver.apply(work("one", Script().stay(), resources=one), 1)
    assert status.tasks[0].gpus == (well,)
    with pytest.raises(NoRoom):
        await driver.apply(work("two", resources=one, nodes=("n",), devices=((sick,),)), 1)

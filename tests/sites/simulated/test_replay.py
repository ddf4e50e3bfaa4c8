"""A kept world, read again, is the same world."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.sites.contract import Refused, SiteUnreachable
from skerry.sites.simulated.clock import HandClock, moment
from skerry.sites.simulated.config import Config
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.world import World
from tests.sites.contract.script import Script
from tests.sites.simulated.sites import work

SCRIPTS = [
    Script().stay(),
    Script().print("x").sleep(2).print("y").exit(3),
    Script().trap("TERM", 5).sleep(7).write("f", "content"),
    Script().sleep(1).exit(1),
]

verbs = st.one_of(
    st.tuples(st.just("apply"), st.integers(0, 5), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("delete"), st.integers(0, 5), st.integers(1, 4), st.just(0)),
    st.tuples(st.just("signal"), st.integers(0, 5), st.integers(1, 4), st.just(15)),
    st.tuples(st.just("wait"), st.integers(0, 5), st.just(0), st.just(0)),
)


async def _live_through(world: World, clock: HandClock, story: list[tuple[str, int, int, int]]):
    for verb, which, fence, extra in story:
        id = f"w{which}"
        try:
            if verb == "apply":
                restart = "on-failure" if extra == 3 else "never"
                asked = work(
                    id, SCRIPTS[extra], tasks=1 + extra % 2, restart=restart, max_restarts=1,
                    time_limit=5 if which % 2 else 0,
                )  # fmt: skip
                world.apply(asked, fence)
            elif verb == "delete":
                world.delete(id, fence)
            elif verb == "signal":
                world.signal(id, extra, fence)
            else:
                await clock.advance(which / 2)
        except Refused:
            continue


def _all_of(world: World) -> object:
    _, statuses = world.list()
    logs = [
        [chunk for task in world.find(status.id).tasks for chunk in task.log.after(0)]
        for status in statuses
    ]
    return world.list(), logs, world.events.after(0), world.capacity()


@settings(max_examples=60)
@given(st.lists(verbs, max_size=30), st.integers(0, 10))
def test_read_again_it_is_the_same(story: list[tuple[str, int, int, int]], away: int) -> None:
    async def check() -> None:
        clock = HandClock()
        with tempfile.TemporaryDirectory() as directory:
            config = Config(directory=directory, millicores=6000)
            world = World(config, clock)
            await _live_through(world, clock, story)
            world.end()
            later = HandClock(moment(clock.now()) + timedelta(seconds=away))
            again = World(config, later)
            again.run_due()
            await clock.advance(away)
            world.run_due()
            assert _all_of(again) == _all_of(world)
            again.end()

    asyncio.run(check())


def test_a_torn_last_line_was_never_answered(tmp_path: Path) -> None:
    config = Config(directory=str(tmp_path))
    world = World(config, HandClock())
    world.apply(work("kept", SCRIPTS[0]), 1)
    world.end()
    journal = tmp_path / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole.splitlines()[-1][:20])
    again = World(config, HandClock())
    assert [status.id for status in again.list()[1]] == ["kept"]
    again.apply(work("new", SCRIPTS[0]), 1)
    again.end()
    third = World(config, HandClock())
    assert [status.id for status in third.list()[1]] == ["kept", "new"]
    third.end()


async def test_one_directory_is_one_site(tmp_path: Path) -> None:
    driver = Simulated.open({"directory": str(tmp_path)})
    with pytest.raises(SiteUnreachable):
        Simulated.open({"directory": str(tmp_path)})
    await driver.close()
    await Simulated.open({"directory": str(tmp_path)}).close()


def test_the_journal_is_the_owners_alone(tmp_path: Path) -> None:
    World(Config(directory=str(tmp_path)), HandClock()).end()
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600

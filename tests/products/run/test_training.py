"""Gangs that fail as one, are told to end in time, and go on from their checkpoint."""

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resource
from skerry.sites.simulated.world import World
from tests.products.run.cloud import AT, REGISTRY, Cloud
from tests.sites.contract.script import Script

GIB = 1 << 30
SCRATCH = {"size": GIB, "path": "/scratch"}
LONG = Script().trap("TERM", 0).sleep(1000)


async def scratch_of(cloud: Cloud, job: str) -> Resource | None:
    path = Path(AT.tenant, AT.workspace, (), f"{job}-scratch")
    async with cloud.db.transaction() as tx:
        return await cloud.resources.find(tx, ref_of(REGISTRY["volume"], path))


def end(world: World, rank: int, code: int) -> None:
    """One copy of the only workload ends by itself."""
    [live] = [live for live in world._live.values() if not live.status.ended]
    live.tasks[rank]._finish(world.now(), code)
    world.run_due()


def said(world: World) -> str:
    """What the first copy of the newest run printed."""
    chunks = list(world._live.values())[-1].tasks[0].log.after(0)
    return b"".join(chunk.data for chunk in chunks).decode()


async def test_when_one_copy_fails_the_others_are_ended(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(1000), count=3)
    await cloud.until(job, "running")
    end(world, 1, 9)
    failed = await cloud.until(job, "failed", most=60)
    assert failed.status["exitCode"] == 9
    assert failed.status["reason"] == "ExitCode"
    assert failed.status["message"] == "Copy 1 of 3: exit code 9."
    assert [task["exitCode"] for task in failed.status["tasks"]] == [143, 9, 143]
    await cloud.assert_books_closed()


async def test_a_copy_that_has_done_its_part_ends_nobody(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().sleep(100), count=2)
    await cloud.until(job, "running")
    end(world, 0, 0)
    await cloud.let_pass(50)
    assert (await cloud.read(job)).phase == "running"
    await cloud.until(job, "succeeded")


async def test_a_gang_starts_anew_as_a_whole(cloud: Cloud) -> None:
    world = await cloud.site()
    script = Script().env("SKERRY_ATTEMPT").env("SKERRY_CHECKPOINT").sleep(1000)
    job = await cloud.job(script=script, count=2, retries=1, scratch=SCRATCH)
    running = await cloud.until(job, "running")
    assert (running.status["attempt"], said(world)) == (1, "1\n/scratch\n")
    end(world, 1, 1)
    again = await cloud.until(
        job, lambda r: r.phase == "running" and r.status["attempt"] == 2, most=120
    )
    assert [task["phase"] for task in again.status["tasks"]] == ["running", "running"]
    assert said(world) == "2\n/scratch\n"
    end(world, 0, 1)
    await cloud.until(job, "failed", most=60)
    volume = await scratch_of(cloud, "job")
    assert volume is not None
    assert volume.phase == "ready"


async def test_its_scratch_outlives_its_runs_and_goes_with_it(cloud: Cloud) -> None:
    world = await cloud.site()
    script = Script().cat("/scratch/step").write("/scratch/step", "7").sleep(5).exit(1)
    job = await cloud.job(script=script, retries=1, scratch=SCRATCH)
    await cloud.until(job, "failed", most=120)
    assert said(world) == "7"  # which the run before has left
    volume = await scratch_of(cloud, "job")
    assert volume is not None
    with pytest.raises(Conflict):
        async with cloud.db.transaction() as tx:
            await cloud.resources.delete(tx, volume, SYSTEM)
    await cloud.delete(job)
    await cloud.let_pass(60)
    assert await cloud.gone(job)
    assert world.list_volumes() == ()
    await cloud.assert_books_closed()


async def test_it_runs_where_its_scratch_lies(cloud: Cloud) -> None:
    await cloud.site("one")
    await cloud.site("two")
    job = await cloud.job(script=Script().sleep(5).exit(1), retries=3, scratch=SCRATCH)
    first = await cloud.until(job, "running")
    at = first.status["place"]["site"]
    for attempt in range(2, 5):
        found = await cloud.until(
            job, lambda r, n=attempt: r.phase == "running" and r.status["attempt"] == n, most=120
        )
        assert found.status["place"]["site"] == at


async def test_a_place_without_room_for_its_scratch_is_left(cloud: Cloud) -> None:
    await cloud.site(disk=3 * GIB)
    job = await cloud.job(scratch={"size": 10 * GIB, "path": "/scratch"})
    waits = await cloud.until(job, lambda r: "disk" in r.status.get("message", ""))
    assert waits.phase == "starting"
    failed = await cloud.until(job, "failed", most=3600, step=10)
    assert failed.status["reason"] == "NoScratch"
    assert "more disk" in failed.status["message"]
    await cloud.let_pass(60)
    assert await scratch_of(cloud, "job") is None
    await cloud.assert_books_closed()


async def test_it_is_asked_to_end_before_it_is_ended(cloud: Cloud) -> None:
    """With the time that it says it takes to write a checkpoint."""
    await cloud.site()
    job = await cloud.job(script=Script().ignore("TERM").sleep(1000), timeLimit=30, grace=60)
    await cloud.until(job, "running")
    before = cloud.clock.now()
    failed = await cloud.until(job, "failed", most=200)
    assert failed.status["reason"] == "TimeLimit"
    assert cloud.clock.now() - before == pytest.approx(90, abs=3)
    cancelled = await cloud.job("other", Script().ignore("TERM").sleep(1000), grace=60)
    await cloud.until(cancelled, "running")
    before = cloud.clock.now()
    await cloud.cancel(cancelled)
    await cloud.until(cancelled, "cancelled", most=200)
    assert cloud.clock.now() - before == pytest.approx(60, abs=3)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"scratch": {"size": GIB, "path": "scratch"}}, "no place for a volume"),
        ({"scratch": {"size": GIB, "path": "/proc/x"}}, "belongs to the system"),
        (
            {"scratch": SCRATCH, "volumes": [{"name": "data", "path": "/scratch"}]},
            "paths",
        ),
        ({"scratch": {"size": 1, "path": "/scratch"}}, "size"),
        ({"grace": 0}, "grace"),
    ],
)
async def test_nonsense_is_refused(cloud: Cloud, spec: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        await cloud.job(**spec)  # type: ignore[arg-type]


async def test_a_volume_of_that_name_is_not_taken(cloud: Cloud) -> None:
    await cloud.put("volume", "job-scratch", {"size": GIB})
    with pytest.raises(Conflict, match="job-scratch"):
        await cloud.job(scratch=SCRATCH)

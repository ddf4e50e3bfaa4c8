"""Sights of a workload fold into one row, whatever order they come in."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.sites import seen
from skerry.sites.contract import TaskStatus, WorkloadStatus
from skerry.sites.seen import merge
from tests.sites.cloud import Cloud

START = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def lives(draw: st.DrawFn) -> list[WorkloadStatus]:
    """The statuses that a site shows of one workload, in their true order."""
    tasks = draw(st.integers(1, 3))
    stages = [_stages(rank, draw(st.integers(0, 2)), draw(st.booleans())) for rank in range(tasks)]
    fences = sorted(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    positions = [0] * tasks
    life = [(tuple(positions), fences[0])]
    while any(p < len(s) - 1 for p, s in zip(positions, stages, strict=True)):
        rank = draw(st.sampled_from([r for r in range(tasks) if positions[r] < len(stages[r]) - 1]))
        positions[rank] += 1
        life.append((tuple(positions), fences[min(len(life), len(fences) - 1)]))
    return [
        WorkloadStatus(
            id="w",
            fence=fence,
            tasks=tuple(stages[r][p] for r, p in enumerate(where)),
        )
        for where, fence in life
    ]


def _stages(rank: int, restarts: int, lost: bool) -> list[TaskStatus]:
    began = START + timedelta(seconds=rank)
    stages = [TaskStatus(rank=rank, phase="pending")]
    stages += [
        TaskStatus(rank=rank, phase="running", started_at=began, restarts=n)
        for n in range(restarts + 1)
    ]
    over = began + timedelta(minutes=1)
    last = {"rank": rank, "started_at": began, "ended_at": over, "restarts": restarts}
    if lost:
        stages.append(TaskStatus(phase="lost", **last))
    else:
        stages.append(TaskStatus(phase="exited", exit_code=rank, **last))
    return stages


@given(lives(), st.data())
def test_late_doubled_and_shuffled_sights_end_the_same(
    life: list[WorkloadStatus], data: st.DataObject
) -> None:
    sights = data.draw(st.permutations(life + life))
    known: WorkloadStatus | None = None
    for sight in sights:
        known = merge(known, sight)
    assert known == life[-1]


@given(lives())
def test_what_is_known_only_goes_forward(life: list[WorkloadStatus]) -> None:
    for early, late in itertools.combinations(life, 2):
        assert merge(late, early) == merge(early, late)


def test_an_end_that_was_thought_lost_is_found() -> None:
    lost = WorkloadStatus(id="w", fence=1, tasks=(TaskStatus(rank=0, phase="lost"),))
    found = WorkloadStatus(
        id="w", fence=1, tasks=(TaskStatus(rank=0, phase="exited", exit_code=3),)
    )
    assert merge(lost, found) == merge(found, lost) == found


@given(lives())
def test_times_are_the_hosts(life: list[WorkloadStatus]) -> None:
    last = life[-1]
    assert seen.started(last) == START
    assert seen.ended(last) == START + timedelta(seconds=len(last.tasks) - 1, minutes=1)
    assert all(seen.ended(status) is None for status in life[:-1] if not status.ended)


async def test_an_id_has_one_owner(cloud: Cloud) -> None:
    site, _ = await cloud.site()
    owner = await cloud.own("w", site)
    async with cloud.db.transaction() as tx:
        await seen.own(tx, "w", at=site.name, owner=owner, tenant="acme")
        assert [found.id for found in await seen.of_owner(tx, owner)] == ["w"]
    with pytest.raises(ValueError, match="known already"):
        await cloud.own("w", site)


async def test_sights_of_the_unknown_are_told_apart(cloud: Cloud) -> None:
    site, _ = await cloud.site()
    await cloud.own("mine", site)
    sights = [
        WorkloadStatus(id=id, fence=1, tasks=(TaskStatus(rank=0, phase="running"),))
        for id in ("mine", "yours")
    ]
    async with cloud.db.transaction() as tx:
        first = await seen.saw(tx, site.name, sights)
        assert [row["id"] for row in first.changed] == ["mine"]
        assert [status.id for status in first.unknown] == ["yours"]
        again = await seen.saw(tx, site.name, sights)
        assert again.changed == []

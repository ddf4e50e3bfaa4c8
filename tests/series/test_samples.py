"""What sources say, as readers of one subject see it later."""

import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from skerry.series import STEP, Batch, Recorder, Requests
from skerry.series.columns import COLUMNS
from skerry.series.layout import lay_out
from skerry.series.packing import FINE, keep, pack
from skerry.series.retention import Retention
from skerry.series.ticks import slot
from skerry.series.views import answer, question
from skerry.store import DATABASE_ERRORS, Database, Tx
from skerry.store.queries import load

_sql = load("skerry.series")
START = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


def tick(
    number: int, subjects: Sequence[int], late: float = 0, **columns: list[float]
) -> dict[str, Any]:
    at = START + timedelta(seconds=number * STEP)
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    taken = at + timedelta(seconds=late)
    return {**row, "at": at, "source": "one", "taken_at": taken, "subjects": subjects, **columns}


def points(ticks: list[dict[str, Any]], column: str, subject: int, slots: int = 6) -> list[float]:
    [laid] = lay_out(ticks, START, slots)
    return laid.points[column][laid.subjects.tolist().index(subject)].tolist()


def same(found: Sequence[float], wanted: Sequence[float | None]) -> bool:
    return np.allclose(found, [math.nan if w is None else w for w in wanted], equal_nan=True)


def test_a_counter_is_its_growth_per_second() -> None:
    ticks = [tick(n, [1], cpu=[30.0 * (n + 1)]) for n in range(-1, 5)]
    assert same(points(ticks, "cpu", 1), [2, 2, 2, 2, 2, None])


def test_what_went_back_has_begun_from_zero() -> None:
    ticks = [tick(n, [1], cpu=[c]) for n, c in enumerate([90.0, 120.0, 15.0, 30.0])]
    assert same(points(ticks, "cpu", 1), [None, 2, 1, 1, None, None])


def test_a_gap_stays_one_and_what_follows_is_spread_over_it() -> None:
    ticks = [tick(n, [1], cpu=[n * 15.0], memory=[5.0]) for n in (0, 1, 4)]
    assert same(points(ticks, "cpu", 1), [None, 1, None, None, 1, None])
    assert same(points(ticks, "memory", 1), [5, 5, None, None, 5, None])


def test_over_a_long_silence_no_rate_is_told() -> None:
    ticks = [tick(n, [1], cpu=[n * 15.0]) for n in (-4, 1)]
    assert same(points([*ticks, tick(5, [1], cpu=[75.0])], "cpu", 1), [None] * 5 + [1])


def test_a_tick_that_was_late_is_no_spike() -> None:
    ticks = [tick(0, [1], cpu=[0.0]), tick(1, [1], late=5, cpu=[20.0]), tick(2, [1], cpu=[30.0])]
    assert same(points(ticks, "cpu", 1, 3), [None, 1, 1])


def test_subjects_come_and_go() -> None:
    ticks = [tick(0, [2, 1], memory=[20.0, 10.0]), tick(1, [3, 2], memory=[30.0, math.nan])]
    assert same(points(ticks, "memory", 1, 2), [10, None])
    assert same(points(ticks, "memory", 2, 2), [20, None])
    assert same(points(ticks, "memory", 3, 2), [None, 30])


def rounded(values: Sequence[float | None]) -> list[float | None]:
    """Without the milliseconds that the test itself took."""
    return [None if value is None else float(f"{value:.2g}") for value in values]


class Cloud:
    """Two tasks of one job and one of another, and a clock."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.recorder = Recorder(db)
        self.job, self.other = uuid.uuid4(), uuid.uuid4()

    async def begin(self) -> None:
        await self.db.execute("update clock set shift = $1 - clock_timestamp()", START)
        for uid, name in ((self.job, "a"), (self.other, "b")):
            await self.resource(uid, name)

    async def resource(self, uid: uuid.UUID, name: str, owner: uuid.UUID | None = None) -> None:
        await self.db.execute(
            "insert into resource select $1, 'job', $2, $2, 'acme', 'lab', '', '', $3, $1, '',"
            " '{}', '{}', '{}', '{}', 'v1', '{}', 'active', '[]', 1, 1, now(), now(), null",
            uid, name, owner,
        )  # fmt: skip

    async def owners(self, tx: Tx, names: Sequence[str]) -> Mapping[str, uuid.UUID]:
        known = {"w-a": self.job, "w-b": self.other}
        return {name: known[name] for name in names if name in known}

    async def now(self) -> datetime:
        found: datetime = await self.db.fetchval("select skerry_now()")
        return found

    async def let_pass(self, seconds: float) -> None:
        # To the instant: what the test itself takes does not count.
        await self.db.execute(
            "update clock set shift = $1 - clock_timestamp()",
            slot(await self.now(), STEP) + timedelta(seconds=seconds),
        )

    async def say(self, cpu: float, memory: float, *ids: str) -> bool:
        keys = [(id, rank) for id in ids or ("w-a",) for rank in range(2)]
        columns = {"cpu": [cpu] * len(keys), "memory": [memory] * len(keys)}
        return await self.recorder.write("one", [Batch("task", keys, columns, self.owners)])

    async def ask(self, resource: uuid.UUID | None = None, **query: str) -> dict[str, Any]:
        async with self.db.transaction(readonly=True) as tx:
            asked = question(query, await tx.now())
            begin = asked.span.start - timedelta(hours=1)
            subjects = await tx.fetch(_sql.subjects_of, resource or self.job, begin, asked.span.end)
            return dict(await answer(tx, asked, subjects))

    async def values(self, name: str, field: str = "values", **query: str) -> list[float | None]:
        [series] = (await self.ask(series=name, **query))["series"]
        return rounded(series[field])


@pytest.fixture
async def cloud(db: Database) -> Cloud:
    cloud = Cloud(db)
    await cloud.begin()
    return cloud


async def run(cloud: Cloud, seconds: int, cpu: float = 1.0, start: float = 0.0) -> float:
    """Tasks that each keep so many cores busy; their counter."""
    counter = start
    for _ in range(seconds // STEP):
        assert await cloud.say(counter, 100.0)
        await cloud.let_pass(STEP)
        counter += cpu * STEP
    return counter


async def test_a_point_reads_the_same_before_and_after_packing(cloud: Cloud) -> None:
    await run(cloud, 2 * FINE, 1.5)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:10:00Z"}
    wanted = {
        step: [await cloud.values(name, **span, step=step) for name in ("cpu", "memory", "tasks")]
        for step in ("15", "60", "300")
    }
    assert wanted["15"][0] == [None] + [3.0] * 39
    assert wanted["300"] == [[3.0, 3.0], [200.0, 200.0], [2.0, 2.0]]
    await cloud.let_pass(STEP)
    assert await pack(cloud.db) == 2
    for step, values in wanted.items():
        names = ("cpu", "memory", "tasks")
        assert values == [await cloud.values(name, **span, step=step) for name in names]
    await cloud.let_pass(3600)
    assert await pack(cloud.db) == 1
    assert wanted["300"][0] == await cloud.values("cpu", **span, step="300")


async def tidied(cloud: Cloud, retention: Retention | None = None) -> None:
    await pack(cloud.db)
    await keep(cloud.db, retention or Retention())


async def test_a_day_later_five_minutes_are_kept_and_quarters_of_minutes_are_not(
    cloud: Cloud,
) -> None:
    await run(cloud, 2 * FINE)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:10:00Z"}
    for hours in (2, 24 + 6):
        await cloud.let_pass(hours * 3600)
        await tidied(cloud)
    assert await cloud.values("cpu", **span, step="15") == [None] * 40
    assert await cloud.values("cpu", **span, step="300") == [2.0, 2.0]
    await cloud.let_pass(98 * 86400)
    await tidied(cloud)
    assert await cloud.values("cpu", **span, step="300") == [None, None]
    assert await cloud.db.fetchval("select count(*) from subject") == 0


async def test_the_operator_says_how_long(cloud: Cloud) -> None:
    await run(cloud, 2 * FINE)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:10:00Z"}
    short = Retention(samples=timedelta(hours=2), history=timedelta(days=2))
    await cloud.let_pass(10 * 3600)
    await tidied(cloud, short)
    assert await cloud.values("cpu", **span, step="15") == [None] * 40
    assert await cloud.values("cpu", **span, step="300") == [2.0, 2.0]
    await cloud.let_pass(10 * 86400)
    await tidied(cloud, short)
    assert await cloud.values("cpu", **span, step="300") == [None, None]
    for wrong in (
        {"samples": timedelta(hours=1)},
        {"history": timedelta(hours=3)},
        {"logs": timedelta(hours=5)},
        {"history": timedelta(days=5000)},
        {"share": 0},
    ):
        with pytest.raises(ValueError, match=r"at least|some"):
            Retention(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [2, 30])
async def test_what_was_stored_before_a_long_stop_is_not_lost(cloud: Cloud, days: int) -> None:
    await run(cloud, FINE + 60)
    await cloud.let_pass(days * 86400)
    await run(cloud, FINE + 60)
    await tidied(cloud)
    await tidied(cloud)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:10:00Z", "step": "300"}
    assert await cloud.values("cpu", **span) == [2.0, 2.0]
    await cloud.let_pass(2 * 3600)
    await tidied(cloud)
    await tidied(cloud)
    assert await cloud.values("cpu", **span) == [2.0, 2.0]
    later = f"{START + timedelta(days=days):%Y-%m-%dT12}"
    span = {"from": f"{later}:05:00Z", "to": f"{later}:15:00Z", "step": "300"}
    assert (await cloud.values("memory", **span))[1] == 200.0


async def test_a_slow_reader_is_not_waited_for(cloud: Cloud) -> None:
    await run(cloud, FINE + 60)
    await cloud.let_pass(3 * 86400)
    await pack(cloud.db)
    async with cloud.db.transaction() as tx:
        await tx.fetch("select * from sample")
        with pytest.raises(DATABASE_ERRORS):
            await keep(cloud.db, Retention())
    before = await cloud.db.fetchval("select count(*) from sample")
    await keep(cloud.db, Retention())
    assert (before, await cloud.db.fetchval("select count(*) from sample")) == (4, 0)


async def test_a_gap_is_unknown_at_every_step(cloud: Cloud) -> None:
    counter = await run(cloud, FINE)
    await cloud.let_pass(2 * FINE)
    await run(cloud, FINE, start=counter)
    await cloud.let_pass(3600)
    await pack(cloud.db)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:20:00Z"}
    assert await cloud.values("cpu", **span, step="300") == [2.0, None, None, 2.0]
    assert (await cloud.values("memory", **span, step="60"))[4:16] == [200.0, *[None] * 10, 200.0]


async def test_peaks_are_told_beside_means(cloud: Cloud) -> None:
    for memory in (100.0, 500.0, 100.0, 100.0):
        await cloud.say(0, memory)
        await cloud.let_pass(STEP)
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:01:00Z", "step": "60"}
    assert await cloud.values("memory", **span) == [400.0]
    assert await cloud.values("memory", "peaks", **span) == [1000.0]


async def test_the_children_of_a_resource_count_and_others_do_not(cloud: Cloud) -> None:
    parent = uuid.uuid4()
    await cloud.resource(parent, "parent")
    await cloud.db.execute("update resource set owner_uid = $1 where uid = $2", parent, cloud.job)
    await cloud.say(0, 100.0, "w-a", "w-b", "nobody's")
    assert len((await cloud.ask(parent, by="task"))["tasks"]) == 2
    [memory, _] = (await cloud.ask(parent))["series"]
    assert memory["values"][-1] == 200.0
    [memory, _] = (await cloud.ask(cloud.other))["series"]
    assert memory["values"][-1] == 200.0


async def test_an_instant_is_written_once(cloud: Cloud) -> None:
    assert await cloud.say(0, 100.0)
    assert not await cloud.say(0, 200.0)
    again = Recorder(cloud.db)
    assert not await again.write("one", [])
    assert (await cloud.values("memory", step="15"))[-1] == 200.0


async def test_requests_are_counted_by_route_and_told_with_the_service(cloud: Cloud) -> None:
    route = uuid.uuid4()
    await cloud.resource(route, "route", cloud.job)
    requests = Requests()
    cloud.recorder.add("gateway/main", requests)
    await cloud.say(0, 100.0)
    await cloud.recorder.turn()
    for _ in range(3):
        await cloud.let_pass(STEP)
        await cloud.say(0, 100.0)
        for number in range(30):
            requests.count(route, failed=number == 0, seconds=0.5, received=10, sent=100)
        await cloud.recorder.turn()
    span = {"from": "2026-10-05T12:00:00Z", "to": "2026-10-05T12:01:00Z", "step": "60"}
    found = {s["name"]: s for s in (await cloud.ask(**span))["series"]}
    assert rounded(found["requests"]["values"]) == [2.0]
    assert found["requests"]["unit"] == "requests/s"
    assert rounded(found["failures"]["values"]) == [0.067]
    assert found["latency"]["values"] == [0.5]
    # Its tasks have no network of their own, and the gateway's bytes are not taken for theirs.
    assert "sent" not in found
    found = {s["name"]: s for s in (await cloud.ask(route, **span))["series"]}
    assert rounded(found["sent"]["values"]) == [200.0]


async def test_packing_by_two_at_once_is_packing_once(cloud: Cloud) -> None:
    import asyncio

    await run(cloud, FINE)
    await cloud.let_pass(FINE)
    await asyncio.gather(*(pack(cloud.db) for _ in range(3)))
    assert await cloud.db.fetchval("select count(*) from sample") == 2


@pytest.mark.parametrize(
    "query",
    [
        {"series": "cpu,nonsense"},
        {"from": "yesterday"},
        {"from": "-1h", "to": "-2h"},
        {"step": "0"},
        {"step": "-15"},
        {"from": "-90d", "step": "300"},
        {"by": "host"},
    ],
)
async def test_what_makes_no_sense_is_refused(cloud: Cloud, query: dict[str, str]) -> None:
    from skerry.kernel.errors import InvalidRequest

    with pytest.raises(InvalidRequest):
        await cloud.ask(**query)

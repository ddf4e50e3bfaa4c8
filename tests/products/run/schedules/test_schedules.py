"""When a schedule starts its job, and when it does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kernel.errors import Forbidden, ValidationError
from skerry.kernel.hooks import SYSTEM, Caller
from skerry.kernel.resources import Resource
from skerry.products.run.schedules import cron
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

EACH = "*/10 * * * *"
"""The clock of these tests begins at 12:00."""


async def schedule(cloud: Cloud, run: Script | None = None, **spec: Any) -> Resource:
    job = {"command": ["x"], "env": {"SKERRY_SIM": (run or Script().exit(0)).json}}
    made = await cloud.put("schedule", "tick", {"cron": EACH, "job": job, **spec})
    await cloud.turn()
    return made


async def jobs(cloud: Cloud, owner: Resource) -> list[tuple[str, str]]:
    async with cloud.db.transaction() as tx:
        found = await cloud.resources.children(tx, owner.uid)
    return sorted((job.name, job.phase) for job in found)


async def names(cloud: Cloud, owner: Resource) -> list[str]:
    return [name for name, _ in await jobs(cloud, owner)]


class TestTimes:
    async def test_a_job_at_each_time(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await schedule(cloud)
        assert (await cloud.read(made)).status["nextAt"] == "2026-10-05T12:10:00.000000Z"
        await cloud.let_pass(1320)
        assert await jobs(cloud, made) == [
            ("tick-20261005-121000", "succeeded"),
            ("tick-20261005-122000", "succeeded"),
        ]
        status = (await cloud.read(made)).status
        assert (status["started"], status["lastJob"]) == (2, "tick-20261005-122000")
        assert status["nextAt"] == "2026-10-05T12:30:00.000000Z"

    async def test_the_zone_says_whose_clock(self, cloud: Cloud) -> None:
        made = await schedule(cloud, cron="0 9 * * *", timeZone="America/New_York")
        assert (await cloud.read(made)).status["nextAt"] == "2026-10-05T13:00:00.000000Z"

    def test_a_time_that_the_clock_skips_runs_right_after(self) -> None:
        before = datetime(2026, 3, 28, 12, tzinfo=UTC)
        found = cron.times("30 2 * * *", "Europe/Berlin", before)
        assert next(found) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)

    @given(
        st.sampled_from([EACH, "0 3 * * *", "@hourly", "17 4 1 * *"]),
        st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"]),
        st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
        st.lists(st.integers(0, 90_000), max_size=8),
    )
    def test_however_often_one_looks_each_time_comes_once(
        self, expression: str, zone: str, begin: datetime, pauses: list[int]
    ) -> None:
        now = last = begin.replace(tzinfo=UTC)
        seen: list[datetime] = []
        for pause in pauses:
            now += timedelta(seconds=pause)
            passed, _, _ = cron.due(expression, zone, last, now, 10_000)
            seen += passed
            last = passed[-1] if passed else last
        whole, _, _ = cron.due(expression, zone, begin.replace(tzinfo=UTC), now, 10_000)
        assert seen == whole

    async def test_started_when_asked_to(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await schedule(cloud)
        async with cloud.db.transaction() as tx:
            await cloud.resources.act(tx, made, "start", None, SYSTEM)
        await cloud.turn()
        assert await names(cloud, made) == ["tick-now-1"]
        assert (await cloud.read(made)).status["nextAt"] == "2026-10-05T12:10:00.000000Z"


class TestMissed:
    @pytest.mark.parametrize(("policy", "count"), [("skip", 0), ("once", 1), ("all", 3)])
    async def test_times_in_which_the_cloud_was_down(
        self, cloud: Cloud, policy: str, count: int
    ) -> None:
        await cloud.site()
        made = await schedule(cloud, missed=policy, overlap="allow")
        await cloud.shift(35 * 60)
        await cloud.turn()
        assert len(await names(cloud, made)) == count
        status = (await cloud.read(made)).status
        assert status.get("leftOut", 0) == 3 - count
        assert status["lastAt"] == "2026-10-05T12:30:00.000000Z"

    async def test_a_year_is_bounded(self, cloud: Cloud) -> None:
        made = await schedule(cloud, missed="all", overlap="allow", cron="@daily")
        await cloud.shift(150 * 86400)
        await cloud.turn()
        assert len(await names(cloud, made)) == 100
        assert (await cloud.read(made)).status["leftOut"] == 50

    async def test_what_was_suspended_is_not_made_good(self, cloud: Cloud) -> None:
        made = await schedule(cloud, suspended=True)
        await cloud.let_pass(1800, 600)
        spec = {**made.spec, "suspended": False}
        await cloud.put("schedule", "tick", spec)
        await cloud.let_pass(60)
        assert await names(cloud, made) == []
        await cloud.let_pass(600, 60)
        assert await names(cloud, made) == ["tick-20261005-124000"]

    async def test_a_clock_set_back_runs_nothing_twice(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await schedule(cloud)
        await cloud.let_pass(620, 60)
        await cloud.shift(-400)
        await cloud.let_pass(420, 60)
        assert await names(cloud, made) == ["tick-20261005-121000"]


class TestOverlap:
    @pytest.mark.parametrize(
        ("policy", "phases"),
        [
            ("skip", ["running"]),
            ("allow", ["running", "running"]),
            ("replace", ["cancelled", "running"]),
        ],
    )
    async def test_while_the_last_one_runs(
        self, cloud: Cloud, policy: str, phases: list[str]
    ) -> None:
        await cloud.site()
        made = await schedule(cloud, Script().stay(), overlap=policy)
        await cloud.let_pass(1260)
        assert sorted(phase for _, phase in await jobs(cloud, made)) == phases


class TestOrder:
    async def test_only_the_newest_jobs_are_kept(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await schedule(cloud, keep=2)
        await cloud.let_pass(3100, 30)
        assert await names(cloud, made) == ["tick-20261005-124000", "tick-20261005-125000"]

    async def test_deleted_with_its_jobs(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await schedule(cloud, Script().stay())
        await cloud.let_pass(700)
        await cloud.delete(made)
        await cloud.let_pass(30)
        assert await cloud.gone(made)
        await cloud.assert_books_closed()


class TestRefused:
    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ({"cron": "61 * * * *"}, "cron: bad minute"),
            ({"cron": "often"}, "cron: wrong number"),
            ({"timeZone": "Mars/Phobos"}, "no time zone 'Mars/Phobos'"),
            ({"timeZone": "../etc/passwd"}, "no time zone"),
            ({"job": {"command": ["x"], "secretEnv": {"A": "b"}}}, "can't be kept"),
            ({"job": {"command": []}}, "there is nothing to run"),
        ],
    )
    async def test_in_words(self, cloud: Cloud, spec: dict[str, Any], words: str) -> None:
        with pytest.raises(ValidationError, match=words):
            await schedule(cloud, **spec)

    async def test_a_tenant_gets_no_process_of_the_host_by_a_schedule(self, cloud: Cloud) -> None:
        spec = {"cron": EACH, "job": {"command": ["x"], "isolation": "process"}}
        with pytest.raises(Forbidden, match="operator only"):
            await cloud.put("schedule", "sly", spec, by=Caller("eve@acme", "acme"))

"""A step that told nothing is written down by one statement; what came meanwhile is not lost."""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from skerry.kernel import alerts
from skerry.kernel.flows import Context, Flow, Next, Services, gone, hop, nap, step
from skerry.kernel.kinds import Action, Kind, Registry
from skerry.kernel.resources import Resources
from skerry.kernel.worker import Worker, poke
from tests.kernel.conftest import Cloud
from tests.kernel.widgets import REGISTRY, Free

HOUR = 3600.0


class QuietFlow(Flow):
    @step(deadline=60)
    async def start(self, ctx: Context) -> Next:
        return hop("sleep", data={"started": True})

    @step(deadline=2 * HOUR)
    async def sleep(self, ctx: Context) -> Next:
        ctx.data["woken"] = [*ctx.data.get("woken", []), *ctx.intents]
        return nap(HOUR)

    @step(deadline=60)
    async def update(self, ctx: Context) -> Next:
        return hop("sleep", data={"updated": True})

    @step(deadline=60)
    async def remove(self, ctx: Context) -> Next:
        return gone()


QUIET = Kind(
    provider="t.stage", collection="quiets", noun="quiet", summary="Sleeps", spec=Free,
    flow=QuietFlow, actions=(Action("rouse", "Wake it"),),
)  # fmt: skip


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    registry = Registry((*REGISTRY.kinds, QUIET))
    cloud.resources = Resources(registry, cloud.resources.sealer, "here")
    return cloud


async def lived(
    cloud: Cloud, at: tuple[str, str], meanwhile: Callable[[], Awaitable[object]]
) -> list[str]:
    """The steps of a life in which something happens once, between a step and its writing."""
    steps: list[str] = []

    async def probe(noun: str, name: str, moment: str) -> None:
        if moment == "ran":
            steps.append(name)
            if (name, str(len(steps))) == at:
                await meanwhile()

    await cloud.put(QUIET, "q")
    await Worker(cloud.db, cloud.resources, Services(), probe=probe).drain()
    return steps


async def uid(cloud: Cloud) -> object:
    return (await cloud.read(QUIET, "q")).uid


async def test_nothing_came_and_nothing_is_told(cloud: Cloud) -> None:
    async def nothing() -> None:
        pass

    assert await lived(cloud, ("sleep", "2"), nothing) == ["start", "sleep"]
    row = await cloud.db.fetchrow("select *, wake_at - skerry_now() as left from flow")
    assert row["data"] == {"started": True, "woken": []}
    assert timedelta(minutes=50) < row["left"] <= timedelta(hours=1)
    assert row["deadline"] - row["entered_at"] == timedelta(hours=2)
    assert (row["step"], row["tries"], row["lease_until"]) == ("sleep", 0, None)
    assert (await cloud.read(QUIET, "q")).version == 1


async def test_a_poke_meanwhile_runs_it_again(cloud: Cloud) -> None:
    async def poked() -> None:
        await poke(cloud.db, [await uid(cloud)])

    assert await lived(cloud, ("sleep", "2"), poked) == ["start", "sleep", "sleep"]


async def test_what_is_asked_meanwhile_is_kept(cloud: Cloud) -> None:
    async def asked() -> None:
        quiet = await cloud.read(QUIET, "q")
        async with cloud.db.transaction() as tx:
            await cloud.resources.intend(tx, quiet.uid, "rouse")

    assert await lived(cloud, ("sleep", "2"), asked) == ["start", "sleep", "sleep"]
    row = await cloud.db.fetchrow("select data, intents from flow")
    assert (row["data"]["woken"], row["intents"]) == (["rouse"], ["rouse"])


async def test_a_put_meanwhile_is_seen(cloud: Cloud) -> None:
    async def put() -> None:
        await cloud.put(QUIET, "q")

    assert await lived(cloud, ("start", "1"), put) == ["start", "update", "sleep"]


async def test_a_deadline_that_passes_meanwhile_leaves_no_alert(cloud: Cloud) -> None:
    async def probe(noun: str, name: str, moment: str) -> None:
        if (name, moment) == ("start", "ran"):
            await cloud.db.shift_clock(timedelta(minutes=2))
            await Worker(cloud.db, cloud.resources, Services()).check_deadlines()
            assert [row["reason"] for row in await alerts.open_alerts(cloud.db)] == ["Overdue"]

    await cloud.put(QUIET, "q")
    await cloud.db.execute("update flow set deadline = skerry_now() + interval '1 minute'")
    await Worker(cloud.db, cloud.resources, Services(), probe=probe).drain()
    assert await cloud.db.fetchval("select step from flow") == "sleep"
    assert await alerts.open_alerts(cloud.db) == []


async def test_who_lost_its_claim_writes_nothing(cloud: Cloud) -> None:
    async def stolen() -> None:
        await cloud.db.execute("update flow set token = nextval('flow_token')")

    assert await lived(cloud, ("sleep", "2"), stolen) == ["start", "sleep"]
    assert await cloud.db.fetchval("select data ->> 'woken' from flow") is None


async def test_a_row_that_is_locked_is_as_it_was_read(cloud: Cloud) -> None:
    await cloud.put(QUIET, "q")
    async with cloud.db.transaction() as tx:
        first = await cloud.resources.by_uid(tx, await uid(cloud), lock=True)
        await cloud.resources.set_status(tx, first.uid, status={"phase": "new"})
        assert first.status == {}, "what was read before is not changed behind its back"
        with contextlib.suppress(ZeroDivisionError):
            async with tx.savepoint():
                await cloud.resources.set_status(tx, first.uid, status={"phase": "gone"})
                raise ZeroDivisionError
        again = await cloud.resources.by_uid(tx, first.uid, lock=True)
        assert (again.phase, again.version) == ("new", 2)

"""Workers: what they bear, and when they tell someone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from skerry.kernel import alerts
from skerry.kernel.errors import Conflict
from skerry.kernel.flows import Context, Flow, Next, Services, done, gone, hop, nap, step
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Kind, Registry
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resources
from skerry.kernel.worker import Worker, poke
from skerry.store import DATABASE_ERRORS, Database
from tests.kernel.conftest import AT, Cloud
from tests.kernel.widgets import BOX, REGISTRY, WIDGET, Free, World


class Stage:
    """The outside of ``ActFlow``: what a test makes its steps do."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.seconds = 0.0
        self.error: Exception | None = None

    async def act(self) -> None:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        self.ended += 1


class ActFlow(Flow):
    @step(deadline=60, remedy="Wake the actor.")
    async def start(self, ctx: Context) -> Next:
        await ctx.services[Stage].act()
        return done(state="active", data={"note": ctx.fence, "nothing": None})

    @step(deadline=60)
    async def update(self, ctx: Context) -> Next:
        return hop("start")

    @step(deadline=60)
    async def remove(self, ctx: Context) -> Next:
        return gone()


ACT = Kind(
    provider="t.stage", collection="acts", noun="act", summary="Played once", spec=Free,
    flow=ActFlow,
)  # fmt: skip


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    registry = Registry((*REGISTRY.kinds, ACT))
    cloud.resources = Resources(registry, cloud.resources.sealer, "here")
    return cloud


@contextlib.asynccontextmanager
async def at_work(*workers: Worker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
        assert not [task for task in tasks if task.done()], "a worker ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.02)


async def open_alerts(db: Database) -> list[str]:
    return sorted(row["reason"] for row in await alerts.open_alerts(db))


async def wake(db: Database) -> None:
    await db.execute("update flow set wake_at = skerry_now(), lease_until = null")


async def test_a_worker_that_lost_its_claim_writes_nothing(cloud: Cloud) -> None:
    world = World()
    await cloud.put(WIDGET, "w", {"size": 1})

    async def steal(noun: str, step: str, moment: str) -> None:
        if (step, moment) == ("start", "ran"):
            await cloud.db.execute("update flow set token = nextval('flow_token')")

    slow = Worker(cloud.db, cloud.resources, Services(world), probe=steal)
    await slow.drain()
    assert (await cloud.read(WIDGET, "w")).state == "pending"
    await wake(cloud.db)
    await Worker(cloud.db, cloud.resources, Services(world)).drain()
    assert (await cloud.read(WIDGET, "w")).state == "active"


async def test_who_comes_back_takes_up_at_once_what_it_held(cloud: Cloud) -> None:
    world = World()
    await cloud.put(WIDGET, "w", {"size": 1})

    def worker(name: str) -> Worker:
        return Worker(cloud.db, cloud.resources, Services(world), name=name, lease=3600)

    assert len(await worker("killed")._claim(1)) == 1
    await worker("another").drain()
    assert (await cloud.read(WIDGET, "w")).state == "pending"
    back = asyncio.create_task(worker("killed").run())
    async with asyncio.timeout(60):
        while (await cloud.read(WIDGET, "w")).state != "active":
            await asyncio.sleep(0.02)
    back.cancel()
    with pytest.raises(asyncio.CancelledError):
        await back


async def test_a_failing_step_is_tried_again_and_tells_someone(cloud: Cloud) -> None:
    await cloud.put(ACT, "a")
    stage = Stage()
    stage.error = RuntimeError("no \x00 voice \udc80")
    worker = Worker(cloud.db, cloud.resources, Services(stage))
    for _ in range(6):
        await worker.drain()
        await wake(cloud.db)
    row = await cloud.db.fetchrow("select tries, problem from flow")
    assert row["tries"] == 6
    assert row["problem"] == "RuntimeError: no ? voice ?"
    assert await open_alerts(cloud.db) == ["StepFails"]
    assert await alerts.open_alerts(cloud.db, "somebody") == []
    stage.error = None
    await worker.drain()
    assert (await cloud.read(ACT, "a")).state == "active"
    assert await open_alerts(cloud.db) == []


async def test_a_step_past_its_deadline_raises_one_alert(cloud: Cloud) -> None:
    await cloud.put(ACT, "a")
    stage = Stage()
    stage.error = RuntimeError("voice lost")
    worker = Worker(cloud.db, cloud.resources, Services(stage))
    await worker.drain()
    await cloud.db.execute("update flow set deadline = skerry_now() - interval '1 s'")
    assert [await worker.check_deadlines() for _ in range(2)] == [1, 0]
    (alert,) = await alerts.open_alerts(cloud.db)
    assert alert["remedy"] == "Wake the actor."
    assert "voice lost" in alert["message"]
    stage.error = None
    await wake(cloud.db)
    await worker.drain()
    assert await open_alerts(cloud.db) == []


async def test_a_flow_of_an_unknown_kind_stops_nobody_else(cloud: Cloud) -> None:
    """A product that was taken away leaves rows behind."""
    await cloud.put(ACT, "a")
    await cloud.put(WIDGET, "w", {"size": 1})
    world = World()
    known = Resources(REGISTRY, cloud.resources.sealer, "here")
    worker = Worker(cloud.db, known, Services(world), poll=0.05)
    async with at_work(worker):
        await until(lambda: _state_is(cloud, WIDGET, "w", "active"))
        for _ in range(5):
            tries = await cloud.db.fetchval("select tries from flow where kind = 'act'")
            await cloud.db.execute("update flow set wake_at = skerry_now() where kind = 'act'")
            await until(lambda seen=tries: _tried(cloud.db, seen))
        await cloud.db.execute("update flow set deadline = skerry_now() where kind = 'act'")
        await worker.check_deadlines()  # unless it came to look by itself
    assert await open_alerts(cloud.db) == ["Overdue", "StepFails"]


async def _tried(db: Database, before: int) -> bool:
    return bool(await db.fetchval("select tries > $1 from flow where kind = 'act'", before))


async def _state_is(cloud: Cloud, kind: Kind, name: str, state: str) -> bool:
    return (await cloud.read(kind, name)).state == state


async def test_workers_share_the_work_and_wake_at_once(cloud: Cloud) -> None:
    world = World()
    workers = [Worker(cloud.db, cloud.resources, Services(world), poll=5) for _ in range(3)]
    cloud.resources.woken = lambda: [w.wake() for w in workers]  # type: ignore[assignment]
    async with at_work(*workers):
        for i in range(5):
            await cloud.put(WIDGET, f"w{i}", {"size": i})
        await until(lambda: _all_active(cloud.db))
    assert world.calls.count("make") == 5


async def _all_active(db: Database) -> bool:
    left = await db.fetchval(
        "select count(*) from resource where kind = 'widget' and state <> 'active'"
    )
    return bool(left == 0)


async def test_one_worker_can_have_more_to_do_than_hands(cloud: Cloud) -> None:
    world = World()
    for i in range(5):
        await cloud.put(WIDGET, f"w{i}", {"size": i})
    async with at_work(Worker(cloud.db, cloud.resources, Services(world), concurrency=1)):
        await until(lambda: _all_active(cloud.db))
    assert world.calls.count("make") == 5


async def test_a_heartbeat_keeps_a_step_that_lasts_longer_than_its_lease(cloud: Cloud) -> None:
    stage = Stage()
    stage.seconds = 2.0
    workers = [
        Worker(cloud.db, cloud.resources, Services(stage), lease=0.6, poll=0.05) for _ in range(2)
    ]
    await cloud.put(ACT, "a")
    async with at_work(*workers):
        await until(lambda: _state_is(cloud, ACT, "a", "active"))
    assert (stage.begun, stage.ended) == (1, 1)


async def test_a_silent_worker_is_replaced_and_what_it_did_is_dropped(cloud: Cloud) -> None:
    stage = Stage()
    silent, other = Stage(), stage
    silent.seconds = 1.5
    stalled = Worker(cloud.db, cloud.resources, Services(silent), lease=0.3)
    await cloud.put(ACT, "a")
    # ``drain`` beats no heart: it is a worker cut off from the database in mid-step.
    stalling = asyncio.create_task(stalled.drain())
    while not silent.begun:
        await asyncio.sleep(0.01)
    async with at_work(Worker(cloud.db, cloud.resources, Services(other), poll=0.05)):
        await until(lambda: _state_is(cloud, ACT, "a", "active"))
        version = (await cloud.read(ACT, "a")).version
        await stalling
    assert (silent.ended, other.ended) == (1, 1)
    assert (await cloud.read(ACT, "a")).version == version


async def cut(url: str) -> None:
    """End every connection to the database but this one."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("moment", ["claimed", "ran", "written", "committed"])
@pytest.mark.parametrize("name", ["start", "finish"])
async def test_a_database_cut_off_in_mid_step_costs_nothing_but_time(
    cloud: Cloud, pg_url: str, moment: str, name: str
) -> None:
    world, cuts = World(), 0

    async def probe(noun: str, step: str, what: str) -> None:
        nonlocal cuts
        if (step, what) == (name, moment) and not cuts:
            cuts += 1
            await cut(pg_url)

    worker = Worker(cloud.db, cloud.resources, Services(world), lease=0.3, poll=0.05, probe=probe)
    await cloud.put(WIDGET, "w", {"size": 1})
    reader = await Database.open(pg_url, size=1)
    async with at_work(worker):
        await until(lambda: _active(reader))
    assert cuts == (1 if (name, moment) != ("finish", "ran") else 0)
    assert list(world.made.values()) == [1]
    tries = await reader.fetchval("select tries from flow")
    assert tries == 0, "a lost database is no failure of the step's"
    await reader.close()


async def _active(db: Database) -> bool:
    with contextlib.suppress(*DATABASE_ERRORS):
        return bool(await db.fetchval("select state = 'active' from resource where kind='widget'"))
    return False


async def test_a_database_that_is_cut_off_again_and_again_ends_no_worker(
    cloud: Cloud, pg_url: str
) -> None:
    world = World()
    workers = [
        Worker(cloud.db, cloud.resources, Services(world), lease=0.3, poll=0.05) for _ in range(2)
    ]
    for i in range(5):
        await cloud.put(WIDGET, f"w{i}", {"size": i})
    async with at_work(*workers):
        for _ in range(10):
            await cut(pg_url)
            await asyncio.sleep(0.05)
        reader = await Database.open(pg_url, size=1)
        await until(lambda: _all_active(reader))
        await reader.close()


async def test_tables_that_are_away_are_waited_for(cloud: Cloud) -> None:
    stage = Stage()
    worker = Worker(cloud.db, cloud.resources, Services(stage), lease=0.3, poll=0.05)
    await cloud.put(ACT, "a")
    stage.seconds = 0.3
    async with at_work(worker):
        await until(lambda: _true(stage.begun))
        await cloud.db.execute("alter table flow rename to away")
        await asyncio.sleep(0.5)
        await cloud.db.execute("alter table away rename to flow")
        await until(lambda: _state_is(cloud, ACT, "a", "active"))


async def _true(value: Any) -> bool:
    return bool(value)


async def test_a_put_during_a_step_is_not_lost(cloud: Cloud) -> None:
    world, puts = World(), 0

    async def probe(noun: str, step: str, moment: str) -> None:
        nonlocal puts
        if (step, moment) == ("finish", "claimed") and not puts:
            puts += 1
            await cloud.put(WIDGET, "w", {"size": 7})

    await cloud.put(WIDGET, "w", {"size": 1})
    await Worker(cloud.db, cloud.resources, Services(world), probe=probe).drain()
    assert puts == 1
    assert list(world.made.values()) == [7]
    assert (await cloud.read(WIDGET, "w")).status["weight"] == 7


async def test_a_delete_during_a_step_is_seen_at_its_end(cloud: Cloud) -> None:
    world = World()

    async def probe(noun: str, step: str, moment: str) -> None:
        if (step, moment) == ("start", "ran"):
            await cloud.delete(WIDGET, "w")

    await cloud.put(WIDGET, "w", {"size": 1})
    await Worker(cloud.db, cloud.resources, Services(world), probe=probe).drain()
    assert world.made == {}
    assert await cloud.list(WIDGET) == []


async def test_a_put_and_a_step_never_wait_for_each_other(cloud: Cloud) -> None:
    widget = (await cloud.put(WIDGET, "w", {"size": 1})).resource
    worker = Worker(cloud.db, cloud.resources, Services(World()))
    async with cloud.db.transaction() as tx:
        await cloud.resources.by_uid(tx, widget.uid, lock=True)
        working = asyncio.create_task(worker.drain())
        await asyncio.sleep(0.3)
        await cloud.resources.put(tx, WIDGET, AT.named("w"), {"spec": {"size": 7}}, SYSTEM)
    await working
    assert (await cloud.read(WIDGET, "w")).status["weight"] == 7


async def test_a_poke_waits_for_a_step_and_is_not_lost(cloud: Cloud) -> None:
    acts = [(await cloud.put(ACT, name)).resource.uid for name in ("a", "b")]
    await Worker(cloud.db, cloud.resources, Services(Stage())).drain()
    async with cloud.db.transaction() as tx:
        await tx.execute("select from flow where uid = $1 for update", acts[0])
        poking = asyncio.create_task(poke(cloud.db, acts))
        await until(lambda: _poked(cloud.db, acts[1]))
        assert not await _poked(cloud.db, acts[0])
    await poking
    assert await _poked(cloud.db, acts[0])


async def _poked(db: Database, uid: Any) -> bool:
    return bool(await db.fetchval("select wake_at <= skerry_now() from flow where uid = $1", uid))


async def test_an_owner_does_not_take_over_what_is_somebody_elses(cloud: Cloud) -> None:
    await cloud.put(WIDGET, "b-1", {"size": 1})
    await cloud.put(BOX, "b")
    worker = Worker(cloud.db, cloud.resources, Services(World()))
    await worker.drain()
    problem = await cloud.db.fetchval("select problem from flow where kind = 'box'")
    assert "b-1" in problem
    assert "no part of box 'b'" in problem
    assert await cloud.list(WIDGET) == ["b-1"]
    await cloud.delete(WIDGET, "b-1")
    for _ in range(4):
        await worker.drain()
        await wake(cloud.db)
    assert (await cloud.read(BOX, "b")).phase == "filled"


async def test_an_owner_drops_a_child(cloud: Cloud) -> None:
    class OneFlow(Flow):
        @step(deadline=60)
        async def start(self, ctx: Context) -> Next:
            return hop("wait", within=(ctx.put_child("widget", "child", {"size": 1, "pin": "5"}),))

        @step(deadline=60, inside=True)
        async def wait(self, ctx: Context) -> Next:
            (child,) = await ctx.children()
            if child.state != "active":
                return nap(5)
            return done(state="active", status={"phase": "full"})

        @step(deadline=60)
        async def update(self, ctx: Context) -> Next:
            children = await ctx.children()
            return done(state="active", within=tuple(map(ctx.drop_child, children)))

        @step(deadline=60)
        async def remove(self, ctx: Context) -> Next:
            return gone()

    one = Kind(provider="t.one", collection="ones", noun="one", summary="1", spec=Free,
               flow=OneFlow)  # fmt: skip
    cloud.resources = Resources(Registry((*REGISTRY.kinds, one)), cloud.resources.sealer, "here")
    await cloud.put(one, "o")
    worker = Worker(cloud.db, cloud.resources, Services(World()))
    for _ in range(3):
        await worker.drain()
        await cloud.db.execute("update flow set wake_at = skerry_now() where step <> 'rest'")
    assert (await cloud.read(one, "o")).phase == "full"
    await cloud.put(one, "o")
    await worker.drain()
    assert await cloud.list(WIDGET) == []
    assert (await cloud.read(one, "o")).state == "active"


async def test_what_is_done_to_an_owned_resource_behind_its_owner_is_refused(cloud: Cloud) -> None:
    await cloud.put(BOX, "b")
    await Worker(cloud.db, cloud.resources, Services(World())).drain()
    with pytest.raises(Conflict, match="part of another"):
        await cloud.put(WIDGET, "b-1", {"size": 9})


async def test_outside_a_transaction_there_is_none(cloud: Cloud) -> None:
    secrets: list[Any] = []

    class PryFlow(ActFlow):
        @step(deadline=60)
        async def start(self, ctx: Context) -> Next:
            assert not ctx.take("nothing")
            secrets.append(await ctx.secret("pin"))
            await ctx.tx.now()
            raise AssertionError

    pry = Kind(provider="t.pry", collection="pries", noun="pry", summary="1", spec=Free,
               flow=PryFlow)  # fmt: skip
    cloud.resources = Resources(Registry((*REGISTRY.kinds, pry)), cloud.resources.sealer, "here")
    async with cloud.db.transaction() as tx:
        path = Path(AT.tenant, AT.workspace, (), "p")
        made = await cloud.resources.put(tx, pry, path, {}, SYSTEM)
        await cloud.resources.sealer.seal(tx, "acme", made.resource.uid, "pin", "0000")
    await Worker(cloud.db, cloud.resources, Services(Stage())).drain()
    assert "declare it inside=True" in await cloud.db.fetchval("select problem from flow")
    assert secrets == ["0000"]


async def test_draining_says_when_there_is_too_much(cloud: Cloud) -> None:
    for i in range(4):
        await cloud.put(WIDGET, f"w{i}", {"size": i})
    worker = Worker(cloud.db, cloud.resources, Services(World()))
    with pytest.raises(RuntimeError, match="still busy after 2"):
        await worker.drain(most=2)
    assert await worker.drain() == 2

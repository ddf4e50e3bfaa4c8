"""The life of services: changed, failing, asleep, and on hosts that come and go."""

from typing import Any

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.resources import Resource
from skerry.products.run.services.looks import REVISION
from skerry.sites.simulated.faults import Fault
from tests.products.run.cloud import REGISTRY, Cloud
from tests.sites.contract.script import Script

GOOD = Script().serve(8000)
DEAF = Script().stay()
"""It runs, and listens to nobody."""


class Service:
    """One service, and what a person sees of it."""

    def __init__(self, cloud: Cloud, **spec: Any) -> None:
        self.cloud = cloud
        self.spec = {"command": ["serve"], "port": 8000, **spec}
        self.resource: Resource

    async def put(self, script: Script = GOOD, **spec: Any) -> None:
        self.spec |= spec | {"env": {"SKERRY_SIM": script.json}}
        self.resource = await self.cloud.put("service", "web", self.spec)

    async def act(self, action: str) -> None:
        async with self.cloud.db.transaction() as tx:
            await self.cloud.resources.act(tx, self.resource, action, None, SYSTEM)
        await self.cloud.turn()

    async def told(self, intent: str) -> None:
        async with self.cloud.db.transaction() as tx:
            await self.cloud.resources.intend(tx, self.resource.uid, intent)
        await self.cloud.turn()

    async def until(self, phase: str, revision: int = 0, **how: Any) -> dict[str, Any]:
        def so(now: Resource) -> bool:
            return now.phase == phase and (not revision or now.status["revision"] == revision)

        return dict((await self.cloud.until(self.resource, so, **how)).status)

    async def pods(self) -> list[Resource]:
        async with self.cloud.db.transaction() as tx:
            found = await self.cloud.resources.children(tx, self.resource.uid)
        return sorted((r for r in found if r.kind == "pod"), key=lambda pod: pod.name)

    async def places(self) -> list[str]:
        return sorted(pod.status["place"]["site"] for pod in await self.pods())

    async def serving(self) -> set[str]:
        """The workloads that its route leads to."""
        async with self.cloud.db.transaction() as tx:
            found = await self.cloud.resources.children(tx, self.resource.uid)
        [route] = [child for child in found if child.kind == "route"]
        return {backend["workload"] for backend in route.spec.get("backends", ())}

    async def end(self) -> None:
        await self.cloud.delete(self.resource)
        for _ in range(60):
            await self.cloud.let_pass(5)
            if await self.cloud.gone(self.resource):
                break
        assert await self.pods() == []
        await self.cloud.assert_books_closed()


@pytest.fixture
def service(cloud: Cloud) -> Service:
    return Service(cloud)


async def test_it_runs_as_many_as_are_wanted(cloud: Cloud, service: Service) -> None:
    await cloud.site()
    await service.put(replicas=3)
    status = await service.until("running")
    assert (status["ready"], status["revision"]) == (3, 1)
    first = await service.serving()
    assert len(first) == 3
    await service.put(replicas=1)
    await service.until("running")
    assert len(await service.pods()) == 1
    assert await service.serving() < first
    await service.put(replicas=0)
    assert (await service.until("stopped"))["reason"] == "NoReplicas"
    await cloud.let_pass(30)
    assert (await service.pods(), await service.serving()) == ([], set())
    await service.put(replicas=2)
    assert (await service.until("running"))["revision"] == 1
    await service.end()


async def test_a_change_replaces_them_one_after_the_other(cloud: Cloud, service: Service) -> None:
    await cloud.site()
    await service.put(replicas=3)
    await service.until("running")
    await service.put(GOOD, grace=3)
    least = 3
    for _ in range(120):
        await cloud.let_pass(1)
        least = min(least, len(await service.serving()))
        assert len([p for p in await service.pods() if p.phase != "stopped"]) <= 5
        if (await cloud.read(service.resource)).phase == "running":
            break
    status = await service.until("running", 2)
    assert least == 3
    assert {pod.labels[REVISION] for pod in await service.pods()} == {"2"}
    assert [one["number"] for one in status["revisions"]] == [2, 1]
    await service.act("restart")
    await service.until("running", 3)
    assert {pod.labels[REVISION] for pod in await service.pods()} == {"3"}
    await service.end()


async def test_one_that_never_gets_ready_takes_nothing_away(cloud: Cloud, service: Service) -> None:
    await cloud.site()
    await service.put(replicas=2, progress=30)
    await service.until("running")
    old = await service.serving()
    await service.put(DEAF)
    await cloud.let_pass(20)
    now = await cloud.read(service.resource)
    assert now.phase == "rolling"
    assert await service.serving() == old
    failing = await service.until("failing")
    assert (failing["reason"], failing["ready"]) == ("NotReady", 2)
    assert "Revision 2 does not get ready" in failing["message"]
    assert "The one before goes on serving" in failing["message"]
    assert "skerry service rollback web" in failing["message"]
    assert (await cloud.read(service.resource)).state == "error"
    await cloud.let_pass(600, step=120)
    assert await service.serving() == old
    await service.act("rollback")
    back = await service.until("running", 3)
    assert (back["ready"], (await cloud.read(service.resource)).state) == (2, "active")
    # What served all the time is of another revision, and is replaced as in any change.
    assert len(await service.serving()) == 2
    await service.end()


async def test_what_ends_at_once_is_told_and_a_mended_one_takes_over(
    cloud: Cloud, service: Service
) -> None:
    await cloud.site()
    await service.put(Script().exit(3), replicas=1, progress=30)
    failing = await service.until("failing")
    assert "See skerry service logs web" in failing["message"]
    with pytest.raises(Conflict, match="no earlier revision"):
        await service.act("rollback")
    await service.put(GOOD)
    await service.until("running", 2)
    assert len(await service.pods()) == 1
    await service.end()


async def test_it_sleeps_and_wakes(cloud: Cloud, service: Service) -> None:
    await cloud.site()
    await service.put(replicas=2, idle=300)
    await service.until("running")
    await service.told("idle")
    await service.until("asleep")
    await cloud.let_pass(30)
    assert (await service.pods(), await service.serving()) == ([], set())
    cost = await cloud.charged(service.resource)
    await cloud.let_pass(3600, step=1200)
    assert await cloud.charged(service.resource) == cost
    await service.told("wake")
    assert (await service.until("running"))["ready"] == 2
    assert len(await service.serving()) == 2
    # Who asks and who says that nobody does may come at once: then somebody asks.
    async with cloud.db.transaction() as tx:
        await cloud.resources.intend(tx, service.resource.uid, "idle")
        await cloud.resources.intend(tx, service.resource.uid, "wake")
    await cloud.let_pass(20)
    assert (await cloud.read(service.resource)).phase == "running"
    await service.end()


async def test_its_replicas_are_spread_and_move_from_a_site_that_is_lost(
    cloud: Cloud, service: Service
) -> None:
    await cloud.site()
    await cloud.site("two")
    await service.put(replicas=2, patience=120)
    await service.until("running")
    assert await service.places() == ["one", "two"]
    cloud.sites["two"].fail(Fault(kind="unreachable"))
    await cloud.let_pass(60)
    # It may serve or not: nothing that is heard is given up, and nothing is sent there.
    assert len(await service.serving()) == 1
    await cloud.let_pass(80)
    status = await service.until("running")
    assert status["ready"] == 2
    assert await service.places() == ["one", "one"]
    assert await cloud.held() > 0
    cloud.sites["two"].heal()
    await cloud.let_pass(60)
    # What ran on there was replaced: it is ended.
    assert cloud.at_site("two") == []
    assert cloud.at_site("one").count("running") == 2
    await service.end()


async def test_a_site_that_is_silent_for_less_costs_no_replica(
    cloud: Cloud, service: Service
) -> None:
    await cloud.site()
    await cloud.site("two")
    await service.put(replicas=2, patience=120)
    await service.until("running")
    before = {pod.uid: pod.status["workload"] for pod in await service.pods()}
    cloud.sites["two"].fail(Fault(kind="unreachable"))
    await cloud.let_pass(60)
    cloud.sites["two"].heal()
    await cloud.let_pass(30)
    await service.until("running")
    assert {pod.uid: pod.status["workload"] for pod in await service.pods()} == before
    assert len(await service.serving()) == 2
    await service.end()


async def test_a_replica_that_must_leave_its_place_serves_until_another_does(
    cloud: Cloud, service: Service
) -> None:
    await cloud.site()
    await service.put(replicas=2)
    await service.until("running")
    first = (await service.pods())[0]
    async with cloud.db.transaction() as tx:
        await cloud.resources.intend(tx, first.uid, "move")
    for _ in range(30):
        await cloud.let_pass(1)
        assert len(await service.serving()) >= 2
    assert first.uid not in {pod.uid for pod in await service.pods()}
    assert (await service.until("running"))["revision"] == 1
    await service.end()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"volumes": [{"name": "v", "path": "/v"}], "replicas": 2}, "one workload at a time"),
        ({"protocol": "tcp", "login": True}, "neither names nor login"),
        ({"health": {"port": 80, "command": ["true"]}}, "both port and command"),
    ],
)
async def test_what_can_not_be_is_refused(cloud: Cloud, spec: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        await Service(cloud, **spec).put()


async def test_a_route_of_its_name_is_in_its_way(cloud: Cloud, service: Service) -> None:
    await cloud.put("route", "web", {})
    with pytest.raises(Conflict, match="there is a route 'web' already"):
        await service.put()
    assert REGISTRY["service"].quota

"""The table is as the routes are, whatever the feed does."""

import asyncio
import uuid
from collections import Counter

import msgspec
import pytest

from skerry.gateway import drained, seen
from skerry.gateway.follow import Follower, route_of
from skerry.gateway.table import Route, Table
from skerry.kernel.feed import Happening
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.rows import Resource, snapshot
from tests.gateway.cloud import Cloud, running, until

HOST = "web-prod-acme.apps.localhost"


class Gateway:
    """A gateway without its proxy."""

    def __init__(self, cloud: Cloud, name: str = "one") -> None:
        self.name = name
        self.table = Table()
        self.in_flight: Counter[str] = Counter()
        self.cloud = cloud
        self.follower = Follower(cloud.db, cloud.feed, self.table, name, self.in_flight)

    async def begin(self) -> None:
        await seen.begin(self.cloud.db, self.name)

    def backends(self, host: str = HOST) -> list[str]:
        route = self.table.find(host)
        return [backend.workload for backend in route.backends] if route else []


def happening(route: Resource, verb: str = "put") -> Happening:
    body = msgspec.json.encode(snapshot(route)).decode()
    return Happening(0, "route", route.ref, verb, route.tenant, "prod", route.version, body)


async def test_routes_come_change_and_go(cloud: Cloud) -> None:
    one = await cloud.workload("w1")
    route = await cloud.put("web", {"backends": [one]})
    gateway = Gateway(cloud)
    async with running(cloud.feed.run(), gateway.follower.run()):
        await until(lambda: gateway.backends() == ["w1"])
        two = await cloud.workload("w2")
        await cloud.put("web", {"backends": [one, two]})
        await until(lambda: gateway.backends() == ["w1", "w2"])
        await cloud.put("api")
        await until(lambda: gateway.table.find("API-prod-acme.apps.localhost:8421"))
        await cloud.delete(route)
        await until(lambda: gateway.table.find(HOST) is None)


async def test_whatever_order_changes_come_in_the_newest_counts(cloud: Cloud) -> None:
    gateway = Gateway(cloud)
    old = await cloud.put("web", {"backends": [await cloud.workload("w1")]})
    new = await cloud.put("web", {"backends": [await cloud.workload("w2")]})
    await gateway.follower.take(happening(new))
    await gateway.follower.take(happening(old))
    await asyncio.sleep(0)
    assert gateway.backends() == ["w2"]
    async with cloud.db.transaction() as tx:
        await cloud.resources.delete(tx, new, SYSTEM)
        gone = await cloud.resources.by_uid(tx, new.uid)
    await gateway.follower.take(happening(gone, "deleted"))
    await gateway.follower.take(happening(new))
    await asyncio.sleep(0)
    assert gateway.table.find(HOST) is None


async def test_an_expired_feed_is_listed_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.gateway.follow.BEAT", 0.05)
    gateway = Gateway(cloud)
    await cloud.put("web")
    async with running(cloud.feed.run(), gateway.follower.run()):
        await until(lambda: gateway.table.find(HOST))
        # Changes that were never seen here, and are in the feed no more.
        async with cloud.db.transaction() as tx:
            last = await tx.fetchval("select max(position) from feed")
            await tx.execute("delete from feed")
            row = await tx.fetchrow("select * from change limit 1")
            assert row is not None
            await tx.execute(
                "insert into feed (position, change_id) values ($1, $2)", last + 100, row["id"]
            )
            spec = {"backends": [{"at": "here", "workload": "unseen", "port": 1}]}
            await tx.execute(
                "update resource set spec = $1, version = version + 1 where kind = 'route'", spec
            )
        await until(lambda: gateway.backends() == ["unseen"])


async def test_a_route_that_cant_be_read_harms_no_other(cloud: Cloud) -> None:
    gateway = Gateway(cloud)
    await cloud.put("web", {"backends": [await cloud.workload("w1")]})
    other = await cloud.put("other")
    await gateway.follower.list()
    async with cloud.db.transaction() as tx:
        await tx.execute(
            "update resource set spec = '{\"backends\": 7}', version = version + 1"
            " where name = 'web'"
        )
    await cloud.delete(other)
    await gateway.follower.list()
    assert gateway.backends() == ["w1"]
    assert gateway.table.find("other-prod-acme.apps.localhost") is None
    alerts = await cloud.db.fetch("select reason from alert where cleared_at is null")
    assert [row["reason"] for row in alerts] == ["route-unreadable"]


async def test_a_workload_is_drained_when_every_gateway_has_let_go_of_it(cloud: Cloud) -> None:
    one, two = await cloud.workload("w1"), await cloud.workload("w2")
    await cloud.put("web", {"backends": [one, two]})
    first, second = Gateway(cloud, "first"), Gateway(cloud, "second")
    for gateway in (first, second):
        await gateway.begin()

    async def gone(route: Resource) -> bool:
        async with cloud.db.transaction() as tx:
            return await drained(tx, route.uid, route.version, "w1")

    async with running(cloud.feed.run(), first.follower.run()):
        await until(lambda: first.backends() == ["w1", "w2"])
        first.in_flight["w1"] = 1
        changed = await cloud.put("web", {"backends": [two]})
        await until(lambda: first.backends() == ["w2"])
        assert not await gone(changed)  # the second follows nothing yet
        async with running(second.follower.run()):
            await until(lambda: second.backends() == ["w2"])
            told = "select 1 from route_seen where version >= $1 and gateway = 'first'"
            await until(lambda: cloud.db.fetchval(told, changed.version))
            assert not await gone(changed)
            first.in_flight["w1"] = 0
            await until(lambda: gone(changed))
        # A gateway that died holds nothing up for ever.
        again = await cloud.put("web", {"backends": [one]})
        await until(lambda: first.backends() == ["w1"])
        await cloud.db.execute(
            "update gateway set seen_at = seen_at - interval '31 s' where name = 'second'"
        )
        async with cloud.db.transaction() as tx:
            follows = seen.drained(tx, again.uid, again.version, "w2")
            await follows
        await until(lambda: _drained(cloud, again, "w2"))


async def _drained(cloud: Cloud, route: Resource, workload: str) -> bool:
    async with cloud.db.transaction() as tx:
        return await drained(tx, route.uid, route.version, workload)


async def test_without_a_gateway_everything_is_drained(cloud: Cloud) -> None:
    route = await cloud.put("web")
    assert await _drained(cloud, route, "w1")


async def test_the_table_changes_at_once_for_all_names() -> None:
    table = Table()
    heard: list[int] = []
    table.watch(lambda: heard.append(1))
    route = Route(uuid.uuid4(), "r", "t", 1, hosts=("a.example", "b.example"))
    table.put(route)
    assert table.find("A.example:80") is route
    assert table.find("b.example.") is route
    table.drop(route.uid)
    assert table.find("a.example") is None
    assert len(heard) == 2


def test_what_a_newer_server_writes_is_unreadable_not_wrong() -> None:
    with pytest.raises(Exception, match="unknown"):
        route_of({"spec": {"unknown": 1}, "status": {}, "owner_uid": None})

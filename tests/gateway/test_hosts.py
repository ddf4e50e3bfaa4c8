"""Names and ports: each belongs to one route, and to a tenant that may have it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.gateway import face
from skerry.gateway.face import Face
from skerry.gateway.hosts import automatic
from skerry.kernel.errors import Conflict, Forbidden, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.rows import Resource
from tests.gateway.cloud import REGISTRY, Cloud


async def test_a_route_has_a_url_of_its_own(cloud: Cloud) -> None:
    route = await cloud.put("web")
    assert route.status["url"] == "http://web-prod-acme.apps.localhost:8421"
    assert route.status["hosts"] == ["web-prod-acme.apps.localhost"]


async def test_two_names_that_read_the_same_stay_apart(cloud: Cloud) -> None:
    one = await cloud.put("a-prod")
    async with cloud.db.transaction() as tx:
        workspace = Path("acme", name="prod-prod")
        await cloud.resources.put(tx, REGISTRY["workspace"], workspace, {"spec": {}}, SYSTEM)
        path = Path("acme", "prod-prod", (), "a")
        two = (
            await cloud.resources.put(tx, REGISTRY["route"], path, {"spec": {}}, SYSTEM)
        ).resource
    assert one.status["hosts"] == ["a-prod-prod-acme.apps.localhost"]
    assert two.status["hosts"][0].startswith("a-prod-prod-acme-")


@given(st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,100}[a-z0-9])?", fullmatch=True))
def test_every_name_makes_a_name_of_dns(name: str) -> None:
    class Named:
        workspace = "prod"
        tenant = "acme"
        ref = f"routes/{name}"

    named = Named()
    named.name = name  # type: ignore[attr-defined]
    for plain in (True, False):
        host = automatic(named, "apps.localhost", plain=plain)  # type: ignore[arg-type]
        label, _, base = host.partition(".")
        assert base == "apps.localhost"
        assert 0 < len(label) <= 63
        assert label[0] != "-"
        assert label[-1] != "-"
        assert label[2:4] != "--"


async def test_a_tenants_own_name_takes_the_operators_leave(cloud: Cloud) -> None:
    with pytest.raises(Forbidden) as refused:
        await cloud.put("web", {"hosts": ["shop.example.com"]})
    assert "skerry domain create example.com" in str(refused.value.hint)
    await cloud.grant("example.com")
    route = await cloud.put("web", {"hosts": ["shop.example.com", "example.com"]})
    assert route.status["hosts"][1:] == ["shop.example.com", "example.com"]


async def test_nobody_takes_anothers_name(cloud: Cloud) -> None:
    await cloud.grant("example.com")
    await cloud.put("web", {"hosts": ["example.com"]})
    with pytest.raises(Conflict):
        await cloud.put("web2", {"hosts": ["example.com"]})
    with pytest.raises(Forbidden):
        await cloud.put("web", {"hosts": ["example.com"]}, tenant="other")
    with pytest.raises(Forbidden):
        await cloud.put("web", {"hosts": ["example.com"]}, tenant="operator")
    with pytest.raises(Conflict):
        await cloud.grant("example.com", "other")


async def test_a_part_of_a_domain_can_be_another_tenants(cloud: Cloud) -> None:
    await cloud.grant("example.com")
    await cloud.grant("shop.example.com", "other")
    await cloud.put("web", {"hosts": ["www.shop.example.com"]}, tenant="other")
    with pytest.raises(Forbidden):
        await cloud.put("web", {"hosts": ["shop.example.com"]})


async def test_the_operators_own_routes_need_no_grant(cloud: Cloud) -> None:
    route = await cloud.put("web", {"hosts": ["intern.example.org"]}, tenant="operator")
    assert "intern.example.org" in route.status["hosts"]


@pytest.mark.parametrize(
    "host", ["apps.localhost", "web-prod-other.apps.localhost", "127.0.0.1", "api.example.com"]
)
async def test_some_names_are_nobodys(cloud: Cloud, host: str) -> None:
    reserved = Face(scheme="http", base="apps.localhost", port=8421, reserved=("api.example.com",))
    await face.show(cloud.db, cloud.resources, reserved)
    with pytest.raises((Forbidden, ValidationError)):
        await cloud.put("web", {"hosts": [host]}, tenant="operator")


async def test_a_name_is_free_again_when_its_route_lets_go_or_goes(cloud: Cloud) -> None:
    await cloud.grant("example.com")
    one = await cloud.put("one", {"hosts": ["a.example.com", "b.example.com"]})
    await cloud.put("one", {"hosts": ["a.example.com"]})
    await cloud.put("two", {"hosts": ["b.example.com"]})
    await cloud.delete(one)
    await cloud.put("three", {"hosts": ["a.example.com"]})


async def test_of_two_at_once_one_gets_the_name(cloud: Cloud) -> None:
    await cloud.grant("example.com")
    puts = [cloud.put(f"web{n}", {"hosts": ["example.com"]}) for n in range(4)]
    done = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(one, Resource) for one in done) == 1
    assert sum(isinstance(one, Conflict) for one in done) == 3


async def test_a_domain_in_use_stays(cloud: Cloud) -> None:
    await cloud.grant("example.com")
    route = await cloud.put("web", {"hosts": ["a.example.com"]})
    async with cloud.db.transaction() as tx:
        path = Path("acme", name="example.com")
        domain = await cloud.resources.get(tx, cloud.resources.ref(REGISTRY["domain"], path))
        with pytest.raises(Conflict, match=r"a\.example\.com"):
            await cloud.resources.delete(tx, domain, SYSTEM)
    await cloud.delete(route)
    async with cloud.db.transaction() as tx:
        await cloud.resources.delete(tx, domain, SYSTEM)


async def test_urls_follow_the_gateway(cloud: Cloud) -> None:
    route = await cloud.put("web")
    new = Face(scheme="https", base="apps.example.net", port=443)
    await face.show(cloud.db, cloud.resources, new)
    shown = await cloud.shown(route)
    assert shown["url"] == "https://web-prod-acme.apps.example.net"
    assert shown["hosts"] == ["web-prod-acme.apps.example.net"]


async def test_tcp_routes_get_ports_until_there_are_none(cloud: Cloud) -> None:
    ports = [(await cloud.put(f"db{n}", {"protocol": "tcp"})).status["tcpPort"] for n in range(2)]
    assert ports == [20_000, 20_001]
    wanted = await cloud.put("db2", {"protocol": "tcp", "tcpPort": 20_002})
    assert wanted.status["url"] == "tcp://apps.localhost:20002"
    with pytest.raises(Conflict):
        await cloud.put("db3", {"protocol": "tcp"})
    with pytest.raises(Conflict):
        await cloud.put("db3", {"protocol": "tcp", "tcpPort": 20_002})
    with pytest.raises(ValidationError):
        await cloud.put("db3", {"protocol": "tcp", "tcpPort": 22})
    await cloud.delete(wanted)
    assert (await cloud.put("db3", {"protocol": "tcp"})).status["tcpPort"] == 20_002


async def test_a_route_leads_to_its_own_tenants_workloads_only(cloud: Cloud) -> None:
    mine, theirs = await cloud.workload("w-mine"), await cloud.workload("w-theirs", "other")
    await cloud.put("web", {"backends": [mine]})
    with pytest.raises(ValidationError, match="w-theirs"):
        await cloud.put("web", {"backends": [mine, theirs]})
    with pytest.raises(ValidationError):
        await cloud.put("web", {"backends": [{"at": "here", "workload": "w-none", "port": 1}]})

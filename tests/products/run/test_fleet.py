"""Jobs at a site of several machines: from its nodes' offers to the devices that they ran on."""

from typing import Any

from skerry.kernel.resources import Resource
from skerry.sites.simulated.world import World
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

H100 = {"model": "NVIDIA H100 80GB HBM3", "count": 4}
SMALL = {"millicores": 100, "memory": 64 << 20, "disk": 1 << 20}


async def fleet(cloud: Cloud, **more: Any) -> World:
    """Two racks of two nodes, with four GPUs each."""
    nodes = [{"name": "n", "count": 4, "gpus": [H100], "rack": "r", "perRack": 2} | more]
    return await cloud.site("one", nodes=nodes)


async def offer(cloud: Cloud, name: str) -> Resource:
    async with cloud.db.transaction() as tx:
        return await cloud.resources.get(tx, f"skerry.market/v1/offers/{name}")


async def test_a_gang_runs_on_the_devices_that_its_lease_names(cloud: Cloud) -> None:
    await fleet(cloud)
    job = await cloud.job(script=Script().sleep(10), gpus=4, count=2, **SMALL)
    running = await cloud.until(job, "running")
    place = running.status["place"]
    assert (place["site"], place["near"]) in (("one", "rack r-0"), ("one", "rack r-1"))
    async with cloud.db.transaction() as tx:
        lease = await cloud.market.open_lease(tx, job.uid)
    assert lease is not None
    tasks = running.status["tasks"]
    assert tuple(task["node"] for task in tasks) == lease.nodes
    assert tuple(tuple(task["gpus"]) for task in tasks) == lease.devices
    assert len(set(lease.nodes)) == 2
    await cloud.until(job, "succeeded")
    assert await cloud.charged(job) > 0
    await cloud.assert_books_closed()


async def test_a_gang_waits_for_its_rack(cloud: Cloud) -> None:
    await fleet(cloud)
    first = await cloud.job("first", Script().sleep(60), gpus=1, **SMALL)
    await cloud.until(first, "running")
    second = await cloud.job("second", Script().sleep(60), gpus=4, count=2, **SMALL)
    await cloud.until(second, "running")
    third = await cloud.job(
        "third",
        Script().sleep(10),
        gpus=4,
        count=2,
        topology="rack",
        topologyRequired=True,
        **SMALL,
    )
    await cloud.turn()
    waiting = await cloud.read(third)
    assert waiting.phase == "queued"
    assert (
        "no rack has 8 free GPUs of this model, 4 on a node for each task; the largest has 4"
        in (waiting.status["message"])
    )
    await cloud.until(third, "succeeded")


async def test_a_closed_node_takes_nothing_and_says_why(cloud: Cloud) -> None:
    world = await fleet(cloud)
    for name in ("n-1", "n-2", "n-3"):
        world.close_node(name, "cordoned by anna")
    job = await cloud.job(script=Script().sleep(10), gpus=4, count=2, **SMALL)
    await cloud.turn()
    said = (await cloud.read(job)).status["message"]
    assert "3 closed for new work" in said
    assert (await offer(cloud, "one.n-1")).spec["closed"] == "cordoned by anna"
    assert "closed" not in (await offer(cloud, "one.n-0")).spec
    before = {name: (await offer(cloud, f"one.{name}")).version for name in ("n-0", "n-2")}
    world.close_node("n-1", "")
    await cloud.until(job, "running")
    assert {name: (await offer(cloud, f"one.{name}")).version for name in before} == before
    await cloud.until(job, "succeeded")
    await cloud.assert_books_closed()


async def test_a_sick_device_leaves_the_offers_with_its_reason(cloud: Cloud) -> None:
    world = await fleet(cloud, count=1, perRack=0)
    sick = (await cloud.hub.driver("one").capacity()).devices[0].uuid
    world.sicken(sick, "Xid 79")
    await cloud.turn()
    [stock] = (await offer(cloud, "one.n")).spec["pool"]["gpus"]
    assert stock["count"] == 3
    assert stock["out"] == f"out of use: {sick}: Xid 79"
    job = await cloud.job(script=Script().sleep(10), gpus=4, **SMALL)
    await cloud.turn()
    assert f"out of use: {sick}: Xid 79" in (await cloud.read(job)).status["message"]
    world.sicken(sick, "")
    await cloud.until(job, "succeeded")


async def test_a_lost_node_loses_the_run_and_another_takes_it(cloud: Cloud) -> None:
    world = await fleet(cloud)
    job = await cloud.job(script=Script().sleep(30), gpus=4, retries=1, **SMALL)
    running = await cloud.until(job, "running")
    lost = running.status["place"]["node"]
    world.lose_node(lost)
    again = await cloud.until(job, lambda r: r.phase == "running" and r.status["attempt"] == 2)
    assert again.status["place"]["node"] != lost
    await cloud.until(job, "succeeded")
    await cloud.assert_books_closed()


async def test_volumes_of_a_fleet_are_at_the_site(cloud: Cloud) -> None:
    await fleet(cloud)
    volume = await cloud.put("volume", "data", {"size": 1 << 30})
    await cloud.turn()
    assert (await cloud.read(volume)).status["place"]["site"] == "one"
    use = [{"name": "data", "path": "/data"}]
    job = await cloud.job(
        script=Script().write("/data/x", "y").cat("/data/x"), volumes=use, **SMALL
    )
    ended = await cloud.until(job, "succeeded")
    assert ended.status["tasks"][0]["node"].startswith("n-")


async def test_a_node_and_a_slice_can_be_asked_for(cloud: Cloud) -> None:
    a100 = {"model": "A100-SXM4-80GB", "count": 1}
    slices = a100 | {"count": 7, "profile": "1g.10gb", "memory": 10 << 30}
    await fleet(cloud, gpus=[a100, slices])
    async with cloud.db.transaction() as tx:
        row = await cloud.resources.get(tx, "skerry.market/v1/offers/one.n-0")
    priced = {stock["model"]: stock.get("price") for stock in row.spec["pool"]["gpus"]}
    assert priced["A100-SXM4-80GB"]
    assert priced["A100-SXM4-80GB 1g.10gb"] is None
    whole = await cloud.job("whole", Script().sleep(10), gpus=1, site="one/n-2", **SMALL)
    running = await cloud.until(whole, "running")
    assert running.status["place"]["node"] == "n-2"
    assert "1g.10gb" not in running.status["tasks"][0]["gpus"][0]
    part = await cloud.job("part", Script().sleep(10), gpus=1, gpuModel="A100 1g.10gb", **SMALL)
    await cloud.turn()
    assert "price unknown" in (await cloud.read(part)).status["message"]

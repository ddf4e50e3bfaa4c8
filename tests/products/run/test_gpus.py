"""Devices as their operator and their tenant see them: sick ones, idle ones."""

from collections.abc import Mapping

from skerry.api import prometheus
from skerry.kernel.alerts import open_alerts
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.views import Asked
from skerry.series import Batch, Recorder
from skerry.series.views import HOST_METRICS
from skerry.sites.devices import Idle, all_devices, held
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script


async def reasons(cloud: Cloud) -> dict[str, str]:
    return {row["reason"]: row["message"] for row in await open_alerts(cloud.db)}


async def offered(cloud: Cloud) -> int:
    [row] = await cloud.db.fetch("select spec from resource where kind = 'offer'")
    return sum(gpu["count"] for gpu in row["spec"]["pool"].get("gpus", ()))


async def test_a_sick_device_is_not_offered_until_it_is_well(cloud: Cloud) -> None:
    world = await cloud.site(gpus=[{"model": "H100", "count": 2}])
    assert await offered(cloud) == 2
    device = world.capacity().gpus[0].uuid
    world.sicken(device, "it has fallen off the bus")
    await cloud.turn()
    assert await offered(cloud) == 1
    words = (await reasons(cloud))["GpuSick"]
    assert words.startswith("1 of the 2 GPUs of")
    assert f"{device}: it has fallen off the bus" in words
    world.sicken(device, "")
    await cloud.turn()
    assert await offered(cloud) == 2
    assert "GpuSick" not in await reasons(cloud)


async def test_who_leases_an_idle_device_is_told_what_it_costs(cloud: Cloud) -> None:
    await cloud.site(gpus=[{"model": "H100", "count": 2}])
    job = await cloud.job(script=Script().sleep(10_000), gpus=1)
    await cloud.until(job, "running")
    async with cloud.db.transaction() as tx:
        [device] = await held(tx)
        assert {one.gpu.uuid for one in await all_devices(tx)} > {device}
    recorder, idle = Recorder(cloud.db), Idle(cloud.db, cloud.resources)

    async def minutes(count: int, busy: float) -> None:
        for _ in range(2 * count):
            await recorder.write("one", [Batch("gpu", [(device, 0)], {"gpu": [busy]})])
            await cloud.shift(30)
        await cloud.turn()
        await idle.look()

    await minutes(20, 0.0)
    assert "GpuIdle" not in await reasons(cloud)
    await minutes(14, 0.0)
    words = (await reasons(cloud))["GpuIdle"]
    assert device in words
    assert "A GPU of job job did nothing for 30 minutes" in words
    assert "EUR an hour" in words
    assert not words.split("It costs ")[1].startswith("0.00")
    await minutes(2, 0.9)
    assert "GpuIdle" not in await reasons(cloud)


async def test_what_was_not_measured_is_not_idle(cloud: Cloud) -> None:
    await cloud.site(gpus=[{"model": "H100", "count": 1}])
    await cloud.until(await cloud.job(script=Script().sleep(10_000), gpus=1), "running")
    await cloud.shift(3600)
    await cloud.turn()
    await Idle(cloud.db, cloud.resources).look()
    assert "GpuIdle" not in await reasons(cloud)


async def test_each_device_is_told_by_itself(cloud: Cloud) -> None:
    """In a site's metrics, and to a Prometheus."""
    world = await cloud.site(gpus=[{"model": "H100", "count": 2}])
    one, other = (gpu.uuid for gpu in world.capacity().gpus)
    world.sicken(other, "it has fallen off the bus")
    await cloud.until(await cloud.job(script=Script().sleep(10_000), gpus=1), "running")
    recorder = Recorder(cloud.db)
    keys = [(one, 0), (other, 0)]
    await recorder.write("one", [Batch("gpu", keys, {"gpu": [0.5, None]})])
    async with cloud.db.transaction() as tx:
        site = await cloud.resources.get(tx, "skerry.site/v1/sites/one")
    asked = Asked(cloud.db, cloud.resources, cloud.services, site, SYSTEM, query={"by": "gpu"})
    shown = await HOST_METRICS.answer(asked)
    assert isinstance(shown, Mapping)
    assert [device["uuid"] for device in shown["devices"]] == sorted([one, other])
    series, _ = next(d["series"] for d in shown["devices"] if d["uuid"] == one)
    assert 0.5 in series["values"]
    lines = await prometheus.of_devices(cloud.db)
    where = f'{{site="one",host="",uuid="{one}",model="H100"}}'
    assert f"skerry_gpu_utilisation{where} 0.5" in "".join(lines)
    assert f"skerry_gpu_leased{where} 1" in "".join(lines)
    assert f'uuid="{other}",model="H100"}} 1' in "".join(lines).split("skerry_gpu_sick")[-1]

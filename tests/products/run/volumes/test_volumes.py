"""Volumes: made, mounted by one writer or many readers, grown, copied, paid for, and removed."""

from typing import Any

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.resources import Resource
from skerry.products.run.volumes.hooks import VolumeHooks
from skerry.sites.simulated.driver import WORLDS
from tests.ledger.world import pay_in
from tests.products.run.cloud import AT, REGISTRY, Cloud
from tests.sites.contract.script import Script

GIB = 1 << 30
HOLDING = Script().sleep(60).exit(0)
SHORT = Script().exit(0)


async def volume(cloud: Cloud, name: str = "data", size: int = GIB, **spec: Any) -> Resource:
    made = await cloud.put("volume", name, {"size": size, **spec})
    await cloud.turn()
    return await cloud.read(made)


async def snapshot(cloud: Cloud, name: str, of: str = "data") -> Resource:
    async with cloud.db.transaction() as tx:
        path = Path(AT.tenant, AT.workspace, (of,), name)
        put = await cloud.resources.put(tx, REGISTRY["snapshot"], path, {"spec": {}}, SYSTEM)
    await cloud.turn()
    return await cloud.read(put.resource)


def use(name: str = "data", **more: Any) -> list[dict[str, Any]]:
    return [{"name": name, "path": "/data", **more}]


async def job(cloud: Cloud, name: str, script: Script = HOLDING, **spec: Any) -> Resource:
    made = await cloud.job(name, script, **{"volumes": use(), **spec})
    await cloud.turn()
    return await cloud.read(made)


async def shown(cloud: Cloud, one: Resource) -> dict[str, Any]:
    async with cloud.db.transaction() as tx:
        current = await cloud.resources.by_uid(tx, one.uid)
        more = await VolumeHooks().shown(tx, cloud.resources, current)
    return {**current.status, **more}


async def disk(cloud: Cloud) -> int:
    """Bytes that are leased."""
    return int(
        await cloud.db.fetchval(
            "select coalesce(sum((takes::json ->> 'disk')::bigint), 0) from lease"
            " where state <> 'closed'"
        )
    )


class TestLife:
    async def test_it_is_made_where_the_market_says(self, cloud: Cloud) -> None:
        world = await cloud.site()
        made = await volume(cloud)
        assert (made.phase, made.state) == ("ready", "active")
        assert (made.status["at"], made.status["size"]) == ("one", GIB)
        assert [v.id for v in world.list_volumes()] == [made.status["id"]]
        assert await disk(cloud) == GIB
        assert made.status["pricePerGibHourNano"] == 62_500

    async def test_nobody_keeps_volumes_then_it_waits(self, cloud: Cloud) -> None:
        made = await volume(cloud, size=16 << 20)
        assert made.phase == "queued"
        assert "no offer" in made.status["message"]
        await cloud.site()
        ready = await cloud.until(made, "ready")
        assert (ready.status["at"], ready.status["pricePerGibHourNano"]) == ("one", 62_500)

    async def test_it_is_billed_from_its_making_to_its_deletion(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await volume(cloud, size=72 * GIB)
        await cloud.let_pass(3600, 60)
        await cloud.delete(made)
        await cloud.let_pass(60)
        assert await cloud.gone(made)
        assert await cloud.charged(made) == pytest.approx(72 * 62_500, rel=0.02)
        await cloud.assert_books_closed()

    async def test_one_without_room_waits_and_says_so(self, cloud: Cloud) -> None:
        await cloud.site(disk=10 * GIB)
        made = await volume(cloud, size=20 * GIB)
        assert (made.phase, made.status["reason"]) == ("queued", "NoOffer")
        assert "10 GiB more disk" in made.status["message"]
        await cloud.delete(made)
        await cloud.turn()
        assert await cloud.gone(made)

    async def test_a_site_that_is_away_is_waited_for(self, cloud: Cloud) -> None:
        world = await cloud.site()
        made = await volume(cloud)
        contact = cloud.hub.contact("one")
        assert contact is not None
        known = next(name for name, w in WORLDS.items() if w is world)
        await cloud.hub.close("one")
        await cloud.delete(made)
        await cloud.turn()
        current = await cloud.read(made)
        assert current.state == "deleting"
        assert "deleted when the host is back" in current.status["message"]
        cloud.hub.open("one", "simulated", {"name": known})
        await cloud.let_pass(120)
        assert await cloud.gone(made)
        assert world.list_volumes() == ()

    @pytest.mark.parametrize("size", [0, -1, (16 << 20) - 1, (1 << 44) + 1, "1G", 1.5, None])
    async def test_no_size_is_made_up(self, cloud: Cloud, size: Any) -> None:
        with pytest.raises(ValidationError, match="size"):
            await cloud.put("volume", "data", {"size": size})


class TestMounting:
    async def test_a_job_runs_where_its_volume_lies(self, cloud: Cloud) -> None:
        await cloud.site("one")
        made = await volume(cloud)
        for name in ("two", "three"):
            await cloud.site(name)
        for number in range(3):
            done = await cloud.until(await job(cloud, f"job-{number}", SHORT), "succeeded")
            assert done.status["place"]["site"] == made.status["at"]

    async def test_a_second_writer_waits_until_the_first_has_ended(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await volume(cloud)
        first = await job(cloud, "first")
        assert first.phase == "running"
        second = await job(cloud, "second", SHORT)
        assert (second.phase, second.status["reason"]) == ("queued", "VolumeInUse")
        assert second.status["message"] == "Volume data is in use by job first."
        assert await cloud.leases(second) == []
        assert (await shown(cloud, made))["writer"] == "job first"
        await cloud.until(first, "succeeded")
        await cloud.until(second, "succeeded", most=20)
        assert (await shown(cloud, made))["writer"] == ""

    async def test_many_read_and_a_writer_waits(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await volume(cloud)
        readers = [
            await job(cloud, name, volumes=use(readOnly=True)) for name in ("r1", "r2", "r3")
        ]
        assert [r.phase for r in readers] == ["running"] * 3
        assert (await shown(cloud, made))["readers"] == ["job r1", "job r2", "job r3"]
        writer = await job(cloud, "writer", SHORT)
        assert writer.status["message"] == "Volume data is read by job r1."
        await cloud.until(writer, "succeeded")

    async def test_two_at_once_never_both_write(self, cloud: Cloud) -> None:
        await cloud.site()
        await volume(cloud)
        both = [await cloud.job(n, HOLDING, volumes=use()) for n in ("a", "b")]
        await cloud.turn()
        assert sorted([(await cloud.read(j)).phase for j in both]) == ["queued", "running"]

    async def test_a_volume_that_is_not_ready_is_waited_for(self, cloud: Cloud) -> None:
        made = await volume(cloud)
        waits = await job(cloud, "job", SHORT)
        assert waits.status["reason"] == "VolumeNotReady"
        await cloud.site()
        await cloud.until(waits, "succeeded")
        assert (await cloud.read(made)).phase == "ready"

    async def test_it_is_not_deleted_while_it_is_mounted(self, cloud: Cloud) -> None:
        await cloud.site()
        made = await volume(cloud)
        running = await job(cloud, "train")
        with pytest.raises(Conflict, match="in use by job train") as refused:
            await cloud.delete(made)
        assert refused.value.hint.endswith("skerry job cancel train")
        await cloud.until(running, "succeeded")
        await cloud.delete(made)
        await cloud.turn()
        assert await cloud.gone(made)

    async def test_a_job_whose_volume_went_fails_in_words(self, cloud: Cloud) -> None:
        made = await volume(cloud)
        waits = await job(cloud, "job", SHORT)
        await cloud.delete(made)
        ended = await cloud.until(waits, "failed")
        assert ended.status["reason"] == "VolumeMissing"
        assert "volume 'data' does not exist" in ended.status["message"]

    async def test_a_pod_keeps_it_until_it_is_stopped(self, cloud: Cloud) -> None:
        await cloud.site()
        await volume(cloud)
        pod = await cloud.put(
            "pod",
            "web",
            {
                "command": ["serve"],
                "volumes": use(),
                "env": {"SKERRY_SIM": Script().sleep(9999).json},
            },
        )
        await cloud.until(pod, "running")
        waits = await job(cloud, "job", SHORT)
        assert waits.status["message"] == "Volume data is in use by pod web."
        async with cloud.db.transaction() as tx:
            await cloud.resources.act(tx, pod, "stop", None, SYSTEM)
        await cloud.until(waits, "succeeded")


class TestGrowing:
    async def test_it_grows_and_pays_for_it(self, cloud: Cloud) -> None:
        world = await cloud.site()
        made = await volume(cloud)
        grown = await volume(cloud, size=3 * GIB)
        assert (grown.phase, grown.state, grown.status["size"]) == ("ready", "active", 3 * GIB)
        assert world.list_volumes()[0].size == 3 * GIB
        assert await disk(cloud) == 3 * GIB
        assert grown.status["pricePerHourNano"] == 3 * 62_500
        await cloud.delete(made)
        await cloud.turn()
        await cloud.assert_books_closed()

    async def test_without_room_it_keeps_its_size_and_works(self, cloud: Cloud) -> None:
        await cloud.site(disk=2 * GIB)
        await volume(cloud)
        waits = await volume(cloud, size=5 * GIB)
        assert (waits.phase, waits.status["size"]) == ("growing", GIB)
        assert "more disk" in waits.status["message"]
        await cloud.until(await job(cloud, "job", SHORT), "succeeded")
        back = await volume(cloud, size=GIB)
        assert (back.phase, back.status.get("reason")) == ("ready", None)

    async def test_it_never_shrinks(self, cloud: Cloud) -> None:
        await cloud.site()
        await volume(cloud)
        with pytest.raises(ValidationError, match="it can grow, not shrink"):
            await volume(cloud, size=GIB - 1)


class TestSnapshots:
    async def test_a_volume_begins_as_a_copy(self, cloud: Cloud) -> None:
        world = await cloud.site()
        await cloud.site("two")
        made = await volume(cloud)
        world = cloud.sites[made.status["at"]]
        world.volumes.find(made.status["id"]).files["a"] = b"kept"
        taken = await snapshot(cloud, "before")
        assert (taken.phase, taken.status["size"]) == ("ready", GIB)
        copy = await volume(cloud, "copy", **{"from": "data/before"})
        assert copy.status["at"] == made.status["at"]
        assert world.volumes.find(copy.status["id"]).files == {"a": b"kept"}
        assert await disk(cloud) == 3 * GIB
        with pytest.raises(Conflict, match="still needed by snapshot before"):
            await cloud.delete(made)
        for one in (taken, made, copy):
            await cloud.delete(one)
            await cloud.turn()
            assert await cloud.gone(one)
        await cloud.assert_books_closed()

    async def test_one_that_is_not_there_is_refused(self, cloud: Cloud) -> None:
        for name in ("data/before", "nothing", "/", "a/b/c"):
            with pytest.raises(ValidationError, match="there is no snapshot"):
                await volume(cloud, **{"from": name})


class TestMoney:
    async def test_money_that_ends_costs_no_data(self, cloud: Cloud) -> None:
        world = await cloud.site()
        await cloud.prepay(72 * 62_500)
        made = await volume(cloud, size=72 * GIB)
        await cloud.let_pass(2 * 3600, 300)
        unpaid = await cloud.read(made)
        assert (unpaid.phase, unpaid.status["reason"]) == ("unpaid", "NoMoney")
        assert len(world.list_volumes()) == 1
        waits = await job(cloud, "job", SHORT)
        assert waits.status["reason"] == "VolumeNotReady"
        charged = await cloud.charged(made)
        async with cloud.db.transaction() as tx:
            await pay_in(tx, "acme", 10**9, "more")
        assert (await cloud.until(made, "ready", step=10)).status["size"] == 72 * GIB
        await cloud.until(waits, "succeeded", step=5)
        assert await cloud.charged(made) <= charged + 72 * 62_500 // 20
        await cloud.delete(made)
        await cloud.turn()
        await cloud.assert_books_closed()

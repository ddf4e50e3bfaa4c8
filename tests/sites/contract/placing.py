"""Sites of several machines: each task runs where the market has placed it, or nothing starts."""

import pytest

from skerry.sites.contract import Node, NoRoom, Refused, Workloads
from tests.sites.contract.rig import MIB, Base, Rig, ended, find, plain, running, workload
from tests.sites.contract.script import Script


async def open_nodes(site: Workloads) -> list[Node]:
    return [node for node in (await site.capacity()).nodes if not node.closed]


class Placing(Base):
    """For a rig with at least two open nodes, none of them twice as large as another."""

    async def test_a_site_tells_of_its_nodes(self, site: Workloads) -> None:
        room = await site.capacity()
        names = [node.name for node in room.nodes]
        assert len(names) >= 2
        assert all(names)
        assert len(set(names)) == len(names)
        assert room.gpus == ()
        devices = [gpu.uuid for gpu in room.devices]
        assert len(set(devices)) == len(devices)
        for node in room.nodes:
            assert 0 <= node.free_millicores <= node.millicores
            assert 0 <= node.free_memory <= node.memory
            assert set(node.free_gpus) <= {gpu.uuid for gpu in node.gpus}

    async def test_tasks_run_where_they_were_placed(self, rig: Rig, site: Workloads) -> None:
        one, other = (node.name for node in (await open_nodes(site))[:2])
        work = workload(rig, Script().stay(), tasks=3, nodes=(other, one, other))
        await site.apply(work, 1)
        status = await running(site, work.id)
        assert [task.node for task in status.tasks] == [other, one, other]

    async def test_tasks_have_the_devices_they_were_given(self, rig: Rig, site: Workloads) -> None:
        room = await site.capacity()
        node = next(node for node in room.nodes if not node.closed and len(node.free_gpus) > 1)
        if not room.pins:
            pytest.skip("the site can't give a task the devices that are named for it")
        wanted = node.free_gpus[-1]
        work = workload(rig, Script().stay(), gpus=1, nodes=(node.name,), devices=((wanted,),))
        await site.apply(work, 1)
        [task] = (await running(site, work.id)).tasks
        assert task.gpus == (wanted,)
        again = workload(rig, Script().stay(), gpus=1, nodes=(node.name,), devices=((wanted,),))
        with pytest.raises(NoRoom) as refused:
            await site.apply(again, 1)
        plain(refused.value)

    async def test_without_a_node_the_site_chooses_an_open_one(
        self, rig: Rig, site: Workloads
    ) -> None:
        names = {node.name for node in await open_nodes(site)}
        work = workload(rig, Script().print("here"), tasks=2)
        await site.apply(work, 1)
        status = await ended(site, work.id)
        assert {task.node for task in status.tasks} <= names

    async def test_a_gang_over_nodes_starts_whole_or_not_at_all(
        self, rig: Rig, site: Workloads
    ) -> None:
        one, other = (await open_nodes(site))[:2]
        most = min(one.free_millicores, other.free_millicores) // 2 + 1
        before = (await site.capacity()).free_millicores
        work = workload(
            rig, Script().stay(), tasks=3, millicores=most, memory=16 * MIB,
            nodes=(one.name, other.name, other.name),
        )  # fmt: skip
        with pytest.raises(NoRoom) as refused:
            await site.apply(work, 1)
        plain(refused.value)
        assert await find(site, work.id) is None
        assert (await site.capacity()).free_millicores == before

    async def test_what_we_place_is_not_taken_off_a_node(self, rig: Rig, site: Workloads) -> None:
        before = (await open_nodes(site))[0]
        work = workload(rig, Script().stay(), nodes=(before.name,))
        await site.apply(work, 1)
        await running(site, work.id)
        assert (await open_nodes(site))[0] == before

    async def test_what_is_not_there_is_refused(self, rig: Rig, site: Workloads) -> None:
        with pytest.raises(Refused) as refused:
            await site.apply(workload(rig, Script().stay(), nodes=("nowhere",)), 1)
        assert refused.value.reason == "UnknownNode"
        plain(refused.value)

    async def test_each_task_has_its_node_or_none_has(self, rig: Rig, site: Workloads) -> None:
        node = (await open_nodes(site))[0].name
        with pytest.raises(Refused) as refused:
            await site.apply(workload(rig, Script().stay(), tasks=2, nodes=(node,)), 1)
        assert refused.value.reason == "BadWorkload"
        plain(refused.value)

    async def test_a_closed_node_takes_nothing_new(self, rig: Rig, site: Workloads) -> None:
        closed = [node for node in (await site.capacity()).nodes if node.closed]
        for node in closed:
            assert len(node.closed.split()) >= 1
            with pytest.raises(NoRoom) as refused:
                await site.apply(workload(rig, Script().stay(), nodes=(node.name,)), 1)
            plain(refused.value)

"""The cluster fails: nothing is doubled, nothing forgotten, and the reason is shown."""

import asyncio

import pytest

from skerry.sites.contract import Refused, SiteUnreachable, Workloads
from skerry.sites.kubernetes import names
from tests.kubernetes.failing import Door, Frail, refusing
from tests.sites.contract.rig import (
    PATIENCE,
    ended,
    find,
    log,
    plain,
    printed,
    running,
    until,
    workload,
)
from tests.sites.contract.suite import Script
from tests.sites.kubernetes.rigs import KubernetesRig, kubeconfig


async def back(site: Workloads) -> None:
    """Until it answers again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await site.list()
            except SiteUnreachable:
                await asyncio.sleep(0.2)
            else:
                return


async def test_a_pod_deleted_behind_our_back_is_lost(rig: KubernetesRig) -> None:
    site = await rig.open()
    work = workload(rig, Script().print("up").stay())
    await site.apply(work, 1)
    await running(site, work.id)
    where = names.workspace_namespace(rig.home, "acme", "")
    rig.cluster.kubectl("delete", "namespace", where, "--wait=false")
    [task] = (await ended(site, work.id)).tasks
    assert task.phase == "lost" or task.exit_code == 143
    again = workload(rig, Script().print("again"))
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await site.apply(again, 1)
            except SiteUnreachable:  # while the old one is being deleted
                await asyncio.sleep(0.2)
            else:
                break
    await ended(site, again.id)
    assert await log(site, again.id) == "again\n"


async def test_an_admission_rule_refuses_in_its_own_words(rig: KubernetesRig) -> None:
    site = await rig.open()
    first = workload(rig, Script())
    await site.apply(first, 1)
    await ended(site, first.id)
    where = names.workspace_namespace(rig.home, "acme", "")
    with refusing(rig.cluster, where, "pods only on Sundays"):
        work = workload(rig, Script())
        with pytest.raises(Refused) as refused:
            await site.apply(work, 1)
        assert "pods only on Sundays" in refused.value.message
        plain(refused.value)
        assert await find(site, work.id) is None
    await site.apply(work, 2)
    assert (await ended(site, work.id)).tasks[0].exit_code == 0


async def test_an_image_that_is_not_there_is_told(rig: KubernetesRig) -> None:
    site = rig.driver(image="skerry.test/nothing:1")
    work = workload(rig, Script())
    await site.apply(work, 1)
    [task] = (await until(site, work.id, lambda s: bool(s.tasks[0].reason))).tasks
    assert (task.phase, task.reason) == ("pending", "ImageError")
    assert "skerry.test/nothing:1" in task.message
    await site.delete(work.id, 1)


async def test_cut_connections_are_made_anew(rig: KubernetesRig, door: Door) -> None:
    site = rig.driver(kubeconfig=kubeconfig(door))
    work = workload(rig, Script().print("up").sleep(2).exit(7))
    await site.apply(work, 1)
    await printed(site, work.id, "up")
    door.cut()
    await back(site)
    assert (await ended(site, work.id)).tasks[0].exit_code == 7
    door.delay = 0.2
    assert await log(site, work.id) == "up\n"


async def _watched(site: Workloads, cursor: int) -> None:
    async with asyncio.timeout(PATIENCE):
        async for _ in site.watch(cursor):
            pass


@pytest.mark.long
async def test_a_compacted_history_is_listed_anew(rig: KubernetesRig, frail: Frail) -> None:
    site = rig.driver(kubeconfig=kubeconfig(frail))
    work = workload(rig, Script().print("up").trap("USR1", 4).stay())
    await site.apply(work, 1)
    await printed(site, work.id, "up")
    cursor, _ = await site.list()
    frail.kill()
    with pytest.raises(SiteUnreachable):
        await _watched(site, cursor)
    other = rig.driver()
    await other.signal(work.id, 10, 2)
    await ended(other, work.id)
    frail.compact()
    await frail.start()
    await back(site)
    assert (await ended(site, work.id)).tasks[0].exit_code == 4
    assert await log(site, work.id) == "up\n"
    _, held = await site.list()
    assert [status.id for status in held] == [work.id]

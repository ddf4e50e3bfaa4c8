"""What Skerry may do in a cluster, and whose objects it leaves alone."""

from pathlib import Path

import pytest
import yaml

from skerry.sites.contract import Refused, Workloads
from skerry.sites.kubernetes import names
from tests.kubernetes.cluster import Cluster
from tests.sites.contract.rig import download, ended, find, log, plain, printed, put, running
from tests.sites.contract.rig import workload as any_workload
from tests.sites.contract.suite import Script
from tests.sites.kubernetes.rigs import KubernetesRig, kubeconfig

RBAC = Path(__file__).parents[3] / "src/skerry/sites/kubernetes/rbac.yaml"


def account(rig: KubernetesRig, path: Path) -> str:
    """A kubeconfig with what the manifest gives, for the test's own home namespace."""
    objects = []
    for item in yaml.safe_load_all(RBAC.read_text()):
        meta = item["metadata"]
        if item["kind"] == "Namespace":
            meta["name"] = rig.home
        elif item["kind"].startswith("ClusterRole"):
            meta["name"] = f"skerry-{rig.home}"
        if "namespace" in meta:
            meta["namespace"] = rig.home
        for subject in item.get("subjects", ()):
            subject["namespace"] = rig.home
        if item["kind"] == "ClusterRoleBinding":
            item["roleRef"]["name"] = f"skerry-{rig.home}"
        objects.append(item)
    rig.cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(objects))
    return kubeconfig(Cluster(rig.cluster.access_of(rig.home, "skerry", path)))


async def test_the_manifests_account_is_enough(rig: KubernetesRig, tmp_path: Path) -> None:
    """Files in, a gang, its logs, a command in it, a port, artifacts out, its end."""
    site: Workloads = rig.driver(kubeconfig=account(rig, tmp_path / "account"))
    try:
        script = Script().cat("in").write("out", "kept").trap("USR1", 0).print("up").stay()
        work = any_workload(
            rig, script, tasks=2, files=(await put(site, "in", b"given\n"),), artifacts=("out",)
        )
        await site.apply(work, 1)
        await printed(site, work.id, "up", 1)
        session = await site.exec(work.id, 0, ("cat", "in"), False)
        assert await session.read() == b"given\n"
        await session.close()
        with pytest.raises(Refused, match="listens"):
            await site.connect(work.id, 0, 8080)
        assert len(await site.stats(work.id)) == 2
        await site.signal(work.id, 10, 2)
        assert [task.exit_code for task in (await ended(site, work.id)).tasks] == [0, 0]
        assert await log(site, work.id, 1) == "given\nup\n"
        assert await download(site, work.id, "out") == b"kept"
        await site.delete(work.id, 3)
        assert await find(site, work.id) is None
    finally:
        for kind in ("clusterrolebinding", "clusterrole"):
            rig.cluster.kubectl("delete", kind, f"skerry-{rig.home}", "--ignore-not-found")


async def test_a_namespace_of_others_is_refused(rig: KubernetesRig) -> None:
    site = await rig.open()
    theirs = names.workspace_namespace(rig.home, "acme", "")
    rig.cluster.kubectl("create", "namespace", theirs)
    try:
        work = any_workload(rig, Script())
        with pytest.raises(Refused) as refused:
            await site.apply(work, 1)
        assert refused.value.reason == "NotOurs"
        plain(refused.value)
        assert await find(site, work.id) is None
    finally:
        rig.cluster.kubectl("delete", "namespace", theirs, "--wait=false")


async def test_an_object_of_others_is_neither_taken_nor_deleted(rig: KubernetesRig) -> None:
    site = await rig.open()
    first = any_workload(rig, Script().print("hi").stay())
    await site.apply(first, 1)
    await running(site, first.id)
    where = names.workspace_namespace(rig.home, "acme", "")
    work = any_workload(rig, Script())
    theirs = names.secret(work.id)
    rig.cluster.kubectl(
        "create", "secret", "generic", theirs, "--namespace", where, "--from-literal=spec=theirs"
    )
    with pytest.raises(Refused) as refused:
        await site.apply(work, 1)
    assert refused.value.reason in ("Conflict", "NotOurs")
    plain(refused.value)
    assert await find(site, work.id) is None
    found = rig.cluster.kubectl("get", "secret", theirs, "--namespace", where, "-o", "name")
    assert theirs in found
    await site.delete(first.id, 1)

"""The cluster that other tests stand on."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from lightkube.resources.core_v1 import Node, Pod

from tests.kubernetes.cluster import Cluster, Fleet, is_ready
from tests.kubernetes.failing import Door, Frail, refusing
from tests.kubernetes.fixtures import USERLAND, RealNode, Spare


def pod(name: str, where: dict[str, str], *command: str, **more: Any) -> str:
    container = {"name": "main", "image": USERLAND, "imagePullPolicy": "Never", **more}
    if command:
        container["command"] = list(command)
    spec = {"nodeSelector": where, "restartPolicy": "Never", "containers": [container]}
    # As JSON: a label such as "1e23456" is a text to one reader of YAML and a number to another.
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


async def phase(cluster: Cluster, namespace: str, name: str, wanted: str) -> Pod:
    async with asyncio.timeout(180), cluster.client() as client:
        while True:
            found = await client.get(Pod, name, namespace=namespace)
            if found.status and found.status.phase == wanted:
                return found
            await asyncio.sleep(0.1)


async def test_a_real_pod_runs_python(cluster: Cluster, namespace: str, node: RealNode) -> None:
    said = pod("say", node.labels, "python3", "-c", "import ssl, json; print(6 * 7)")
    cluster.kubectl("apply", "-n", namespace, "-f", "-", text=said)
    await phase(cluster, namespace, "say", "Succeeded")
    assert cluster.kubectl("logs", "-n", namespace, "say") == "42\n"


async def test_a_fleet_runs_pods_until_they_are_told_to_end(
    cluster: Cluster,
    namespace: str,
    fleet: Callable[..., AbstractAsyncContextManager[Fleet]],
) -> None:
    async with fleet(3, gpus=8) as nodes:
        gpus = {"limits": {"nvidia.com/gpu": "8"}}
        text = pod("train", nodes.labels, resources=gpus)
        cluster.kubectl("apply", "-n", namespace, "-f", "-", text=text)
        running = await phase(cluster, namespace, "train", "Running")
        assert running.spec is not None
        assert running.spec.nodeName in nodes.nodes
        cluster.kubectl("annotate", "-n", namespace, "pod", "train", "skerry.test/exit=3")
        await phase(cluster, namespace, "train", "Failed")


async def test_a_frail_api_server_forgets_and_comes_back(
    cluster: Cluster, frail: Frail, namespace: str
) -> None:
    listed = frail.kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/pods")
    before = json.loads(listed)["metadata"]["resourceVersion"]
    frail.kill()
    assert "refused" in frail.kubectl("get", "nodes", check=False)
    cluster.kubectl("create", "configmap", "-n", namespace, "meanwhile")
    frail.compact()
    await frail.start()
    path = f"/api/v1/namespaces/{namespace}/pods?watch=1&timeoutSeconds=1&resourceVersion={before}"
    assert "too old" in frail.kubectl("get", "--raw", path, check=False)
    assert "meanwhile" in frail.kubectl("get", "configmaps", "-n", namespace)


async def test_a_door_can_be_closed_and_cut(cluster: Cluster, door: Door) -> None:
    async with door.client() as client:
        assert [node async for node in client.list(Node)]
        door.closed = True
        door.cut()
        with pytest.raises(Exception):  # noqa: B017
            _ = [node async for node in client.list(Node)]
        door.closed = False
        assert [node async for node in client.list(Node)]


def test_a_policy_refuses_pods_of_one_namespace(cluster: Cluster, namespace: str) -> None:
    with refusing(cluster, namespace, "not on a Sunday"):
        told = cluster.kubectl("run", "x", "-n", namespace, "--image=y", check=False)
        assert "not on a Sunday" in told
    assert "created" in cluster.kubectl("create", "configmap", "-n", namespace, "x")


@pytest.mark.long
async def test_a_spare_node_loses_its_kubelet(
    cluster: Cluster, namespace: str, spare: Spare
) -> None:
    text = pod("stay", spare.real.labels, "sh", "-c", "sleep 600")
    cluster.kubectl("apply", "-n", namespace, "-f", "-", text=text)
    await phase(cluster, namespace, "stay", "Running")
    spare.kill_kubelet()
    async with asyncio.timeout(180), cluster.client() as client:
        while is_ready(await client.get(Node, spare.real.name)):
            await asyncio.sleep(0.2)
    spare.start_kubelet()
    await spare.ready()
    await phase(cluster, namespace, "stay", "Running")

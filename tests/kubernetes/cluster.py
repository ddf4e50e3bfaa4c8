"""A cluster as tests see it: its file of access, kubectl, a client, and fleets of played nodes."""

import asyncio
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.models.core_v1 import NodeStatus
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Namespace, Node

from tests.kubernetes.processes import find

FLEET = "skerry.test/fleet"
"""The label of played nodes: the name of their fleet."""
_AT_ONCE = 16


class Fleet(NamedTuple):
    """Played nodes of one test: what is bound to them counts as running, and never ends by itself.

    To let a pod of theirs end, give it the annotation ``skerry.test/exit`` with an exit code. To
    silence a node, remove its annotation ``kwok.x-k8s.io/node``.
    """

    name: str
    nodes: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        """A node selector that means all of them and nothing else."""
        return {FLEET: self.name}


class Cluster:
    """``kubeconfig`` lets anybody do anything there."""

    def __init__(self, kubeconfig: Path, state: Mapping[str, Any] | None = None) -> None:
        self.kubeconfig = kubeconfig
        self.state = state
        """Of a cluster that the run started itself: ``url``, ``token``, ``store``, ``folder``."""

    def kubectl(self, *words: str | Path, text: str = "", check: bool = True) -> str:
        """What it prints; ``text`` is its standard input. Blocks."""
        done = subprocess.run(
            [find("kubectl"), "--kubeconfig", self.kubeconfig, *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout if check else done.stdout + done.stderr

    def client(self) -> AsyncClient:
        """A client of everybody's rights, for one event loop; close it."""
        config = KubeConfig.from_file(self.kubeconfig)
        return AsyncClient(config=config, trust_env=False, field_manager="skerry-tests")

    def access_of(self, namespace: str, account: str, path: Path) -> Path:
        """A kubeconfig at ``path`` with the rights of a ServiceAccount."""
        token = self.kubectl("create", "token", account, "--namespace", namespace).strip()
        path.touch(0o600)
        words = ("config", "view", "--raw", "--minify", "--flatten")
        path.write_text(self.kubectl(*words))
        other = Cluster(path)
        other.kubectl("config", "set-credentials", "account", "--token", token)
        other.kubectl("config", "set-context", "--current", "--user=account")
        return path

    @asynccontextmanager
    async def namespace(self) -> AsyncIterator[str]:
        """A namespace of this test's own."""
        name = f"test-{secrets.token_hex(5)}"
        async with self.client() as client:
            await client.create(Namespace(metadata=ObjectMeta(name=name)))
            try:
                yield name
            finally:
                await client.delete(Namespace, name, cascade=None)

    @asynccontextmanager
    async def fleet(
        self,
        count: int,
        gpus: int = 8,
        *,
        model: str = "NVIDIA-H100-80GB-HBM3",
        cpu: int = 128,
        memory: str = "1Ti",
        labels: Callable[[int], Mapping[str, str]] = lambda _: {},
        resources: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Fleet]:
        """Played nodes, ready. ``labels`` tells more labels by number: racks, zones, links ..."""
        name = secrets.token_hex(4)
        nodes = [
            _node(
                f"fleet-{name}-{number}",
                {FLEET: name, **_gpu_labels(gpus, model), **labels(number)},
                {"cpu": str(cpu), "memory": memory, "pods": "110"}
                | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
                | dict(resources or {}),
            )
            for number in range(count)
        ]
        fleet = Fleet(name, tuple(str(node.metadata.name) for node in nodes if node.metadata))
        async with self.client() as client:
            try:
                await _each(nodes, client.create)
                await self._ready(client, fleet)
                yield fleet
            finally:
                await _each(fleet.nodes, lambda node: _gone(client, node))

    async def _ready(self, client: AsyncClient, fleet: Fleet) -> None:
        waiting = set(fleet.nodes)
        async with asyncio.timeout(300):
            while waiting:
                async for node in client.list(Node, labels=fleet.labels, chunk_size=500):
                    if node.metadata and node.metadata.name and is_ready(node):
                        waiting.discard(node.metadata.name)
                if waiting:
                    await asyncio.sleep(0.2)


async def _gone(client: AsyncClient, node: str) -> None:
    try:
        await client.delete(Node, node, grace_period=0)
    except ApiError as error:
        if error.status.code != 404:
            raise


def is_ready(node: Node) -> bool:
    conditions = (node.status.conditions if node.status else None) or []
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


async def _each(items: Iterable[Any], work: Callable[[Any], Awaitable[Any]]) -> None:
    few = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Any) -> None:
        async with few:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))


def _gpu_labels(gpus: int, model: str) -> dict[str, str]:
    """As GPU Feature Discovery labels a node."""
    if not gpus:
        return {}
    return {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": model,
        "nvidia.com/gpu.count": str(gpus),
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/mig.capable": "true",
    }


def _node(name: str, labels: Mapping[str, str], resources: dict[str, Any]) -> Node:
    return Node(
        metadata=ObjectMeta(
            name=name,
            annotations={"kwok.x-k8s.io/node": "fake"},
            labels={
                "kubernetes.io/hostname": name,
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                **labels,
            },
        ),
        status=NodeStatus(capacity=resources, allocatable=resources),
    )


def outside() -> Path | None:
    """The cluster that KUBECONFIG names instead."""
    named = os.environ.get("KUBECONFIG", "")
    return Path(named) if named else None

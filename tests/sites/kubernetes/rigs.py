"""A real cluster as a site under test: a home namespace of each test's own, on the real node."""

import asyncio
import fcntl
import os
import tarfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from skerry.sites.contract import Isolation, Workloads
from skerry.sites.kubernetes import MANIFEST
from skerry.sites.kubernetes.driver import Kubernetes
from tests.harness.images import Entry, image, layer
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixtures import RealNode
from tests.kubernetes.userland import python_layer
from tests.sites.contract.suite import Script

IMAGE = "skerry.test/suite:1"
_REAL = ("cat", "false")
"""Programs whose own words the suite expects; others are busybox."""
_LINKS = ("dirname", "head", "ln", "mkdir", "printf", "test")


@cache
def given(node: RealNode) -> None:
    """The node has the image that the suite's scripts run in."""
    real = (Entry(f"bin/{name}", Path(f"/bin/{name}").read_bytes()) for name in _REAL)
    links = (Entry(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox") for name in _LINKS)
    settings = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin", "LANG=C.UTF-8"]}
    node.add(image([python_layer(), layer(*real, *links)], compressed=False, **settings), IMAGE)


def kubeconfig(cluster: Cluster) -> str:
    """As an operator would give it: all in one text."""
    return _flat(cluster.kubeconfig)


@cache
def _flat(path: Path) -> str:
    return Cluster(path).kubectl("config", "view", "--raw", "--flatten", "--minify")


@asynccontextmanager
async def alone() -> AsyncIterator[None]:
    """One test at a time uses the real node, whose room it measures."""
    run = Path(os.environ["SKERRY_TEST_RUN"])
    with (run / "kubernetes-node.lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


class KubernetesRig:
    """``kill`` closes the driver, which writes nothing: the cluster does not notice."""

    manifest = MANIFEST
    isolation: Isolation = "sandbox"
    snapshots = False
    gangs = True
    events_kept = 16

    def __init__(self, cluster: Cluster, node: RealNode) -> None:
        given(node)
        self._config = {
            "kubeconfig": kubeconfig(cluster),
            "image": IMAGE,
            "pullPolicy": "Never",
            "nodes": node.labels,
            "events": self.events_kept,
        }
        self.cluster = cluster
        self.home = f"t{uuid.uuid4().hex[:8]}"
        self._open: list[Kubernetes] = []
        self._used: set[str] = set()

    def driver(self, home: str = "", **more: Any) -> Kubernetes:
        home = home or self.home
        driver = Kubernetes.open({**self._config, "namespace": home, **more})
        self._open.append(driver)
        self._used.add(home)
        return driver

    async def open(self) -> Workloads:
        return self.driver()

    async def kill(self) -> None:
        while self._open:
            await self._open.pop().close()

    async def neighbour(self) -> Workloads:
        return self.driver(f"{self.home}n")

    def render(self, script: Script) -> tuple[tuple[str, ...], dict[str, str]]:
        return script.shell, {}

    async def end(self) -> None:
        """Delete all of it, and wait until the node has its room back."""
        await self.kill()
        for home in self._used:
            driver = self.driver(home)
            _, held = await driver.list()
            async with asyncio.TaskGroup() as group:
                for status in held:
                    group.create_task(driver.delete(status.id, status.fence))
            kube = driver.site.kube
            for name in {home, *await driver.site.listed("/api/v1/namespaces")}:
                await kube.delete(f"/api/v1/namespaces/{name}")
            async with asyncio.timeout(60):
                while await driver.site.listed("/api/v1/pods"):
                    await asyncio.sleep(0.1)
        await self.kill()

"""Fixtures for tests that need Kubernetes. A room's ``conftest`` imports those that it uses.

* ``cluster``: a real control plane, shared by the run (:class:`~tests.kubernetes.cluster.Cluster`)
* ``namespace``: the name of a namespace of the test's own
* ``fleet``: ``async with fleet(10, gpus=8) as nodes``: played nodes of the test's own
* ``node``: the real node, with local images (:class:`RealNode`)
* ``spare``: another real node, whose kubelet a test may kill
* ``frail``: an API server of the test's own on the same store, to kill, pause, start and compact
* ``door``: a way to the cluster that can be slow, closed or cut
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lightkube.resources.core_v1 import Node

from tests.harness.images import Image
from tests.kubernetes import node as nodes
from tests.kubernetes import userland
from tests.kubernetes.cluster import Cluster, Fleet, is_ready, outside
from tests.kubernetes.failing import Door, Frail
from tests.kubernetes.keeper import SPARES
from tests.kubernetes.processes import PATIENCE, Missing, find

USERLAND = userland.NAME
"""An image of the real nodes with a shell, busybox and Python."""
_ROOT = Path(__file__).parent.parent.parent


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lacking() -> str:
    """Why no cluster can be started here; empty if one can."""
    if os.geteuid():
        return "only root starts a node"
    try:
        for name in ("etcd", "kube-apiserver", "kubelet", "kwok", "containerd", "runc"):
            find(name)
    except Missing as error:
        return str(error)
    return ""


def _kept() -> dict[str, Any]:
    """The run's cluster: started by whoever asks first, ended with the run."""
    run = Path(os.environ["SKERRY_TEST_RUN"])
    state = run / "kubernetes.json"
    with _locked(run / "kubernetes.lock"):
        if not state.exists():
            owner = (run / "pid").read_text()
            with (run / "keeper.log").open("ab") as log:
                keeper = subprocess.Popen(
                    [sys.executable, "-m", "tests.kubernetes.keeper", str(state), owner],
                    cwd=_ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            (run / "keeper").write_text(str(keeper.pid))
            until = time.monotonic() + 2 * PATIENCE
            while not state.exists():
                if keeper.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((run / "keeper.log").read_text()[-5000:])
                time.sleep(0.1)
    return dict(json.loads(state.read_text()))


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """A real control plane, shared by the run; or what KUBECONFIG names."""
    if (other := outside()) is not None:
        return Cluster(other)
    if why := _lacking():
        pytest.skip(why)
    state = _kept()
    return Cluster(Path(state["kubeconfig"]), state)


def _own(cluster: Cluster) -> dict[str, Any]:
    if cluster.state is None:
        pytest.skip("the cluster of KUBECONFIG is not ours to break")
    return dict(cluster.state)


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    async with cluster.namespace() as name:
        yield name


@pytest.fixture
def fleet(cluster: Cluster) -> Callable[..., AbstractAsyncContextManager[Fleet]]:
    """Makes played nodes: see ``Cluster.fleet``."""
    _own(cluster)
    return cluster.fleet


class RealNode(NamedTuple):
    """A node that truly runs pods, of the images that it was given (``imagePullPolicy: Never``)."""

    name: str
    folder: Path
    gateway: str
    """An address of this machine that pods reach."""

    @property
    def labels(self) -> dict[str, str]:
        """A node selector that means this one."""
        return {"kubernetes.io/hostname": self.name}

    def add(self, image: Image, name: str) -> None:
        """Give it an image, by a full name such as ``skerry.test/mine:1``. Blocks."""
        with _locked(self.folder / "images.lock"):
            done = self.folder / f"{name.replace('/', '_')}.{image.digest[7:19]}"
            if not done.exists():
                archive = done.with_suffix(".tar")
                archive.write_bytes(nodes.named(image, name))
                nodes.add_image(self.folder, archive)
                archive.rename(done)
                done.write_bytes(b"")


@pytest.fixture(scope="session")
def node(cluster: Cluster) -> RealNode:
    """The real node, with the images ``USERLAND`` and ``tests.kubernetes.node.PAUSE``."""
    known = _own(cluster)["node"]
    real = RealNode(known["name"], Path(known["folder"]), known["gateway"])
    _give_userland(real)
    return real


def _give_userland(real: RealNode) -> None:
    given = real.folder / "userland"
    with _locked(real.folder / "userland.lock"):
        if not given.exists():
            real.add(userland.userland(), USERLAND)
            given.touch()


class Spare:
    """A real node whose kubelet may be killed, and which may be lost as a whole."""

    def __init__(self, cluster: Cluster, name: str, folder: Path) -> None:
        state = _own(cluster)
        place = Path(state["folder"])
        users = [line.split(",") for line in (place / "tokens.csv").read_text().splitlines()]
        token = next(token for token, user, *_ in users if user == f"system:node:{name}")
        known = nodes.prepare(folder, name, state["url"], place / "ca.crt", token)
        self.real = RealNode(name, folder, known["gateway"])
        self._cluster = cluster
        self._program = nodes.start(folder)

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE), self._cluster.client() as client:
            while True:
                async for node in client.list(Node, labels=self.real.labels):
                    if is_ready(node):
                        return
                assert self._program.running, self._program.tail()
                await asyncio.sleep(0.2)

    def _tell(self, number: signal.Signals) -> None:
        """To the first process of the node's namespace, which is the one child of ``unshare``."""
        pid = self._program.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), number)

    def kill_kubelet(self) -> None:
        """Pods go on; nobody tells of them."""
        self._tell(signal.SIGUSR1)

    def start_kubelet(self) -> None:
        self._tell(signal.SIGUSR2)

    def kill(self) -> None:
        """As if it were unplugged: kubelet, containerd and pods end at once."""
        self._program.kill()

    def clear(self) -> None:
        self._program.kill()
        nodes.clear(self.real.folder)


@pytest.fixture
async def spare(cluster: Cluster, node: RealNode) -> AsyncIterator[Spare]:
    """Another real node, with the images of the first."""
    place = node.folder.parent
    for _number, name in enumerate(SPARES, 1):
        taken = place / f"taken-{name}"
        with contextlib.suppress(FileExistsError):
            taken.touch(exist_ok=False)
            break
    else:
        raise RuntimeError("all spare nodes are in use")
    spare = Spare(cluster, name, place / f"s{_number}")
    try:
        await spare.ready()
        await asyncio.to_thread(_give_userland, spare.real)
        yield spare
    finally:
        spare.clear()
        cluster.kubectl("delete", "node", name, "--ignore-not-found", "--wait=false")
        spare.real.folder.rename(place / f"old-{spare.real.folder.name}-{time.monotonic_ns()}")
        taken.unlink()


@pytest.fixture
async def frail(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Frail]:
    frail = Frail(_own(cluster), tmp_path)
    try:
        await frail.ready()
        yield frail
    finally:
        frail.resume()
        frail.kill()


@pytest.fixture
async def door(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Door]:
    _own(cluster)
    async with Door(cluster, tmp_path).open() as door:
        yield door

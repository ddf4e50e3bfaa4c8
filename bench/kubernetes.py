"""A fleet on a real API server: 1,000 played nodes of 8 GPUs, and pods with a GPU each.

- matched, priced, placed and running through Skerry: from the first put until the last is billed as
  running, on an embedded Postgres with fsync;
- the same pods, as Skerry made them, applied server-side directly to the same API server by as many
  at once, placed in a second such fleet by its scheduler, until all run: the peer, in the same run;
- what the driver alone takes in memory, in a process of its own that looks at all these pods.

    python bench/kubernetes.py [--nodes 1000] [--pods 1000]
"""

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx2
import structlog
import uvloop
from tests.kubernetes.cluster import Cluster, Fleet

from figures import Figures
from figures.processes import memory
from simulated import TENANTS, WAITING, cloud
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path as At
from skerry.server import Server

FIGURES = Figures("kubernetes")
ROOT = Path(__file__).parents[1]
AT_ONCE = 16
IMAGE = "registry.example/train:1"
HOME = "bench"
LOOK = """
import asyncio, json, sys
from skerry.sites.kubernetes.driver import Kubernetes

async def main():
    driver = Kubernetes.open(json.load(sys.stdin))
    _, held = await driver.list()
    print(len(held), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.raw.read, 1)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def config(cluster: Cluster, fleet: Fleet) -> dict[str, Any]:
    return {"namespace": HOME, "nodes": fleet.labels, "image": IMAGE}


def kubeconfig(cluster: Cluster) -> str:
    return cluster.kubectl("config", "view", "--raw", "--flatten", "--minify")


async def through_skerry(server: Server, cluster: Cluster, fleet: Fleet, pods: int) -> float:
    """Seconds until so many run."""
    spec = {
        "driver": "kubernetes", "region": "home", "zone": "a", "jurisdiction": "SE",
        "operator": "skerry", "config": config(cluster, fleet), "kubeconfig": kubeconfig(cluster),
    }  # fmt: skip
    async with server.db.transaction() as tx:
        put = server.resources.put
        await put(tx, server.registry["site"], At(name="fleet"), {"spec": spec}, SYSTEM)
    while await server.db.fetchval("select count(*) from offer") < len(fleet.nodes):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    print(f"  {len(fleet.nodes)} nodes are offered", flush=True)
    job = {"command": ["train"], "memory": 1 << 30, "gpus": 1, "gpuModel": "H100", "site": "fleet"}
    gate, begun = asyncio.Semaphore(AT_ONCE), time.perf_counter()

    async def one(number: int) -> None:
        async with gate, server.db.transaction() as tx:
            at = At(f"tenant-{number % TENANTS}", "lab", name=f"job-{number}")
            await server.resources.put(tx, server.registry["job"], at, {"spec": job}, SYSTEM)

    await asyncio.gather(*(one(number) for number in range(pods)))
    told = time.perf_counter()
    while left := await server.db.fetchval(WAITING):
        if time.perf_counter() > told + 10:
            told = time.perf_counter()
            print(f"  {pods - left} of {pods} run after {told - begun:.0f} s", flush=True)
        await asyncio.sleep(0.2)
    return time.perf_counter() - begun


def bare(pod: dict[str, Any], name: str, fleet: Fleet) -> dict[str, Any]:
    """The pod as it was asked for, of no namespace, for the scheduler to place in a fleet."""
    spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
    spec |= {"affinity": {}, "nodeSelector": fleet.labels}
    about = {"name": name, "labels": {"bench": "direct"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}


async def directly(cluster: Cluster, fleet: Fleet, namespace: str, pods: int) -> float:
    """Seconds until as many pods, the same but for their names, run without Skerry."""
    assert cluster.state is not None
    state = cluster.state
    headers = {"authorization": f"Bearer {state['token']}"}
    limits = httpx2.Limits(max_connections=AT_ONCE)
    verify = httpx2.create_ssl_context(verify=f"{state['folder']}/ca.crt")
    async with httpx2.AsyncClient(
        base_url=state["url"], headers=headers, verify=verify, limits=limits, timeout=60
    ) as http:
        made = (await http.get("/api/v1/pods", params={"limit": pods + 100})).json()["items"]
        ours = [pod for pod in made if pod["metadata"]["namespace"].startswith(HOME)]
        ours = [pod for pod in ours if pod["spec"].get("nodeName")][:pods]
        assert len(ours) == pods, len(ours)
        path = f"/api/v1/namespaces/{namespace}/pods"
        gate, begun = asyncio.Semaphore(AT_ONCE), time.perf_counter()

        async def one(number: int, pod: dict[str, Any]) -> None:
            body = json.dumps(bare(pod, f"direct-{number}", fleet))
            async with gate:
                answer = await http.patch(
                    f"{path}/direct-{number}",
                    params={"fieldManager": "bench", "force": "true"},
                    content=body,
                    headers={"content-type": "application/apply-patch+yaml"},
                )
            assert answer.status_code in (200, 201), answer.text

        await asyncio.gather(*(one(number, pod) for number, pod in enumerate(ours)))
        running = {"fieldSelector": "status.phase=Running"}
        while True:
            page = (await http.get(path, params=running)).json()
            if len(page["items"]) >= pods:
                return time.perf_counter() - begun
            await asyncio.sleep(0.2)


def driver_memory(cluster: Cluster, fleet: Fleet) -> tuple[float, int]:
    """MiB of a process that has nothing but the driver, and how many workloads it holds."""
    given = {**config(cluster, fleet), "kubeconfig": kubeconfig(cluster)}
    with subprocess.Popen(
        [sys.executable, "-c", LOOK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as looking:
        assert looking.stdin is not None
        assert looking.stdout is not None
        looking.stdin.write(json.dumps(given))
        looking.stdin.close()
        held = int(looking.stdout.readline())
        time.sleep(5)
        used = memory([looking.pid])
        looking.kill()
    return used, held


def keep(place: Path) -> Cluster:
    """A control plane of this benchmark's own, which ends with it."""
    state = place / "state"
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.kubernetes.keeper", str(state), str(os.getpid())], cwd=ROOT
    )
    while not state.exists():
        assert keeper.poll() is None
        time.sleep(0.1)
    known = json.loads(state.read_text())
    return Cluster(Path(known["kubeconfig"]), known)


async def main(nodes: int, pods: int) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        cluster = keep(Path(place))
        async with (
            cluster.fleet(nodes, gpus=8) as fleet,
            cluster.fleet(nodes, gpus=8) as second,
            cloud(Path(place) / "cloud") as server,
            cluster.namespace() as namespace,
        ):
            ours = await through_skerry(server, cluster, fleet, pods)
            theirs = await directly(cluster, second, namespace, pods)
            peer = ("applied directly", pods / theirs)
            FIGURES.add(f"{pods:,} pods through Skerry", pods / ours, "/s", peer=peer, least=0.6)
            used, held = driver_memory(cluster, fleet)
            name = f"driver's memory, {held:,} of its own among {2 * pods:,} pods"
            FIGURES.add(name, used, "MiB", limit=150)
    return FIGURES.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Skerry on a fleet, beside the API server alone.")
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--pods", type=int, default=1000)
    given = parser.parse_args()
    sys.exit(uvloop.run(main(given.nodes, given.pods)))

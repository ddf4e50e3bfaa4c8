"""The Helm chart: a real API server takes all of it, and the API runs from it."""

import asyncio
import os
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixtures import RealNode
from tests.kubernetes.processes import find
from tests.kubernetes.skerry_image import NAME, skerry_image

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "deploy" / "skerry"
FREEBIND = 15
"""Of ip(7): to bind to an address that is not there yet."""


def template(namespace: str, *words: str | Path) -> str:
    done = subprocess.run(
        [find("helm"), "template", "cloud", CHART, "--namespace", namespace,
         "--kube-version", "1.30.0", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def restrict(cluster: Cluster, namespace: str) -> None:
    """Pod Security: what is not restricted is refused, and warned of in what makes pods."""
    modes = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    cluster.kubectl("label", "namespace", namespace, *modes)


VARIANTS = {
    "as it comes": (),
    "tls from secrets": ("api.tls=secret", "api.tlsSecret=api", "gateway.tlsSecret=web"),
    "behind an ingress": ("api.tls=none", "publicUrl=https://cloud.example"),
    "with hosts": ("worker.agentsName=hosts.cloud.example", "data.existingClaim=ours"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_chart_is_accepted(cluster: Cluster, namespace: str, variant: str) -> None:
    restrict(cluster, namespace)
    text = template(namespace, *(f"--set={value}" for value in VARIANTS[variant]))
    told = subprocess.run(
        [find("kubectl"), "--kubeconfig", cluster.kubeconfig, "apply", "--dry-run=server",
         "--namespace", namespace, "--filename", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    pods = [
        {"apiVersion": "v1", "kind": "Pod", **made["spec"]["template"]}
        for made in yaml.safe_load_all(text)
        if made["kind"] in ("Deployment", "StatefulSet")
    ]
    assert len(pods) == 3
    for number, pod in enumerate(pods):
        pod["metadata"]["name"] = f"pod-{number}"
        pod["spec"].pop("serviceAccountName")
    words = ("apply", "--dry-run=server", "--namespace", namespace, "--filename", "-")
    assert cluster.kubectl(*words, text=yaml.safe_dump_all(pods)).count("created") == 3


@asynccontextmanager
async def reachable(database: str, address: str) -> AsyncIterator[str]:
    """A Postgres of a socket in the file system, for pods: its URL at an address of the host."""
    place = parse_qs(urlsplit(database).query)
    path = f"{place['host'][0]}/.s.PGSQL.{place['port'][0]}"

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(carry(reader, to_writer), carry(to_reader, writer))

    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_IP, FREEBIND, 1)
    listener.bind((address, 0))
    port = listener.getsockname()[1]
    server = await asyncio.start_server(serve, sock=listener)
    try:
        yield f"postgresql://skerry@{address}:{port}{urlsplit(database).path}"
    finally:
        server.close()


@asynccontextmanager
async def volume(cluster: Cluster, namespace: str, folder: Path) -> AsyncIterator[str]:
    """A claim on a folder of this machine, which the user of the image may write."""
    folder.mkdir()
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o055)
    os.chown(folder, 990, 990)
    common: dict[str, Any] = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    made = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": namespace},
        "spec": {
            **common,
            "capacity": {"storage": "20Gi"},
            "hostPath": {"path": str(folder)},
            "claimRef": {"name": "shared", "namespace": namespace},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared", "namespace": namespace},
        "spec": {**common, "resources": {"requests": {"storage": "20Gi"}}},
    }
    cluster.kubectl("apply", "--filename", "-", text=yaml.safe_dump_all([made, claim]))
    try:
        yield "shared"
    finally:
        cluster.kubectl("delete", "persistentvolume", namespace, "--wait=false")


def ready(cluster: Cluster, namespace: str) -> bool:
    words = ("get", "deployment", "cloud-skerry-api", "--namespace", namespace)
    return cluster.kubectl(*words, "--output", "jsonpath={.status.readyReplicas}") == "1"


def told(cluster: Cluster, namespace: str) -> str:
    here = ("--namespace", namespace)
    logs = ("logs", "--selector", "app.kubernetes.io/instance=cloud", "--tail=40", *here)
    return cluster.kubectl("describe", "pods", *here) + cluster.kubectl(*logs, check=False)


def asked(url: str) -> bytes:
    context = ssl._create_unverified_context()
    with urllib.request.urlopen(url, timeout=30, context=context) as answer:
        return bytes(answer.read())


@pytest.mark.long
async def test_the_api_runs_from_the_chart(
    cluster: Cluster, namespace: str, node: RealNode, pg_url: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(lambda: node.add(skerry_image(), NAME))
    restrict(cluster, namespace)
    image, tag = NAME.split(":")
    async with (
        reachable(pg_url, node.gateway) as database,
        volume(cluster, namespace, tmp_path / "data") as claim,
    ):
        literal = f"--from-literal=url={database}"
        words = ("create", "secret", "generic", "skerry-database", literal)
        cluster.kubectl(*words, "--namespace", namespace)
        values = {
            "image": {"repository": image, "tag": tag, "pullPolicy": "Never"},
            "data": {"existingClaim": claim},
            "nodeSelector": node.labels,
            "api": {"replicas": 1},
            "worker": {"replicas": 1},
            "gateway": {"replicas": 1},
        }
        (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
        text = template(namespace, "--values", tmp_path / "values.yaml")
        cluster.kubectl("apply", "--namespace", namespace, "--filename", "-", text=text)
        try:
            async with asyncio.timeout(240):
                while not await asyncio.to_thread(ready, cluster, namespace):
                    await asyncio.sleep(0.5)
        except TimeoutError:
            pytest.fail(told(cluster, namespace))
        pod = cluster.kubectl(
            "get", "pods", "--namespace", namespace, "--selector",
            "app.kubernetes.io/component=api", "--output", "jsonpath={.items[0].status.podIP}",
        )  # fmt: skip
        found = await asyncio.to_thread(asked, f"https://{pod}:8420/.wellknown/secapi")
        assert b"seca.region" in found
        for kind, role in (("deployment", "worker"), ("statefulset", "gateway")):
            named = f"{kind}/cloud-skerry-{role}"
            words = ("rollout", "status", named, "--namespace", namespace, "--timeout=200s")
            await asyncio.to_thread(cluster.kubectl, *words)

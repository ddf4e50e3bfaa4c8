"""Ways in which a cluster fails, that concern nobody but the test that asks."""

import asyncio
import base64
import contextlib
import json
import secrets
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.control import ApiServer, kubeconfig
from tests.kubernetes.processes import PATIENCE


class Frail(Cluster):
    """An API server of a test's own, beside the cluster's, on the same store.

    What else is of the cluster goes on while it is down: pods end, controllers act. ``kubeconfig``
    leads to this one, and its port stays.
    """

    def __init__(self, state: dict[str, Any], folder: Path) -> None:
        self._store = state["store"]
        self.server = ApiServer(Path(state["folder"]), self._store, f"frail-{secrets.token_hex(4)}")
        ca = Path(state["folder"]) / "ca.crt"
        super().__init__(
            kubeconfig(folder / "frail.kubeconfig", self.server.url, ca, state["token"]), state
        )

    async def ready(self) -> None:
        """Until it answers; the loop goes on."""
        await asyncio.to_thread(self.server.wait)

    def kill(self) -> None:
        self.server.program.kill()

    async def start(self) -> None:
        """Come back after ``kill``."""
        self.server.start()
        await self.ready()

    def pause(self) -> None:
        """Answer nothing, and refuse no connection either."""
        self.server.program.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.server.program.signal(signal.SIGCONT)

    def compact(self) -> None:
        """Forget all history up to now: a watch from before is too old for a started server."""
        key = base64.b64encode(b"/").decode()
        revision = self._ask("kv/range", {"key": key})["header"]["revision"]
        # One more, so that what is compacted is the past.
        self._ask("kv/put", {"key": base64.b64encode(b"/skerry-tests").decode(), "value": ""})
        with contextlib.suppress(urllib.error.HTTPError):
            self._ask("kv/compaction", {"revision": revision, "physical": True})

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._store}/v3/{what}"
        request = urllib.request.Request(url, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))


class Door(Cluster):
    """A way to the cluster over loopback that can be slow, closed or cut."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        assert cluster.state is not None
        self._behind = urlsplit(cluster.state["url"])
        self._folder = folder
        self._state = cluster.state
        self._open: set[asyncio.StreamWriter] = set()
        self.delay = 0.0
        """Seconds that each piece of data waits, in both directions."""
        self.closed = False
        """Whether new connections end at once."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.close()
            return
        host, port = self._behind.hostname, self._behind.port
        to_reader, to_writer = await asyncio.open_connection(host, port)
        both = {writer, to_writer}
        self._open |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, to_writer))
                group.create_task(self._carry(to_reader, writer))
        except* (ConnectionError, OSError):
            pass
        finally:
            self._open -= both
            for one in both:
                one.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1 << 16):
            if self.delay:
                await asyncio.sleep(self.delay)
            writer.write(piece)
            await writer.drain()
        writer.close()

    def cut(self) -> None:
        """End every connection, watches too, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ca = Path(self._state["folder"]) / "ca.crt"
        path = self._folder / "door.kubeconfig"
        url = f"https://127.0.0.1:{port}"
        Cluster.__init__(self, kubeconfig(path, url, ca, self._state["token"]), self._state)
        try:
            yield self
        finally:
            server.close()
            self.cut()


@contextmanager
def refusing(cluster: Cluster, namespace: str, message: str, kind: str = "pods") -> Iterator[None]:
    """An admission policy that lets nothing of a kind be created in the namespace."""
    name = f"refuse-{secrets.token_hex(4)}"
    api = {"apiVersion": "admissionregistration.k8s.io/v1"}
    rules = [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [kind]}
    ]
    policy = {
        **api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": "false", "message": message}],
        },
    }
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        **api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": here},
        },
    }
    cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump_all([policy, binding]))
    try:
        _until(cluster, namespace, message, holds=True)
        yield
    finally:
        named = ("delete", "--ignore-not-found", "--wait=false")
        cluster.kubectl(*named, f"validatingadmissionpolicybinding/{name}")
        cluster.kubectl(*named, f"validatingadmissionpolicy/{name}")
        _until(cluster, namespace, message, holds=False)


_RESTRICTED = {
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "probe",
                "image": "none",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
}
"""What Pod Security lets pass anywhere."""


def _until(cluster: Cluster, namespace: str, message: str, *, holds: bool) -> None:
    """A policy holds from some moments after it was made to some after it was deleted."""
    until = time.monotonic() + PATIENCE
    words = ("run", "probe", "--image=none", "--dry-run=server", "--namespace", namespace)
    words += ("--overrides", json.dumps(_RESTRICTED))
    while (message in cluster.kubectl(*words, check=False)) != holds:
        assert time.monotonic() < until, f"the policy holds: {not holds}"
        time.sleep(0.3)

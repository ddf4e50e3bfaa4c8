"""A cluster in contact: its informers, what they have told, and who looks after what runs."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from skerry.sites.contract import Refused, SiteUnreachable
from skerry.sites.kubernetes import manifests, names, records
from skerry.sites.kubernetes.blobs import Blobs
from skerry.sites.kubernetes.client import ApiError, Kube
from skerry.sites.kubernetes.config import Config, cluster
from skerry.sites.kubernetes.program import program
from skerry.sites.kubernetes.room import Nodes
from skerry.sites.kubernetes.seen import Bare, Listed
from skerry.sites.kubernetes.sessions import ExecSession
from skerry.sites.kubernetes.view import PodSink, RecordSink, View
from skerry.sites.kubernetes.watch import Informer

_log = structlog.get_logger("kubernetes")
PATIENCE = 20.0
"""Seconds that the first contact may take."""


class Site:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.home = config.namespace
        self.kube = Kube(cluster(config))
        self.view = View(self.home, config.events)
        self.nodes = Nodes(config, self.view)
        self.blobs = Blobs(self.home)
        self.closed = False
        self.locks: dict[str, asyncio.Lock] = {}
        self.sessions: weakref.WeakSet[ExecSession] = weakref.WeakSet()
        self._informers: list[Informer] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._beginning: asyncio.Task[None] | None = None
        self._prepared: dict[str, asyncio.Task[None]] = {}

    # Contact

    async def reach(self) -> None:
        """Everything is known, and up to date as far as can be told. Raises ``SiteUnreachable``."""
        if self.closed:
            raise SiteUnreachable("this driver was closed")
        if self._beginning is None or (self._beginning.done() and self._beginning.exception()):
            self._beginning = asyncio.create_task(self._begin())
        await asyncio.shield(self._beginning)
        self.look()

    def look(self) -> None:
        if self.closed:
            raise SiteUnreachable("this driver was closed")
        for informer in self._informers:
            if informer.fault is not None:
                raise SiteUnreachable(str(informer.fault))

    async def _begin(self) -> None:
        if not self._informers:
            await self._home()
            for path, selector, sink in (
                ("/api/v1/nodes", "", self.nodes),
                (records.path(self.home), records.SORT, RecordSink(self.view)),
                ("/api/v1/pods", "", PodSink(self.view)),
            ):
                informer = Informer(self.kube, path, selector, sink)
                informer.on_change = self.view.stir
                self._informers.append(informer)
                self.spawn(informer.run())
        try:
            async with asyncio.timeout(PATIENCE):
                for informer in self._informers:
                    await informer.synced.wait()
        except TimeoutError:
            self.look()
            raise SiteUnreachable("the API server has not told everything yet") from None

    async def _home(self) -> None:
        """The site's own namespace. An administrator may have made it for us."""
        try:
            await self.kube.get(f"/api/v1/namespaces/{self.home}")
        except ApiError as error:
            if error.status != 404:
                raise forbidden(error) from None
            body = manifests.namespace(self.config, self.home, "", "")
            await self.kube.apply(f"/api/v1/namespaces/{self.home}", body)

    def spawn(self, work: Awaitable[None]) -> None:
        """Something that goes on until the driver is closed."""

        async def guarded() -> None:
            try:
                await work
            except (SiteUnreachable, ApiError, Refused) as error:
                _log.info("given up for now", error=f"{type(error).__name__}: {error}")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ending(
        self, session: ExecSession, over: Callable[[], bool], grace: float
    ) -> asyncio.Task[None]:
        """Ends a session some time after ``over`` holds, should it not end by itself."""

        async def end() -> None:
            await self.view.wait(over)
            await asyncio.sleep(grace)
            await session.close()

        return asyncio.get_running_loop().create_task(end())

    def lock(self, id: str) -> asyncio.Lock:
        return self.locks.setdefault(id, asyncio.Lock())

    def unlock(self, id: str) -> None:
        """Forget the lock of what is gone, unless somebody has it or waits for it."""
        lock = self.locks.get(id)
        if lock is not None and not lock.locked():
            del self.locks[id]

    async def close(self) -> None:
        """Let go of the cluster; what runs there goes on."""
        self.closed = True
        self.view.stir()
        tasks = [*self._tasks, *([self._beginning] if self._beginning else [])]
        for task in tasks:
            task.cancel()
        ends = [session.close() for session in self.sessions]
        await asyncio.gather(*tasks, *ends, return_exceptions=True)
        await self.kube.close()

    # Namespaces

    async def prepare(self, name: str, tenant: str, workspace: str, architecture: str) -> None:
        """The workspace's namespace with all that belongs to it, once for this driver."""
        key = f"{name} {architecture}"
        task = self._prepared.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._prepared[key] = asyncio.create_task(
                self._prepare(name, tenant, workspace, architecture)
            )
        await asyncio.shield(task)

    def unprepared(self, name: str) -> None:
        """Somebody has deleted it."""
        for key in [key for key in self._prepared if key.startswith(f"{name} ")]:
            del self._prepared[key]

    async def _prepare(self, name: str, tenant: str, workspace: str, machine: str) -> None:
        await self._own(name)
        text = await asyncio.to_thread(program, machine)
        kube, config = self.kube, self.config
        await kube.apply(
            f"/api/v1/namespaces/{name}", manifests.namespace(config, name, tenant, workspace)
        )
        inside = [
            *manifests.policies(config, name),
            manifests.keeper_map(config, name, text, machine),
        ]
        if config.quota:
            inside.append(manifests.quota(config, name))
        if config.pull_secret:
            inside.append(await self._pull_secret(name))
        for body in inside:
            await kube.apply(path_of(body), body)

    async def listed(self, path: str) -> list[str]:
        """Names of this site's objects of a sort."""
        own = f"{names.OWNER}={self.home}"
        found = msgspec.json.decode(await self.kube.get(path, labelSelector=own), type=Listed)
        return [msgspec.json.decode(raw, type=Bare).metadata.name for raw in found.items]

    async def equip(self, name: str) -> str:
        """The keeper in a namespace, for the architecture of most nodes, which is the answer."""
        machine = self.nodes.usual()
        text = await asyncio.to_thread(program, machine)
        body = manifests.keeper_map(self.config, name, text, machine)
        await self.kube.apply(path_of(body), body)
        return machine

    async def _own(self, name: str) -> None:
        """Refused (``NotOurs``) where somebody else has a namespace of that name."""
        try:
            found = msgspec.json.decode(
                await self.kube.get(f"/api/v1/namespaces/{name}"), type=Bare
            )
        except ApiError as error:
            if error.status == 404:
                return
            raise
        if not names.ours(found.metadata.labels, self.home):
            raise Refused("NotOurs", f"the namespace {name} is there and is not this site's")
        if found.metadata.deletion_timestamp:
            raise SiteUnreachable(f"the namespace {name} is being deleted; it is made anew then")

    async def _pull_secret(self, name: str) -> dict[str, object]:
        place = f"/api/v1/namespaces/{self.home}/secrets/{self.config.pull_secret}"
        found = msgspec.json.decode(await self.kube.get(place))
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.config.pull_secret,
                "namespace": name,
                "labels": names.labels(self.home),
            },
            "type": found.get("type"),
            "data": found.get("data", {}),
        }


_PLURALS: dict[str, str] = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Pod": "/api/v1/namespaces/{}/pods",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
}


def path_of(body: Mapping[str, Any]) -> str:
    """Where an object of ours is at the API server."""
    meta = body["metadata"]
    kind = body["kind"]
    return f"{_PLURALS[kind].format(meta['namespace'])}/{meta['name']}"


def forbidden(error: ApiError) -> Exception:
    """An error of the cluster, for who reads a resource's status."""
    if error.status == 403:
        return Refused("Forbidden", f"the cluster does not let Skerry: {error.message}")
    if error.status == 409:
        return Refused("Conflict", f"somebody else manages it in the cluster: {error.message}")
    return Refused("ClusterRefused", f"the cluster refused it: {error.message}")

"""Where logs and artifacts of ended tasks are kept: a pod of the site's own.

A pod holds its node's room and devices for as long as it is there, whatever runs in it. So when a
task has ended, what it leaves is carried over here, how it ended is written into its record, and
its pod is deleted. A driver that was away does so when it is back; until then the pod stays.

The depot keeps it in a volume of its own where the site has a storage class for that, else beside
the depot's pod, and then it is lost with that pod's node.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
import structlog

from skerry.sites.checks import matcher
from skerry.sites.contract import Refused
from skerry.sites.kubernetes import manifests, names, records, sessions
from skerry.sites.kubernetes.client import ApiError
from skerry.sites.kubernetes.files import listed
from skerry.sites.kubernetes.manifests import KEEPER, RUN
from skerry.sites.kubernetes.records import Lost
from skerry.sites.kubernetes.seen import Pod
from skerry.sites.kubernetes.site import Site, path_of
from skerry.sites.kubernetes.spec import WORK
from skerry.sites.kubernetes.view import Work

_log = structlog.get_logger("kubernetes")
ROOT = "/depot"
PATIENCE = 120.0
"""Seconds that the depot may take to start."""


class Place(NamedTuple):
    """Where something of a task can be read: the pod with its keeper, and the folders in it."""

    where: str
    pod: str
    work: str
    run: str


class Depot:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._keeping: set[tuple[str, int]] = set()
        self._few = asyncio.Semaphore(8)
        self._opening = asyncio.Lock()
        self._there = False

    def place(self, work: Work, rank: int) -> Place | None:
        """None: there is nothing to read, or not yet."""
        if rank in work.record.kept:
            own = f"{ROOT}/{work.record.id}/{rank}"
            return Place(self._site.home, manifests.DEPOT, f"{own}/work", f"{own}/run")
        task = work.tasks.get(rank)
        if task is None or not task.entered:
            return None
        return Place(work.intent.where, task.pod, WORK, RUN)

    async def ask(self, place: Place, *words: str) -> sessions.Done:
        return await sessions.run(
            self._site.kube, place.where, place.pod, names.KEEPER, (KEEPER, *words)
        )

    def consider(self, work: Work, rank: int) -> None:
        """Something has changed about a task."""
        key, task = (work.record.id, rank), work.tasks.get(rank)
        if task is None or task.status.phase != "exited" or key in self._keeping:
            return
        if work.record.version:
            self._keeping.add(key)
            self._site.spawn(self._keep(work, rank))

    async def _keep(self, work: Work, rank: int) -> None:
        key = (work.record.id, rank)
        try:
            async with self._few:
                task = work.tasks.get(rank)
                if task is None:
                    return
                if rank not in work.record.kept:
                    if task.entered:
                        await self._carry(work, rank)
                    await self._write(work, rank, task.entered)
                pod = f"/api/v1/namespaces/{work.intent.where}/pods/{task.pod}"
                await self._site.kube.delete(pod, task.uid, 1)
        except Gone:
            await self.drop(work.record.id)
        finally:
            self._keeping.discard(key)

    async def _write(self, work: Work, rank: int, kept: bool) -> None:
        while True:
            if self._site.view.works.get(work.record.id) is not work:
                raise Gone
            ended = {**work.record.ended, str(rank): work.task(rank)}
            ranks = (*work.record.kept, rank) if kept else work.record.kept
            fresh = msgspec.structs.replace(work.record, ended=ended, kept=ranks)
            try:
                made = await records.replace(self._site.kube, self._site.home, fresh)
            except Lost:
                found = await records.find(self._site.kube, self._site.home, work.record.id)
                if found is None or found.deleted:
                    raise Gone from None
                self._site.view.record(found)
            else:
                self._site.view.record(made)
                return

    async def _carry(self, work: Work, rank: int) -> None:
        await self.ready(work.intent.image)
        task = work.tasks[rank]
        here = Place(work.intent.where, task.pod, WORK, RUN)
        own = f"{ROOT}/{work.record.id}/{rank}"
        logs = [f.path for f in listed((await self.ask(here, "list", RUN)).stdout)]
        chosen = [path for path in logs if path.startswith("log.")]
        await self._move(here, RUN, chosen, f"{own}/run")
        if work.intent.artifacts:
            wanted = matcher(work.intent.artifacts)
            found = listed((await self.ask(here, "list", WORK)).stdout)
            paths = [info.path for info in found if wanted(info.path)]
            await self._move(here, WORK, paths, f"{own}/work")

    async def _move(self, here: Place, folder: str, paths: list[str], to: str) -> None:
        """As one stream, out of one keeper into the other."""
        kube = self._site.kube
        giving = await sessions.enter(
            kube, here.where, here.pod, names.KEEPER, (KEEPER, "give", folder)
        )

        async def told() -> None:
            for path in paths:
                await giving.write(path.encode("utf-8", "surrogateescape") + b"\0")
            await giving.close_write()

        async def given() -> AsyncIterator[bytes]:
            while True:
                stream, data = await giving.take(1 << 20)
                if not data:
                    return
                if stream == "stdout":
                    yield data

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(told())
                taking = group.create_task(
                    sessions.run(
                        kube, self._site.home, manifests.DEPOT, names.KEEPER,
                        (KEEPER, "take", to), given(),
                    )
                )  # fmt: skip
        finally:
            await giving.close()
        done = taking.result()
        if done.code:
            self._there = False
            raise Refused("NotKept", f"what a task left can't be kept: {done.words}")

    async def drop(self, id: str) -> None:
        """Forget all that a workload left."""
        place = Place(self._site.home, manifests.DEPOT, "", "")
        try:
            await self.ask(place, "drop", f"{ROOT}/{id}")
        except ApiError as error:
            if error.status != 404:
                _log.info("not dropped from the depot", id=id, error=error.message)

    async def ready(self, image: str) -> None:
        """There is a depot, and it runs."""
        async with self._opening:
            if self._there:
                return
            site = self._site
            machine = await site.equip(site.home)
            bodies = manifests.depot(site.config, site.config.image or image, machine)
            pod = f"/api/v1/namespaces/{site.home}/pods/{manifests.DEPOT}"
            for body in bodies[:-1]:
                await site.kube.apply(path_of(body), body)
            async with asyncio.timeout(PATIENCE):
                while not await self._runs(pod, bodies[-1]):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.3)
            self._there = True

    async def _runs(self, path: str, body: dict[str, object]) -> bool:
        try:
            found = msgspec.json.decode(await self._site.kube.get(path), type=Pod)
        except ApiError as error:
            if error.status != 404:
                raise
            await self._site.kube.apply(path, body)
            return False
        if found.status.phase in ("Succeeded", "Failed"):
            await self._site.kube.delete(path, found.metadata.uid)
            return False
        return any(c.state.running is not None for c in found.status.container_statuses)


class Gone(Exception):
    """It was deleted meanwhile."""

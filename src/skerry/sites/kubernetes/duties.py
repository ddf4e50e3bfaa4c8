"""What must be done for pods while nobody asks: bring files, say go, ask the unready, sweep.

Each duty looks at what is, and may be done twice: a driver that takes over begins with all of them.
"""

import asyncio
import signal as signals
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from skerry.sites.contract import Refused, SiteUnreachable, Workload, gang
from skerry.sites.kubernetes import life, sessions
from skerry.sites.kubernetes.client import ApiError
from skerry.sites.kubernetes.depot import Depot
from skerry.sites.kubernetes.files import sent
from skerry.sites.kubernetes.manifests import KEEPER, RUN
from skerry.sites.kubernetes.names import KEEPER as BESIDE
from skerry.sites.kubernetes.names import TASK
from skerry.sites.kubernetes.records import Lost
from skerry.sites.kubernetes.site import Site
from skerry.sites.kubernetes.spec import WORK
from skerry.sites.kubernetes.status import fields
from skerry.sites.kubernetes.view import Work

ENDING = (signals.SIGTERM, signals.SIGINT, signals.SIGKILL)
LONGEST = 30.0
"""Seconds between two questions to who is not ready."""


class Duties:
    def __init__(self, site: Site, depot: Depot) -> None:
        self._site, self._depot = site, depot
        self._going: set[str] = set()
        self._asking: dict[tuple[str, int], bool] = {}
        self._asked: dict[tuple[str, int], tuple[str, bool]] = {}
        site.view.on_task = self.consider
        site.view.on_orphan = self._orphan

    def consider(self, work: Work, rank: int) -> None:
        """Something has changed about a task."""
        if work.intent.waits and work.record.began is None and work.record.version:
            self._may_go(work)
        self._depot.consider(work, rank)
        task = work.tasks.get(rank)
        if task is None or task.status.phase != "running":
            return
        if work.intent.restart != "never" or work.intent.checked:
            key, now = (work.record.id, rank), (task.uid, task.ready)
            if self._asked.get(key) != now and not self._asking.get(key):
                self._asking[key] = True
                self._site.spawn(self._ask(work, rank))

    # Go

    def _may_go(self, work: Work) -> None:
        id, count = work.record.id, work.intent.tasks
        there = len(work.tasks) == count and all(
            t.entered and t.address for t in work.tasks.values()
        )
        if there and id not in self._going:
            self._going.add(id)
            self._site.spawn(self._go(work))

    async def _go(self, work: Work) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for rank in range(work.intent.tasks):
                    group.create_task(self._bring(work, rank))
            async with asyncio.TaskGroup() as group:
                for rank in range(work.intent.tasks):
                    group.create_task(self._say_go(work, rank))
            while work.record.began is None:
                try:
                    await life.write(self._site, work, began=datetime.now(UTC))
                except Lost:
                    if await life.refresh(self._site, work.record.id) is None:
                        return
        except* (ApiError, SiteUnreachable, Refused) as failed:
            await asyncio.sleep(1)
            raise failed.exceptions[0] from None
        finally:
            self._going.discard(work.record.id)

    async def _bring(self, work: Work, rank: int) -> None:
        if not work.intent.files:
            return
        paths = [
            (path, mode, self._site.blobs.path(digest)) for path, digest, mode in work.intent.files
        ]
        done = await self._in_keeper(work, rank, "take", WORK, content=sent(paths))
        if done.code:
            raise Refused("NoFiles", f"its files can't be written: {done.words}")

    async def _say_go(self, work: Work, rank: int) -> None:
        async def meet() -> AsyncIterator[bytes]:
            yield "".join(f"{name}={value}\n" for name, value in told.items()).encode()

        told = self._gang(work, rank)
        done = await self._in_keeper(work, rank, "go", content=meet())
        if done.code:
            raise Refused("NoStart", f"it can't be told to go: {done.words}")

    def _gang(self, work: Work, rank: int) -> dict[str, str]:
        """How it finds the others: by address, since not every cluster has names for pods."""
        intent = work.intent
        alike = Workload(
            id=intent.id,
            tenant=intent.tenant,
            command=(),
            resources=intent.resources,
            tasks=intent.tasks,
        )
        master, local = work.tasks[0].address, work.tasks[rank].address
        return gang.variables(alike, rank, master=master, local=local)

    async def _in_keeper(
        self, work: Work, rank: int, *words: str, content: AsyncIterator[bytes] | None = None
    ) -> sessions.Done:
        pod = work.tasks[rank].pod
        return await sessions.run(
            self._site.kube, work.intent.where, pod, BESIDE, (KEEPER, *words), content
        )

    # Ask

    async def _ask(self, work: Work, rank: int) -> None:
        """What its keeper says of restarts and health: on each change, and again while it is not
        ready, because the kubelet tells only whether it is."""
        key, pause = (work.record.id, rank), 0.5
        try:
            while (task := work.tasks.get(rank)) is not None and task.status.phase == "running":
                now = (task.uid, task.ready)
                done = await self._in_keeper(work, rank, "state")
                self._asked[key] = now
                if done.code == 0:
                    self._site.view.tell(work, rank, fields(done.stdout.decode("utf-8", "replace")))
                if now[1]:
                    current = work.tasks.get(rank)
                    if current is None or (current.uid, current.ready) == now:
                        return
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST)
        except KeyError:
            return
        finally:
            self._asking.pop(key, None)
            if rank not in work.tasks:
                self._asked.pop(key, None)

    # Signals

    async def signal(self, work: Work, rank: int, number: int) -> None:
        """To a task, if it runs. One that has not begun, and is told to end, never will."""
        task = work.tasks.get(rank)
        phase = work.task(rank).phase
        if task is None or phase not in ("pending", "running"):
            return
        if task.entered:
            try:
                done = await sessions.run(
                    self._site.kube, work.intent.where, task.pod, TASK,
                    (KEEPER, "signal", str(number)),
                )  # fmt: skip
            except ApiError:
                return  # it has ended meanwhile
            if done.code == 0 or phase == "running":
                return
        if number in ENDING:
            await self._never(work, rank, task.pod, task.uid, number)

    async def _never(self, work: Work, rank: int, pod: str, uid: str, number: int) -> None:
        over = life.told_before(work, rank, number)
        while True:
            try:
                ended = {**work.record.ended, str(rank): over}
                await life.write(self._site, work, ended=ended)
                break
            except Lost:
                if await life.refresh(self._site, work.record.id) is None:
                    return
        await self._site.kube.delete(f"/api/v1/namespaces/{work.intent.where}/pods/{pod}", uid, 1)

    # Sweep

    def _orphan(self, where: str, pod: str, uid: str) -> None:
        """A pod of a workload that was deleted while it was being made."""
        path = f"/api/v1/namespaces/{where}/pods/{pod}"
        self._site.spawn(self._site.kube.delete(path, uid, 1))


__all__ = ["RUN", "Duties"]

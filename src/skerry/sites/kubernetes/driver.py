"""The contract, on a cluster."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from skerry.sites.checks import check_path, matcher
from skerry.sites.contract import (
    Capacity,
    Event,
    FileInfo,
    LogChunk,
    Output,
    Refused,
    Session,
    SiteUnreachable,
    StaleFence,
    Stats,
    Workload,
    WorkloadStatus,
)
from skerry.sites.kubernetes import config as configs
from skerry.sites.kubernetes import life, names, sessions
from skerry.sites.kubernetes.client import ApiError
from skerry.sites.kubernetes.depot import Depot, Place
from skerry.sites.kubernetes.duties import Duties
from skerry.sites.kubernetes.files import listed, received
from skerry.sites.kubernetes.logs import Reader, frames
from skerry.sites.kubernetes.manifests import KEEPER
from skerry.sites.kubernetes.records import Lost
from skerry.sites.kubernetes.site import Site
from skerry.sites.kubernetes.view import Task, Work

ENDED = 1.0
"""Seconds that a log has to say its last words once its task has ended."""


class Kubernetes:
    def __init__(self, site: Site) -> None:
        self.site = site
        self._depot = Depot(site)
        self._duties = Duties(site, self._depot)

    @classmethod
    def open(cls, config: Mapping[str, Any]) -> "Kubernetes":
        return cls(Site(configs.read(config)))

    async def capacity(self) -> Capacity:
        await self.site.reach()
        return self.site.nodes.capacity(self.site.config)

    async def upload(self, digest: str, content: AsyncIterator[bytes]) -> None:
        await self.site.blobs.put(digest, content)

    async def has_blobs(self, digests: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(digest for digest in digests if self.site.blobs.has(digest))

    async def apply(self, workload: Workload, fence: int) -> WorkloadStatus:
        await self.site.reach()
        status = await life.apply(self.site, workload, fence)
        self._consider(workload.id)
        return status

    def _consider(self, id: str) -> None:
        work = self.site.view.works.get(id)
        if work is not None:
            for rank in tuple(work.tasks):
                self._duties.consider(work, rank)

    async def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        await self.site.reach()
        return self.site.view.everything()

    async def watch(self, cursor: int) -> AsyncIterator[Event]:
        await self.site.reach()
        view = self.site.view
        while True:
            self.site.look()
            for event in view.after(cursor):
                yield event
                cursor = event.cursor
            await view.wait(partial(self._news, cursor))

    def _news(self, cursor: int) -> bool:
        return self.site.view.cursor > cursor or self._away()

    def _away(self) -> bool:
        try:
            self.site.look()
        except SiteUnreachable:
            return True
        return False

    async def delete(self, id: str, fence: int) -> None:
        await self.site.reach()
        work = self.site.view.works.get(id)
        await life.delete(self.site, id, fence)
        if work is not None and work.record.kept:
            await self._depot.drop(id)
        self.site.unlock(id)

    async def signal(self, id: str, signal: int, fence: int) -> None:
        await self.site.reach()
        async with self.site.lock(id):
            while True:
                work = life.find(self.site, id)
                if fence < work.record.fence:
                    raise StaleFence("StaleFence", f"{id} was taken over by somebody newer")
                try:
                    if fence > work.record.fence:
                        await life.write(self.site, work, fence=fence)
                    break
                except Lost:
                    await life.refresh(self.site, id)
        for rank in range(work.intent.tasks):
            await self._duties.signal(work, rank, signal)

    async def stats(self, id: str) -> tuple[Stats, ...]:
        await self.site.reach()
        work = life.find(self.site, id)
        found = []
        for rank in range(work.intent.tasks):
            if work.task(rank).phase == "running" and rank in work.tasks:
                with suppress(ApiError):
                    done = await self._ask(work, work.tasks[rank], names.TASK, "stats")
                    found.append(_stats(rank, done.stdout))
        return tuple(found)

    async def files(self, id: str, rank: int) -> tuple[FileInfo, ...]:
        await self.site.reach()
        work, _ = life.task_of(self.site, id, rank)
        place = self._depot.place(work, rank)
        if place is None or not work.intent.artifacts:
            return ()
        wanted = matcher(work.intent.artifacts)
        try:
            done = await self._depot.ask(place, "list", place.work)
        except ApiError:
            if not self._carried(work, rank, place):
                raise
            return await self.files(id, rank)
        return tuple(info for info in listed(done.stdout) if wanted(info.path))

    async def download(self, id: str, rank: int, path: str) -> AsyncIterator[bytes]:
        await self.site.reach()
        work, _ = life.task_of(self.site, id, rank)
        check_path(path)
        missing = Refused("NoSuchFile", f"task {rank} of {id} has no file {path!r}")
        place = self._depot.place(work, rank)
        if place is None:
            raise missing
        session = await self._enter(place.where, place.pod, (KEEPER, "give", place.work))
        try:
            await session.write(path.encode() + b"\0")
            await session.close_write()
            async for piece in received(session):
                yield piece
        except LookupError:
            raise missing from None
        except ConnectionError as error:
            raise SiteUnreachable(str(error)) from None
        finally:
            await session.close()

    async def logs(
        self, id: str, rank: int, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        await self.site.reach()
        work, _ = life.task_of(self.site, id, rank)
        reader, view = Reader(rank, offset), self.site.view

        def over() -> bool:
            there = view.works.get(id) is work
            return not there or work.task(rank).phase in ("exited", "lost")

        while True:
            if follow:
                await view.wait(lambda: over() or self._away() or _entered(work, rank))
            self.site.look()
            last = over() or not follow
            place = self._depot.place(work, rank)
            if place is not None:
                async for chunk in self._read(place, reader, follow and not last, over):
                    yield chunk
            if last and not self._carried(work, rank, place):
                return

    def _carried(self, work: Work, rank: int, place: Place | None) -> bool:
        """Whether what was read from a pod, perhaps not to its end, is in the depot since."""
        now = self._depot.place(work, rank)
        return None not in (place, now) and place != now

    async def _read(
        self, place: Place, reader: Reader, follow: bool, over: Callable[[], bool]
    ) -> AsyncIterator[LogChunk]:
        command = (KEEPER, "log", place.run, str(reader.offset), str(int(follow)))
        try:
            session = await sessions.enter(
                self.site.kube, place.where, place.pod, names.KEEPER, command, stdin=False
            )
        except ApiError:
            return
        self.site.sessions.add(session)
        ending = self.site.ending(session, over, ENDED) if follow else None
        try:
            async for frame in frames(session):
                for chunk in reader.chunks(*frame):
                    yield chunk
        finally:
            if ending is not None:
                ending.cancel()
            await session.close()

    async def exec(self, id: str, rank: int, command: tuple[str, ...], tty: bool) -> Session:
        await self.site.reach()
        work, task = self._live(id, rank)
        inside = (KEEPER, "enter", *command)
        return await self._enter(work.intent.where, task.pod, inside, names.TASK, tty)

    async def connect(self, id: str, rank: int, port: int) -> Session:
        await self.site.reach()
        work, task = self._live(id, rank)
        if not 1 <= port <= 65535:
            raise Refused("UnknownPort", "a port is a number from 1 to 65535")
        session = await self._enter(work.intent.where, task.pod, (KEEPER, "dial", str(port)))
        stream, said = await session.take(1)
        if (stream, said) != ("stderr", b"+"):
            await session.close()
            raise Refused("NotListening", f"nothing listens on port {port} of {id} yet")
        return Connection(session)

    def _live(self, id: str, rank: int) -> tuple[Work, Task]:
        work, status = life.task_of(self.site, id, rank)
        task = work.tasks.get(rank)
        if status.phase != "running" or task is None:
            raise Refused("NotRunning", f"task {rank} of {id} is {status.phase}")
        return work, task

    async def _enter(
        self,
        where: str,
        pod: str,
        command: tuple[str, ...],
        container: str = names.KEEPER,
        tty: bool = False,
    ) -> sessions.ExecSession:
        try:
            session = await sessions.enter(self.site.kube, where, pod, container, command, tty=tty)
        except ApiError as error:
            raise Refused("NotRunning", f"it can't be entered now: {error.message}") from None
        self.site.sessions.add(session)
        return session

    async def _ask(self, work: Work, task: Task, container: str, *words: str) -> sessions.Done:
        return await sessions.run(
            self.site.kube, work.intent.where, task.pod, container, (KEEPER, *words)
        )

    async def close(self) -> None:
        await self.site.close()


class Connection:
    """A connection to a port, through the keeper beside the task."""

    def __init__(self, session: sessions.ExecSession) -> None:
        self._session = session

    async def read(self, limit: int = 65536) -> bytes:
        return (await self.take(limit))[1]

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        while True:
            stream, data = await self._session.take(limit)
            if stream == "stdout":
                return stream, data

    async def write(self, data: bytes) -> None:
        await self._session.write(data)

    async def close_write(self) -> None:
        await self._session.close_write()

    async def resize(self, columns: int, rows: int) -> None:
        """It has no terminal."""

    async def close(self) -> None:
        await self._session.close()

    async def wait(self) -> int:
        await self._session.wait()
        return 0


def _entered(work: Work, rank: int) -> bool:
    task = work.tasks.get(rank)
    return task is not None and task.entered


def _stats(rank: int, text: bytes) -> Stats:
    cpu, memory, peak, idle, pids = (int(word) for word in text.split())
    return Stats(
        rank=rank,
        at=datetime.now(UTC),
        cpu_seconds=max(cpu, 0) / 1e6,
        memory=max(memory - max(idle, 0), 1),
        memory_peak=max(peak, 0),
        pids=max(pids, 0),
    )

"""The contract around a world, with the faults in between."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal

from skerry.sites.checks import check_path, matcher
from skerry.sites.contract import (
    Address,
    Capacity,
    EnvironmentSource,
    Event,
    FileInfo,
    HostUsage,
    ImageSource,
    LogChunk,
    Progress,
    Refused,
    Session,
    SiteUnreachable,
    Stats,
    TaskUsage,
    Volume,
    VolumeStatus,
    Workload,
    WorkloadStatus,
)
from skerry.sites.simulated import config as configs
from skerry.sites.simulated import faults
from skerry.sites.simulated.clock import moment
from skerry.sites.simulated.images import environment_of, image_of
from skerry.sites.simulated.script import PIECE
from skerry.sites.simulated.session import Echo, run
from skerry.sites.simulated.task import Task
from skerry.sites.simulated.usage import usage
from skerry.sites.simulated.world import World

WORLDS: dict[str, World] = {}
"""Worlds by their config's ``name``: as long-lived as the process, and for tests to reach."""


class Simulated:
    """A driver on a world. Several may be open on one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._closed = False
        self._own = False
        self._begun = False
        self._faulted: set[str] = set()

    @classmethod
    def open(cls, config: Mapping[str, Any]) -> "Simulated":
        read = configs.read(config)
        if read.name:
            if read.name not in WORLDS:
                WORLDS[read.name] = World(read)
            return cls(WORLDS[read.name])
        driver = cls(World(read))
        driver._own = True
        return driver

    async def _reach(self, verb: str, id: str = "") -> None:
        """Come to the site, as far as the faults let us."""
        if self._closed:
            raise SiteUnreachable("this driver was closed")
        if not self._begun:
            self._begun = True
            self.world.enter()
        self.world.run_due()
        if not self.world.faults:
            return
        now = self.world.now
        while self.world.faults.hit(("hang",), verb, id, now()) is not None:
            over = self.world.faults.until(now())
            await self.world.sleep(1e9 if over is None else over - now())
            self._still_open()
        slow = self.world.faults.hit(("slow",), verb, id, now())
        if slow is not None:
            await self.world.sleep(slow.delay)
            self._still_open()
        self._stumble(("unreachable", "refuse", "no-room"), verb, id)

    def _still_open(self) -> None:
        if self._closed:
            raise SiteUnreachable("this driver was closed")

    def _stumble(self, kinds: tuple[faults.Kind, ...], verb: str, id: str) -> None:
        if self.world.faults:
            fault = self.world.faults.hit(kinds, verb, id, self.world.now())
            if fault is not None:
                raise faults.error(fault)

    async def _do(self, verb: str, id: str, act: Callable[[], Any]) -> Any:
        await self._reach(verb, id)
        answer = act()
        self._stumble(("answer-lost",), verb, id)
        return answer

    async def capacity(self) -> Capacity:
        found: Capacity = await self._do("capacity", "", self.world.capacity)
        return found

    async def upload(self, digest: str, content: AsyncIterator[bytes]) -> None:
        await self._reach("upload")
        await self.world.blobs.put(digest, content)
        self._stumble(("answer-lost",), "upload", "")

    async def has_blobs(self, digests: tuple[str, ...]) -> tuple[str, ...]:
        await self._reach("has_blobs")
        return tuple(digest for digest in digests if self.world.blobs.has(digest))

    async def prepare_image(self, source: ImageSource) -> AsyncIterator[Progress]:
        await self._reach("prepare_image")
        digest = image_of(source, self.world.blobs)
        async for progress in self._bring("pulling"):
            yield progress
        self.world.images.add(digest)
        yield Progress(stage="ready", digest=digest)

    async def prepare_environment(self, source: EnvironmentSource) -> AsyncIterator[Progress]:
        await self._reach("prepare_environment")
        digest = environment_of(source)
        async for progress in self._bring("installing"):
            yield progress
        self.world.environments.add(digest)
        yield Progress(stage="ready", digest=digest)

    async def _bring(self, stage: Literal["pulling", "installing"]) -> AsyncIterator[Progress]:
        seconds = self.world.config.pull_seconds
        if seconds:
            yield Progress(stage=stage, done=0, total=100 << 20)
            await self.world.sleep(seconds)
            self._still_open()

    async def apply(self, workload: Workload, fence: int) -> WorkloadStatus:
        brought = workload.env.get("SKERRY_SIM_FAULTS")
        if brought and workload.id not in self._faulted:
            for fault in faults.read(brought):
                fault.workload = workload.id
                self.world.fail(fault)
            self._faulted.add(workload.id)
        status: WorkloadStatus = await self._do(
            "apply", workload.id, lambda: self.world.apply(workload, fence)
        )
        return status

    async def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        await self._reach("list")
        return self.world.list()

    async def watch(self, cursor: int) -> AsyncIterator[Event]:
        await self._reach("watch")
        while True:
            self._still_open()
            self._stumble(("unreachable",), "watch", "")
            events = self.world.events.after(cursor)
            for event in events:
                late = self._hit("late", event)
                if late is not None:
                    await self.world.sleep(late.delay)
                yield event
                if self._hit("doubled", event) is not None:
                    yield event
                cursor = event.cursor
            if not events:
                await self.world.wait(self.world.heard)

    def _hit(self, kind: faults.Kind, event: Event) -> faults.Fault | None:
        rules = self.world.faults
        return rules.hit((kind,), "watch", event.id, self.world.now()) if rules else None

    async def delete(self, id: str, fence: int) -> None:
        await self._do("delete", id, lambda: self.world.delete(id, fence))
        self._faulted.discard(id)

    async def create_volume(self, volume: Volume, fence: int) -> VolumeStatus:
        made: VolumeStatus = await self._do(
            "create_volume", volume.id, lambda: self.world.create_volume(volume, fence)
        )
        return made

    async def list_volumes(self) -> tuple[VolumeStatus, ...]:
        await self._reach("list_volumes")
        return self.world.list_volumes()

    async def delete_volume(self, id: str, fence: int) -> None:
        await self._do("delete_volume", id, lambda: self.world.delete_volume(id, fence))

    async def snapshot_volume(self, id: str, snapshot: str, fence: int) -> None:
        await self._do(
            "snapshot_volume", id, lambda: self.world.snapshot_volume(id, snapshot, fence)
        )

    async def delete_snapshot(self, id: str, snapshot: str, fence: int) -> None:
        await self._do(
            "delete_snapshot", id, lambda: self.world.delete_snapshot(id, snapshot, fence)
        )

    async def signal(self, id: str, signal: int, fence: int) -> None:
        await self._do("signal", id, lambda: self.world.signal(id, signal, fence))

    async def stats(self, id: str) -> tuple[Stats, ...]:
        await self._reach("stats", id)
        at = moment(self.world.now())
        return tuple(
            Stats(
                rank=task.rank,
                at=at,
                cpu_seconds=task.used(self.world.now()),
                memory=task.memory,
                memory_peak=task.memory_peak,
                pids=1 if task.live else 0,
            )
            for task in self.world.find(id).tasks
        )

    async def usage(self) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
        await self._reach("usage")
        return usage(self.world)

    async def files(self, id: str, rank: int) -> tuple[FileInfo, ...]:
        await self._reach("files", id)
        task = self.world.task(id, rank)
        wanted = matcher(task.owner.work.artifacts)
        return tuple(
            FileInfo(
                path=path,
                size=file.size,
                mode=file.mode,
                modified_at=moment(file.at),
                digest=file.digest,
            )
            for path, file in sorted(task.files.items())
            if wanted(path)
        )

    async def download(self, id: str, rank: int, path: str) -> AsyncIterator[bytes]:
        await self._reach("download", id)
        task = self.world.task(id, rank)
        file = task.files.get(check_path(path))
        if file is None:
            raise Refused("NoSuchFile", f"task {rank} of {id} has no file {path!r}")
        content = task.content(file)
        for start in range(0, len(content), 16 * PIECE):
            yield content[start : start + 16 * PIECE]

    async def logs(
        self, id: str, rank: int, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        await self._reach("logs", id)
        task = self.world.task(id, rank)
        while True:
            chunks = task.log.after(offset)
            for chunk in chunks:
                yield chunk
                offset = chunk.offset + len(chunk.data)
            if not chunks:
                if not follow or task.over:
                    return
                await self.world.wait(task.heard)
                self._still_open()
                self._stumble(("unreachable",), "logs", id)

    async def exec(self, id: str, rank: int, command: tuple[str, ...], tty: bool) -> Session:
        await self._reach("exec", id)
        task = self._live(id, rank)
        session = self._into(task, run(command, task), 137)
        task.look(self.world.now())
        return session

    async def connect(self, id: str, rank: int, port: int) -> Session:
        await self._reach("connect", id)
        task = self._with_port(id, rank, port)
        if port not in task.listening:
            raise Refused("NotListening", f"nothing listens on port {port} of {id} yet")
        return self._into(task, Echo(), 0)

    async def address(self, id: str, rank: int, port: int) -> Address | None:
        """None: nothing here has an address."""
        await self._reach("address", id)
        self._with_port(id, rank, port)
        return None

    def _with_port(self, id: str, rank: int, port: int) -> Task:
        task = self._live(id, rank)
        work = task.owner.work
        if not 1 <= port <= 65535:
            raise Refused("UnknownPort", "a port is a number from 1 to 65535")
        if work.isolation == "process" and port not in {named.port for named in work.ports}:
            raise Refused("UnknownPort", f"{id} did not name the port {port}")
        return task

    def _live(self, id: str, rank: int) -> Task:
        task = self.world.task(id, rank)
        if not task.live or task.between:
            now = "between two runs" if task.live else task.status.phase
            raise Refused("NotRunning", f"task {rank} of {id} is {now}")
        return task

    def _into(self, task: Task, session: Echo, code: int) -> Echo:
        task.hang_up.add(lambda: session.hang_up(code))
        return session

    async def close(self) -> None:
        """Let go of the world; it goes on."""
        if not self._closed:
            self._closed = True
            self.world.stir()
            if self._begun:
                self.world.leave()
            if self._own:
                self.world.end()

"""The driver: the contract's verbs on this machine.

Each id has a lock, so that verbs on one workload come one after the other; verbs that change
something run in tasks of the driver's own, so that a caller who goes away leaves nothing
half-made. What the driver knows it also has on disk (``state``), and ``close`` writes nothing:
to be closed and to be killed are the same.
"""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from skerry.sites.checks import check
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
    UnknownWorkload,
    Volume,
    VolumeStatus,
    Workload,
    WorkloadStatus,
)
from skerry.sites.local import logs, room, work
from skerry.sites.local.config import Config
from skerry.sites.local.connect import Connectors
from skerry.sites.local.door import Door
from skerry.sites.local.health import Checks
from skerry.sites.local.held import Held, HeldTask, public
from skerry.sites.local.machine import Machine
from skerry.sites.local.reach import check_port, connect, execute
from skerry.sites.local.sessions import LocalSession, Stream
from skerry.sites.local.start import start
from skerry.sites.local.stop import stop
from skerry.sites.local.usage import of_all
from skerry.sites.local.use import use
from skerry.sites.local.volumes.keeper import Keeper

_ID = re.compile(r"[a-z0-9-]{1,63}\Z")
_PIECE = 256 << 10
_T = TypeVar("_T")


class LocalDriver:
    """All capabilities of this machine; opens its data directory at the first call."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._machine: Machine | None = None
        self._opening = asyncio.Lock()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._connectors = Connectors(os.geteuid() == 0)
        self._door: Door | None = None
        self._checks: Checks | None = None
        self._closed = False

    async def _ready(self) -> Machine:
        if self._closed:
            raise SiteUnreachable("the driver was closed")
        async with self._opening:
            if self._machine is None:
                machine = await Machine.open(self._config)
                self._door = Door.open(machine.data, machine.cgroups.instance, self._connected)
                self._checks = Checks(machine, self._connectors)
                for held in machine.held.values():
                    self._checks.follow(held)
                self._machine = machine
            return self._machine

    async def _alone(self, id: str, work: Coroutine[Any, Any, _T]) -> _T:
        """Do ``work`` to the end, when nobody else is at the workload."""
        lock = self._locks.setdefault(id, asyncio.Lock())

        async def locked() -> _T:
            try:
                await lock.acquire()
            except BaseException:
                work.close()
                raise
            try:
                return await work
            finally:
                lock.release()

        machine = await self._ready()
        return await asyncio.shield(machine.spawn(locked()))

    async def _find(self, id: str) -> tuple[Machine, Held]:
        machine = await self._ready()
        held = machine.held.get(id)
        if held is None:
            raise UnknownWorkload("UnknownWorkload", f"there is no workload {id!r} here")
        return machine, held

    async def _task(self, id: str, rank: int) -> tuple[Machine, Held, HeldTask]:
        machine, held = await self._find(id)
        if not 0 <= rank < len(held.tasks):
            raise Refused("UnknownTask", f"{id} has the tasks 0 to {len(held.tasks) - 1}")
        return machine, held, held.tasks[rank]

    async def capacity(self) -> Capacity:
        machine = await self._ready()
        free = machine.free()
        return Capacity(
            millicores=machine.room.millicores,
            memory=machine.room.memory,
            gpus=machine.gpus.devices,
            free_millicores=free.millicores,
            free_memory=free.memory,
            free_gpus=tuple(gpu.uuid for gpu in free.gpus),
            disk=machine.disk,
            free_disk=machine.volumes.free(),
            volumes=not machine.volumes.why,
            pins=True,
            isolations=machine.engines.isolations,
            engines={
                **machine.engines.found,
                "gpus": machine.gpus.driver,
                "network": machine.networks.says,
                "images": machine.image_tools,
            },
            architecture=room.architecture(),
        )

    async def upload(self, digest: str, content: AsyncIterator[bytes]) -> None:
        await (await self._ready()).blobs.put(digest, content)

    async def has_blobs(self, digests: tuple[str, ...]) -> tuple[str, ...]:
        machine = await self._ready()
        return tuple(digest for digest in digests if machine.blobs.has(digest))

    async def prepare_image(self, source: ImageSource) -> AsyncIterator[Progress]:
        machine = await self._ready()
        async with aclosing(machine.images.bring(source)) as steps:
            async for progress in steps:
                yield progress

    async def prepare_environment(self, source: EnvironmentSource) -> AsyncIterator[Progress]:
        machine = await self._ready()
        async with aclosing(machine.environments.bring(source)) as steps:
            async for progress in steps:
                yield progress

    async def apply(self, workload: Workload, fence: int) -> WorkloadStatus:
        check(workload)
        machine = await self._ready()
        return await self._alone(workload.id, self._apply(machine, workload, fence))

    async def _apply(self, machine: Machine, workload: Workload, fence: int) -> WorkloadStatus:
        known = machine.fences.raise_to(workload.id, fence)
        if known.deleted:
            raise Refused("Deleted", f"{workload.id} was deleted; an id means one thing for ever")
        held = machine.held.get(workload.id)
        if held is not None:
            if held.workload != public(workload):
                raise Refused("Changed", f"{workload.id} is another workload here")
            held.fence = fence
            machine.tell(held)
            if held.decision is not None:
                return machine.status(held)
        held = await start(machine, workload, fence, held)
        assert self._checks is not None
        self._checks.follow(held)
        return machine.status(held)

    async def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        machine = await self._ready()
        return machine.journal.cursor, tuple(machine.status(held) for held in machine.held.values())

    async def watch(self, cursor: int) -> AsyncIterator[Event]:
        machine = await self._ready()
        async for event in machine.journal.watch(cursor):
            yield event

    async def delete(self, id: str, fence: int) -> None:
        if _ID.match(id):
            machine = await self._ready()
            await self._alone(id, self._delete(machine, id, fence))

    async def _delete(self, machine: Machine, id: str, fence: int) -> None:
        machine.fences.raise_to(id, fence, deleted=True)
        held = machine.held.get(id)
        if held is not None:
            for task in held.tasks:
                await self._connectors.forget(task.name)
            await stop(machine, held)

    async def create_volume(self, volume: Volume, fence: int) -> VolumeStatus:
        return await self._whole(lambda keeper: keeper.create(volume, fence))

    async def list_volumes(self) -> tuple[VolumeStatus, ...]:
        return await (await self._ready()).volumes.list()

    async def delete_volume(self, id: str, fence: int) -> None:
        await self._whole(lambda keeper: keeper.delete(id, fence))

    async def snapshot_volume(self, id: str, snapshot: str, fence: int) -> None:
        await self._whole(lambda keeper: keeper.snapshot(id, snapshot, fence))

    async def delete_snapshot(self, id: str, snapshot: str, fence: int) -> None:
        await self._whole(lambda keeper: keeper.delete_snapshot(id, snapshot, fence))

    async def _whole(self, work: Callable[[Keeper], Coroutine[Any, Any, _T]]) -> _T:
        """Do it to the end, whether the caller waits or not."""
        machine = await self._ready()
        return await asyncio.shield(machine.spawn(work(machine.volumes)))

    async def signal(self, id: str, signal: int, fence: int) -> None:
        if not 1 <= signal <= 64:
            raise Refused("BadSignal", f"{signal} is not the number of a signal")
        machine, _ = await self._find(id)
        await self._alone(id, self._signal(machine, id, signal, fence))

    async def _signal(self, machine: Machine, id: str, signal: int, fence: int) -> None:
        _, held = await self._find(id)
        machine.fences.raise_to(id, fence)
        held.fence = fence
        machine.tell(held)
        for task in held.tasks:
            if task.running:
                task.directory.command(f"signal {signal}")

    async def stats(self, id: str) -> tuple[Stats, ...]:
        machine, held = await self._find(id)
        return await asyncio.to_thread(use, machine.cgroups, held)

    async def usage(self) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
        machine = await self._ready()
        tasks = [task for held in machine.held.values() for task in held.tasks if task.running]
        return await asyncio.to_thread(of_all, machine, tasks, machine.numbers())

    async def files(self, id: str, rank: int) -> tuple[FileInfo, ...]:
        _, held, task = await self._task(id, rank)
        globs = held.workload.artifacts
        return await asyncio.to_thread(work.artifacts, task.directory.work, globs)

    async def download(self, id: str, rank: int, path: str) -> AsyncIterator[bytes]:
        _, _, task = await self._task(id, rank)
        file = await asyncio.to_thread(work.open_file, task.directory.work, path)
        try:
            while data := await asyncio.to_thread(os.read, file, _PIECE):
                yield data
        finally:
            os.close(file)

    async def logs(
        self, id: str, rank: int, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        machine, held, task = await self._task(id, rank)

        def ended() -> bool:
            gone = self._closed or machine.held.get(id) is not held
            return gone or task.ended or (held.decision is not None and not held.decision.go)

        async for chunk in logs.read(task.directory.log, rank, offset, follow, ended):
            yield chunk

    async def exec(self, id: str, rank: int, command: tuple[str, ...], tty: bool) -> Session:
        machine, held, task = await self._task(id, rank)
        return await execute(machine, held, task, command, tty)

    async def connect(self, id: str, rank: int, port: int) -> Session:
        descriptor = (await self._connected(id, rank, port)).detach()
        return LocalSession(Stream(descriptor, descriptor))

    async def _connected(self, id: str, rank: int, port: int) -> socket.socket:
        machine, held, task = await self._task(id, rank)
        check_port(machine, held, task, port)
        return await connect(machine, held, task, port, self._connectors)

    async def address(self, id: str, rank: int, port: int) -> Address | None:
        machine, held, task = await self._task(id, rank)
        check_port(machine, held, task, port)
        assert self._door is not None
        return Address(path=str(self._door.path))

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""
        self._closed = True
        if self._door is not None:
            await self._door.close()
        await self._connectors.close()
        machine, self._machine = self._machine, None
        if machine is not None:
            await machine.close()

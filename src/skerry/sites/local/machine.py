"""This machine and all that is on it: opened once, shared by the driver's verbs."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import structlog

from skerry.sites.contract import Isolation, SiteUnreachable, WorkloadStatus
from skerry.sites.local import cgroups, gpus
from skerry.sites.local.blobs import Blobs
from skerry.sites.local.cgroups import Cgroups
from skerry.sites.local.config import Config
from skerry.sites.local.engines import choose
from skerry.sites.local.engines.base import Engine, Host
from skerry.sites.local.follow import Follower
from skerry.sites.local.gpus import Gpus, care
from skerry.sites.local.gpus.cdi import DIRECTORIES
from skerry.sites.local.held import INTENT, Held, HeldTask, load_intent
from skerry.sites.local.images.environments import Environments
from skerry.sites.local.images.shelf import Tidier
from skerry.sites.local.images.store import Images
from skerry.sites.local.images.tools import versions
from skerry.sites.local.journal import Journal
from skerry.sites.local.networks.networks import Networks
from skerry.sites.local.plans import Planner
from skerry.sites.local.room import Room, of_host
from skerry.sites.local.secrets import SecretFiles
from skerry.sites.local.state import Fences, boot_id, instance
from skerry.sites.local.sweep import remove_tree, sweep, sweep_loose, task_of
from skerry.sites.local.view import Bind, View
from skerry.sites.local.volumes.keeper import Keeper

_LOCK_SECONDS = 5.0
_END_SECONDS = 15.0
_ASK_AGAIN_SECONDS = 30.0
_TIDY_SECONDS = 600.0
DAY = 86400.0
_log = structlog.get_logger("local")
_T = TypeVar("_T")


class Machine:
    """What the verbs work on. Made by ``open``."""

    data: Path
    held: dict[str, Held]

    def __init__(self, config: Config, data: Path, lock: int) -> None:
        self.config, self.data, self._lock = config, data, lock
        self.root = os.geteuid() == 0
        self.held = {}
        self.fences = Fences(data / "fences", data / "reserve")
        self.blobs = Blobs(data / "blobs")
        self.images = Images(data / "images", self.blobs, config)
        self.environments = Environments(data / "environments", config)
        shelves = (self.images.roots, self.images.blobs, self.environments.made)
        self._tidier = Tidier(
            shelves, self._used, config.cache_bytes, config.cache_days * DAY, config.keep_free
        )
        self.images.tidier = self.environments.tidier = self._tidier
        self.journal = Journal(config.events)
        self.volumes = Keeper(data, config.volumes, self.held)
        self.slots = asyncio.Semaphore(2 * (os.cpu_count() or 1))
        """How many sandboxes are set up at once."""
        self._asking = asyncio.Lock()
        self._followers: dict[str, Follower] = {}
        self._left: dict[str, asyncio.Event] = {}
        self._losing: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._resting: set[asyncio.Task[None]] = set()

    cgroups: Cgroups
    secrets: SecretFiles
    gpus: Gpus
    networks: Networks
    room: Room
    planner: Planner
    engines: choose.Engines
    view: View
    disk: int
    """Bytes that tasks and volumes can have in all: what was free when it was opened, and what
    volumes have of it."""
    image_tools: str
    """What brings images, or what is missing of it."""

    @classmethod
    async def open(cls, config: Config) -> "Machine":
        """Make the data directory ready and find again what runs. Raises ``SiteUnreachable``."""
        data = Path(config.data).absolute()
        for directory in (data, *(data / n for n in ("fences", "blobs", "workloads", "trash"))):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        machine = cls(config, data, await _lock(data))
        try:
            await machine._survey()
            await machine._adopt()
            machine.spawn(machine.networks.keep(machine.numbers))
            if machine.gpus.devices:
                await machine.look_at_gpus()
                machine.spawn(machine._care_for_gpus())
        except BaseException:
            await machine.close()
            raise
        return machine

    async def _survey(self) -> None:
        """What is there to run things with."""
        self.cgroups = cgroups.find(instance(self.data))
        self.secrets = SecretFiles(self.cgroups.instance)
        config = self.config
        self.gpus = await asyncio.to_thread(gpus.find, (*DIRECTORIES, *config.cdi))
        self._care = care.Care(
            self.gpus, self.data / "gpus.json", boot_id(), self._task_of, config.trusted_gpus
        )
        self.networks = Networks(config, self.data, self.cgroups.instance, self.root)
        self.room = of_host(config.reserve_millicores, config.reserve_memory, self.gpus.devices)
        self.view = View(self.data / "rootfs", config.binds)
        await asyncio.to_thread(self.view.build)
        self._host = Host(self.data, self.view, self.root, self.cgroups.reason)
        hosts = Bind(str(self.view.skeleton / "etc/hosts"), "/etc/hosts")
        self.planner = Planner(
            self.cgroups, self.gpus, self.networks, self.root, config.disk, hosts
        )
        await self._ask_engines()

    async def _ask_engines(self) -> None:
        wanted, uid = self.config.engines, self.config.first_uid
        self.engines = await choose.find(self._host, self.planner, wanted, uid)
        self.image_tools = await asyncio.to_thread(versions)
        self._asked = time.monotonic()
        for name, said in self.engines.found.items():
            _log.info("engine", engine=name, usable=name in self.engines.usable, says=said)

    async def engine(self, isolation: Isolation) -> Engine:
        """One for ``isolation``; asks again if there was none a while ago. Raises ``Refused``."""
        async with self._asking:
            old = time.monotonic() - self._asked > _ASK_AGAIN_SECONDS
            if isolation not in self.engines.isolations and old:
                await self._ask_engines()
            return self.engines.choose(isolation)

    async def _adopt(self) -> None:
        """Find again what this data directory's earlier drivers have started."""
        for path in sorted((self.data / "workloads").iterdir()):
            intent = load_intent(path)
            if intent is None:
                if not (path / INTENT).exists():
                    remove_tree(path)
                continue
            if self.fences.get(path.name).deleted:
                await self._finish_deletion(Held(path, intent, 0))
                continue
            held = Held(path, intent, self.fences.get(path.name).fence)
            held.read()
            held.told = self.status(held)
            self.held[path.name] = held
            for task in held.tasks:
                if held.decision is not None and held.decision.go and not task.ended:
                    task.directory.make()  # after a power cut parts of it may be missing
                    self.follow(held, task)
                    self.check(held, task)
        await asyncio.to_thread(self.volumes.adopt)
        disk = os.statvfs(self.data)
        self.disk = (disk.f_bavail * disk.f_frsize + self.volumes.taken()) >> 20 << 20
        known = {t.name for h in self.held.values() for t in h.tasks if t.directory.has_shim}
        self.secrets.keep(known)
        for name in self.cgroups.names() - known:
            await self.sweep(name)
        self.fences.drop_old(set(self.held))
        await asyncio.to_thread(self.blobs.drop_unused)
        await asyncio.to_thread(self.empty_trash)
        for shelf in (self.images.roots, self.environments.made):
            await asyncio.to_thread(shelf.empty_scratch)
        self.spawn(self._keep_tidy())

    async def _keep_tidy(self) -> None:
        while True:
            await asyncio.to_thread(self._tidier.tidy)
            await asyncio.sleep(_TIDY_SECONDS)

    def _used(self) -> set[str]:
        """Hex digits of images and environments that workloads use, and of what is being pulled."""
        works = [held.workload for held in list(self.held.values())]
        digests = [digest for work in works for digest in (work.image, work.environment)]
        return self.images.pulling | {d.removeprefix("sha256:") for d in digests if d}

    async def _finish_deletion(self, held: Held) -> None:
        """What a driver that died had begun."""
        for task in held.tasks:
            await self.end_shim(task)
            await self.sweep(task.name)
        await asyncio.to_thread(remove_tree, held.path)

    def numbers(self) -> "dict[int, HeldTask]":
        """Tasks with a network of their own, by their place in the pool of addresses."""
        return {n: task for held in self.held.values() for n, task in held.numbers().items()}

    def free(self) -> Room:
        taken = (h for held in self.held.values() for h in held.holdings())
        return self.room.without(taken).less(self.gpus.away)

    def leased(self) -> set[str]:
        """The devices that tasks hold."""
        held = [pair for held in self.held.values() for pair in held.holdings()]
        return {uuid for _, devices in held for uuid in devices}

    async def look_at_gpus(self) -> None:
        await asyncio.to_thread(self._care.look, self.leased())

    async def _care_for_gpus(self) -> None:
        while True:
            await asyncio.sleep(care.EVERY)
            await self.look_at_gpus()

    def _rest(self, task: HeldTask) -> None:
        """Its devices are not free before they are found to be empty."""
        if task.gpus and task.ended and not task.rested:
            task.rested = True
            self.gpus.resting |= set(task.gpus)
            work = self.spawn(asyncio.to_thread(self._care.clear, task.gpus, task.name))
            self._resting.add(work)
            work.add_done_callback(self._resting.discard)

    async def rested(self) -> None:
        """Wait until no device rests."""
        if self._resting:
            await asyncio.wait(tuple(self._resting))

    def _task_of(self, pid: int) -> str:
        """The name of the task that a process belongs to; empty: of none of ours."""
        names = {task.name for held in list(self.held.values()) for task in held.tasks}
        return task_of(pid, names, self.cgroups, self.planner.mark)

    def status(self, held: Held) -> WorkloadStatus:
        return held.status(self.engines.all[held.intent.engine].isolation)

    def tell(self, held: Held) -> None:
        """An event, if anything is new."""
        status = self.status(held)
        for task in held.tasks:
            self._rest(task)
        if held.told != status and self.held.get(held.workload.id) is held:
            held.told = status
            self.journal.append(held.workload.id, status)
            if held.workload.mounts and status.ended:
                self.spawn(self.volumes.release(held))

    def follow(self, held: Held, task: HeldTask) -> None:
        """Listen to the task's shim from now on."""

        def changed() -> None:
            task.refresh()
            if task.ended:
                self.secrets.drop(task.name)
            self.tell(held)

        def gone() -> None:
            self._left[task.name].set()
            self._shim_gone(held, task)

        self._left[task.name] = asyncio.Event()
        follower = self._followers[task.name] = Follower(task.directory, changed, gone)
        follower.start()

    def check(self, held: Held, task: HeldTask) -> None:
        """For a shim that may have gone before anybody listened, or before the decision."""
        if not task.directory.has_shim:
            self._shim_gone(held, task)

    def _shim_gone(self, held: Held, task: HeldTask) -> None:
        """Either it is done, or its task was let go and is lost."""
        task.refresh()
        self.tell(held)
        let_go = held.decision is not None and held.decision.go
        if let_go and not task.ended and task.name not in self._losing:
            self._losing.add(task.name)
            self.spawn(self._lose(held, task))
        if let_go:
            self.secrets.drop(task.name)

    def unfollow(self, task: HeldTask) -> None:
        self._left.pop(task.name, None)
        follower = self._followers.pop(task.name, None)
        if follower is not None:
            follower.stop()

    async def _lose(self, held: Held, task: HeldTask) -> None:
        """A shim has gone without a word: end what it left, and write that down."""
        seen = task.directory.last_seen()
        _log.warning("shim lost", task=task.name)
        try:
            await self.sweep(task.name)
        except OSError as error:  # its processes are stuck in the kernel
            _log.error("not swept", task=task.name, why=str(error))
        task.lose(seen)
        self._losing.discard(task.name)
        self.tell(held)

    async def sweep(self, name: str) -> None:
        """Kill and remove the sandbox of that name, if anything of it is left."""
        engines = list(self.engines.all.values())
        await asyncio.to_thread(sweep, name, engines, self.cgroups)
        if self.cgroups.reason:
            await asyncio.to_thread(sweep_loose, self.planner.mark(name))

    async def end_shim(self, task: HeldTask) -> None:
        """Have the task's shim, if there is one, end and remove everything; make sure of it."""
        if not task.directory.path.exists():
            return
        task.directory.command("kill")
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._until_left(task)
        except TimeoutError:
            shim = task.directory.shim()
            _log.warning("shim does not end", task=task.name, shim=shim)
            if shim and task.directory.has_shim:
                os.kill(shim, signal.SIGKILL)
            await self._until_left(task)
            await self.sweep(task.name)

    async def _until_left(self, task: HeldTask) -> None:
        while task.directory.has_shim:
            left = self._left.get(task.name)
            if left is None:
                await asyncio.sleep(0.02)
                continue
            await left.wait()
            await asyncio.sleep(0.005)

    def empty_trash(self) -> None:
        for path in (self.data / "trash").iterdir():
            remove_tree(path)

    def spawn(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        """Run it as the driver's own; ``close`` ends it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        self.journal.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.images.close()
        await self.environments.close()
        for follower in self._followers.values():
            follower.stop()
        if hasattr(self, "gpus"):
            await asyncio.to_thread(self.gpus.close)
        if hasattr(self, "cgroups"):
            self.cgroups.leave()
        if hasattr(self, "secrets"):
            self.secrets.leave()
        if hasattr(self, "networks"):
            await asyncio.to_thread(self.networks.close)
        os.close(self._lock)


async def _lock(data: Path) -> int:
    """The data directory's lock: only one driver may work on it. Raises ``SiteUnreachable``."""
    lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > give_up:
                os.close(lock)
                raise SiteUnreachable(f"another driver works on {data}") from None
            await asyncio.sleep(0.1)

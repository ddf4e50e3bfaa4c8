"""What the driver keeps on disk, and nothing it could not read back after a crash.

::

    instance            a name of this data directory's own, for cgroups
    reserve             some blocks for when the disk is full
    fences/ID           the newest fence seen for ID, and whether it was deleted
    workloads/ID/
        intent.json     the workload without its secrets, and what it was given: written first
        decision.json   start all tasks or none: written once all of them stand
        tasks/RANK/     shared with the task's shim (see ``shim.plan``)
    trash/              being removed

A workload without a decision has run nothing and may be started anew; with one it never is.
Fences outlive their workloads, or a late ``apply`` would raise the dead; they are dropped a
``FENCE_DAYS`` after their last use.
"""

import contextlib
import fcntl
import os
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from skerry.sites.contract import Refused, StaleFence, TaskPhase, Workload
from skerry.sites.local.images.facts import Image
from skerry.sites.local.shim import plan as names
from skerry.sites.local.shim import record

FENCE_DAYS = 30
NUMBERS = 65536
"""User numbers that a task in an image has."""
_log = structlog.get_logger("local")
_T = TypeVar("_T", bound=msgspec.Struct)


class Intent(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What is to be started and with what, before anything of it exists."""

    workload: Workload
    engine: str
    uid: int
    """Of the first task; the others follow. The agent's own if it can't choose."""
    gpus: tuple[tuple[str, ...], ...]
    """Devices of each task."""
    network: tuple[int, ...] = ()
    """Where in the pool the address of each task's own network is; empty if they have none."""
    gang: str = ""
    """By what its tasks reach each other: ``own`` (a network of the gang), ``host`` (the loopback
    of the host, which they share); empty: they don't, or there is but one."""
    image: Image | None = None
    """What it runs in; None: the host's own userland."""

    @property
    def numbers(self) -> int:
        """User numbers of each task."""
        return NUMBERS if self.image is not None and self.uid else 1


class Decision(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Whether all tasks start; if not, why not."""

    go: bool
    reason: str = ""
    message: str = ""


class Record(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What a task's shim has written, or the driver after a shim that is no more."""

    phase: TaskPhase
    shim: int = 0
    command: int = 0
    """The command's process, by the host's number."""
    started_at: int = 0
    """Nanoseconds since 1970, as all times here; 0 = never."""
    ended_at: int = 0
    exit_code: int | None = None
    restarts: int = 0
    waiting: bool = False
    """It has ended and is to be started again after a pause."""
    reason: str = ""
    message: str = ""
    boot_id: str = ""
    cpu: int = 0
    """Nanoseconds of processor time, once ended."""
    peak: int = 0


class Fence(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    fence: int
    deleted: bool = False


class Fences:
    """The newest fence of each id, written down before it takes effect."""

    def __init__(self, directory: Path, reserve: Path) -> None:
        """``reserve`` is for a full disk, on which at least deleting must go on."""
        self._directory, self._reserve = directory, reserve

    def raise_to(self, id: str, fence: int, *, deleted: bool = False) -> Fence:
        """What was known until now. Raises ``StaleFence`` if that was newer, or ``Refused`` if
        the disk is full and the reserve is used up."""
        known = self.get(id)
        if fence < known.fence:
            raise StaleFence(
                "StaleFence", f"{id} has been taken over: fence {known.fence}, yours is {fence}"
            )
        new = Fence(fence=fence, deleted=deleted or known.deleted)
        if new != known:
            try:
                record.write_or_use(
                    str(self._directory / id), msgspec.to_builtins(new), str(self._reserve)
                )
            except OSError as error:
                raise Refused("DiskFull", f"the site can't write any more: {error}") from error
        return known

    def get(self, id: str) -> Fence:
        return load(self._directory / id, Fence) or Fence(fence=-1)

    def drop_old(self, keep: set[str]) -> None:
        """Forget those that are long unused, save those of ``keep``."""
        oldest = time.time() - FENCE_DAYS * 86400
        for path in self._directory.iterdir():
            if path.name not in keep and path.stat().st_mtime < oldest:
                path.unlink()


class TaskDirectory:
    """The files that a task's shim and the driver share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / names.WORK
        self.log = path / names.LOG
        self.disk = path / names.DISK

    def make(self) -> None:
        """What is missing of it."""
        for directory in (self.path, self.work, self.log):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for pipe in (names.CONTROL, names.BELL):
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self.path / pipe, 0o600)
        (self.path / names.LOCK).touch(0o600)

    def record(self) -> Record | None:
        return load(self.path / names.STATE, Record)

    def write(self, new: Record) -> None:
        save(self.path / names.STATE, new)

    def lock(self) -> int | None:
        """The lock file, locked: a shim's life; None if a shim lives."""
        descriptor = os.open(self.path / names.LOCK, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    @property
    def has_shim(self) -> bool:
        try:
            descriptor = self.lock()
        except FileNotFoundError:  # it was not even laid out
            return False
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None

    def shim(self) -> int:
        """The live shim's process; 0 if it has not said yet."""
        return int((self.path / names.LOCK).read_text() or 0)

    def last_seen(self) -> int:
        """When the shim last marked that it lives."""
        return (self.path / names.LOCK).stat().st_mtime_ns

    def command(self, line: str) -> None:
        """Tell the shim; nothing happens if there is none."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self.path / names.CONTROL, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(descriptor, line.encode() + b"\n")
            finally:
                os.close(descriptor)


def save(path: Path, value: msgspec.Struct) -> None:
    """Replace the file, to disk. Raises ``OSError``."""
    record.write(str(path), msgspec.to_builtins(value))


def load(path: Path, type: type[_T]) -> _T | None:
    """None if there is no such file, or none that can be read, which the log then tells."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        _log.error("unreadable", path=str(path), why=str(error))
        return None


def instance(data: Path) -> str:
    """The data directory's own name, made up at first use."""
    path = data / "instance"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    path.write_text(uuid.uuid4().hex[:12])
    return path.read_text()


def boot_id() -> str:
    """Another one after each start of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def moment(nanoseconds: int) -> datetime | None:
    """None for 0, which stands for never."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds else None

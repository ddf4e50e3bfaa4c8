"""What a site can do: the contract between Skerry and whatever runs workloads.

A driver is a folder with a ``manifest`` and a class that implements the capability protocols
the manifest declares. ``Workloads`` is the first. The rules that every driver keeps, and that
the contract suite checks:

- ``apply`` and ``delete`` are idempotent on the workload's id and carry a *fence*, a number that
  only grows. A call with an older fence than the last one seen for that id is refused with
  ``StaleFence``: a worker that lost its lease cannot undo its successor's work.
- An id means one thing for ever: ``apply`` of a known id with another spec is refused
  (``Changed``), and of a deleted id, too (``Deleted``): a late message raises no dead.
- ``list`` gives everything the driver owns and nothing else; ``delete`` removes only what it made.
- A workload starts all of its tasks or none (``Gang``); a task holds its cores, memory and devices
  from ``apply`` until it has ended. A task's exit code, end time and whole log
  survive restarts of the driver; they stay readable until ``delete``.
- ``watch`` yields the whole site's changes from a cursor; an expired cursor raises
  ``CursorExpired`` and the caller lists again.
- What a driver can't do it refuses with ``Refused`` and a reason in plain words; it is never
  silently weaker than asked.

Times are aware UTC datetimes of the host. Sizes are bytes, cores are thousandths of a core.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

Isolation = Literal["process", "sandbox", "vm"]
"""``process``: the host's own process, for the operator only. ``sandbox``: its own file system,
pids, network and limits by the kernel (runc, bubblewrap, a Pod). ``vm``: its own kernel."""

TaskPhase = Literal["pending", "running", "exited", "lost"]
Restart = Literal["never", "on-failure", "always"]


class _Struct(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    pass


class File(_Struct, frozen=True):
    """A file put into the workload's directory before it starts."""

    path: str
    """Relative to the working directory, without ``..``."""
    digest: str
    """``sha256:<hex>`` of a blob that ``upload`` brought to the site."""
    size: int = 0
    mode: int = 0o644


class Port(_Struct, frozen=True):
    name: str
    port: int
    protocol: Literal["tcp", "udp"] = "tcp"


class Resources(_Struct, frozen=True):
    """What each task gets, as hard limits."""

    millicores: int
    memory: int
    gpus: int = 0
    gpu_model: str = ""
    disk: int = 0
    """Bytes of writable space; 0 = the site's default."""
    pids: int = 1024


class Workload(_Struct, frozen=True):
    """What is to run. ``tasks`` copies start together or not at all; each knows its rank from
    ``SKERRY_RANK`` and ``SKERRY_TASKS``."""

    id: str
    """Unique for ever, ``[a-z0-9-]{1,63}``. A retry is a new id."""
    tenant: str
    command: tuple[str, ...]
    resources: Resources
    tasks: int = 1
    image: str = ""
    """Empty: the host's own userland, read-only."""
    env: dict[str, str] = {}
    secret_env: dict[str, str] = {}
    """Never listed, logged or written where another tenant could read it."""
    files: tuple[File, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Globs relative to the working directory, kept when the task ends."""
    ports: tuple[Port, ...] = ()
    isolation: Isolation = "sandbox"
    network: bool = False
    """Whether it may reach the outside. Its ports are reachable through ``connect`` either way."""
    time_limit: int = 0
    """Seconds from start; 0 = none. Then SIGTERM, and SIGKILL after ``grace``."""
    grace: int = 10
    restart: Restart = "never"
    max_restarts: int = 0
    """Of each task; 0 = none."""
    log_bytes: int = 64 << 20
    """Kept per task; the oldest are rotated away beyond it. A reader that asks for what is gone
    first gets a chunk that says how many bytes were dropped; it ends where the kept log begins."""
    labels: dict[str, str] = {}


class TaskStatus(_Struct, frozen=True):
    rank: int
    phase: TaskPhase
    exit_code: int | None = None
    """The process' own; 128 + signal if a signal ended it; 127 if the command is not there."""
    reason: str = ""
    """Why it is in this phase, such as ``OutOfMemory`` or ``TimeLimit``; empty if there is
    nothing to say."""
    message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    restarts: int = 0
    gpus: tuple[str, ...] = ()
    """UUIDs of the devices it holds."""


class WorkloadStatus(_Struct, frozen=True):
    id: str
    fence: int
    tasks: tuple[TaskStatus, ...]
    engine: str = ""
    """What truly isolates it: ``runc``, ``bubblewrap``, ``process``, …"""
    isolation: Isolation = "sandbox"
    labels: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        return all(t.phase in ("exited", "lost") for t in self.tasks)

    @property
    def running(self) -> bool:
        return bool(self.tasks) and all(t.phase == "running" for t in self.tasks)


class Gpu(_Struct, frozen=True):
    uuid: str
    model: str
    memory: int
    vendor: str = "nvidia"


class Capacity(_Struct, frozen=True):
    """All of the site, and what is free of it now."""

    millicores: int
    memory: int
    gpus: tuple[Gpu, ...] = ()
    free_millicores: int = 0
    free_memory: int = 0
    free_gpus: tuple[str, ...] = ()
    disk: int = 0
    free_disk: int = 0
    isolations: tuple[Isolation, ...] = ()
    engines: dict[str, str] = {}
    """Engine name to its version, or to the reason why it can't be used."""
    architecture: str = ""


class Stats(_Struct, frozen=True):
    """Use of one task so far and now."""

    rank: int
    at: datetime
    cpu_seconds: float = 0.0
    memory: int = 0
    memory_peak: int = 0
    pids: int = 0


class FileInfo(_Struct, frozen=True):
    """An artifact or a file of the working directory."""

    path: str
    size: int
    mode: int
    modified_at: datetime
    digest: str = ""


class LogChunk(_Struct, frozen=True):
    rank: int
    offset: int
    """Byte position in the task's log since its start, so that a reader can resume."""
    stream: Literal["stdout", "stderr"]
    at: datetime
    data: bytes


class Event(_Struct, frozen=True):
    """One step of the whole site's life. ``status`` is None when the workload is gone."""

    cursor: int
    id: str
    status: WorkloadStatus | None = None


class Refused(Exception):
    """The driver can't or won't do it; the words are for the tenant to read."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NoRoom(Refused):
    """Not enough free cores, memory or devices just now."""


class StaleFence(Refused):
    """A newer worker has taken over this workload."""


class UnknownWorkload(Refused):
    """No workload of that id here (never made, or deleted)."""


class CursorExpired(Exception):
    """Events that old are no longer kept: list, then watch from the list's cursor."""


class SiteUnreachable(Exception):
    """No contact with the site. Nothing follows from it about what runs there."""


class Session(Protocol):
    """A two-way stream into a workload: an ``exec`` or a connection to a port."""

    async def read(self, limit: int = 65536) -> bytes:
        """Some bytes, or ``b""`` at the end."""

    async def write(self, data: bytes) -> None: ...

    async def close_write(self) -> None:
        """Say that no more input comes."""

    async def close(self) -> None: ...

    async def wait(self) -> int:
        """The exit code of an ``exec``; 0 for a connection."""


@runtime_checkable
class Workloads(Protocol):
    """The capability to run workloads."""

    async def capacity(self) -> Capacity: ...

    async def upload(self, digest: str, content: AsyncIterator[bytes]) -> None:
        """Bring a blob to the site; content that does not match ``digest`` is refused."""

    async def has_blobs(self, digests: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``digests`` that are at the site already."""

    async def apply(self, workload: Workload, fence: int) -> WorkloadStatus: ...

    async def list(self) -> tuple[int, tuple[WorkloadStatus, ...]]:
        """A cursor to watch from, and all workloads owned."""

    def watch(self, cursor: int) -> AsyncIterator[Event]: ...

    async def delete(self, id: str, fence: int) -> None:
        """Kill what runs and forget it, files and logs included. Unknown ids are no error."""

    async def signal(self, id: str, signal: int, fence: int) -> None:
        """Send it to every task that runs; nothing happens to those that have ended."""

    async def stats(self, id: str) -> tuple[Stats, ...]: ...

    async def files(self, id: str, rank: int) -> tuple[FileInfo, ...]:
        """The task's artifacts (all files that match its globs)."""

    def download(self, id: str, rank: int, path: str) -> AsyncIterator[bytes]: ...

    def logs(
        self, id: str, rank: int, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogChunk]: ...

    async def exec(self, id: str, rank: int, command: tuple[str, ...], tty: bool) -> Session: ...

    async def connect(self, id: str, rank: int, port: int) -> Session: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Manifest:
    """What a driver's folder declares in its ``__init__``: ``MANIFEST = Manifest(...)``."""

    name: str
    title: str
    capabilities: frozenset[str]
    isolations: tuple[Isolation, ...]
    open: Callable[[Mapping[str, Any]], Workloads]
    """Make a driver from a site's ``spec.config``; reaches nothing yet."""
    check: Callable[[Mapping[str, Any]], object] | None = None
    """Refuse a site's ``spec.config`` that can't be, when the site is declared."""
    remote: bool = False
    """True where a host agent connects to the server instead of the server to the site."""
    requires: tuple[str, ...] = ()
    """Optional Python packages; missing ones are named when the driver is opened."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Verbs the driver can't do, each with the reason in words; it refuses them (``Unsupported``)
    with the same words."""

"""``Workloads``: to run things, watch them and reach into them."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import msgspec

Isolation = Literal["process", "sandbox", "vm"]
"""``process``: the host's own process, for the operator only. ``sandbox``: its own file system,
pids, network and limits by the kernel (runc, bubblewrap, a Pod). ``vm``: its own kernel."""

TaskPhase = Literal["pending", "running", "exited", "lost"]
Output = Literal["stdout", "stderr"]
Restart = Literal["never", "on-failure", "always"]


class Struct(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    pass


class File(Struct, frozen=True):
    """A file put into the workload's directory before it starts."""

    path: str
    """Relative to the working directory, without ``..``."""
    digest: str
    """``sha256:<hex>`` of a blob that ``upload`` brought to the site."""
    size: int = 0
    mode: int = 0o644


class Mount(Struct, frozen=True):
    """A volume in a workload's file system."""

    volume: str
    """Its id at the site."""
    path: str
    """Absolute, in the sandbox."""
    read_only: bool = False


class Health(Struct, frozen=True):
    """How the host finds out whether a task takes requests. From its start a task is ``unready``
    until the check passes; after ``failures`` in a row it is so again, and with ``restart`` it is
    ended then (``Unhealthy``, a failure whatever its exit code), for its restart policy to start
    it anew. Seconds. The first checks follow each other faster than ``every``, and nobody checks
    while the host's agent is away."""

    port: int = 0
    """Connect there; 0: run ``command`` in the task instead, which is to exit with 0."""
    path: str = ""
    """Ask for this path by HTTP and expect a status below 400; empty: a connection will do."""
    command: tuple[str, ...] = ()
    every: float = 2.0
    timeout: float = 2.0
    failures: int = 3
    restart: bool = False
    start: float = 60.0
    """With ``restart``: how long after its start failures do not count."""


class Port(Struct, frozen=True):
    name: str
    port: int
    protocol: Literal["tcp", "udp"] = "tcp"


class Resources(Struct, frozen=True):
    """What each task gets, as hard limits."""

    millicores: int
    memory: int
    gpus: int = 0
    gpu_model: str = ""
    """As ``Gpu.sku`` names it; empty: any whole device."""
    disk: int = 0
    """Bytes of writable space; 0 = the site's default."""
    pids: int = 1024


class Workload(Struct, frozen=True):
    """What is to run. ``tasks`` copies start together or not at all; each knows its rank from
    ``SKERRY_RANK`` and ``SKERRY_TASKS``."""

    id: str
    """Unique for ever, ``[a-z0-9-]{1,63}``. A retry is a new id."""
    tenant: str
    command: tuple[str, ...]
    """With an image it may be empty: the image's own."""
    resources: Resources
    tasks: int = 1
    nodes: tuple[str, ...] = ()
    """For each rank the node it is to run at, at a site that tells of nodes; empty: the driver
    chooses. Where it can't be so, nothing starts (``NoRoom``)."""
    devices: tuple[tuple[str, ...], ...] = ()
    """For each rank the UUIDs of the devices it is to have, exactly; empty: the driver chooses."""
    image: str = ""
    """Digest of an image that ``prepare_image`` brought; empty: the host's own userland,
    read-only."""
    environment: str = ""
    """Digest of a Python environment that ``prepare_environment`` brought, first in ``PATH``."""
    env: dict[str, str] = {}
    secret_env: dict[str, str] = {}
    """Never listed, logged or written where another tenant could read it."""
    secret_files: dict[str, str] = {}
    """Absolute path to content, in memory only, readable by the task alone; kept as
    ``secret_env`` is."""
    mounts: tuple[Mount, ...] = ()
    files: tuple[File, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Globs relative to the working directory, kept when the task ends."""
    ports: tuple[Port, ...] = ()
    isolation: Isolation = "sandbox"
    network: bool = False
    """Whether it may reach the outside, from a network of its own: never the host's, nor another
    task's. Its ports are reachable through ``connect`` either way."""
    time_limit: int = 0
    """Seconds from start; 0 = none. Then SIGTERM, and SIGKILL after ``grace``."""
    grace: int = 10
    health: Health | None = None
    restart: Restart = "never"
    """By the host, after a pause that grows from 0.1 to 300 seconds, and begins anew once it ran
    for a minute. What somebody tells to end (SIGTERM, SIGINT, SIGKILL) is not started again."""
    max_restarts: int = 0
    """Of each task; 0 = none."""
    log_bytes: int = 64 << 20
    """Kept per task; the oldest are rotated away beyond it. A reader that asks for what is gone
    first gets a chunk that says how many bytes were dropped; it ends where the kept log begins."""
    labels: dict[str, str] = {}


class TaskStatus(Struct, frozen=True):
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
    unready: bool = False
    """It runs but its health check does not pass, or has not yet, and ``message`` tells what is
    wrong with it; or it has ended and waits to be started again."""
    node: str = ""
    """Where it really runs, at a site that tells of nodes."""


class WorkloadStatus(Struct, frozen=True):
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


class Gpu(Struct, frozen=True):
    uuid: str
    model: str
    memory: int
    vendor: str = "nvidia"
    kind: Literal["gpu", "mig", "shared"] = "gpu"
    """A whole device; a slice of one with memory and cores of its own (MIG); or a turn on one that
    several use at once, without walls between them."""
    profile: str = ""
    """Of a slice: ``1g.10gb``."""
    link: str = ""
    """The NVLink domain it is in; empty: its node's, or unknown."""
    sick: str = ""
    """Why it is not to be used, in words; empty: it is well."""

    @property
    def sku(self) -> str:
        """What is asked for and priced: the model, of a slice with its profile
        (``A100-SXM4-80GB 1g.10gb``), of a turn with ``shared``."""
        return f"{self.model} {self.mark}".rstrip()

    @property
    def mark(self) -> str:
        """What of ``sku`` says that it is a part of a device; empty: it is whole."""
        parts = (self.profile, "shared" if self.kind == "shared" else "")
        return " ".join(filter(None, parts)) or ("" if self.kind == "gpu" else self.kind)


class Node(Struct, frozen=True):
    """A machine of a site that has several. What is free is what others than us leave of it; what
    we have placed there is not taken off, since the market counts that."""

    name: str
    millicores: int
    memory: int
    free_millicores: int
    free_memory: int
    disk: int = 0
    gpus: tuple[Gpu, ...] = ()
    free_disk: int | None = None
    """None: all of ``disk``."""
    free_gpus: tuple[str, ...] = ()
    """Devices that nobody but us may use, sick ones included."""
    zone: str = ""
    """Empty: the site's."""
    rack: str = ""
    link: str = ""
    """The NVLink domain that all of its devices are in, with those of other nodes perhaps."""
    spot: bool = False
    """Whether its owner may take it back at any time."""
    closed: str = ""
    """Why nothing new may be placed there (cordoned, tainted, not ready, …); empty: open."""


class Capacity(Struct, frozen=True):
    """All of the site, and what is free of it now."""

    millicores: int
    memory: int
    gpus: tuple[Gpu, ...] = ()
    """All devices; those of nodes stand there instead (``devices`` has either)."""
    free_millicores: int = 0
    free_memory: int = 0
    free_gpus: tuple[str, ...] = ()
    """UUIDs of all devices that nobody holds, at nodes, too."""
    disk: int = 0
    free_disk: int = 0
    isolations: tuple[Isolation, ...] = ()
    engines: dict[str, str] = {}
    """Engine name to its version, or to the reason why it can't be used."""
    architecture: str = ""
    volumes: bool = False
    """Whether it can keep volumes; their space is part of ``disk``."""
    nodes: tuple[Node, ...] = ()
    """Empty: the site is one machine. Otherwise each task runs at one of them; the cores and memory
    above are their sums, and ``disk`` is what the site has for volumes."""
    pins: bool = False
    """Whether it gives a task exactly the devices that ``Workload.devices`` names."""

    @property
    def devices(self) -> tuple[Gpu, ...]:
        """Every device, wherever it stands."""
        return self.gpus + tuple(gpu for node in self.nodes for gpu in node.gpus)


class Stats(Struct, frozen=True):
    """Use of one task so far and now."""

    rank: int
    at: datetime
    cpu_seconds: float = 0.0
    memory: int = 0
    memory_peak: int = 0
    pids: int = 0


class FileInfo(Struct, frozen=True):
    """An artifact or a file of the working directory."""

    path: str
    size: int
    mode: int
    modified_at: datetime
    digest: str = ""


class LogChunk(Struct, frozen=True):
    rank: int
    offset: int
    """Byte position in the task's log since its start, so that a reader can resume."""
    stream: Output
    at: datetime
    data: bytes


class Event(Struct, frozen=True):
    """One step of the whole site's life. ``status`` is None when the workload is gone."""

    cursor: int
    id: str
    status: WorkloadStatus | None = None


class Session(Protocol):
    """A two-way stream into a workload: an ``exec`` or a connection to a port."""

    async def read(self, limit: int = 65536) -> bytes:
        """Some bytes of either output as they come, or ``b""`` at the end."""

    async def take(self, limit: int = 65536) -> tuple[Output, bytes]:
        """The same, and what they were written to. All of a connection, and of a terminal, is
        ``stdout``; an ``exec`` without a terminal keeps its two outputs apart."""

    async def write(self, data: bytes) -> None: ...

    async def close_write(self) -> None:
        """Say that no more input comes."""

    async def resize(self, columns: int, rows: int) -> None:
        """Give the terminal of an ``exec`` another size; without a terminal nothing happens."""

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

    async def connect(self, id: str, rank: int, port: int) -> Session:
        """To a TCP port of a running task: to any where it has a network of its own, else to
        those that it has named (``UnknownPort``)."""

    async def close(self) -> None: ...

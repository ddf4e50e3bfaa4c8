"""``Usage``: what everything at the site uses, in one call."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from skerry.sites.contract.workloads import Struct


class TaskUsage(Struct, frozen=True):
    """One running task. Counters grow from its first start on; where a restart makes that
    impossible they begin again at zero."""

    id: str
    rank: int
    at: datetime
    cpu_seconds: float = 0.0
    memory: int = 0
    """Bytes now, without those of files that the kernel merely has not dropped yet, where that
    can be told apart."""
    received: int = 0
    sent: int = 0
    """Bytes to and from the outside, where it has a network of its own. What comes in by
    ``connect`` is not among them."""
    gpu: float | None = None
    """Mean share of its devices that is busy, 0 to 1; None: unknown or none."""
    gpu_memory: int | None = None
    disk: int | None = None
    """Bytes it has written in its own directory."""
    log: int | None = None
    """Where its log ends now, so that only what grew is read; None: unknown."""


class DeviceUsage(Struct, frozen=True):
    """One GPU, or one slice of it. None: unknown."""

    uuid: str
    busy: float | None = None
    """Share of the last moment, 0 to 1."""
    memory: int | None = None
    """Bytes of it that are taken."""
    watts: float | None = None
    celsius: float | None = None


class HostUsage(Struct, frozen=True):
    """The whole host; counters since it booted."""

    at: datetime
    cpu_seconds: float = 0.0
    memory: int = 0
    """Without what the kernel could drop."""
    disk: int = 0
    """Bytes taken where workloads and volumes are kept."""
    received: int = 0
    sent: int = 0
    """Bytes to and from the outside."""
    gpu: float | None = None
    """Mean share of its devices that is busy, 0 to 1; None: unknown or none."""
    devices: tuple[DeviceUsage, ...] = ()
    """Each of its devices that tells."""


@runtime_checkable
class Usage(Protocol):
    async def usage(self) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
        """The host, and all tasks that run now, at the same time."""

"""What is known of one device, whoever made it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from skerry.sites.contract import DeviceUsage, Gpu
from skerry.sites.local.gpus.cdi import Edits


class Gone(Exception):
    """The device does not answer any more, and why."""


@dataclass(frozen=True, kw_only=True)
class Device:
    gpu: Gpu
    own: tuple[str, ...]
    """Device files of the host by which it is reached, and no other device is."""
    through: tuple[str, ...] = ()
    """Device files that it shares: a slice those of its whole."""
    graphics: tuple[str, ...] = ()
    """Further files of its own, which it is not known by."""
    bus: str = ""
    """Its place such as ``0000:65:00.0``."""
    whole: str = ""
    """Of a slice: the device that it is of."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a device is."""

    sick: str = ""
    """Why it is not to be used, in words; empty: it is well. True for as long as it is read."""
    users: tuple[int, ...] = ()
    """The host's numbers of processes that have memory on it."""
    taken: int | None = None
    """Bytes of its memory that programs have."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a device."""

    uuid: str
    words: str


class Vendor(Protocol):
    """The devices of one vendor."""

    name: str
    domain: str
    """As CDI kinds begin."""
    devices: tuple[Device, ...]
    says: str
    """Its driver's version, or why there are no devices."""

    def usage(self) -> "dict[str, DeviceUsage]":
        """Of each device that tells."""

    def look(self, uuid: str) -> Reading:
        """Raises ``Gone``."""

    def events(self) -> "list[Event]":
        """What happened since the last time; waits for nothing."""

    def made(self, device: Device) -> tuple[Edits, Edits]:
        """Its own edits and those of all, where no specification tells."""

    def env(self, uuids: Sequence[str]) -> "dict[str, str]": ...

    def close(self) -> None: ...


@dataclass
class Nobody:
    """No devices, and why."""

    name: str
    domain: str
    says: str
    devices: tuple[Device, ...] = field(default=())

    def usage(self) -> dict[str, DeviceUsage]:
        return {}

    def look(self, uuid: str) -> Reading:
        raise Gone(self.says)

    def events(self) -> list[Event]:
        return []

    def made(self, device: Device) -> tuple[Edits, Edits]:
        return Edits(), Edits()

    def env(self, uuids: Sequence[str]) -> dict[str, str]:
        return {}

    def close(self) -> None:
        return None

"""All GPUs of this host, whoever made them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from skerry.sites.contract import DeviceUsage, Gpu, Refused
from skerry.sites.local.gpus import amd, cdi, nvidia
from skerry.sites.local.gpus.cdi import Edits, Known, Registry
from skerry.sites.local.gpus.device import Device, Event, Reading, Vendor
from skerry.sites.local.gpus.giving import merged

_log = structlog.get_logger("local")


class Gpus:
    """``sick`` tells of each device that is not to be used why; ``resting`` are those that are
    looked at between two leases. Both are kept by ``care``."""

    def __init__(self, vendors: Sequence[Vendor] = (), directories: Iterable[str] = ()) -> None:
        self.vendors = tuple(vendors)
        self._directories = tuple(directories)
        self._of = {d.gpu.uuid: (v, d) for v in self.vendors for d in v.devices}
        self.sick: dict[str, str] = {}
        self.resting: set[str] = set()

    @property
    def driver(self) -> str:
        """The drivers' versions, or in words why there are no devices."""
        working = [v for v in self.vendors if v.devices]
        words = [f"{v.name} {v.says}" for v in working] if len(working) > 1 else []
        return ", ".join(words) or next((v.says for v in (*working, *self.vendors)), "no GPUs")

    @property
    def devices(self) -> tuple[Gpu, ...]:
        """All, the sick ones with the reason."""
        return tuple(
            msgspec.structs.replace(device.gpu, sick=self.sick.get(uuid, ""))
            for uuid, (_, device) in self._of.items()
        )

    @property
    def away(self) -> frozenset[str]:
        """Those that nothing new may have just now."""
        return frozenset(self.sick) | self.resting

    def usage(self) -> dict[str, DeviceUsage]:
        """Of each device that tells."""
        return {uuid: use for vendor in self.vendors for uuid, use in vendor.usage().items()}

    def look(self, uuid: str) -> Reading:
        """Raises ``Gone``."""
        return self._of[uuid][0].look(uuid)

    def events(self) -> list[Event]:
        return [event for vendor in self.vendors for event in vendor.events()]

    def edits(self, uuids: Sequence[str]) -> Edits:
        """What a container needs to use these devices and no others. Raises ``Refused``."""
        registry = cdi.read(self._directories)
        for trouble in registry.troubles:
            _log.warning("CDI", trouble=trouble)
        found: list[Edits] = []
        for uuid in uuids:
            vendor, device = self._of[uuid]
            known = self._known(registry, vendor, device)
            own, common = (
                (known.device.container_edits, known.common) if known else vendor.made(device)
            )
            found += [common, own]
        edits = merged(found)
        self._alone(edits, uuids)
        return edits

    def _known(self, registry: Registry, vendor: Vendor, device: Device) -> Known | None:
        """By its UUID, else by its device files: names such as ``0`` mean what their author
        counted. One that brings other devices, too (``all``), is none."""
        known = registry.of(vendor.domain)
        named = [one for one in known if one.device.name == device.gpu.uuid]
        others = self._others([device.gpu.uuid])
        fitting = [
            one
            for one in known
            if device.own and set(device.own) <= one.nodes() and not one.nodes() & others
        ]
        return next(iter((*named, *fitting)), None)

    def _others(self, uuids: Sequence[str]) -> frozenset[str]:
        """Device files by which only other devices are reached."""
        ours = {n for uuid in uuids for n in (*self._of[uuid][1].own, *self._of[uuid][1].through)}
        every = {n for _, device in self._of.values() for n in (*device.own, *device.graphics)}
        mine = {n for uuid in uuids for n in self._of[uuid][1].graphics}
        return frozenset(every - ours - mine)

    def _alone(self, edits: Edits, uuids: Sequence[str]) -> None:
        """Whatever a specification says, a task gets its own devices: all of them, no others."""
        nodes = {node.source for node in edits.device_nodes}
        if foreign := sorted(nodes & self._others(uuids)):
            raise Refused(
                "Cdi",
                f"the CDI specification of {', '.join(uuids)} also brings {', '.join(foreign)}, "
                "which is another device: have it written anew",
            )
        for uuid in uuids:
            if missing := sorted(set(self._of[uuid][1].own) - nodes):
                raise Refused(
                    "Cdi", f"the CDI specification of {uuid} does not bring {', '.join(missing)}"
                )

    def env(self, uuids: Sequence[str]) -> dict[str, str]:
        """Variables by which the vendors' libraries know what to use, or that it is nothing."""
        found: dict[str, str] = {}
        for vendor in self.vendors:
            if vendor.devices:
                mine = [uuid for uuid in uuids if self._of[uuid][0] is vendor]
                found |= vendor.env(mine)
        return found

    def close(self) -> None:
        for vendor in self.vendors:
            vendor.close()


def find(
    directories: Sequence[str] = cdi.DIRECTORIES,
    sys: Path = Path("/sys"),
    dev: Path = Path("/dev"),
) -> Gpus:
    """The GPUs of this host; CDI specifications are read anew for each task, from there."""
    return Gpus((nvidia.find(dev), amd.find(sys, dev)), directories)

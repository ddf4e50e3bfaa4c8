"""AMD's devices from what the kernel tells: the topology of its compute driver (KFD) and DRM.

Nothing of AMD's need be installed. A device is known by its ``unique_id``, as ROCm's tools name
it: ``GPU-`` and sixteen digits.
"""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from skerry.sites.contract import DeviceUsage, Gpu
from skerry.sites.local.gpus import libraries
from skerry.sites.local.gpus.cdi import Edits
from skerry.sites.local.gpus.device import Device, Event, Gone, Nobody, Reading, Vendor

_TOPOLOGY = "class/kfd/kfd/topology/nodes"
_PROCESSES = "class/kfd/kfd/proc"
_LOCAL_MEMORY = (1, 2)
"""Kinds of heap that are the device's own."""


def find(sys: Path = Path("/sys"), dev: Path = Path("/dev")) -> Vendor:
    """What the kernel tells of this host."""
    if not (sys / _TOPOLOGY).is_dir():
        return Nobody("amd", "amd.com", "no GPUs: the kernel has no driver of AMD's for compute")
    found = Amd(sys, dev)
    return found if found.devices else Nobody("amd", "amd.com", "no GPUs: the kernel names none")


class Amd:
    name = "amd"
    domain = "amd.com"

    def __init__(self, sys: Path, dev: Path) -> None:
        self._sys, self._dev = sys, dev
        self._ids: dict[str, str] = {}
        """Of each device the number that the compute driver calls it by."""
        self._drm: dict[str, Path] = {}
        self.devices: tuple[Device, ...] = tuple(
            device
            for node in sorted((sys / _TOPOLOGY).iterdir(), key=lambda p: (len(p.name), p.name))
            if (device := self._device(node)) is not None
        )
        version = _read(sys / "module/amdgpu/version") or _read(Path("/proc/sys/kernel/osrelease"))
        self.says = f"amdgpu {version}".strip()

    def _device(self, node: Path) -> Device | None:
        """None for a processor, which the topology names, too."""
        known = properties(_read(node / "properties"))
        render = int(known.get("drm_render_minor", 0))
        number = _read(node / "gpu_id")
        if not render or number in ("", "0"):
            return None
        drm = self._sys / f"class/drm/renderD{render}/device"
        unique = int(known.get("unique_id", 0))
        told = _read(drm / "unique_id")
        uuid = f"GPU-{unique:016x}" if unique else f"GPU-{told or f'{int(number):016x}'}"
        gfx = gfx_of(int(known.get("gfx_target_version", 0)))
        bus = drm.resolve().name if drm.exists() else ""
        self._ids[uuid], self._drm[uuid] = number, drm
        cards = sorted(p.name for p in (drm / "drm").glob("card*")) if drm.exists() else []
        return Device(
            gpu=Gpu(
                uuid=uuid,
                model=_read(drm / "product_name") or f"AMD {gfx}",
                memory=self._memory(node, drm),
                vendor="amd",
            ),
            own=(str(self._dev / f"dri/renderD{render}"),),
            graphics=tuple(str(self._dev / "dri" / c) for c in cards),
            bus=bus if re.fullmatch(r"[0-9a-f:.]+", bus) else "",
        )

    @staticmethod
    def _memory(node: Path, drm: Path) -> int:
        """By DRM, else the sum of the topology's heaps."""
        told = _number(drm / "mem_info_vram_total")
        if told:
            return told
        banks = [properties(_read(p)) for p in sorted(node.glob("mem_banks/*/properties"))]
        own = [b for b in banks if int(b.get("heap_type", -1)) in _LOCAL_MEMORY]
        return sum(int(bank.get("size_in_bytes", 0)) for bank in own)

    def usage(self) -> dict[str, DeviceUsage]:
        found = {}
        for uuid, drm in self._drm.items():
            busy = _number(drm / "gpu_busy_percent")
            sensors = next(iter(sorted(drm.glob("hwmon/hwmon*"))), drm)
            watts, celsius = _number(sensors / "power1_average"), _number(sensors / "temp1_input")
            found[uuid] = DeviceUsage(
                uuid=uuid,
                busy=None if busy is None else busy / 100,
                memory=_number(drm / "mem_info_vram_used"),
                watts=None if watts is None else watts / 1e6,
                celsius=None if celsius is None else celsius / 1000,
            )
        return found

    def look(self, uuid: str) -> Reading:
        drm = self._drm[uuid]
        if not drm.exists():
            raise Gone("it has fallen off the bus: the kernel names it no more")
        taken = _number(drm / "mem_info_vram_used")
        errors = re.search(r"ue:\s*(\d+)", _read(drm / "ras/umc_err_count"))
        sick = ""
        if errors and int(errors[1]):
            sick = (
                f"its memory had {errors[1]} errors that could not be corrected since its driver "
                "was loaded: reset it, or restart the host"
            )
        return Reading(sick=sick, users=self._users(uuid), taken=taken)

    def _users(self, uuid: str) -> tuple[int, ...]:
        """Processes with memory on the device, by the compute driver's own list."""
        found = []
        with contextlib.suppress(OSError):
            for process in (self._sys / _PROCESSES).iterdir():
                if _number(process / f"vram_{self._ids[uuid]}") and process.name.isdigit():
                    found.append(int(process.name))
        return tuple(sorted(found))

    def events(self) -> list[Event]:
        return []

    def made(self, device: Device) -> tuple[Edits, Edits]:
        """The libraries of ROCm come with the image: only device files are the host's to give."""
        own = [path for path in (*device.own, *device.graphics) if Path(path).exists()]
        shared = [str(self._dev / "kfd")]
        return libraries.nodes(own, self._dev), libraries.nodes(shared, self._dev)

    def env(self, uuids: Sequence[str]) -> dict[str, str]:
        return {"ROCR_VISIBLE_DEVICES": ",".join(uuids)} if uuids else {"HIP_VISIBLE_DEVICES": "-1"}

    def close(self) -> None:
        return None


def gfx_of(version: int) -> str:
    """``90402`` is gfx942: major, minor and stepping, the last two as one digit each."""
    major, minor, stepping = version // 10000, version // 100 % 100, version % 100
    return f"gfx{major}{minor:x}{stepping:x}"


def properties(text: str) -> dict[str, str]:
    pairs = (line.split(None, 1) for line in text.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _read(path: Path) -> str:
    """Empty if it is not there."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text.isdigit() else None

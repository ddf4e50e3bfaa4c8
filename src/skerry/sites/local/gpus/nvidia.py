"""NVIDIA's devices through NVML: which there are, what uses them, how they are.

A device in MIG mode is not told of itself: its slices are, each a device of its own.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from skerry.sites.contract import DeviceUsage, Gpu
from skerry.sites.local.gpus import libraries
from skerry.sites.local.gpus.cdi import Edits
from skerry.sites.local.gpus.device import Device, Event, Gone, Nobody, Reading, Vendor

_SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
_CAPABILITIES = Path("/proc/driver/nvidia/capabilities")
_PCI = Path("/sys/bus/pci/devices")
_PROGRAMS_FAULT = frozenset((13, 31, 43, 45, 68, 109))
"""Xids that a program's own mistakes cause; the device is well afterwards."""
_SLOWED_BY_HARDWARE = 0x40
_T = TypeVar("_T")


def find(dev: Path = Path("/dev")) -> Vendor:
    """What NVML tells of this host."""
    try:
        import pynvml
    except ImportError:
        return Nobody("nvidia", "nvidia.com", "no GPUs: nvidia-ml-py is not installed")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Nobody("nvidia", "nvidia.com", f"no GPUs: {error}")
    try:
        return Nvidia(pynvml, dev)
    except pynvml.NVMLError as error:
        pynvml.nvmlShutdown()
        return Nobody("nvidia", "nvidia.com", f"no GPUs: {error}")


class Nvidia:
    """NVML stays open until ``close``."""

    name = "nvidia"
    domain = "nvidia.com"

    def __init__(self, nvml: Any, dev: Path) -> None:
        """Raises ``NVMLError``."""
        self._nvml, self._dev = nvml, dev
        self.says = _text(nvml.nvmlSystemGetDriverVersion())
        self.devices: tuple[Device, ...] = tuple(self._devices())
        self._watched: Any = None
        self._watch()

    def _devices(self) -> Iterator[Device]:
        nvml = self._nvml
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            minor = int(nvml.nvmlDeviceGetMinorNumber(handle))
            bus = self._bus(handle)
            uuid, model = (
                _text(nvml.nvmlDeviceGetUUID(handle)),
                _text(nvml.nvmlDeviceGetName(handle)),
            )
            node = str(self._dev / f"nvidia{minor}")
            mode = self._said(lambda h=handle: nvml.nvmlDeviceGetMigMode(h)[0], 0)  # type: ignore[misc]
            if mode:
                yield from self._slices(handle, uuid, model, minor, node)
                continue
            memory = int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
            yield Device(
                gpu=Gpu(uuid=uuid, model=model, memory=memory),
                own=(node,),
                graphics=_graphics(bus, self._dev),
                bus=bus,
            )

    def _slices(self, whole: Any, uuid: str, model: str, minor: int, node: str) -> Iterator[Device]:
        nvml = self._nvml
        for index in range(self._said(lambda: nvml.nvmlDeviceGetMaxMigDeviceCount(whole), 0)):
            try:
                handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(whole, index)
            except nvml.NVMLError:  # no slice in that place
                continue
            name = _text(nvml.nvmlDeviceGetName(handle))
            instance = int(nvml.nvmlDeviceGetGpuInstanceId(handle))
            compute = int(nvml.nvmlDeviceGetComputeInstanceId(handle))
            yield Device(
                gpu=Gpu(
                    uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
                    model=model,
                    memory=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
                    kind="mig",
                    profile=name.rpartition("MIG ")[2],
                ),
                own=_capabilities(minor, instance, compute, self._dev),
                through=(node,),
                whole=uuid,
            )

    def _bus(self, handle: Any) -> str:
        found = self._said(lambda: _text(self._nvml.nvmlDeviceGetPciInfo(handle).busId), "")
        return re.sub(r"^0000(?=[0-9a-f]{4}:)", "", found.lower())

    def _said(self, ask: Callable[[], _T], otherwise: _T) -> _T:
        """What a device answers; those that can't say are as if it were nothing."""
        try:
            return ask()
        except self._nvml.NVMLError:
            return otherwise

    def usage(self) -> dict[str, DeviceUsage]:
        nvml = self._nvml
        found = {}
        for device in self.devices:
            uuid = device.gpu.uuid
            with contextlib.suppress(nvml.NVMLError):
                handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
                found[uuid] = DeviceUsage(
                    uuid=uuid,
                    busy=self._said(
                        lambda h=handle: nvml.nvmlDeviceGetUtilizationRates(h).gpu / 100,  # type: ignore[misc]
                        None,
                    ),
                    memory=self._taken(handle),
                    watts=self._said(lambda h=handle: nvml.nvmlDeviceGetPowerUsage(h) / 1000, None),  # type: ignore[misc]
                    celsius=self._said(lambda h=handle: self._celsius(h), None),  # type: ignore[misc]
                )
        return found

    def _celsius(self, handle: Any) -> float | None:
        return float(self._nvml.nvmlDeviceGetTemperature(handle, self._nvml.NVML_TEMPERATURE_GPU))

    def _taken(self, handle: Any) -> int | None:
        """By programs, without what the driver keeps for itself where that can be told apart."""
        nvml = self._nvml
        try:
            return int(nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2).used)
        except nvml.NVMLError:
            return self._said(lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).used), None)

    def look(self, uuid: str) -> Reading:
        nvml = self._nvml
        device = next(device for device in self.devices if device.gpu.uuid == uuid)
        try:
            handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
            whole = nvml.nvmlDeviceGetHandleByUUID(device.whole) if device.whole else handle
            return Reading(
                sick=self._sick(whole), users=self._users(handle), taken=self._taken(handle)
            )
        except nvml.NVMLError_GpuIsLost as error:
            raise Gone(f"it has fallen off the bus ({error})") from error
        except nvml.NVMLError as error:
            raise Gone(f"it does not answer: {error}") from error

    def _users(self, handle: Any) -> tuple[int, ...]:
        """Those that compute: a screen may be drawn beside it."""
        ask = self._nvml.nvmlDeviceGetComputeRunningProcesses
        found: list[Any] = self._asked(lambda: ask(handle), [])
        return tuple(sorted({int(process.pid) for process in found}))

    def _sick(self, handle: Any) -> str:
        """Raises ``NVMLError`` where it does not answer at all."""
        nvml = self._nvml
        nvml.nvmlDeviceGetUUID(handle)
        uncorrected, since_load = nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        errors = self._asked(
            lambda: nvml.nvmlDeviceGetTotalEccErrors(handle, uncorrected, since_load), 0
        )
        if errors:
            return (
                f"its memory had {errors} errors that could not be corrected since its driver "
                "was loaded: reset it, or restart the host"
            )
        rows = self._asked(lambda: nvml.nvmlDeviceGetRemappedRows(handle), (0, 0, 0, 0))
        if rows[3]:
            return "a row of its memory failed and could not be replaced: have it exchanged"
        if rows[2]:
            return "a row of its memory failed and is replaced once it is reset"
        if self._asked(lambda: nvml.nvmlDeviceGetRetiredPagesPendingStatus(handle), 0):
            return "a page of its memory failed and is retired once it is reset"
        return self._hot(handle)

    def _hot(self, handle: Any) -> str:
        nvml = self._nvml
        reasons = self._asked(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle), 0)
        if not reasons & _SLOWED_BY_HARDWARE:
            return ""
        celsius = self._asked(lambda: self._celsius(handle), None)
        degrees = "" if celsius is None else f" at {celsius:.0f} degrees"
        return f"it is too hot{degrees}: its hardware has slowed it down"

    def _asked(self, ask: Callable[[], _T], otherwise: _T) -> _T:
        """As ``_said``, but a device that is lost is not one that can't say."""
        nvml = self._nvml
        try:
            return ask()
        except nvml.NVMLError_GpuIsLost:
            raise
        except nvml.NVMLError:
            return otherwise

    def _watch(self) -> None:
        """Have NVML keep what happens, for ``events``."""
        nvml = self._nvml
        try:
            events = nvml.nvmlEventSetCreate()
        except nvml.NVMLError:
            return
        for uuid in {device.whole or device.gpu.uuid for device in self.devices}:
            with contextlib.suppress(nvml.NVMLError):
                handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
                nvml.nvmlDeviceRegisterEvents(handle, nvml.nvmlEventTypeXidCriticalError, events)
        self._watched = events

    def events(self) -> list[Event]:
        nvml = self._nvml
        found: list[Event] = []
        while self._watched is not None and len(found) < 1000:
            try:
                event = nvml.nvmlEventSetWait_v2(self._watched, 0)
                uuid = _text(nvml.nvmlDeviceGetUUID(event.device))
            except nvml.NVMLError:  # nothing more, or a device that look() finds gone
                break
            xid = int(event.eventData)
            if event.eventType & nvml.nvmlEventTypeXidCriticalError and xid not in _PROGRAMS_FAULT:
                words = f"its driver reported Xid {xid}: reset it, or restart the host"
                found += [Event(uuid=one, words=words) for one in self._parts(uuid)]
        return found

    def _parts(self, uuid: str) -> list[str]:
        """The device of that UUID, or its slices."""
        return [d.gpu.uuid for d in self.devices if uuid in (d.gpu.uuid, d.whole)]

    def made(self, device: Device) -> tuple[Edits, Edits]:
        shared = [str(self._dev / name) for name in _SHARED if (self._dev / name).exists()]
        own = [*device.own, *device.through, *device.graphics]
        common = libraries.nodes(shared, self._dev)
        return libraries.nodes(own, self._dev), libraries.nvidia(self.says, common)

    def env(self, uuids: Sequence[str]) -> dict[str, str]:
        """``void`` and ``-1`` say "none" to NVIDIA's tools and to CUDA."""
        if not uuids:
            return {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "-1"}
        names = ",".join(uuids)
        return {"NVIDIA_VISIBLE_DEVICES": names, "CUDA_VISIBLE_DEVICES": names}

    def close(self) -> None:
        with contextlib.suppress(self._nvml.NVMLError):
            if self._watched is not None:
                self._nvml.nvmlEventSetFree(self._watched)
                self._watched = None
            self._nvml.nvmlShutdown()


def _capabilities(minor: int, instance: int, compute: int, dev: Path) -> tuple[str, ...]:
    """The device files by which a slice is opened, as the driver tells them."""
    above = _CAPABILITIES / f"gpu{minor}" / "mig" / f"gi{instance}"
    found = []
    for place in (above / "access", above / f"ci{compute}" / "access"):
        with contextlib.suppress(OSError):
            number = re.search(r"DeviceFileMinor:\s*(\d+)", place.read_text())
            if number:
                found.append(str(dev / "nvidia-caps" / f"nvidia-cap{number[1]}"))
    return tuple(found)


def _graphics(bus: str, dev: Path) -> tuple[str, ...]:
    """Its device files for drawing, where it has some."""
    with contextlib.suppress(OSError):
        names = sorted(path.name for path in (_PCI / bus / "drm").iterdir()) if bus else []
        return tuple(str(p) for n in names if (p := dev / "dri" / n).exists())
    return ()


def _text(value: "str | bytes") -> str:
    """Older libraries give bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)

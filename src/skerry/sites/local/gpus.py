"""GPUs through NVML, and the device files that a task needs to use one.

A host without the library, the driver or a device simply has none; ``find`` says why.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from skerry.sites.contract import Gpu
from skerry.sites.local.view import Bind

_SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")


class Gpus:
    """``devices`` and, in words, the ``driver`` or why there are none."""

    def __init__(self, devices: Sequence[Gpu], minors: dict[str, int], driver: str) -> None:
        self.devices = tuple(devices)
        self._minors = minors
        self.driver = driver

    def use(self) -> dict[str, tuple[float, int]]:
        """Of each device the share of the last moment in which it was busy, 0 to 1, and the bytes
        of its memory that are taken. Those that don't say are left out."""
        found: dict[str, tuple[float, int]] = {}
        if not self.devices:
            return found
        import pynvml

        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            try:
                for gpu in self.devices:
                    with contextlib.suppress(pynvml.NVMLError):
                        handle = pynvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
                        busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
                        taken = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
                        found[gpu.uuid] = (busy, taken)
            finally:
                pynvml.nvmlShutdown()
        return found

    def binds(self, uuids: Sequence[str]) -> tuple[Bind, ...]:
        """Device files and what of ``/sys`` the libraries look at, for these devices alone."""
        if not uuids:
            return ()
        names = [f"nvidia{self._minors[uuid]}" for uuid in uuids] + list(_SHARED)
        paths = [f"/dev/{name}" for name in names if Path("/dev", name).exists()]
        return (*(Bind(path, path, device=True) for path in paths), Bind("/sys", "/sys"))

    @staticmethod
    def env(uuids: Sequence[str]) -> dict[str, str]:
        """``void`` and ``-1`` say "none" to NVIDIA's tools and to CUDA."""
        if not uuids:
            return {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "-1"}
        names = ",".join(uuids)
        return {"NVIDIA_VISIBLE_DEVICES": names, "CUDA_VISIBLE_DEVICES": names}


def find() -> Gpus:
    """The GPUs of this host."""
    try:
        import pynvml
    except ImportError:
        return Gpus((), {}, "no GPUs: nvidia-ml-py is not installed")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Gpus((), {}, f"no GPUs: {error}")
    try:
        devices, minors = [], {}
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            uuid = _text(pynvml.nvmlDeviceGetUUID(handle))
            memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
            model = _text(pynvml.nvmlDeviceGetName(handle))
            devices.append(Gpu(uuid=uuid, model=model, memory=memory))
            minors[uuid] = int(pynvml.nvmlDeviceGetMinorNumber(handle))
        return Gpus(devices, minors, _text(pynvml.nvmlSystemGetDriverVersion()))
    except pynvml.NVMLError as error:
        return Gpus((), {}, f"no GPUs: {error}")
    finally:
        pynvml.nvmlShutdown()


def _text(value: "str | bytes") -> str:
    """Older libraries give bytes."""
    return value.decode() if isinstance(value, bytes) else value

"""What the host has, and what of it is still free."""

import os
import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.sites.contract import Gpu, NoRoom, Refused, Resources

RESERVED_SHARE = 16
"""Unless told otherwise, 1/16 of the memory is kept for the host itself, and at least …"""
LEAST_RESERVED = 256 << 20


@dataclass(frozen=True)
class Room:
    """Cores in thousandths, memory in bytes, devices."""

    millicores: int
    memory: int
    gpus: tuple[Gpu, ...]

    def without(self, held: Iterable[tuple[Resources, Sequence[str]]]) -> "Room":
        """What is left beside those who hold some."""
        millicores, memory, taken = self.millicores, self.memory, set[str]()
        for resources, devices in held:
            millicores -= resources.millicores
            memory -= resources.memory
            taken |= set(devices)
        gpus = tuple(gpu for gpu in self.gpus if gpu.uuid not in taken)
        return Room(max(millicores, 0), max(memory, 0), gpus)

    def less(self, away: Collection[str]) -> "Room":
        """Without devices that nothing new may have."""
        left = tuple(gpu for gpu in self.gpus if gpu.uuid not in away)
        return Room(self.millicores, self.memory, left)

    def give(
        self,
        resources: Resources,
        tasks: int,
        whole: "Room",
        wanted: Sequence[Sequence[str]] = (),
        sick: Mapping[str, str] = {},
    ) -> tuple[tuple[str, ...], ...]:
        """The devices for each task, if all fit: those ``wanted`` by rank, else any. Raises
        ``NoRoom``, and ``Refused`` for devices that are not here."""

        def need(what: str, wanted: int, free: int, there: int, unit: str) -> None:
            if wanted > free:
                fits = "is free just now" if wanted <= there else "are here in all"
                amount = free if wanted <= there else there
                raise NoRoom("NoRoom", f"{wanted} {unit} of {what} wanted, {amount} {fits}")

        need(
            "cores", tasks * resources.millicores, self.millicores, whole.millicores, "thousandths"
        )
        need("memory", tasks * resources.memory, self.memory, whole.memory, "bytes")

        def fitting(room: "Room") -> list[str]:
            asked = resources.gpu_model
            return [g.uuid for g in room.gpus if (asked == g.sku if asked else g.kind == "gpu")]

        free = fitting(self)
        if wanted:
            return self._wanted(whole, wanted, sick)
        model = resources.gpu_model or "any model"
        need(f"GPUs ({model})", tasks * resources.gpus, len(free), len(fitting(whole)), "pieces")
        share = resources.gpus
        return tuple(tuple(free[n * share : (n + 1) * share]) for n in range(tasks))

    def _wanted(
        self,
        whole: "Room",
        wanted: Sequence[Sequence[str]],
        sick: Mapping[str, str],
    ) -> tuple[tuple[str, ...], ...]:
        names = [uuid for one in wanted for uuid in one]
        free, here = {gpu.uuid for gpu in self.gpus}, {gpu.uuid for gpu in whole.gpus}
        for uuid in names:
            if uuid not in here:
                raise Refused("UnknownDevice", f"there is no device {uuid} here")
            if uuid in sick:
                raise NoRoom("NoRoom", f"{uuid} is not to be used: {sick[uuid]}")
            if uuid not in free:
                raise NoRoom("NoRoom", f"{uuid} is in use")
        return tuple(tuple(one) for one in wanted)


def of_host(reserve_millicores: int, reserve_memory: int, gpus: tuple[Gpu, ...]) -> Room:
    """All that the agent's process may use, less the reserve; a negative one means the default."""
    memory = _memory()
    if reserve_memory < 0:
        reserve_memory = max(memory // RESERVED_SHARE, LEAST_RESERVED)
    millicores = len(os.sched_getaffinity(0)) * 1000 - max(reserve_millicores, 0)
    return Room(max(millicores, 0), max(memory - reserve_memory, 0), gpus)


def architecture() -> str:
    return platform.machine()


def _memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/meminfo does not say how much memory there is")

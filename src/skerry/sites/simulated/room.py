"""What is free of a simulated site, and who holds the rest."""

from skerry.sites.contract import Capacity, Gpu, NoRoom, Resources, Workload
from skerry.sites.simulated.config import Config


class Room:
    """Taken for a whole gang at once; given back task by task."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._gpus = tuple(
            Gpu(
                uuid=f"SIM-{number}-{index}-{devices.model.replace(' ', '-')}",
                model=devices.model,
                memory=devices.memory,
                vendor=devices.vendor,
            )
            for number, devices in enumerate(config.gpus)
            for index in range(devices.count)
        )
        self._free_gpus = {gpu.uuid: gpu for gpu in self._gpus}
        self._millicores = config.millicores
        self._memory = config.memory
        self._disk = config.disk

    def take(self, work: Workload) -> list[tuple[str, ...]]:
        """Room for all tasks, or ``NoRoom``; the answer is each task's devices."""
        ask, tasks = work.resources, work.tasks
        for what, wanted, free in (
            ("thousandths of a core", ask.millicores, self._millicores),
            ("bytes of memory", ask.memory, self._memory),
            ("bytes of disk", ask.disk, self._disk),
        ):
            if wanted * tasks > free:
                raise NoRoom("NoRoom", f"{tasks} × {wanted} {what} were asked for, {free} are free")
        fitting = [
            uuid
            for uuid, gpu in self._free_gpus.items()
            if ask.gpu_model in ("", gpu.model)
        ] if ask.gpus else []  # fmt: skip
        if ask.gpus * tasks > len(fitting):
            model = f" of the model {ask.gpu_model!r}" if ask.gpu_model else ""
            raise NoRoom(
                "NoRoom",
                f"{tasks} × {ask.gpus} GPUs{model} were asked for, {len(fitting)} are free",
            )
        self._add(ask, -tasks)
        taken = [tuple(fitting[n * ask.gpus : (n + 1) * ask.gpus]) for n in range(tasks)]
        for uuid in (uuid for one in taken for uuid in one):
            del self._free_gpus[uuid]
        return taken

    def give_back(self, ask: Resources, gpus: tuple[str, ...]) -> None:
        """One task's share is free again."""
        self._add(ask, 1)
        for gpu in self._gpus if gpus else ():
            if gpu.uuid in gpus:
                self._free_gpus[gpu.uuid] = gpu

    @property
    def free_disk(self) -> int:
        return self._disk

    def keep(self, size: int) -> None:
        """Volumes take so many more bytes of disk, or fewer."""
        self._disk -= size

    def _add(self, ask: Resources, times: int) -> None:
        self._millicores += ask.millicores * times
        self._memory += ask.memory * times
        self._disk += ask.disk * times

    def capacity(self) -> Capacity:
        config = self._config
        return Capacity(
            millicores=config.millicores,
            memory=config.memory,
            gpus=self._gpus,
            free_millicores=self._millicores,
            free_memory=self._memory,
            free_gpus=tuple(self._free_gpus),
            disk=config.disk,
            free_disk=self._disk,
            isolations=config.isolations,
            engines={"simulated": "1"},
            architecture=config.architecture,
            volumes=True,
        )

"""What is free of a simulated site, and who holds the rest.

A site is one machine, or the nodes of its configuration. Room is taken for a whole gang at once and
given back task by task.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from skerry.sites.contract import Capacity, Gpu, Node, NoRoom, Refused, Resources, Workload
from skerry.sites.simulated.config import Config, Devices, Nodes


@dataclass(frozen=True)
class Seat:
    """Where a task is."""

    node: str = ""
    gpus: tuple[str, ...] = ()


class Machine:
    """One of them. ``node`` is what it says of itself where the site has several."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.free = {gpu.uuid: gpu for gpu in node.gpus}
        self.millicores, self.memory, self.disk = node.millicores, node.memory, node.disk

    def lack(self, ask: Resources, tasks: int) -> str:
        """Why so many tasks have no room, in words; empty: they have."""
        for what, wanted, free in (
            ("thousandths of a core", ask.millicores, self.millicores),
            ("bytes of memory", ask.memory, self.memory),
            ("bytes of disk", ask.disk, self.disk),
        ):
            if wanted * tasks > free:
                return f"{tasks} × {wanted} {what} were asked for, {free} are free"
        fitting = len(self.fitting(ask))
        if ask.gpus * tasks > fitting:
            model = f" of the model {ask.gpu_model!r}" if ask.gpu_model else ""
            return f"{tasks} × {ask.gpus} GPUs{model} were asked for, {fitting} are free"
        return ""

    def fitting(self, ask: Resources) -> list[str]:
        """Its free devices that will do."""
        if not ask.gpus:
            return []
        return [uuid for uuid, gpu in self.free.items() if not gpu.sick and fits(ask, gpu)]

    def take(self, ask: Resources, devices: Sequence[str] | None) -> Seat:
        """Room for a task. Raises ``NoRoom``."""
        closed = self.node.closed
        words = f"nothing new is placed here: {closed}" if closed else self.lack(ask, 1)
        if not words and devices is not None:
            held = set(devices) - set(self.fitting(ask))
            words = f"{', '.join(sorted(held))}: not free, or not to be used" if held else ""
        if words:
            where = f"{self.node.name}: " if self.node.name else ""
            raise NoRoom("NoRoom", f"{where}{words}")
        chosen = tuple(self.fitting(ask)[: ask.gpus] if devices is None else devices)
        for uuid in chosen:
            del self.free[uuid]
        self.add(ask, -1)
        return Seat(self.node.name, chosen)

    def give_back(self, ask: Resources, gpus: Iterable[str]) -> None:
        self.add(ask, 1)
        for gpu in self.node.gpus if gpus else ():
            if gpu.uuid in gpus:
                self.free[gpu.uuid] = gpu

    def add(self, ask: Resources, times: int) -> None:
        self.millicores += ask.millicores * times
        self.memory += ask.memory * times
        self.disk += ask.disk * times


def fits(ask: Resources, gpu: Gpu) -> bool:
    """Whether a device is of the sort that is asked for."""
    return gpu.sku == ask.gpu_model if ask.gpu_model else gpu.kind == "gpu"


class Room:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._several = bool(config.nodes)
        nodes = list(_nodes(config.nodes)) if self._several else [_alone(config)]
        self._machines = {node.name: Machine(node) for node in nodes}
        self._at = {gpu.uuid: node.name for node in nodes for gpu in node.gpus}
        if len(self._machines) < len(nodes) or len(self._at) < sum(len(n.gpus) for n in nodes):
            raise Refused("BadConfig", "two nodes of the simulated site have one name")
        self._volumes = 0

    def take(self, work: Workload) -> list[Seat]:
        """Room for all tasks, or ``NoRoom``."""
        self._check_named(work)
        if not self._several and not work.devices:  # said of all tasks together
            words = self._machines[""].lack(work.resources, work.tasks)
            if words:
                raise NoRoom("NoRoom", words)
        taken: list[Seat] = []
        try:
            for rank in range(work.tasks):
                devices = work.devices[rank] if work.devices else None
                taken.append(self._machine(work, rank).take(work.resources, devices))
        except NoRoom:
            for seat in taken:
                self.give_back(work.resources, seat)
            raise
        return taken

    def _check_named(self, work: Workload) -> None:
        for name in work.nodes:
            if not self._several or name not in self._machines:
                raise Refused("UnknownNode", f"this site has no node {name!r}")
        for uuid in chain.from_iterable(work.devices):
            if uuid not in self._at:
                raise Refused("UnknownDevice", f"this site has no device {uuid!r}")

    def _machine(self, work: Workload, rank: int) -> Machine:
        """The one that a task is told to go to, or the first that has room."""
        if work.nodes:
            return self._machines[work.nodes[rank]]
        if work.devices and work.devices[rank]:
            return self._machines[self._at[work.devices[rank][0]]]
        if not self._several:
            return self._machines[""]
        for machine in self._machines.values():
            if not machine.node.closed and not machine.lack(work.resources, 1):
                return machine
        raise NoRoom("NoRoom", f"no node has room for task {rank} of {work.tasks}")

    def give_back(self, ask: Resources, seat: Seat) -> None:
        """One task's share is free again."""
        self._machines[seat.node].give_back(ask, seat.gpus)

    def close(self, name: str, why: str) -> None:
        """Place nothing new at the node, for this reason; without one it is open again."""
        self._change(name, closed=why)

    def sicken(self, uuid: str, why: str) -> None:
        """A device is not to be used, for this reason; without one it is well again."""
        machine = self._machines[self._at[uuid]]
        ill = [msgspec.structs.replace(g, sick=why) for g in machine.node.gpus if g.uuid == uuid]
        gpus = tuple(ill[0] if g.uuid == uuid else g for g in machine.node.gpus)
        if uuid in machine.free:
            machine.free[uuid] = ill[0]
        self._change(machine.node.name, gpus=gpus)

    def _change(self, name: str, **changes: object) -> None:
        machine = self._machines[name]
        machine.node = msgspec.structs.replace(machine.node, **changes)

    @property
    def devices(self) -> int:
        return len(self._at)

    @property
    def free_disk(self) -> int:
        """For volumes."""
        total = self._config.disk if self._several else self._machines[""].disk
        return total - self._volumes

    def keep(self, size: int) -> None:
        """Volumes take so many more bytes of disk, or fewer."""
        if self._several:
            self._volumes += size
        else:
            self._machines[""].disk -= size

    def capacity(self) -> Capacity:
        config, machines = self._config, self._machines.values()
        return Capacity(
            millicores=sum(machine.node.millicores for machine in machines),
            memory=sum(machine.node.memory for machine in machines),
            gpus=() if self._several else self._machines[""].node.gpus,
            free_millicores=sum(machine.millicores for machine in machines),
            free_memory=sum(machine.memory for machine in machines),
            free_gpus=tuple(uuid for machine in machines for uuid in machine.free),
            disk=config.disk,
            free_disk=self.free_disk,
            isolations=config.isolations,
            engines={"simulated": "1"},
            architecture=config.architecture,
            volumes=True,
            nodes=tuple(machine.node for machine in machines) if self._several else (),
            pins=True,
        )


def _alone(config: Config) -> Node:
    return Node(
        name="",
        millicores=config.millicores,
        memory=config.memory,
        disk=config.disk,
        gpus=_gpus(config.gpus, "SIM"),
        free_millicores=config.millicores,
        free_memory=config.memory,
    )


def _nodes(groups: Sequence[Nodes]) -> Iterable[Node]:
    for group in groups:
        for number in range(group.count):
            name = group.name if group.count == 1 else f"{group.name}-{number}"
            gpus = _gpus(group.gpus, f"SIM-{name}")
            yield Node(
                name=name,
                millicores=group.millicores,
                memory=group.memory,
                disk=group.disk,
                gpus=gpus,
                free_millicores=group.millicores,
                free_memory=group.memory,
                free_gpus=tuple(gpu.uuid for gpu in gpus),
                zone=group.zone,
                rack=_shared(group, "rack", group.rack, group.per_rack, number),
                link=_shared(group, "link", group.link, group.per_link, number),
                spot=group.spot,
                closed=group.closed,
            )


def _shared(group: Nodes, what: str, name: str, per: int, number: int) -> str:
    return f"{name or f'{group.name}-{what}'}-{number // per}" if per else name


def _gpus(sorts: Sequence[Devices], prefix: str) -> tuple[Gpu, ...]:
    return tuple(
        Gpu(
            uuid=f"{prefix}-{number}-{index}-{sort.model.replace(' ', '-')}",
            model=sort.model,
            memory=sort.memory,
            vendor=sort.vendor,
            kind="shared" if sort.shared else "mig" if sort.profile else "gpu",
            profile=sort.profile,
            sick=sort.sick,
        )
        for number, sort in enumerate(sorts)
        for index in range(sort.count)
    )

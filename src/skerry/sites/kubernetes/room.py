"""Who has which part of the nodes: theirs, others', ours."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from skerry.sites.contract import Capacity, Gpu, Node, NoRoom, Refused, Workload
from skerry.sites.kubernetes.config import Config
from skerry.sites.kubernetes.gpus import devices_of
from skerry.sites.kubernetes.nodes import Used, node_of, summed
from skerry.sites.kubernetes.records import Intent
from skerry.sites.kubernetes.view import View, Work

_OF_STATUS = ("allocatable", "capacity", "conditions")
_OF_META = ("name", "labels", "annotations", "deletionTimestamp", "resourceVersion")


@dataclass
class Left:
    """Of a node, now."""

    millicores: int
    memory: int
    gpus: list[Gpu]


@dataclass(frozen=True)
class Chosen:
    """Where the tasks of a workload are expected, by rank."""

    nodes: tuple[str, ...]
    gpus: tuple[tuple[str, ...], ...]
    resource: str = ""
    """The extended resource that its devices are asked for as."""
    architecture: str = ""


@dataclass
class Ours:
    """What our own tasks hold of a node until they end."""

    millicores: int = 0
    memory: int = 0
    gpus: set[str] = field(default_factory=set)


class Nodes:
    """Nodes of the site, as an informer tells of them."""

    def __init__(self, config: Config, view: View) -> None:
        self._config, self._view = config, view
        self._known: dict[str, dict[str, Any]] = {}
        self._listing: set[str] = set()

    # The informer's

    def begin(self) -> None:
        self._listing = set()

    def put(self, raw: msgspec.Raw) -> str:
        node = msgspec.json.decode(raw)
        meta, status = node["metadata"], node.get("status") or {}
        name = meta["name"]
        self._listing.add(name)
        labels = meta.get("labels") or {}
        if all(labels.get(key) == value for key, value in self._config.nodes.items()):
            self._known[name] = {
                "metadata": {key: meta[key] for key in _OF_META if key in meta},
                "spec": node.get("spec") or {},
                "status": {key: status[key] for key in _OF_STATUS if key in status},
            }
        else:
            self._known.pop(name, None)
        version: str = meta["resourceVersion"]
        return version

    def end(self) -> None:
        for name in set(self._known) - self._listing:
            del self._known[name]

    def drop(self, raw: msgspec.Raw) -> str:
        meta = msgspec.json.decode(raw)["metadata"]
        self._known.pop(meta["name"], None)
        version: str = meta["resourceVersion"]
        return version

    # Room

    def all(self) -> list[Node]:
        others: dict[str, list[Used]] = defaultdict(list)
        for name, used in self._view.others.values():
            others[name].append(used)
        found = [
            node_of(node, summed(others[name]) if name in others else None)
            for name, node in sorted(self._known.items())
        ]
        untold = {"disk": self._config.node_disk, "free_disk": None}
        return [n if n.disk else msgspec.structs.replace(n, **untold) for n in found]

    def ours(self) -> dict[str, Ours]:
        held: dict[str, Ours] = defaultdict(Ours)
        for work in self._view.works.values():
            for rank, node in _held(work):
                ask, taken = work.intent.resources, held[node]
                taken.millicores += ask.millicores
                taken.memory += ask.memory
                if work.intent.gpus:
                    taken.gpus |= set(work.intent.gpus[rank])
        return held

    def capacity(self, config: Config) -> Capacity:
        nodes, ours = self.all(), self.ours()
        open = [node for node in nodes if not node.closed]
        taken = {gpu for held in ours.values() for gpu in held.gpus}
        everywhere = sum(held.millicores for held in ours.values())
        memory = sum(held.memory for held in ours.values())
        architectures = {self.architecture(node.name) for node in nodes}
        return Capacity(
            millicores=sum(node.millicores for node in nodes),
            memory=sum(node.memory for node in nodes),
            free_millicores=max(0, sum(n.free_millicores for n in open) - everywhere),
            free_memory=max(0, sum(n.free_memory for n in open) - memory),
            free_gpus=tuple(g for n in open for g in n.free_gpus if g not in taken),
            disk=sum(node.disk for node in nodes),
            free_disk=sum(n.disk if n.free_disk is None else n.free_disk for n in open),
            isolations=isolations(config),
            engines=engines(config),
            architecture=architectures.pop() if len(architectures) == 1 else "",
            nodes=tuple(nodes),
        )

    def architecture(self, name: str) -> str:
        """Of a node: ``x86_64``."""
        labels = self._known.get(name, {}).get("metadata", {}).get("labels") or {}
        told = str(labels.get("kubernetes.io/arch", "amd64"))
        return {"amd64": "x86_64", "arm64": "aarch64"}.get(told, told)

    def usual(self) -> str:
        """The architecture of most nodes."""
        count = Counter(self.architecture(node.name) for node in self.all() if not node.closed)
        return count.most_common(1)[0][0] if count else "x86_64"

    def choose(self, workload: Workload) -> Chosen:
        """Raises ``NoRoom``, and ``UnknownNode`` for a place that is not there."""
        ours = self.ours()
        nodes = {node.name: node for node in self.all()}
        left = {
            name: Left(
                node.free_millicores - ours[name].millicores,
                node.free_memory - ours[name].memory,
                [g for g in _fitting(node, workload) if g.uuid not in ours[name].gpus],
            )
            for name, node in nodes.items()
        }
        places: list[str] = []
        devices: list[tuple[str, ...]] = []
        for rank in range(workload.tasks):
            name = self._place(workload, rank, nodes, left)
            here, ask = left[name], workload.resources
            here.millicores -= ask.millicores
            here.memory -= ask.memory
            given, here.gpus = here.gpus[: ask.gpus], here.gpus[ask.gpus :]
            places.append(name)
            devices.append(tuple(gpu.uuid for gpu in given))
        resource = self._resource(places[0], devices[0])
        return Chosen(
            tuple(places),
            tuple(devices) if workload.resources.gpus else (),
            resource,
            self.architecture(places[0]),
        )

    def again(self, intent: Intent) -> Chosen:
        """As it was chosen before."""
        name, gpus = intent.nodes[0], intent.gpus
        resource = self._resource(name, gpus[0] if gpus else ())
        return Chosen(intent.nodes, gpus, resource, self.architecture(name))

    def _place(
        self, workload: Workload, rank: int, nodes: Mapping[str, Node], left: Mapping[str, Left]
    ) -> str:
        if workload.nodes:
            name = workload.nodes[rank]
            node = nodes.get(name)
            if node is None:
                raise Refused("UnknownNode", f"the site has no node {name[:80]!r}")
            if node.closed:
                raise NoRoom("NoRoom", f"node {name!r} takes nothing new: {node.closed}")
            if not _fits(workload, left[name]):
                raise NoRoom("NoRoom", f"node {name!r} has no room for task {rank}")
            return name
        fitting = [n for n in nodes if not nodes[n].closed and _fits(workload, left[n])]
        if not fitting:
            raise NoRoom("NoRoom", _why(workload, nodes.values()))
        return max(fitting, key=lambda n: (left[n].millicores, n))

    def _resource(self, name: str, gpus: Iterable[str]) -> str:
        wanted = set(gpus)
        for devices in devices_of(self._known[name]) if wanted and name in self._known else ():
            if wanted & {gpu.uuid for gpu in devices.gpus}:
                return devices.resource
        return ""


def _held(work: Work) -> Iterable[tuple[int, str]]:
    """Ranks that hold their room, and where."""
    for rank in range(work.intent.tasks):
        if work.task(rank).phase in ("pending", "running"):
            task = work.tasks.get(rank)
            yield rank, (task.node if task else "") or work.intent.nodes[rank]


def _fitting(node: Node, workload: Workload) -> list[Gpu]:
    """Free devices of the node that are what is asked for."""
    ask = workload.resources
    if not ask.gpus:
        return []
    free = set(node.free_gpus)
    found = [gpu for gpu in node.gpus if gpu.uuid in free and not gpu.sick]
    if ask.gpu_model:
        return [gpu for gpu in found if gpu.sku == ask.gpu_model]
    return [gpu for gpu in found if gpu.kind == "gpu"]


def _fits(workload: Workload, left: Left) -> bool:
    ask = workload.resources
    return (
        left.millicores >= ask.millicores
        and left.memory >= ask.memory
        and len(left.gpus) >= ask.gpus
    )


def _why(workload: Workload, nodes: Iterable[Node]) -> str:
    open = [node for node in nodes if not node.closed]
    if not open:
        return "no node of the site is open for anything new"
    ask = workload.resources
    each = f"{ask.millicores} thousandths of a core and {ask.memory} bytes"
    if ask.gpus:
        each += f" and {ask.gpus} GPUs {ask.gpu_model}".rstrip()
    return f"there is no room for {workload.tasks} tasks of {each} each on the site's nodes"


def isolations(config: Config) -> tuple[Any, ...]:
    return ("sandbox", "vm") if config.runtime_classes.get("vm") else ("sandbox",)


def engines(config: Config) -> dict[str, str]:
    """By the names of their RuntimeClasses."""
    found = {engine(config, kind): "RuntimeClass" for kind in config.runtime_classes}
    return found | ({} if config.runtime_classes.get("sandbox") else {"pod": "the cluster's own"})


def engine(config: Config, isolation: Any) -> str:
    return config.runtime_classes.get(isolation, "") or "pod"

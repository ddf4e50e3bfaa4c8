"""Nodes as the contract tells of them, from what the API server has of them. Pure functions.

Room is what a node can allocate, less what Pods that are not ours take by the scheduler's own count
(requests, not use). A node that the scheduler would refuse us is closed, in the words of what
closes it: a cordon, a taint that our Pods don't tolerate, a condition.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lightkube.utils.quantity import parse_quantity

from skerry.sites.contract import Node
from skerry.sites.kubernetes.gpus import Devices, devices_of, linked, number

TOLERATED = (
    "nvidia.com/gpu",
    "amd.com/gpu",
    "gpu.intel.com/i915",
    "gpu.intel.com/xe",
    "cloud.google.com/gke-spot",
    "cloud.google.com/gke-provisioning",
    "kubernetes.azure.com/scalesetpriority",
)
"""Taints that keep others off what the market sells knowingly: devices, and nodes that may be taken
back. Our Pods tolerate them."""
SPOT = {
    "karpenter.sh/capacity-type": ("spot",),
    "eks.amazonaws.com/capacityType": ("SPOT",),
    "cloud.google.com/gke-spot": ("true",),
    "cloud.google.com/gke-preemptible": ("true",),
    "kubernetes.azure.com/scalesetpriority": ("spot",),
    "node.kubernetes.io/lifecycle": ("spot", "preemptible"),
}
"""Labels by which clouds say that they may take a node back."""
RACKS = (
    "topology.kubernetes.io/rack",
    "network.topology.nvidia.com/leaf",
    "cloud.provider.com/topology-rack",
    "cloud.google.com/gce-topology-subblock",
    "topology.k8s.aws/network-node-layer-3",
)
"""Labels of the nearest switch that nodes share; the first that a node has counts."""
ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_SHUT = {
    "Ready": ("True", "is not ready"),
    "NetworkUnavailable": ("False", "has no network yet"),
    "MemoryPressure": ("False", "runs out of memory"),
    "DiskPressure": ("False", "runs out of disk"),
    "PIDPressure": ("False", "runs out of process ids"),
}
"""Conditions with the value that is well, and the words for any other."""


@dataclass(frozen=True)
class Used:
    """What Pods take of a node."""

    millicores: int = 0
    memory: int = 0
    disk: int = 0
    resources: Mapping[str, int] = field(default_factory=dict)
    """Extended resources by name."""
    devices: frozenset[str] = frozenset()
    """Devices allocated to claims, as ``driver/pool/device``."""


@dataclass(frozen=True)
class Reading:
    """How an operator's cluster is to be read."""

    tolerated: frozenset[str] = frozenset(TOLERATED)
    """Keys of taints that our Pods tolerate."""
    rack_label: str = ""
    """Instead of ``RACKS``."""
    zone_label: str = ""


def node_of(
    node: Mapping[str, Any],
    used: Used | None = None,
    slices: Sequence[Mapping[str, Any]] = (),
    reading: Reading | None = None,
) -> Node:
    """A node (``v1.Node`` as JSON) with what others than us (``used``) leave of it."""
    used, reading = used or Used(), reading or Reading()
    labels = node["metadata"].get("labels") or {}
    able = (node.get("status") or {}).get("allocatable") or {}
    millicores = thousandths(able.get("cpu", 0))
    memory, disk = number(able.get("memory", 0)), number(able.get("ephemeral-storage", 0))
    devices = devices_of(node, slices)
    return Node(
        name=node["metadata"]["name"],
        millicores=millicores,
        memory=memory,
        disk=disk,
        gpus=tuple(gpu for some in devices for gpu in some.gpus),
        free_millicores=max(0, millicores - used.millicores),
        free_memory=max(0, memory - used.memory),
        free_disk=max(0, disk - used.disk),
        free_gpus=tuple(id for some in devices for id in _left(some, used)),
        zone=_first(labels, (reading.zone_label,) if reading.zone_label else ZONES),
        rack=_first(labels, (reading.rack_label,) if reading.rack_label else RACKS),
        link=linked(labels),
        spot=any(labels.get(label) in values for label, values in SPOT.items()),
        closed=closed(node, reading.tolerated),
    )


def closed(node: Mapping[str, Any], tolerated: Iterable[str] = TOLERATED) -> str:
    """Why nothing new may be placed on a node; empty if it may."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    if node["metadata"].get("deletionTimestamp"):
        return "it is being removed from the cluster"
    if spec.get("unschedulable"):
        return "it is cordoned"
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    if "Ready" not in conditions:
        return "it has not reported yet"
    for name, (well, words) in _SHUT.items():
        condition = conditions.get(name)
        if condition is not None and condition.get("status") != well:
            said = condition.get("message") or condition.get("reason") or ""
            return f"it {words}: {said}" if said else f"it {words}"
    known = frozenset(tolerated)
    for taint in spec.get("taints") or ():
        if taint.get("effect") != "PreferNoSchedule" and taint["key"] not in known:
            value = f"={taint['value']}" if taint.get("value") else ""
            return f"it is tainted {taint['key']}{value}:{taint.get('effect', '')}"
    return ""


def requests_of(pod: Mapping[str, Any]) -> Used:
    """What a Pod takes of its node, as the scheduler counts it: all containers and sidecars, or the
    most that it needs while it starts, and the overhead of its runtime. One that ended takes
    nothing."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return Used()
    spec = pod.get("spec") or {}
    sidecars: Counter[str] = Counter()
    starting: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        own = _requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars += own
            starting |= sidecars
        else:
            starting |= own + sidecars
    running = sum((_requests(c) for c in spec.get("containers") or ()), Counter(sidecars))
    whole = running | starting
    whole.update(_requests(spec) - whole)  # a Pod's own requests stand above its containers'
    whole += _amounts(spec.get("overhead") or {})
    return Used(
        millicores=whole.pop("cpu", 0),
        memory=whole.pop("memory", 0),
        disk=whole.pop("ephemeral-storage", 0),
        resources=dict(whole),
    )


def summed(all: Iterable[Used]) -> Used:
    """What several take together."""
    total: Counter[str] = Counter()
    resources: Counter[str] = Counter()
    devices: frozenset[str] = frozenset()
    for one in all:
        total.update(millicores=one.millicores, memory=one.memory, disk=one.disk)
        resources.update(one.resources)
        devices |= one.devices
    return Used(**total, resources=dict(resources), devices=devices)


def thousandths(text: object) -> int:
    """Cores as thousandths, rounded down."""
    return int((parse_quantity(str(text)) or 0) * 1000)


def _requests(container: Mapping[str, Any]) -> Counter[str]:
    """Of a container; where only a limit stands, the API server has set the request to it."""
    resources = container.get("resources") or {}
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _amounts(amounts: Mapping[str, Any]) -> Counter[str]:
    read = {name: thousandths if name == "cpu" else number for name in amounts}
    return Counter({name: read[name](value) for name, value in amounts.items()})


def _left(devices: Devices, used: Used) -> list[str]:
    """Devices that nobody but us uses. A plugin tells only how many of them others took: which, is
    not known and makes no difference, since all of a resource are alike; sick ones go first, as
    nobody can hold those."""
    if devices.keys is not None:
        return [gpu.uuid for gpu in devices.gpus if devices.keys[gpu.uuid] not in used.devices]
    well = [gpu.uuid for gpu in devices.gpus if not gpu.sick]
    taken = min(len(well), used.resources.get(devices.resource, 0))
    return [*well[taken:], *(gpu.uuid for gpu in devices.gpus if gpu.sick)]


def _first(labels: Mapping[str, str], names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")

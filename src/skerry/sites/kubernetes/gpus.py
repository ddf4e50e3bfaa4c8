"""The GPUs of a node: read from what device plugins and drivers write down of them.

There are two ways in which a cluster hands devices out, and both are read:

- *Extended resources* of a device plugin (``nvidia.com/gpu``): a number. What the devices are
  stands in the node's labels, of which all devices of one resource share one set. Which of them a
  Pod gets the plugin chooses, so their ids are made up here: ``node/resource/number``.
- *Dynamic Resource Allocation* (``resource.k8s.io/v1``): each device with its attributes in a
  ``ResourceSlice``, and a claim may name exactly one. Where a vendor's devices are there, its
  extended resource is left out, or each device would count twice.

Facts: NVIDIA's GPU Feature Discovery, AMD's node labeller and Intel's rules for labels; the slices'
attributes by the vendors' drivers. Memory of 0 is unknown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightkube.utils.quantity import parse_quantity

from skerry.sites.contract import Gpu

MIB = 1 << 20
VENDORS = {"gpu.nvidia.com": "nvidia", "gpu.amd.com": "amd", "gpu.intel.com": "intel"}
"""By the driver of a slice."""
_NVIDIA = "nvidia.com/"
_AMD = ("amd.com/gpu.", "beta.amd.com/gpu.")
_INTEL = ("gpu.intel.com/i915", "gpu.intel.com/xe")
_SLICE = re.compile(r"nvidia\.com/mig-([0-9][a-z0-9.]*?)(\.shared)?")


@dataclass(frozen=True)
class Devices:
    """Devices of one sort at a node, and how a Pod asks for one."""

    gpus: tuple[Gpu, ...]
    resource: str = ""
    """The extended resource; empty: by a claim at ``driver``."""
    driver: str = ""
    keys: Mapping[str, str] | None = None
    """Of a driver's devices: by id ``driver/pool/device``, as allocations name them."""


def devices_of(node: Mapping[str, Any], slices: Sequence[Mapping[str, Any]] = ()) -> list[Devices]:
    """All GPUs of a node (``v1.Node``), given the cluster's ``ResourceSlices``."""
    name = node["metadata"]["name"]
    found = [*_claimed(name, slices)]
    there = {gpu.vendor for devices in found for gpu in devices.gpus}
    labels = node["metadata"].get("labels") or {}
    link = linked(labels)
    for resource, total, well in _resources(node):
        made = _plugin(resource, labels)
        if made is not None and made.vendor not in there:
            gpus = tuple(_one(made, name, resource, i, i < well, link) for i in range(total))
            found.append(Devices(gpus, resource))
    return found


def linked(labels: Mapping[str, str]) -> str:
    """The NVLink domain of a node's devices: a clique of a fabric that may span nodes."""
    return (
        labels.get(_NVIDIA + "gpu.clique")
        or labels.get("network.topology.nvidia.com/accelerator")
        or ""
    )


def number(text: object) -> int:
    """A quantity, rounded down; 0 for what is none."""
    try:
        return int(parse_quantity(str(text)) or 0)
    except ValueError:
        return 0


def _resources(node: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Extended resources that a node has or had, with how many there are and how many are well: a
    plugin takes an unhealthy device off what can be allocated."""
    status = node.get("status") or {}
    able = status.get("allocatable") or {}
    for resource, amount in sorted((status.get("capacity") or {}).items()):
        total = number(amount)
        if total:
            yield resource, total, min(total, number(able.get(resource, 0)))


def _one(made: Gpu, node: str, resource: str, index: int, well: bool, link: str) -> Gpu:
    return Gpu(
        uuid=f"{node}/{resource}/{index}",
        model=made.model,
        memory=made.memory,
        vendor=made.vendor,
        kind=made.kind,
        profile=made.profile,
        link=link if made.vendor == "nvidia" else "",
        sick="" if well else "the cluster's device plugin reports it unhealthy",
    )


def _plugin(resource: str, labels: Mapping[str, str]) -> Gpu | None:
    """A pattern of the devices that the resource counts; None: they are no GPUs."""
    if resource in ("nvidia.com/gpu", "nvidia.com/gpu.shared"):
        return _nvidia(resource, labels)
    if slice := _SLICE.fullmatch(resource):
        return _mig(slice[1], bool(slice[2]), labels)
    if resource == "amd.com/gpu":
        return _amd(labels)
    if resource in _INTEL:
        return _intel(resource, labels)
    return None


def _nvidia(resource: str, labels: Mapping[str, str]) -> Gpu:
    product = labels.get(_NVIDIA + "gpu.product", "") or "NVIDIA GPU"
    memory = number(labels.get(_NVIDIA + "gpu.memory", 0)) * MIB
    replicas = number(labels.get(_NVIDIA + "gpu.replicas", 1))
    shared = product.endswith("-SHARED") or resource.endswith(".shared") or replicas > 1
    model, _, profile = product.removesuffix("-SHARED").partition("-MIG-")
    return _sort(model, memory, profile, shared, replicas)


def _mig(profile: str, shared: bool, labels: Mapping[str, str]) -> Gpu:
    of = f"{_NVIDIA}mig-{profile}."
    product = labels.get(of + "product") or labels.get(_NVIDIA + "gpu.product", "") or "NVIDIA GPU"
    replicas = number(labels.get(of + "replicas", 1))
    model = product.removesuffix("-SHARED").partition("-MIG-")[0]
    memory = number(labels.get(of + "memory", 0)) * MIB
    return _sort(model, memory, profile, shared or replicas > 1, replicas)


def _sort(model: str, memory: int, profile: str, shared: bool, replicas: int) -> Gpu:
    """Who takes turns is promised no memory of its own: what is left if all take the same."""
    if shared:
        share = memory // max(1, replicas)
        return Gpu(uuid="", model=model, memory=share, kind="shared", profile=profile)
    if profile:
        return Gpu(uuid="", model=model, memory=memory, kind="mig", profile=profile)
    return Gpu(uuid="", model=model, memory=memory)


def _amd(labels: Mapping[str, str]) -> Gpu:
    model = _amd_label(labels, "product-name").replace("_", " ") or "AMD GPU"
    memory = _amd_label(labels, "vram")
    # "192G" is 192 GiB in this labeller's words.
    size = number(memory.removesuffix("G") + "Gi") if memory.endswith("G") else number(memory)
    return Gpu(uuid="", model=model, memory=size, vendor="amd")


def _amd_label(labels: Mapping[str, str], name: str) -> str:
    """A property: the value of its label, or, as older labellers wrote it, the end of its key."""
    for prefix in _AMD:
        if prefix + name in labels:
            return labels[prefix + name]
        for key in sorted(labels):
            if key.startswith(f"{prefix}{name}."):
                return key.removeprefix(f"{prefix}{name}.")
    return ""


def _intel(resource: str, labels: Mapping[str, str]) -> Gpu:
    product = labels.get("gpu.intel.com/product", "").replace("_", " ")
    count = number(labels.get("gpu.intel.com/device.count", 1)) or 1
    memory = number(labels.get("gpu.intel.com/memory.max", 0)) // count
    return Gpu(uuid="", model=product or "Intel GPU", memory=memory, vendor="intel")


def _claimed(node: str, slices: Sequence[Mapping[str, Any]]) -> Iterator[Devices]:
    """The devices that drivers list for the node, by driver. Of a pool only the newest generation
    counts; older slices are about to go."""
    newest: dict[tuple[str, str], int] = {}
    mine = [slice["spec"] for slice in slices if slice["spec"].get("nodeName") == node]
    mine = [spec for spec in mine if spec["driver"] in VENDORS]
    for spec in mine:
        pool = (spec["driver"], spec["pool"]["name"])
        newest[pool] = max(newest.get(pool, 0), spec["pool"].get("generation", 0))
    found: dict[str, dict[str, Gpu]] = {}
    for spec in mine:
        driver, pool = spec["driver"], spec["pool"]["name"]
        if spec["pool"].get("generation", 0) == newest[driver, pool]:
            for device in spec.get("devices") or ():
                if gpu := _listed(driver, pool, device):
                    found.setdefault(driver, {})[f"{driver}/{pool}/{device['name']}"] = gpu
    for driver, gpus in sorted(found.items()):
        keys = {gpu.uuid: key for key, gpu in gpus.items()}
        yield Devices(tuple(gpus.values()), driver=driver, keys=keys)


def _listed(driver: str, pool: str, device: Mapping[str, Any]) -> Gpu | None:
    """A device of a slice; None for what can't be offered as a GPU. A slice that its driver would
    cut from a device when it is claimed is none: with the device it would be sold twice."""
    # Before v1 the same fields stood in "basic".
    body = device.get("basic") or device
    attributes = body.get("attributes") or {}
    kind = _text(attributes, driver, "type") or "gpu"
    if kind not in ("gpu", "mig") or (kind == "mig" and body.get("consumesCounters")):
        return None
    vendor = VENDORS[driver]
    memory = (body.get("capacity") or {}).get("memory") or {}
    return Gpu(
        uuid=_text(attributes, driver, "uuid") or f"{driver}/{pool}/{device['name']}",
        model=_text(attributes, driver, "productName") or f"{vendor.upper()} GPU",
        memory=number(memory.get("value", 0) if isinstance(memory, Mapping) else memory),
        vendor=vendor,
        kind="mig" if kind == "mig" else "gpu",
        profile=_text(attributes, driver, "profile") if kind == "mig" else "",
        link=_text(attributes, driver, "cliqueID"),
        sick=_tainted(body),
    )


def _text(attributes: Mapping[str, Any], driver: str, name: str) -> str:
    value = attributes.get(name) or attributes.get(f"{driver}/{name}") or {}
    return str(value.get("string", ""))


def _tainted(body: Mapping[str, Any]) -> str:
    taints = [t for t in body.get("taints") or () if t.get("effect") in ("NoSchedule", "NoExecute")]
    names = ", ".join("=".join(filter(None, (t["key"], t.get("value")))) for t in taints)
    return f"its driver tainted it: {names}" if names else ""

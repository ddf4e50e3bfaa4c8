"""What is read of a cluster's nodes, from what real plugins and drivers write there."""

from typing import Any

import pytest

from skerry.sites.contract import Gpu
from skerry.sites.kubernetes.nodes import Reading, Used, closed, node_of, requests_of, summed

GIB = 1 << 30
READY = {"type": "Ready", "status": "True"}


def node(
    labels: dict[str, str] | None = None,
    capacity: dict[str, str] | None = None,
    allocatable: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    plain = {"cpu": "96", "memory": "1000Gi", "ephemeral-storage": "500Gi"}
    whole = {**plain, **(capacity or {})}
    return {
        "metadata": {"name": "n1", "labels": labels or {}},
        "spec": spec,
        "status": {
            "capacity": whole,
            "allocatable": {**whole, "cpu": "95500m", **(allocatable or {})},
            "conditions": [READY],
        },
    }


def a_slice(devices: list[dict[str, Any]], generation: int = 1, **more: Any) -> dict[str, Any]:
    pool = {"name": "n1", "generation": generation, "resourceSliceCount": 1}
    spec = {"driver": "gpu.nvidia.com", "nodeName": "n1", "pool": pool, "devices": devices}
    return {"spec": {**spec, **more}}


def device(name: str, **more: Any) -> dict[str, Any]:
    told = {"type": {"string": "gpu"}, "productName": {"string": "NVIDIA H100 80GB HBM3"}}
    return {
        "name": name,
        "attributes": {**told, "uuid": {"string": f"GPU-{name}"}, **more.pop("attributes", {})},
        "capacity": {"memory": {"value": "81559Mi"}},
        **more,
    }


class TestRoom:
    def test_is_what_others_leave(self) -> None:
        others = Used(millicores=1500, memory=10 * GIB, disk=GIB)
        found = node_of(node(), others)
        assert (found.millicores, found.free_millicores) == (95_500, 94_000)
        assert (found.memory, found.free_memory) == (1000 * GIB, 990 * GIB)
        assert (found.disk, found.free_disk) == (500 * GIB, 499 * GIB)

    def test_is_never_below_nothing(self) -> None:
        found = node_of(node(), Used(millicores=1 << 20, memory=1 << 60))
        assert (found.free_millicores, found.free_memory) == (0, 0)

    def test_topology_and_spot_by_the_labels_of_the_field(self) -> None:
        labels = {
            "topology.kubernetes.io/zone": "eu-1a",
            "network.topology.nvidia.com/leaf": "leaf-7",
            "nvidia.com/gpu.clique": "7b968a6d.1",
            "karpenter.sh/capacity-type": "spot",
            "floor": "2",
        }
        found = node_of(node(labels))
        assert (found.zone, found.rack, found.link, found.spot) == (
            "eu-1a", "leaf-7", "7b968a6d.1", True,
        )  # fmt: skip
        assert node_of(node(labels), reading=Reading(rack_label="floor")).rack == "2"
        bare = node_of(node())
        assert (bare.zone, bare.rack, bare.link, bare.spot) == ("", "", "", False)


class TestClosed:
    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ({"unschedulable": True}, "it is cordoned"),
            (
                {"taints": [{"key": "maintenance", "value": "disk", "effect": "NoSchedule"}]},
                "it is tainted maintenance=disk:NoSchedule",
            ),
            ({"taints": [{"key": "slow", "effect": "PreferNoSchedule"}]}, ""),
            ({"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}, ""),
        ],
    )
    def test_by_what_keeps_our_pods_off(self, spec: dict[str, Any], words: str) -> None:
        assert closed(node(**spec)) == words

    def test_by_its_conditions(self) -> None:
        gone = node()
        gone["status"]["conditions"] = [
            {
                "type": "Ready",
                "status": "Unknown",
                "message": "Kubelet stopped posting node status.",
            }
        ]
        assert node_of(gone).closed == "it is not ready: Kubelet stopped posting node status."
        gone["status"]["conditions"] = [READY, {"type": "DiskPressure", "status": "True"}]
        assert node_of(gone).closed == "it runs out of disk"
        gone["status"]["conditions"] = []
        assert node_of(gone).closed == "it has not reported yet"
        gone["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
        assert node_of(gone).closed == "it is being removed from the cluster"


class TestExtendedResources:
    LABELS = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}

    def test_whole_devices(self) -> None:
        found = node_of(node(self.LABELS, {"nvidia.com/gpu": "8"}), Used(resources=GPUS(3)))
        assert {(g.sku, g.memory, g.kind) for g in found.gpus} == {
            ("NVIDIA-A100-SXM4-80GB", 80 * GIB, "gpu")
        }
        assert (len(found.gpus), len(found.free_gpus)) == (8, 5)
        assert len({g.uuid for g in found.gpus}) == 8

    def test_an_unhealthy_one_is_sick(self) -> None:
        found = node_of(node(self.LABELS, {"nvidia.com/gpu": "8"}, {"nvidia.com/gpu": "7"}))
        assert [bool(g.sick) for g in found.gpus] == [False] * 7 + [True]
        assert "unhealthy" in found.gpus[7].sick

    def test_slices_of_one_size_stand_in_for_the_devices(self) -> None:
        labels = {
            "nvidia.com/gpu.product": "A100-SXM4-40GB-MIG-1g.5gb",
            "nvidia.com/gpu.memory": "4864",
            "nvidia.com/mig.strategy": "single",
        }
        found = node_of(node(labels, {"nvidia.com/gpu": "56"}))
        assert {g.sku for g in found.gpus} == {"A100-SXM4-40GB 1g.5gb"}
        assert {g.kind for g in found.gpus} == {"mig"}
        assert len(found.gpus) == 56

    def test_slices_of_several_sizes_stand_beside_them(self) -> None:
        labels = {
            **self.LABELS,
            "nvidia.com/mig-3g.40gb.memory": "40192",
            "nvidia.com/mig-3g.40gb.product": "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb",
        }
        sold = {"nvidia.com/gpu": "4", "nvidia.com/mig-3g.40gb": "2", "nvidia.com/mig-1g.10gb": "3"}
        found = node_of(node(labels, sold), Used(resources={"nvidia.com/mig-3g.40gb": 1}))
        kinds = [(g.sku, g.memory) for g in found.gpus]
        assert kinds.count(("NVIDIA-A100-SXM4-80GB", 80 * GIB)) == 4
        assert kinds.count(("NVIDIA-A100-SXM4-80GB 3g.40gb", 40192 << 20)) == 2
        assert kinds.count(("NVIDIA-A100-SXM4-80GB 1g.10gb", 0)) == 3, "of unknown memory"
        assert len(found.free_gpus) == 8

    @pytest.mark.parametrize(
        ("labels", "resource"),
        [
            ({"nvidia.com/gpu.product": "Tesla-T4-SHARED"}, "nvidia.com/gpu"),
            ({"nvidia.com/gpu.product": "Tesla-T4"}, "nvidia.com/gpu.shared"),
        ],
    )
    def test_turns_on_one_device(self, labels: dict[str, str], resource: str) -> None:
        labels = {**labels, "nvidia.com/gpu.memory": "16384", "nvidia.com/gpu.replicas": "4"}
        found = node_of(node(labels, {resource: "4"}))
        assert {(g.sku, g.kind, g.memory) for g in found.gpus} == {
            ("Tesla-T4 shared", "shared", 4 * GIB)
        }

    @pytest.mark.parametrize(
        "labels",
        [
            {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G"},
            {
                "beta.amd.com/gpu.product-name.AMD_Instinct_MI300X_OAM": "8",
                "beta.amd.com/gpu.vram.192G": "8",
            },
        ],
    )
    def test_of_amd(self, labels: dict[str, str]) -> None:
        (gpu,) = node_of(node(labels, {"amd.com/gpu": "1"})).gpus
        assert (gpu.model, gpu.memory, gpu.vendor) == ("AMD Instinct MI300X OAM", 192 * GIB, "amd")

    def test_of_intel(self) -> None:
        labels = {"gpu.intel.com/product": "Max_1550", "gpu.intel.com/device.count": "2"}
        found = node_of(node(labels, {"gpu.intel.com/i915": "2"}))
        assert [(g.model, g.vendor, g.memory) for g in found.gpus] == [("Max 1550", "intel", 0)] * 2

    def test_without_labels_they_have_no_model_that_somebody_could_ask_for(self) -> None:
        (gpu,) = node_of(node({}, {"nvidia.com/gpu": "1"})).gpus
        assert (gpu.model, gpu.memory) == ("NVIDIA GPU", 0)

    def test_garbage_in_labels_is_unknown(self) -> None:
        labels = {"nvidia.com/gpu.memory": "lots", "nvidia.com/gpu.replicas": "-"}
        (gpu,) = node_of(node(labels, {"nvidia.com/gpu": "1", "example.com/fpga": "4"})).gpus
        assert (gpu.memory, gpu.kind) == (0, "gpu")


class TestDrivers:
    def test_each_device_by_its_uuid(self) -> None:
        found = node_of(
            node({}, {"nvidia.com/gpu": "2"}),
            Used(devices=frozenset({"gpu.nvidia.com/n1/gpu-0"})),
            [a_slice([device("gpu-0"), device("gpu-1")])],
        )
        assert [g.uuid for g in found.gpus] == ["GPU-gpu-0", "GPU-gpu-1"], "and none twice"
        assert found.free_gpus == ("GPU-gpu-1",)
        assert found.gpus[0] == Gpu(
            uuid="GPU-gpu-0", model="NVIDIA H100 80GB HBM3", memory=81559 << 20
        )

    def test_only_the_newest_generation_of_a_pool(self) -> None:
        slices = [a_slice([device("old")], 1), a_slice([device("new")], 2)]
        assert [g.uuid for g in node_of(node(), slices=slices).gpus] == ["GPU-new"]

    def test_a_slice_that_exists_and_one_that_would_be_cut(self) -> None:
        mig = {"type": {"string": "mig"}, "profile": {"string": "1g.10gb"}}
        cut = {"consumesCounters": [{"counterSet": "gpu-0"}]}
        found = node_of(
            node(),
            slices=[
                a_slice([device("there", attributes=mig), device("not", attributes=mig, **cut)])
            ],
        )
        assert [(g.uuid, g.sku) for g in found.gpus] == [
            ("GPU-there", "NVIDIA H100 80GB HBM3 1g.10gb")
        ]

    def test_a_tainted_one_is_sick(self) -> None:
        taint = {"key": "gpu.nvidia.com/xid", "value": "79", "effect": "NoExecute"}
        (gpu,) = node_of(node(), slices=[a_slice([device("gpu-0", taints=[taint])])]).gpus
        assert gpu.sick == "its driver tainted it: gpu.nvidia.com/xid=79"

    def test_of_others_nodes_drivers_and_sorts_nothing_is_taken(self) -> None:
        channel = device("c", attributes={"type": {"string": "channel"}})
        slices = [
            a_slice([device("x")], nodeName="n2"),
            a_slice([device("x")], driver="nic.example.com"),
            a_slice([channel]),
        ]
        assert node_of(node(), slices=slices).gpus == ()

    def test_the_older_form_of_a_slice(self) -> None:
        new = device("gpu-0")
        old = {"name": new.pop("name"), "basic": new}
        old["basic"]["capacity"] = {"memory": "40Gi"}
        (gpu,) = node_of(node(), slices=[a_slice([old])]).gpus
        assert (gpu.uuid, gpu.memory) == ("GPU-gpu-0", 40 * GIB)


def GPUS(count: int) -> dict[str, int]:
    return {"nvidia.com/gpu": count}


def asks(cpu: str, memory: str = "0", **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


class TestPods:
    def test_containers_add_up_and_a_limit_stands_for_a_request(self) -> None:
        limited = {"resources": {"limits": {"nvidia.com/gpu": "2", "memory": "1Gi"}}}
        used = requests_of({"spec": {"containers": [asks("250m", "1Gi"), limited]}})
        assert (used.millicores, used.memory, used.resources) == (250, 2 * GIB, GPUS(2))

    def test_the_most_that_it_ever_needs(self) -> None:
        spec: dict[str, Any] = {
            "initContainers": [
                asks("4"),
                asks("100m", restartPolicy="Always"),
                asks("1"),
            ],
            "containers": [asks("2"), asks("1")],
            "overhead": {"cpu": "10m"},
        }
        assert requests_of({"spec": spec}).millicores == 4010
        spec["initContainers"] = spec["initContainers"][1:]
        assert requests_of({"spec": spec}).millicores == 3110, "with the sidecar"

    def test_its_own_requests_stand_above_those_of_its_containers(self) -> None:
        spec = {"containers": [asks("1")], "resources": {"requests": {"cpu": "3"}}}
        assert requests_of({"spec": spec}).millicores == 3000

    def test_one_that_ended_takes_nothing(self) -> None:
        for phase in ("Succeeded", "Failed"):
            pod = {"spec": {"containers": [asks("1")]}, "status": {"phase": phase}}
            assert requests_of(pod) == Used()

    def test_they_add_up(self) -> None:
        one = requests_of({"spec": {"containers": [asks("1", "1Gi")]}})
        other = Used(resources=GPUS(1), devices=frozenset({"a"}))
        total = summed([one, one, other, other])
        assert total == Used(2000, 2 * GIB, 0, GPUS(2), frozenset({"a"}))
        assert summed([]) == Used()

"""AMD's devices, from a tree such as the kernel shows: two of them, and a processor between."""

import os
import stat
from pathlib import Path

import pytest

from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.gpus import amd
from skerry.sites.local.gpus.device import Gone
from tests.harness.gpus import Nvml
from tests.sites.contract.rig import log, run, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig

FIRST, SECOND = "GPU-00000000000000a1", "GPU-00000000000000b2"


def put(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def tree(sys: Path, dev: Path) -> None:
    nodes = sys / "class/kfd/kfd/topology/nodes"
    put(nodes / "0/gpu_id", 0)
    put(nodes / "0/properties", "cpu_cores_count 64\ndrm_render_minor 0\nunique_id 0")
    for number, (unique, minor) in enumerate(((0xA1, 128), (0xB2, 136)), start=1):
        put(nodes / f"{number}/gpu_id", 5000 + number)
        put(
            nodes / f"{number}/properties",
            f"simd_count 1216\ndrm_render_minor {minor}\nunique_id {unique}\n"
            "gfx_target_version 90402\nvendor_id 4098",
        )
        bank = nodes / f"{number}/mem_banks/0/properties"
        put(bank, f"heap_type 1\nsize_in_bytes {192 << 30}")
        drm = sys / f"class/drm/renderD{minor}/device"
        put(drm / "gpu_busy_percent", 40 * number)
        put(drm / "mem_info_vram_used", 300 << 20)
        put(drm / "hwmon/hwmon3/temp1_input", 51000)
        put(drm / "hwmon/hwmon3/power1_average", 170_000_000)
        (dev / "dri").mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.mknod(dev / f"dri/renderD{minor}", stat.S_IFCHR | 0o660, os.makedev(1, 5))
    put(sys / "class/drm/renderD128/device/product_name", "AMD Instinct MI300X OAM")
    if os.geteuid() == 0:
        os.mknod(dev / "kfd", stat.S_IFCHR | 0o660, os.makedev(1, 3))


@pytest.fixture
def found(tmp_path: Path) -> amd.Amd:
    tree(tmp_path / "sys", tmp_path / "dev")
    vendor = amd.find(tmp_path / "sys", tmp_path / "dev")
    assert isinstance(vendor, amd.Amd)
    return vendor


def test_devices_are_known_by_their_own_numbers(found: amd.Amd) -> None:
    told = [(d.gpu.uuid, d.gpu.model, d.gpu.memory, d.gpu.vendor) for d in found.devices]
    assert told == [
        (FIRST, "AMD Instinct MI300X OAM", 192 << 30, "amd"),
        (SECOND, "AMD gfx942", 192 << 30, "amd"),
    ]


@pytest.mark.parametrize(
    ("version", "name"), [(90402, "gfx942"), (90010, "gfx90a"), (110000, "gfx1100")]
)
def test_models_are_named_as_rocm_names_them(version: int, name: str) -> None:
    assert amd.gfx_of(version) == name


def test_use_is_told(found: amd.Amd) -> None:
    use = found.usage()[SECOND]
    assert (use.busy, use.memory, use.watts, use.celsius) == (0.8, 300 << 20, 170.0, 51.0)


def test_how_it_is_and_who_uses_it(found: amd.Amd, tmp_path: Path) -> None:
    assert found.look(FIRST).sick == ""
    put(tmp_path / "sys/class/kfd/kfd/proc/4711/vram_5001", 1 << 20)
    put(tmp_path / "sys/class/kfd/kfd/proc/4712/vram_5001", 0)
    assert found.look(FIRST).users == (4711,)
    assert found.look(SECOND).users == ()
    put(tmp_path / "sys/class/drm/renderD128/device/ras/umc_err_count", "ue: 2\nce: 9")
    assert "2 errors that could not be corrected" in found.look(FIRST).sick
    (tmp_path / "sys/class/drm/renderD128").rename(tmp_path / "gone")
    with pytest.raises(Gone, match="fallen off the bus"):
        found.look(FIRST)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make device files")
async def test_a_task_opens_its_own_alone(site: LocalDriver, nvml: Nvml, tmp_path: Path) -> None:
    """Though only root and a group may open the host's."""
    nvml.tell(-1, count="0")
    tree(tmp_path / "sys", nvml.dev)
    script = (
        "ls /dev/dri; head -c 1 /dev/dri/renderD136 | od -An -tx1; : </dev/kfd && "
        "echo $ROCR_VISIBLE_DEVICES"
    )
    work = workload(
        LocalRig(tmp_path), Script(), command=("sh", "-c", script), gpus=1, devices=((SECOND,),)
    )
    [task] = (await run(site, work)).tasks
    assert task.gpus == (SECOND,)
    assert (await log(site, work.id)).split() == ["renderD136", "00", SECOND]

"""Real sandboxes with devices: a task opens its own and no other, and finds what it needs."""

import json
import os
import stat
from pathlib import Path

import pytest

from skerry.sites.contract import ImageSource, NoRoom, Refused, TaskStatus
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.gpus import nvidia
from tests.harness.gpus import UUIDS, Nvml
from tests.harness.images import image
from tests.sites.contract.imaging import brought
from tests.sites.contract.rig import log, plain, run, running, upload, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make device files")
READ = (
    "for d in nvidia0 nvidia1 nvidia2 nvidiactl nvidia-uvm; do "
    "if [ -c /dev/$d ]; then echo $d $(head -c 1 /dev/$d 2>&1 | od -An -tx1 | head -c 3); fi; done"
)


async def said(
    site: LocalDriver, tmp_path: Path, script: str, **more: object
) -> tuple[TaskStatus, str]:
    work = workload(LocalRig(tmp_path), Script(), command=("sh", "-c", script), **more)
    [task] = (await run(site, work)).tasks
    text = await log(site, work.id)
    assert task.exit_code == 0, (task, text)
    return task, text


@pytest.mark.parametrize("engine", ["runc", "bubblewrap"])
async def test_a_task_opens_its_own_devices_alone(site: LocalDriver, tmp_path: Path) -> None:
    task, text = await said(
        site,
        tmp_path,
        f"{READ}; echo $NVIDIA_VISIBLE_DEVICES $CUDA_VISIBLE_DEVICES",
        gpus=1,
        devices=((UUIDS[2],),),
    )
    assert task.gpus == (UUIDS[2],)
    *nodes, visible = text.splitlines()
    assert [line.split()[0] for line in nodes] == ["nvidia2", "nvidiactl", "nvidia-uvm"]
    assert visible == f"{UUIDS[2]} {UUIDS[2]}"


@pytest.mark.parametrize("engine", ["runc", "bubblewrap"])
async def test_a_task_without_sees_none(site: LocalDriver, tmp_path: Path) -> None:
    _, text = await said(site, tmp_path, f"{READ}; echo $CUDA_VISIBLE_DEVICES")
    assert text == "-1\n"


@pytest.mark.parametrize("engine", ["runc", "bubblewrap"])
async def test_a_specification_is_followed(
    site: LocalDriver, nvml: Nvml, tmp_path: Path, engine: str
) -> None:
    """Env, device nodes, mounts and NVIDIA's hooks, in the host's userland and in an image."""
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "libown.so.570").write_text("a library")
    (libraries / "libown.so.1").symlink_to("libown.so.570")
    (tmp_path / "settings.json").write_text("settings")
    (tmp_path / "cdi").mkdir()
    spec = {
        "cdiVersion": "0.6.0",
        "kind": "nvidia.com/gpu",
        "devices": [
            {
                "name": str(n),
                "containerEdits": {
                    "env": [f"OWN_{n}=yes"],
                    "deviceNodes": [
                        {"path": f"/dev/nvidia{n}", "hostPath": f"{nvml.dev}/nvidia{n}"}
                    ],
                },
            }
            for n in range(3)
        ],
        "containerEdits": {
            "env": ["NVIDIA_VISIBLE_DEVICES=void", "COMMON=yes"],
            "deviceNodes": [
                {"path": "/dev/nvidiactl", "hostPath": f"{nvml.dev}/nvidiactl", "permissions": "r"}
            ],
            "mounts": [
                {
                    "hostPath": str(libraries / "libown.so.570"),
                    "containerPath": "/opt/driver/libown.so.570",
                    "options": ["ro", "nosuid", "nodev", "bind"],
                },
                {
                    "hostPath": str(tmp_path / "settings.json"),
                    "containerPath": "/etc/vendor/settings.json",
                    "options": ["ro", "bind"],
                },
            ],
            "hooks": [
                {
                    "hookName": "createContainer",
                    "path": "/usr/bin/nvidia-cdi-hook",
                    "args": ["nvidia-cdi-hook", "update-ldcache", "--folder", "/opt/driver"],
                },
                {
                    "hookName": "createContainer",
                    "path": "/usr/bin/nvidia-cdi-hook",
                    "args": [
                        "nvidia-cdi-hook",
                        "create-symlinks",
                        "--link",
                        "libown.so.570::/opt/driver/libown.so",
                    ],
                },
            ],
        },
    }
    (tmp_path / "cdi/nvidia.json").write_text(json.dumps(spec))
    look = (
        f"{READ}; cat /opt/driver/libown.so.570 /etc/vendor/settings.json; echo; "
        "echo $OWN_0 $OWN_1 $COMMON $NVIDIA_VISIBLE_DEVICES; cd /opt/driver; ls; "
        "echo $LD_LIBRARY_PATH; echo x 2>/dev/null >/opt/driver/libown.so.570 && echo written; true"
    )
    asked = {"gpus": 1, "devices": ((UUIDS[1],),)}
    _, text = await said(site, tmp_path, look, **asked)
    words = [line.split()[0] for line in text.splitlines() if line]
    assert words == ["nvidia1", "nvidiactl", "a", "yes", "libown.so.570"]
    assert f"yes yes {UUIDS[1]}" in text
    assert "a librarysettings" in text
    source = ImageSource(archive=await upload(site, image().archive()))
    digest = (await brought(site, source))[-1].digest
    env = {"LD_LIBRARY_PATH": "/my/own"}
    _, text = await said(site, tmp_path, look, image=digest, env=env, **asked)
    lines = text.splitlines()
    assert lines[-4:] == ["libown.so", "libown.so.1", "libown.so.570", "/my/own:/opt/driver"]
    assert [line.split()[0] for line in lines[:2]] == ["nvidia1", "nvidiactl"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hooks": [{"hookName": "createRuntime", "path": "/bin/sh", "args": ["sh"]}]}, "/bin/sh"),
        ({"deviceNodes": [{"path": "/dev/nvidia1", "hostPath": "DEV/nvidia1"}]}, "another device"),
        ({"deviceNodes": [{"path": "/dev/gone"}]}, "does not have"),
        ({"mounts": [{"hostPath": "/etc/gone", "containerPath": "/x"}]}, "does not have"),
        ({"mounts": [{"hostPath": "/etc/hosts", "containerPath": "/proc/x"}]}, "the task's own"),
        ({"mounts": [{"hostPath": "x", "containerPath": "/x", "type": "tmpfs"}]}, ""),
    ],
)
async def test_what_can_not_be_kept_is_refused(
    site: LocalDriver, nvml: Nvml, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    (tmp_path / "cdi").mkdir()
    own = {"deviceNodes": [{"path": "/dev/nvidia0", "hostPath": f"{nvml.dev}/nvidia0"}]}
    spec = {
        "cdiVersion": "1.0.0",
        "kind": "nvidia.com/gpu",
        "devices": [{"name": UUIDS[0], "containerEdits": own}],
        "containerEdits": change,
    }
    text = json.dumps(spec).replace("DEV", str(nvml.dev))
    (tmp_path / "cdi/nvidia.json").write_text(text)
    work = workload(LocalRig(tmp_path), Script().print("x"), gpus=1, devices=((UUIDS[0],),))
    if not words:  # the file as a whole is left out: what is made here is used
        assert (await run(site, work)).tasks[0].exit_code == 0
        return
    with pytest.raises(Refused, match=words) as refused:
        await site.apply(work, 1)
    plain(refused.value)
    assert refused.value.reason == "Cdi"
    assert set((await site.capacity()).free_gpus) == set(UUIDS)


async def test_named_devices_are_kept_to(site: LocalDriver, tmp_path: Path) -> None:
    rig = LocalRig(tmp_path)
    assert (await site.capacity()).pins
    first = workload(rig, Script().stay(), gpus=1, tasks=2, devices=((UUIDS[2],), (UUIDS[0],)))
    await site.apply(first, 1)
    status = await running(site, first.id)
    assert [task.gpus for task in status.tasks] == [(UUIDS[2],), (UUIDS[0],)]
    for devices, words in ((UUIDS[0], "is in use"), ("GPU-none", "there is no device")):
        with pytest.raises(Refused, match=words) as refused:
            await site.apply(workload(rig, Script(), gpus=1, devices=((devices,),)), 1)
        assert isinstance(refused.value, NoRoom) == (devices != "GPU-none")
        plain(refused.value)


async def test_slices_are_devices(
    site: LocalDriver, nvml: Nvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is opened by device files of its own, which the driver tells, and its whole's."""
    monkeypatch.setattr(nvidia, "_CAPABILITIES", tmp_path / "capabilities")
    (nvml.dev / "nvidia-caps").mkdir()
    nvml.tell(0, mig="2")
    for number in range(2):
        for place, minor in (("", 3 + 2 * number), ("ci0", 4 + 2 * number)):
            access = tmp_path / f"capabilities/gpu0/mig/gi{number}" / place / "access"
            access.parent.mkdir(parents=True, exist_ok=True)
            access.write_text(f"DeviceFileMinor: {minor}\nDeviceFileMode: 292\n")
            device = nvml.dev / f"nvidia-caps/nvidia-cap{minor}"
            os.mknod(device, stat.S_IFCHR | 0o400, os.makedev(1, 3))
        nvml.tell(
            100 + number, uuid=f"MIG-{number}", total=str(10 << 30), gi=str(number), ci="0",
            name="NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        )  # fmt: skip
    room = await site.capacity()
    skus = {gpu.uuid: (gpu.kind, gpu.sku) for gpu in room.gpus}
    assert skus == {
        "MIG-0": ("mig", "NVIDIA H100 80GB HBM3 1g.10gb"),
        "MIG-1": ("mig", "NVIDIA H100 80GB HBM3 1g.10gb"),
        UUIDS[1]: ("gpu", "NVIDIA H100 80GB HBM3"),
        UUIDS[2]: ("gpu", "NVIDIA H100 80GB HBM3"),
    }
    task, text = await said(
        site,
        tmp_path,
        f"{READ}; ls /dev/nvidia-caps; echo $CUDA_VISIBLE_DEVICES",
        gpus=1,
        gpu_model="NVIDIA H100 80GB HBM3 1g.10gb",
    )
    assert task.gpus == ("MIG-0",)
    assert text.splitlines()[0].startswith("nvidia0")
    assert text.splitlines()[-3:] == ["nvidia-cap3", "nvidia-cap4", "MIG-0"]
    whole, _ = await said(site, tmp_path, "true", gpus=1)
    assert whole.gpus == (UUIDS[1],)


async def test_what_is_used_is_told_for_each(site: LocalDriver, nvml: Nvml) -> None:
    nvml.tell(1, busy="75", used=str(5 << 30))
    host, _ = await site.usage()
    told = {one.uuid: (one.busy, one.memory, one.watts, one.celsius) for one in host.devices}
    assert told[UUIDS[1]] == (0.75, 5 << 30, 90.0, 41.0)
    assert host.gpu == 0.25

"""CDI specifications as vendors write them: read whole, or left out with the reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.sites.contract import Refused
from skerry.sites.local.gpus import cdi, giving
from skerry.sites.local.gpus.cdi import Edits, Hook

NVIDIA = """
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
    hooks:
    - hookName: createContainer
      path: /usr/bin/nvidia-cdi-hook
      args: [nvidia-cdi-hook, chmod, --mode, "755", --path, /dev/dri]
containerEdits:
  env: [NVIDIA_VISIBLE_DEVICES=void]
  deviceNodes:
  - path: /dev/nvidiactl
  mounts:
  - hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.570.86.15
    containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.570.86.15
    options: [ro, nosuid, nodev, bind]
"""
AMD: dict[str, Any] = {
    "cdiVersion": "1.0.0",
    "kind": "amd.com/gpu",
    "annotations": {"vendor": "AMD"},
    "devices": [
        {
            "name": "0",
            "annotations": {"slot": "1"},
            "containerEdits": {
                "deviceNodes": [{"path": "/dev/dri/renderD128", "hostPath": "/dev/dri/renderD128"}],
                "additionalGids": [109],
            },
        }
    ],
    "containerEdits": {"deviceNodes": [{"path": "/dev/kfd", "permissions": "rw"}]},
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(AMD))
    change(content)
    return content


class TestRead:
    def test_yaml_and_json_are_read_alike(self, tmp_path: Path) -> None:
        (tmp_path / "nvidia.yaml").write_text(NVIDIA)
        (tmp_path / "amd.json").write_text(json.dumps(AMD))
        (tmp_path / "notes.txt").write_text("no specification")
        found = cdi.read([str(tmp_path), str(tmp_path / "absent")])
        assert found.troubles == ()
        [nvidia] = found.of("nvidia.com")
        assert nvidia.name == "nvidia.com/gpu=0"
        assert nvidia.nodes() == {"/dev/nvidia0"}
        assert nvidia.common.env == ("NVIDIA_VISIBLE_DEVICES=void",)
        [amd] = found.of("amd.com")
        assert amd.device.container_edits.additional_gids == (109,)

    def test_the_later_directory_wins(self, tmp_path: Path) -> None:
        for number, directory in enumerate(("etc", "run")):
            (tmp_path / directory).mkdir()
            text = NVIDIA.replace("=void", f"={number}")
            (tmp_path / directory / "nvidia.yaml").write_text(text)
        found = cdi.read([str(tmp_path / "etc"), str(tmp_path / "run")])
        assert [one.common.env for one in found.known] == [("NVIDIA_VISIBLE_DEVICES=1",)]

    def test_two_of_one_directory_hide_the_device(self, tmp_path: Path) -> None:
        for name in ("a.yaml", "b.yaml"):
            (tmp_path / name).write_text(NVIDIA)
        found = cdi.read([str(tmp_path)])
        assert found.known == ()
        assert "nvidia.com/gpu=0 is in" in found.troubles[0]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (changed(lambda c: c.update(cdiVersion="2.0.0")), "not between 0.3 and 1.1"),
            (changed(lambda c: c.update(cdiVersion="new")), "is no version"),
            (changed(lambda c: c.update(kind="gpu")), "is not VENDOR/CLASS"),
            (changed(lambda c: c.update(devices=[])), "names no device"),
            (changed(lambda c: c.update(surprise=1)), "surprise"),
            (changed(lambda c: c["devices"].append(c["devices"][0])), "a device twice"),
            (changed(lambda c: c["devices"][0].update(name="a b")), "no name for a device"),
            (changed(lambda c: c["containerEdits"].update(env=["X"])), "is not NAME=VALUE"),
            (
                changed(lambda c: c["containerEdits"].update(deviceNodes=[{"path": "dev/kfd"}])),
                "no absolute path",
            ),
            (
                changed(
                    lambda c: c["containerEdits"].update(
                        mounts=[{"hostPath": "/a/../etc", "containerPath": "/a"}]
                    )
                ),
                "no absolute path",
            ),
            ({}, "cdiVersion"),
            ([], "object"),
        ],
    )
    def test_what_is_wrong_is_left_out_with_the_reason(
        self, tmp_path: Path, content: object, words: str
    ) -> None:
        (tmp_path / "x.json").write_text(json.dumps(content))
        found = cdi.read([str(tmp_path)])
        assert found.known == ()
        assert words in found.troubles[0]

    @pytest.mark.parametrize("text", ["{", "a: [", "- - -\n\t", "\x00", "&a [*a]"])
    def test_garbage_is_left_out(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "x.yaml").write_text(text)
        assert cdi.read([str(tmp_path)]).known == ()
        assert cdi.read([str(tmp_path)]).troubles


def hook(*args: str, path: str = "/usr/bin/nvidia-cdi-hook", name: str = "createContainer") -> Hook:
    return Hook(hook_name=name, path=path, args=args)


class TestHooks:
    def test_what_they_would_do_is_known(self) -> None:
        links, libraries = giving.hooked(
            [
                hook("nvidia-ctk", "hook", "update-ldcache", "--folder", "/usr/lib64",
                     path="/usr/bin/nvidia-ctk"),
                hook("nvidia-cdi-hook", "create-symlinks", "--link", "libcuda.so.1::/l/libcuda.so",
                     "--link=../x::/l/y"),
                hook("nvidia-cdi-hook", "disable-device-node-modification"),
                hook("nvidia-cdi-hook", "enable-cuda-compat", "--host-driver-version=570.86.15"),
            ]
        )  # fmt: skip
        assert links == [("libcuda.so.1", "/l/libcuda.so"), ("../x", "/l/y")]
        assert libraries == ["/usr/lib64"]

    @pytest.mark.parametrize(
        "refused",
        [
            hook("sh", "-c", "reboot", path="/bin/sh"),
            hook("nvidia-cdi-hook", "format-disk"),
            hook("nvidia-cdi-hook", "update-ldcache", name="poststop"),
        ],
    )
    def test_all_others_are_refused_in_words(self, refused: Hook) -> None:
        with pytest.raises(Refused, match="CDI specification wants"):
            giving.hooked([refused])

    def test_edits_of_several_devices_are_one(self) -> None:
        one = Edits(env=("A=1",), hooks=(hook("x", "chmod"),))
        other = Edits(env=("A=1", "B=2"), hooks=(hook("x", "chmod"),))
        merged = giving.merged([one, other])
        assert (merged.env, len(merged.hooks)) == (("A=1", "B=2"), 1)

    def test_network_devices_are_refused(self, tmp_path: Path) -> None:
        spec = cdi.convert(
            changed(lambda c: c["containerEdits"].update(netDevices=[{"name": "eth1"}]))
        )
        with pytest.raises(Refused, match="netDevices"):
            giving.merged([spec.container_edits])

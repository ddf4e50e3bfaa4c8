"""Edits made here, for hosts whose vendor wrote no specification: the driver's files, found where
its installers put them.

The libraries of NVIDIA's driver carry its version in their names, and lie beside ``libcuda``: all
of that version are shown, as their own tool does. Firmware, Vulkan's and EGL's descriptions and
the driver's programs come along where they are.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from skerry.sites.local.gpus.cdi import Edits, Hook, Node, Place

_DIRECTORIES = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/lib64",
    "/usr/lib64/nvidia",
    "/usr/local/nvidia/lib64",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
)
_FIRST = ("libcuda.so", "libnvidia-ml.so")
"""The libraries that everything else lies beside."""
_PROGRAMS = (
    "nvidia-smi",
    "nvidia-debugdump",
    "nvidia-persistenced",
    "nvidia-cuda-mps-control",
    "nvidia-cuda-mps-server",
)
_FURTHER = (
    "/run/nvidia-persistenced/socket",
    "/etc/vulkan/icd.d/nvidia_icd.json",
    "/etc/vulkan/implicit_layer.d/nvidia_layers.json",
    "/usr/share/vulkan/icd.d/nvidia_icd.json",
    "/usr/share/glvnd/egl_vendor.d/10_nvidia.json",
    "/usr/share/egl/egl_external_platform.d/15_nvidia_gbm.json",
    "/usr/share/nvidia/nvoptix.bin",
)
_SHOWN = ("ro", "nosuid", "nodev", "bind")


def nodes(paths: Iterable[str], dev: Path) -> Edits:
    """Device files below ``dev``, which are below ``/dev`` in the container."""
    pairs = ((path, f"/dev/{Path(path).relative_to(dev)}") for path in paths)
    return Edits(device_nodes=tuple(Node(path=inside, host_path=host) for host, inside in pairs))


def nvidia(version: str, shared: Edits) -> Edits:
    """What every task with a device of NVIDIA's needs, besides ``shared`` device files."""
    directory = _beside_libcuda()
    files = sorted(directory.glob(f"lib*.so.{version}")) if directory else []
    if directory:
        files += sorted((directory / "vdpau").glob(f"lib*.so.{version}"))
    files += [Path(found) for name in _PROGRAMS if (found := shutil.which(name))]
    files += sorted(Path(f"/lib/firmware/nvidia/{version}").glob("gsp*.bin"))
    files += [Path(name) for name in _FURTHER if os.path.exists(name)]
    hooks = []
    if directory:
        link = f"libcuda.so.1::{directory}/libcuda.so"
        for arguments in (
            ("create-symlinks", "--link", link),
            ("update-ldcache", "--folder", str(directory)),
        ):
            hooks.append(
                Hook(
                    hook_name="createContainer",
                    path="/usr/bin/nvidia-cdi-hook",
                    args=("nvidia-cdi-hook", *arguments),
                )
            )
    return Edits(
        device_nodes=shared.device_nodes,
        mounts=tuple(
            Place(host_path=str(file), container_path=str(file), options=_SHOWN) for file in files
        ),
        hooks=tuple(hooks),
    )


def _beside_libcuda() -> Path | None:
    """By the loader's cache, then by the usual places."""
    for directory in (*_of_cache(), *_DIRECTORIES):
        if any((Path(directory) / f"{name}.1").exists() for name in _FIRST):
            return Path(os.path.realpath(directory))
    return None


def _of_cache() -> list[str]:
    found: list[str] = []
    program = shutil.which("ldconfig", path="/sbin:/usr/sbin:/usr/bin")
    if program is None:
        return found
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            [program, "-p"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        for line in said.splitlines():
            name, _, path = line.strip().partition(" => ")
            if name.startswith(_FIRST) and ("x86-64" in name or "AArch64" in name):
                found.append(os.path.dirname(path))
    return found


def names_of(file: str) -> list[str]:
    """The names by which programs ask for a library that is called otherwise, such as
    ``libcuda.so.1``: the links to it that lie beside it."""
    directory, real = os.path.dirname(file), os.path.realpath(file)
    found: list[str] = []
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            other = ".so" in entry.name and entry.is_symlink() and entry.path != file
            if other and os.path.realpath(entry.path) == real:
                found.append(entry.path)
    return sorted(found)

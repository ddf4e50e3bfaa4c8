"""The Container Device Interface: what vendors say a container needs to use a device.

Specifications of versions 0.3 to 1.1 are read, JSON or YAML, from ``/etc/cdi``, ``/var/run/cdi``
and where the operator says; of two that name the same device the later directory wins, and two of
one directory are a conflict that hides the device, as the standard wants. A file that can't be
read, or asks for what this reader does not know, is left out with its reason, never half read.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import yaml

DIRECTORIES = ("/etc/cdi", "/var/run/cdi")
"""The standard's own, the later the stronger."""
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_OLDEST, _NEWEST = (0, 3), (1, 1)
_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?")
_MOST = 4 << 20
"""Bytes of a file."""


class Struct(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class Node(Struct, frozen=True):
    """A device file."""

    path: str
    host_path: str = ""
    type: str = ""
    major: int = 0
    minor: int = 0
    file_mode: int | None = None
    permissions: str = ""
    uid: int | None = None
    gid: int | None = None

    @property
    def source(self) -> str:
        return self.host_path or self.path


class Place(Struct, frozen=True):
    """A mount."""

    host_path: str
    container_path: str
    options: tuple[str, ...] = ()
    type: str = ""


class Hook(Struct, frozen=True):
    hook_name: str
    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None


class Edits(Struct, frozen=True):
    """What is to be changed of a container. ``intelRdt`` and ``netDevices`` are known by name, to
    be refused by name."""

    env: tuple[str, ...] = ()
    device_nodes: tuple[Node, ...] = ()
    mounts: tuple[Place, ...] = ()
    hooks: tuple[Hook, ...] = ()
    additional_gids: tuple[int, ...] = ()
    intel_rdt: msgspec.Raw | None = None
    net_devices: tuple[msgspec.Raw, ...] = ()


class Device(Struct, frozen=True):
    name: str
    container_edits: Edits
    annotations: dict[str, str] = {}


class Spec(Struct, frozen=True):
    cdi_version: str
    kind: str
    devices: tuple[Device, ...]
    annotations: dict[str, str] = {}
    container_edits: Edits = Edits()


class Known(msgspec.Struct, frozen=True):
    """One device and what goes with it."""

    kind: str
    device: Device
    common: Edits
    file: str

    @property
    def name(self) -> str:
        return f"{self.kind}={self.device.name}"

    def nodes(self) -> frozenset[str]:
        """The host's device files that it brings by itself."""
        return frozenset(node.source for node in self.device.container_edits.device_nodes)


class Registry:
    """All devices that specifications name, and ``troubles``: why some are not among them."""

    def __init__(self, known: Iterable[Known] = (), troubles: Sequence[str] = ()) -> None:
        self.known = tuple(known)
        self.troubles = tuple(troubles)

    def of(self, vendor: str) -> tuple[Known, ...]:
        """Those of a vendor such as ``nvidia.com``."""
        return tuple(one for one in self.known if one.kind.partition("/")[0] == vendor)


def read(directories: Iterable[str]) -> Registry:
    """What the files there say now."""
    found: dict[str, Known] = {}
    troubles: list[str] = []
    for directory in directories:
        level: dict[str, Known] = {}
        twice: set[str] = set()
        for path in _files(Path(directory)):
            try:
                spec = load(path)
            except (OSError, ValueError) as error:
                troubles.append(f"{path} is left out: {error}")
                continue
            for device in spec.devices:
                one = Known(spec.kind, device, spec.container_edits, str(path))
                if one.name in level:
                    twice.add(one.name)
                    troubles.append(f"{one.name} is in {level[one.name].file} and in {path}")
                level[one.name] = one
        found |= level
        for name in twice:
            del found[name]
    return Registry(found.values(), troubles)


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(p for p in directory.iterdir() if p.suffix in (".json", ".yaml", ".yml"))


def load(path: Path) -> Spec:
    """One file. Raises ``OSError``, or ``ValueError`` that says what is wrong with it."""
    if path.stat().st_size > _MOST:
        raise ValueError(f"it is longer than {_MOST >> 20} MiB")
    text = path.read_text()
    try:
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {error}") from error
    return convert(content)


def convert(content: object) -> Spec:
    """Raises ``ValueError``."""
    # By way of JSON, so that what is only known by name can be anything.
    try:
        spec = msgspec.json.decode(msgspec.json.encode(content), type=Spec)
    except (RecursionError, TypeError) as error:
        raise ValueError(f"it is no specification: {error}") from error
    version = _VERSION.fullmatch(spec.cdi_version)
    if version is None:
        raise ValueError(f"cdiVersion {spec.cdi_version!r} is no version")
    if not _OLDEST <= (int(version[1]), int(version[2])) <= _NEWEST:
        raise ValueError(f"cdiVersion {spec.cdi_version} is not between 0.3 and 1.1")
    if not _KIND.fullmatch(spec.kind):
        raise ValueError(f"kind {spec.kind!r} is not VENDOR/CLASS")
    if not spec.devices:
        raise ValueError("it names no device")
    names = [device.name for device in spec.devices]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a device")
    if len(set(names)) < len(names):
        raise ValueError("it names a device twice")
    for edits in (spec.container_edits, *(device.container_edits for device in spec.devices)):
        _check(edits)
    return spec


HookName = Literal[
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"
]


def _check(edits: Edits) -> None:
    for variable in edits.env:
        if "=" not in variable or variable.startswith("="):
            raise ValueError(f"env {variable!r} is not NAME=VALUE")
    for node in edits.device_nodes:
        _absolute(node.path, node.source)
        if node.type not in ("", "b", "c", "u", "p"):
            raise ValueError(f"{node.path} is of no type that a device has: {node.type!r}")
        if not set(node.permissions) <= set("rwm"):
            raise ValueError(f"{node.path} has the permissions {node.permissions!r}")
    for mount in edits.mounts:
        _absolute(mount.host_path, mount.container_path)
    for hook in edits.hooks:
        _absolute(hook.path)
        if hook.hook_name not in HookName.__args__:  # type: ignore[attr-defined]
            raise ValueError(f"{hook.hook_name!r} is no hook")


def _absolute(*paths: str) -> None:
    for path in paths:
        if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise ValueError(f"{path!r} is no absolute path")

"""From edits to what one task gets: binds, places to mount them on, variables.

**Device files** are made anew for the task, beside its directory, with the numbers of the host's:
whoever owns ``/dev/kfd`` and whatever its mode, the task may open its own, and nobody else on the
host comes near it. An agent without root's rights binds the host's.

**Mounts.** A task in the host's own userland sees the driver's libraries already; only what it
does not see is bound. In an image all are, and under the names that programs ask for.

**Hooks** are programs that run as root on the host. None is run: what NVIDIA's own do to a
container is done here by other means, or needs no doing; every other one is refused by name.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

from skerry.sites.contract import Refused
from skerry.sites.local.gpus.cdi import Edits, Hook, Node, Place
from skerry.sites.local.gpus.libraries import names_of
from skerry.sites.local.view import Bind, View

_TOOLS = ("nvidia-cdi-hook", "nvidia-ctk", "nvidia-container-toolkit.cdi-hook")
_WHEN = ("createContainer", "startContainer", "prestart", "createRuntime")
_NEEDLESS = frozenset(("chmod", "enable-cuda-compat", "disable-device-node-modification"))
"""Modes of directories that every task may look into here; a choice between the driver's library
and an image's own, which is left to the image; and to keep a library from making device files,
which no task can."""
_MADE_BY_ENGINES = ("/dev", "/tmp", "/sys")  # noqa: S108 - in the sandbox
_T = TypeVar("_T")
_NOT_THERE = ("/proc", "/work", "/.skerry")


@dataclass(frozen=True)
class Given:
    """What a task gets for its devices."""

    binds: tuple[Bind, ...] = ()
    places: tuple[str, ...] = ()
    """Directories that its root is to have, and ..."""
    files: tuple[str, ...] = ()
    """... files, to mount on."""
    env: dict[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    """Directories where its loader is to look, too."""


def merged(every: Iterable[Edits]) -> Edits:
    """All together, each thing once, in order. Raises ``Refused`` for what none here can do."""
    edits = tuple(every)
    for one in edits:
        if one.intel_rdt is not None or one.net_devices:
            raise _refused("wants intelRdt or netDevices, which are not given to tasks here")
    return Edits(
        env=_once(word for one in edits for word in one.env),
        device_nodes=_once(node for one in edits for node in one.device_nodes),
        mounts=_once(mount for one in edits for mount in one.mounts),
        hooks=_once(hook for one in edits for hook in one.hooks),
        additional_gids=_once(gid for one in edits for gid in one.additional_gids),
    )


def give(edits: Edits, directory: Path, view: View, *, image: bool, root: bool) -> Given:
    """``directory`` is the task's own. Raises ``Refused`` and ``OSError``."""
    links, libraries = hooked(edits.hooks)
    binds = [Bind("/sys", "/sys"), *_nodes(edits.device_nodes, directory / "devices", root)]
    mounts = [*_mounts(edits.mounts, named=image), *_links(links, edits.mounts, image)]
    places: list[str] = []
    files: list[str] = []
    for bind in mounts:
        if any(PurePosixPath(bind.target).is_relative_to(place) for place in _NOT_THERE):
            raise _refused(f"mounts something at {bind.target}, which is the task's own")
        if not image:
            if _seen_already(bind, view):
                continue
            if view.shows(bind.target) and not os.path.exists(bind.target):
                raise _refused(f"mounts {bind.target}, which this host does not have: use an image")
            if not view.shows(bind.target) and not bind.target.startswith(_MADE_BY_ENGINES):
                (places if os.path.isdir(bind.source) else files).append(bind.target)
        binds.append(bind)
    env = dict(word.split("=", 1) for word in edits.env)
    ours = tuple(dict.fromkeys(libraries)) if image else ()
    return Given(tuple(_apart(binds)), tuple(places), tuple(files), env, ours)


def _nodes(nodes: Sequence[Node], directory: Path, root: bool) -> Iterator[Bind]:
    for number, node in enumerate(nodes):
        mode, device = _of_host(node)
        source = node.source
        if root and not _no_devices(directory.parent):
            directory.mkdir(mode=0o711, exist_ok=True)
            source = str(directory / str(number))
            if not os.path.exists(source):
                os.mknod(source, stat.S_IFMT(mode) | 0o666, device)
                os.chmod(source, 0o666)  # noqa: S103 - nobody else comes near it
        access = node.permissions.replace("m", "") or "rw"
        yield Bind(source, node.path, device=True, access=access)


def _of_host(node: Node) -> tuple[int, int]:
    """Type and number of the host's device file, or those that the specification gives."""
    try:
        found = os.stat(node.source)
    except FileNotFoundError:
        if not node.major:
            raise _refused(f"wants {node.source}, which this host does not have") from None
        kind = stat.S_IFBLK if node.type == "b" else stat.S_IFCHR
        return kind, os.makedev(node.major, node.minor)
    if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        raise _refused(f"calls {node.source} a device, which it is not")
    return found.st_mode, found.st_rdev


def _no_devices(directory: Path) -> bool:
    return bool(os.statvfs(directory).f_flag & os.ST_NODEV)


def _mounts(mounts: Sequence[Place], *, named: bool) -> Iterator[Bind]:
    """With ``named`` a library is bound by the other names of the host's, too."""
    for mount in mounts:
        if mount.type not in ("", "bind") and "bind" not in mount.options:
            raise _refused(f"mounts a {mount.type} at {mount.container_path}: only binds are known")
        if not os.path.exists(mount.host_path):
            raise _refused(f"mounts {mount.host_path}, which this host does not have")
        writable = "ro" not in mount.options
        source = os.path.realpath(mount.host_path)
        yield Bind(source, mount.container_path, writable)
        if named and os.path.isfile(source):
            above = os.path.dirname(mount.container_path)
            for name in names_of(mount.host_path):
                yield Bind(source, f"{above}/{os.path.basename(name)}")


def _links(links: Sequence[tuple[str, str]], mounts: Sequence[Place], image: bool) -> list[Bind]:
    """A link in the container is a bind of what it leads to: a task in the host's userland has
    those of the host."""
    known = {mount.container_path: mount.host_path for mount in mounts}
    found = []
    for target, link in links if image else ():
        path = os.path.normpath(os.path.join(os.path.dirname(link), target))
        source = os.path.realpath(known.get(path, path))
        if os.path.exists(source):
            found.append(Bind(source, link))
    return found


def _seen_already(bind: Bind, view: View) -> bool:
    same = os.path.realpath(bind.target) == bind.source
    return same and not bind.writable and view.shows(bind.target)


def _apart(binds: Iterable[Bind]) -> list[Bind]:
    """One for each target, what lies above another first."""
    last = {bind.target: bind for bind in binds}
    return sorted(last.values(), key=lambda bind: len(PurePosixPath(bind.target).parts))


def hooked(hooks: Sequence[Hook]) -> tuple[list[tuple[str, str]], list[str]]:
    """What the hooks would do: links (what they lead to, and where they are), and directories of
    libraries. Raises ``Refused``."""
    links: list[tuple[str, str]] = []
    libraries: list[str] = []
    for hook in hooks:
        name = os.path.basename(hook.path)
        words = [word for word in hook.args[1:] if word != "hook"]
        verb = words[0] if words else ""
        if name not in _TOOLS or hook.hook_name not in _WHEN:
            raise _refused(
                f"wants {hook.path} {verb} run as root ({hook.hook_name}): no hook is run but "
                "those of NVIDIA's own tool, which are done without it"
            )
        if verb == "create-symlinks":
            for pair in _options(words, "--link"):
                target, apart, link = pair.partition("::")
                if apart and link.startswith("/"):
                    links.append((target, link))
        elif verb in ("update-ldcache", "create-soname-symlinks"):
            libraries += _options(words, "--folder")
        elif verb not in _NEEDLESS:
            raise _refused(f"wants the hook {name} {verb}, which is not known here")
    return links, libraries


def _options(words: Sequence[str], name: str) -> list[str]:
    found = []
    for place, word in enumerate(words):
        if word.startswith(f"{name}="):
            found += word.partition("=")[2].split(",")
        elif word == name and place + 1 < len(words):
            found += words[place + 1].split(",")
    return found


def _once(things: Iterable[_T]) -> tuple[_T, ...]:
    found: list[_T] = []
    for thing in things:
        if thing not in found:
            found.append(thing)
    return tuple(found)


def _refused(words: str) -> Refused:
    return Refused("Cdi", f"the device's CDI specification {words}")

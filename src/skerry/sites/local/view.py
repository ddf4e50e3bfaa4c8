"""What a sandboxed task sees of the host: its userland, read-only, and nothing else.

The *skeleton* is a directory that becomes the task's root: empty directories to mount on, the
host's own top-level links (``/bin`` to ``usr/bin``), and a small ``/etc`` of its own. Onto it the
engines bind ``/usr`` and its like, a few harmless parts of ``/etc``, and the operator's extra
places. So ``/home``, ``/root``, ``/var``, ``/srv`` and all data are not hidden but simply absent.

**Python.** The Python that runs Skerry is always among the extra places, at its own path, as it
may live in somebody's home (pyenv, uv): its installation directory alone, with empty parents.
Commands are looked for along the agent's own ``PATH``, as far as it can be seen, then in the
usual places, and last in the extra ones.

The skeleton is only ever added to: sandboxes that run have it as their root.
"""

import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TOP = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store", "gnu/store")
_EMPTY = (
    ".skerry",
    "dev",
    "environment",
    "home",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "var",
    "work",
)
_USUAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ETC = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "fonts",
    "java*",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "os-release",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
)
"""Parts of the host's ``/etc`` that programs read and that tell nothing about the host's users."""
_OWN = {
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "host.conf": "multi on\n",
}
_NOT_WHOLE = ("/", "/home", "/root", "/var", "/etc", "/proc", "/sys", "/dev", "/run")


@dataclass(frozen=True)
class Bind:
    """``source`` of the host is seen at ``target``, without what could be mounted below."""

    source: str
    target: str
    writable: bool = False
    device: bool = False
    access: str = "rw"
    """Of a device: whether it may be read and written."""

    def device_number(self) -> tuple[str, int, int]:
        """Of a device: ``c`` or ``b``, major and minor. Raises ``OSError``."""
        found = os.stat(self.source)
        kind = "b" if stat.S_ISBLK(found.st_mode) else "c"
        return kind, os.major(found.st_rdev), os.minor(found.st_rdev)


class View:
    """``binds`` and ``path`` (for ``PATH``) are what an engine needs besides ``skeleton``."""

    def __init__(self, skeleton: Path, extra: Iterable[str], devices: Iterable[str] = ()) -> None:
        """``extra``: more of the host's places to show. Raises ``ValueError`` for bad ones."""
        self.skeleton = skeleton
        places = [_checked(place) for place in (*extra, sys.base_prefix)]
        self.binds = [*_userland(), *_etc()]
        for place in dict.fromkeys(places):
            if not self.shows(place):
                self.binds.append(Bind(os.path.realpath(place), place))
        usual = [d for d in (*os.get_exec_path(), *_USUAL.split(":")) if self.shows(d)]
        last = [f"{place}/bin" for place in places]
        self.path = ":".join(d for d in dict.fromkeys([*usual, *last]) if os.path.isdir(d))

    def shows(self, path: str) -> bool:
        """Whether an absolute path of the host is to be seen."""
        real = os.path.realpath(path)
        return any(
            path == bind.target or path.startswith(f"{bind.target}/") or real == bind.source
            for bind in self.binds
        ) or (real != path and self.shows(real))

    def holds(self, path: str) -> bool:
        """Whether an absolute path in the sandbox is part of what is shown there of the host."""
        parts = Path(path).parts
        return parts[1] in (*_TOP, "etc") or any(
            Path(path).is_relative_to(bind.target) for bind in self.binds
        )

    def taken(self, path: str) -> bool:
        """Whether no file of a task's own can be put there."""
        own = Path(path).parts[1] == "etc" and not (self.skeleton / path.lstrip("/")).exists()
        inside = any(Path(path).is_relative_to(bind.target) for bind in self.binds)
        return inside or (self.holds(path) and not own)

    def build_at(self, root: Path, places: Iterable[str], files: Iterable[str] = ()) -> None:
        """Make a skeleton for one task alone, with directories to mount on at ``places``, and
        empty ``files``."""
        own = View(root, (), ())
        own.binds, own.path = self.binds, self.path
        own.build()
        for place in places:
            _directory(root / place.lstrip("/"))
        for file in files:
            _file(root / file.lstrip("/"), "")

    def build(self) -> None:
        """Make the skeleton, or what is missing of it."""
        for name in (*_EMPTY, "etc"):
            _directory(self.skeleton / name)
        # runc gives a file system mounted on a directory that directory's mode.
        (self.skeleton / "tmp").chmod(0o1777)
        for name in _TOP:
            source = Path("/", name)
            if source.is_symlink():
                _link(self.skeleton / name, os.readlink(source))
        for bind in self.binds:
            target = self.skeleton / bind.target.lstrip("/")
            if os.path.isdir(bind.source):
                _directory(target)
            else:
                _file(target, "")
        for name, text in {**_OWN, "passwd": "", "group": "", "resolv.conf": ""}.items():
            _file(self.skeleton / "etc" / name, text)
        for path in _etc_paths():
            if path.is_symlink():
                _link(self.skeleton / str(path).lstrip("/"), os.readlink(path))
        _link(self.skeleton / "etc/mtab", "/proc/self/mounts")
        _link(self.skeleton / "var/tmp", "/tmp")  # noqa: S108 - the task's own


def accounts(uid: int) -> tuple[str, str]:
    """``passwd`` and ``group`` in which ``uid`` has a name."""
    passwd = (
        "root:x:0:0::/root:/usr/sbin/nologin\n"
        f"skerry:x:{uid}:{uid}::/work:/bin/sh\n"
        "nobody:x:65534:65534::/:/usr/sbin/nologin\n"
    )
    return passwd, f"root:x:0:\nskerry:x:{uid}:\nnogroup:x:65534:\n"


def _userland() -> list[Bind]:
    paths = [f"/{name}" for name in _TOP]
    return [Bind(p, p) for p in paths if os.path.isdir(p) and not os.path.islink(p)]


def _etc_paths() -> list[Path]:
    return [path for pattern in _ETC for path in sorted(Path("/etc").glob(pattern))]


def _etc() -> list[Bind]:
    return [Bind(str(p), str(p)) for p in _etc_paths() if not p.is_symlink()]


def _checked(place: str) -> str:
    plain = os.path.normpath(place)
    if not os.path.isabs(place) or plain in _NOT_WHOLE or plain == os.path.expanduser("~"):
        raise ValueError(f"{place!r} is no place that tasks may see: name one below it")
    return plain


def _directory(path: Path) -> None:
    """Open to look into for all, whatever the umask."""
    if not path.is_dir():
        if path.parent != path:
            _directory(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)


def _file(path: Path, text: str) -> None:
    _directory(path.parent)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o644)


def _link(path: Path, target: str) -> None:
    _directory(path.parent)
    if not path.is_symlink():
        path.symlink_to(target)

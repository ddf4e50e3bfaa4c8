"""What an image says about how it is to be run: its configuration, in our own words."""

import os
import stat
from pathlib import Path

import msgspec

from skerry.sites.contract import Refused
from skerry.sites.local.images.copy import check_platform
from skerry.sites.local.images.facts import RECORD, Image
from skerry.sites.local.state import NUMBERS, load, save

_LONGEST = 1 << 20
"""Bytes of an image's ``passwd`` or ``group`` that are read."""


class _Settings(msgspec.Struct, kw_only=True):
    entrypoint: list[str] | None = msgspec.field(name="Entrypoint", default=None)
    cmd: list[str] | None = msgspec.field(name="Cmd", default=None)
    env: list[str] | None = msgspec.field(name="Env", default=None)
    directory: str | None = msgspec.field(name="WorkingDir", default=None)
    user: str | None = msgspec.field(name="User", default=None)


class _Config(msgspec.Struct, kw_only=True):
    os: str = ""
    architecture: str = ""
    settings: _Settings | None = msgspec.field(name="config", default=None)


def read(config: bytes, rootfs: Path, digest: str) -> Image:
    """From the image's own configuration and files. Raises ``Refused``."""
    settings = _decoded(config).settings or _Settings()
    env = dict(pair.partition("=")[::2] for pair in settings.env or ())
    command = (*(settings.entrypoint or ()), *(settings.cmd or ()))
    directory = settings.directory or ""
    texts = [*command, *env, *env.values(), directory]
    if any("\0" in text for text in texts) or "" in env:
        raise Refused("BadImage", "its configuration holds NUL bytes or a variable without a name")
    uid, gid, groups, home = _user(settings.user or "", rootfs)
    return Image(
        digest=digest,
        command=command,
        env=env,
        directory=directory if directory.startswith("/") and directory != "/" else "",
        uid=uid,
        gid=gid,
        groups=groups,
        home=home,
    )


def check_machine(config: bytes) -> None:
    """Refuse (``NoPlatform``, ``BadImage``) what can't run here."""
    found = _decoded(config)
    check_platform(found.os, found.architecture)


def _decoded(config: bytes) -> _Config:
    try:
        return msgspec.json.decode(config, type=_Config)
    except msgspec.MsgspecError as error:
        raise Refused("BadImage", f"its configuration can't be read: {error}") from error


def keep(image: Image, entry: Path) -> None:
    save(entry / RECORD, image)


def load_image(entry: Path) -> Image | None:
    return load(entry / RECORD, Image)


def _user(text: str, rootfs: Path) -> tuple[int, int, tuple[int, ...], str]:
    """Numbers and home of ``name``, ``uid``, ``name:group``, …, as every engine reads it."""
    name, _, group = text.partition(":")
    accounts = [line.split(":") for line in _lines(rootfs, "passwd")]
    known = [a for a in accounts if len(a) >= 6 and a[2].isdecimal() and a[3].isdecimal()]
    wanted = name or "0"
    account = next((a for a in known if wanted in (a[0], a[2])), None)
    if account is not None:
        uid, gid, home = int(account[2]), int(account[3]), account[5] or "/"
    elif wanted.isdecimal():
        uid, gid, home = int(wanted), 0, "/"
    else:
        raise Refused("BadImage", f"it is to run as user {name[:64]!r}, whom it does not know")
    entries = [line.split(":") for line in _lines(rootfs, "group")]
    teams = [g for g in entries if len(g) >= 4 and g[2].isdecimal()]
    groups: tuple[int, ...] = ()
    if group:
        found = next((g for g in teams if group in (g[0], g[2])), None)
        if found is None and not group.isdecimal():
            raise Refused("BadImage", f"it is to run as group {group[:64]!r}, unknown to it")
        gid = int(found[2]) if found is not None else int(group)
    elif account is not None:
        groups = tuple(int(g[2]) for g in teams if account[0] in g[3].split(","))
    for number in (uid, gid, *groups):
        if number >= NUMBERS:
            raise Refused("BadImage", f"it is to run as number {number}; the highest is 65535")
    return uid, gid, groups, home if home.startswith("/") else "/"


def _lines(rootfs: Path, name: str) -> list[str]:
    """Of a file of the image's ``/etc``. Links count as not there: they may lead anywhere."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        directory = os.open(rootfs / "etc", flags | os.O_DIRECTORY)
        try:
            file = os.open(name, flags, dir_fd=directory)
        finally:
            os.close(directory)
    except OSError:
        return []
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return []
        return os.read(file, _LONGEST).decode(errors="replace").splitlines()
    finally:
        os.close(file)

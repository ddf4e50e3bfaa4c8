"""Processes as Linux shows them: who owns one, where it works, when it ends.

Also how to start one that refuses to be root, which Postgres does (``launcher``).
"""

import asyncio
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.store.errors import StoreError

SYSTEM_USERS = ("skerry", "postgres")
"""Whom a root without user namespaces becomes, the first that exists."""


@dataclass(frozen=True)
class Launcher:
    """How to start a program that must not see itself as root."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    @property
    def owner(self) -> int:
        """The uid that the program's files have, seen from here."""
        return os.geteuid() if self.user is None else self.user

    def popen(
        self, command: Sequence[str | Path], *, cwd: Path, output: int
    ) -> subprocess.Popen[bytes]:
        """Start in a session of its own, so that a terminal's ^C does not reach it."""
        return subprocess.Popen(
            [*self.prefix, *command],
            cwd=cwd,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
        )


def launcher() -> Launcher:
    """Choose how to start Postgres for whoever we are.

    An ordinary user starts it as it is. Root starts it in a user namespace where root's uid
    bears another number: Postgres then sees an ordinary user, its files stay root's, and nothing
    is created or opened to others. So does a uid without a name, because initdb insists on one.
    Where user namespaces are forbidden (some containers), root becomes a system user.
    """
    uid = os.geteuid()
    if uid != 0 and _has_name(uid):
        return Launcher()
    named = min((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), default=1000)
    unshare = shutil.which("unshare")
    if unshare is not None:
        prefix = (unshare, "--user", f"--map-user={named}", f"--map-group={named}")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return Launcher(prefix=prefix)
    if uid != 0:
        raise StoreError(
            f"User {uid} has no name on this system, and user namespaces are forbidden.",
            "Add the user to /etc/passwd, or set DATABASE_URL to a Postgres of your own.",
        )
    return _system_user()


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _system_user() -> Launcher:
    for name in SYSTEM_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Launcher(user=entry.pw_uid, group=entry.pw_gid)
    raise StoreError(
        "Postgres refuses to run as root, and user namespaces are forbidden here.",
        "Start Skerry as an ordinary user, or make one for Postgres with `useradd --system"
        " --shell /usr/sbin/nologin skerry`, or set DATABASE_URL to a Postgres of your own.",
    )


def alive(pid: int) -> bool:
    """Is it there, and more than a zombie?"""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def working_in(pid: int, directory: Path) -> bool:
    """Does this living process work in ``directory``? False for another user's process."""
    try:
        return alive(pid) and os.path.samefile(f"/proc/{pid}/cwd", directory)
    except OSError:
        return False


def all_working_in(directory: Path) -> Iterator[int]:
    """Every living process that works in ``directory``."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and working_in(int(entry.name), directory):
            yield int(entry.name)


def command_line(pid: int) -> list[str]:
    """The words it was started with; empty when it has gone."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def executable(pid: int) -> str:
    """Its program file, with `` (deleted)`` behind it if that was replaced since."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


async def ended(pid: int, timeout: float | None = None) -> bool:
    """Wait for the end of any process, child or not. False after ``timeout`` seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        async with asyncio.timeout(timeout):
            await over.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True

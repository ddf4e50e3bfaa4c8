"""A volume in a file: an ext4 file system of a fixed size.

::

    volumes/ID/
        volume.json     what was asked for: written first
        image           the file system; its tenant's files are in its directory ``data``
        snapshots/ID    copies of the image
        mount/          where it is mounted while a task uses it
        tasks/NAME/     where a task's own mount of it is

All of it may be repeated after a crash at any moment. Not for two threads at once.
"""

import contextlib
import os
import shutil
import struct
import subprocess
from pathlib import Path

from skerry.sites.contract import NoRoom, Refused
from skerry.sites.local.shim.record import sync_directory
from skerry.sites.local.steps import step
from skerry.sites.local.volumes import calls

OWNER = 1000
"""On the volume, user and group of all files."""
LEAST = 16 << 20
"""Bytes of the smallest volume: less would be all bookkeeping."""
_BLOCK = 4096
_SUPERBLOCK = 1024
_BLOCKS_AT = (0x4, 0x150)
"""Where the superblock tells how many blocks there are: the low half, and the high one."""
_PROGRAMS = ("mkfs.ext4", "e2fsck", "resize2fs", "unshare")
_SBIN = ("/usr/sbin", "/sbin")
_MENDED = (0, 1, 2)
"""What e2fsck says of a file system that is now in order."""
_NEEDED = "volumes need e2fsprogs and util-linux here: apt-get install e2fsprogs util-linux"


def why_not() -> str:
    """Why this host can't keep volumes in images; empty if it can, as far as can be told."""
    if os.geteuid() != 0:
        return "an agent without root's rights can't keep volumes whose size is enforced"
    if not all(_found(name) for name in _PROGRAMS):
        return _NEEDED
    if not os.path.exists("/dev/loop-control"):
        return "this host has no loop devices, which volumes need"
    return ""


class Image:
    """One volume's files and mounts. What it can't do raises ``OSError`` or ``Refused``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.image = directory / "image"
        self.snapshots = directory / "snapshots"
        self._mount = directory / "mount"
        self._data = self._mount / "data"
        self._tasks = directory / "tasks"

    @property
    def made(self) -> bool:
        return self.image.exists()

    @property
    def mounted(self) -> bool:
        return self._mount in calls.mounts_below(self._mount)

    def make(self, size: int, source: Path | None, *, shared: bool) -> None:
        """With nothing in it, or as a copy of a snapshot. Raises ``NoRoom``."""
        for directory in (self.snapshots, self._mount, self._tasks):
            directory.mkdir(mode=0o700, exist_ok=True)
        scratch = self.directory / "image.part"
        scratch.unlink(missing_ok=True)
        if source is None:
            _allocate(scratch, size)
            # It would give the blocks back that were allocated just now.
            keep = ("-E", "nodiscard")
            _run("mkfs.ext4", "-q", "-F", "-b", str(_BLOCK), "-m", "0", *keep, str(scratch))
        else:
            _copy(source, scratch, shared=shared)
            _allocate(scratch, size)
        scratch.rename(self.image)
        sync_directory(str(self.directory))

    def grow(self, size: int) -> None:
        """To ``size`` bytes; one that has them stays as it is. Raises ``NoRoom``.

        What is not mounted grows when it is. While it is mounted, the kernel lets only those do it
        who may pass resource limits; for others the next ``mount`` does it.
        """
        if self.image.stat().st_size < size:
            _allocate(self.image, size)
        if self.mounted and self.size() < size:
            with calls.loop_device(self.image) as device:
                calls.take_new_size(device)
            with contextlib.suppress(PermissionError):
                calls.resize(self._mount, size // _BLOCK)

    def size(self) -> int:
        """Bytes of the file system, which is less than the file's where it has yet to grow."""
        with self.image.open("rb") as file:
            file.seek(_SUPERBLOCK)
            head = file.read(_SUPERBLOCK)
        low, high = (struct.unpack_from("<I", head, place)[0] for place in _BLOCKS_AT)
        return int(low + (high << 32)) * _BLOCK

    def mount(self) -> None:
        """Check it and mount it, unless it is."""
        if self.mounted:
            return
        with calls.loop_device(self.image) as device:
            calls.take_new_size(device)
            growing = self.size() < self.image.stat().st_size // _BLOCK * _BLOCK
            if self._check(device, *(["-f"] if growing else [])) and growing:
                _run("resize2fs", device)
            calls.mount(device, self._mount, "ext4", calls.NOSUID | calls.NODEV)
        if not self._data.exists():
            # The root directory is not the tenant's, who would find lost+found in it.
            self._data.mkdir(mode=0o755)
            os.chown(self._data, OWNER, OWNER)

    def _check(self, device: str, *how: str) -> bool:
        """Mend what a power cut has left. False if it is in use: a sandbox that has just ended
        may still hold it, and then it is in order."""
        answer = _answer("e2fsck", "-p", *how, device)
        said = (answer.stdout + answer.stderr).strip()
        if "is mounted" in said or "is in use" in said:
            return False
        if answer.returncode not in _MENDED:
            raise Refused("VolumeDamaged", f"its file system can't be mended: {said[-300:]}")
        return True

    def mount_for(self, task: str, user: tuple[int, int], *, read_only: bool) -> Path:
        """The task's own mount of what is in it, which must be mounted."""
        target = self.place(task)
        target.mkdir(mode=0o700, exist_ok=True)
        if target not in calls.mounts_below(target):
            calls.mount_as(self._data, target, OWNER, user, read_only=read_only)
        return target

    def place(self, task: str) -> Path:
        return self._tasks / task

    def tasks(self) -> list[str]:
        """Those that have a mount of it."""
        return [path.name for path in calls.mounts_below(self._tasks)]

    def leave(self, task: str) -> None:
        """Remove the task's mount, if there is one."""
        target = self.place(task)
        for mount in calls.mounts_below(target):
            calls.unmount(mount)
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()

    def unmount(self) -> None:
        """After the last task's mount."""
        for mount in calls.mounts_below(self._mount):
            calls.unmount(mount)

    def thaw(self) -> None:
        """An agent that was killed while it took a snapshot may have left it frozen."""
        if self.mounted:
            calls.thaw(self._mount)

    def used(self) -> int | None:
        """Bytes taken, if it is mounted."""
        if not self.mounted:
            return None
        found = os.statvfs(self._mount)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def take(self, snapshot: str, *, shared: bool) -> None:
        """Keep a copy of what is in it now; whoever writes waits for it."""
        target, scratch = self.snapshots / snapshot, self.snapshots / f"{snapshot}.part"
        if target.exists():
            return
        was_mounted = self.mounted
        self.mount()
        try:
            calls.freeze(self._mount)
            _copy(self.image, scratch, shared=shared)
            step("volume copied")
        except OSError:
            scratch.unlink(missing_ok=True)
            raise
        finally:
            self.thaw()
            if not was_mounted:
                self.unmount()
        scratch.rename(target)
        sync_directory(str(self.snapshots))

    def kept(self) -> dict[str, int]:
        """Its snapshots and their sizes."""
        if not self.snapshots.exists():
            return {}
        with os.scandir(self.snapshots) as entries:
            return {e.name: e.stat().st_size for e in entries if not e.name.endswith(".part")}

    def snapshot(self, snapshot: str) -> Path:
        return self.snapshots / snapshot

    def drop(self, snapshot: str) -> None:
        self.snapshot(snapshot).unlink(missing_ok=True)

    def remove(self) -> None:
        """All of it, for good. It goes file by file: nothing that is mounted can be reached."""
        for task in self.tasks():
            self.leave(task)
        self.unmount()
        for path in (*self.directory.glob("image*"), *self.snapshots.glob("*")):
            path.unlink()
        for directory in (*self._tasks.glob("*"), self._tasks, self._mount, self.snapshots):
            with contextlib.suppress(FileNotFoundError):
                directory.rmdir()
        for path in self.directory.glob("volume.json*"):
            path.unlink()
        self.directory.rmdir()


def _allocate(path: Path, size: int) -> None:
    """Give the file blocks up to ``size``. Raises ``NoRoom``, and leaves it as it was."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        try:
            if size > before:
                os.posix_fallocate(descriptor, before, size - before)
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, before)
            raise NoRoom(
                "NoRoom", f"{size - before} bytes can't be had on this host: {error.strerror}"
            ) from error
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path, *, shared: bool) -> None:
    (calls.clone if shared else calls.copy)(source, target)


def _found(program: str) -> str:
    return shutil.which(program, path=os.pathsep.join((*os.get_exec_path(), *_SBIN))) or ""


def _answer(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [_found(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _run(program: str, *arguments: str) -> None:
    answer = _answer(program, *arguments)
    if answer.returncode != 0:
        raise OSError(f"{program} failed: {answer.stderr.strip()[-300:]}")

"""The system calls that the standard library does not have. All raise ``OSError``."""

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

RDONLY, NOSUID, NODEV = 1, 2, 4
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_TREE_CLONE, _MOVE_FROM_DESCRIPTOR = 1, 4
_ATTR_IDMAP = 0x00100000
_LOOP_CONFIGURE, _LOOP_SET_CAPACITY, _LOOP_GET_FREE = 0x4C0A, 0x4C07, 0x4C82
_LOOP_AUTOCLEAR, _LOOP_DIRECT_IO = 4, 16
_FREEZE, _THAW, _CLONE, _RESIZE = 0xC0045877, 0xC0045878, 0x40049409, 0x40086610
_LOOP_TRIES = 64

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """``struct mount_attr``."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def _done(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def mount(device: str, target: Path, kind: str, flags: int) -> None:
    given = (device.encode(), bytes(target), kind.encode(), ctypes.c_ulong(flags), None)
    _done(_libc.mount(*given), f"{device} can't be mounted")


def unmount(target: Path) -> None:
    _done(_libc.umount2(bytes(target), 0), f"{target} can't be unmounted")


def mount_as(
    source: Path, target: Path, inside: int, outside: tuple[int, int], *, read_only: bool
) -> None:
    """Mount the directory ``source`` at ``target`` so that the files of user and group ``inside``
    belong to the user and the group ``outside`` there."""
    open_tree = (ctypes.c_long(_OPEN_TREE), _AT_FDCWD, bytes(source), _TREE_CLONE | os.O_CLOEXEC)
    tree = _done(_libc.syscall(*open_tree), f"{source} can't be cloned")
    try:
        users = _user_namespace(inside, outside)
        try:
            flags = _ATTR_IDMAP | NOSUID | NODEV | (RDONLY if read_only else 0)
            wanted = _Attributes(flags, 0, 0, users)
            given = (tree, b"", _AT_EMPTY_PATH, ctypes.byref(wanted), ctypes.sizeof(wanted))
            _done(_libc.syscall(ctypes.c_long(_MOUNT_SETATTR), *given), "owners can't be mapped")
        finally:
            os.close(users)
        move = (tree, b"", _AT_FDCWD, bytes(target), _MOVE_FROM_DESCRIPTOR)
        _done(_libc.syscall(ctypes.c_long(_MOVE_MOUNT), *move), f"{target} can't be mounted")
    finally:
        os.close(tree)


def _user_namespace(inside: int, outside: tuple[int, int]) -> int:
    """A user namespace in which the one is the others, user and group; it lives as long as the
    descriptor."""
    echo = ["unshare", "--user", "cat"]
    with subprocess.Popen(echo, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"y")
        process.stdin.flush()
        # Its echo tells that it is in a namespace of its own by now.
        if process.stdout.read(1) != b"y":
            raise OSError("no user namespace can be made")
        for name, number in zip(("uid_map", "gid_map"), outside, strict=True):
            Path(f"/proc/{process.pid}/{name}").write_text(f"{inside} {number} 1\n")
        return os.open(f"/proc/{process.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)


def mounts_below(directory: Path) -> list[Path]:
    """The mounts in a directory, the newest first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    targets = [Path(re.sub(r"\\([0-7]{3})", _unescaped, line.split(" ")[4])) for line in lines]
    return [target for target in reversed(targets) if target.is_relative_to(directory)]


def _unescaped(match: "re.Match[str]") -> str:
    return chr(int(match[1], 8))


@contextlib.contextmanager
def loop_device(image: Path) -> Iterator[str]:
    """A loop device for the file: the one it has, else a new one, which goes away by itself when
    nobody has it open or mounted any more."""
    descriptor, path = _attached(image) or _attach(image)
    try:
        yield path
    finally:
        os.close(descriptor)


def loop_of(image: Path) -> str:
    """The loop device that the file is attached to; empty if it is to none."""
    wanted = str(image)
    for found in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):  # it was cleared just now
            if found.read_text().rstrip("\n") == wanted:
                return f"/dev/{found.parent.parent.name}"
    return ""


def _attached(image: Path) -> tuple[int, str] | None:
    path = loop_of(image)
    if not path:
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    # It may have cleared itself before it was opened.
    if loop_of(image) == path:
        return descriptor, path
    os.close(descriptor)
    return None


def _attach(image: Path) -> tuple[int, str]:
    file = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_LOOP_TRIES):
            number = fcntl.ioctl(control, _LOOP_GET_FREE)
            path = f"/dev/loop{number}"
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            flags = _LOOP_AUTOCLEAR | _LOOP_DIRECT_IO
            name = bytes(image)[-63:]
            info = struct.pack("5Q4I64s64s32s2Q", *(0,) * 8, flags, name, b"", b"", 0, 0)
            try:
                fcntl.ioctl(descriptor, _LOOP_CONFIGURE, struct.pack("2I232s64x", file, 4096, info))
                return descriptor, path
            except OSError:  # somebody else was faster
                os.close(descriptor)
        raise OSError(f"no loop device can be had for {image}")
    finally:
        os.close(control)
        os.close(file)


def take_new_size(device: str) -> None:
    """Let a loop device see that its file has grown."""
    _on(Path(device), _LOOP_SET_CAPACITY, 0)


def resize(target: Path, blocks: int) -> None:
    """Grow the mounted ext4 file system to so many blocks."""
    _on(target, _RESIZE, struct.pack("Q", blocks))


def freeze(target: Path) -> None:
    """Bring it to disk and let nobody write until ``thaw``."""
    _on(target, _FREEZE, 0)


def thaw(target: Path) -> None:
    """Nothing happens if it is not frozen."""
    with contextlib.suppress(OSError):
        _on(target, _THAW, 0)


def clone(source: Path, target: Path) -> None:
    """Make ``target`` a copy that shares the blocks of ``source``."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        mode = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        writing = os.open(target, mode, 0o600)
        try:
            fcntl.ioctl(writing, _CLONE, reading)
            os.fsync(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def shares_blocks(directory: Path) -> bool:
    """Whether copies within the directory's file system can share their blocks."""
    one, two = directory / "shares.part", directory / "shares-too.part"
    try:
        one.write_bytes(b"x" * 4096)
        clone(one, two)
    except OSError:
        return False
    finally:
        one.unlink(missing_ok=True)
        two.unlink(missing_ok=True)
    return True


def copy(source: Path, target: Path) -> None:
    """Make ``target`` a copy with blocks of its own, all of which it has from now on."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        mode = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        writing = os.open(target, mode, 0o600)
        try:
            size = os.fstat(reading).st_size
            os.posix_fallocate(writing, 0, size)
            at = 0
            while (at := _data_from(reading, at, size)) < size:
                end = os.lseek(reading, at, os.SEEK_HOLE)
                while at < end:
                    at += os.copy_file_range(reading, writing, end - at, at, at)
            os.fsync(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _data_from(descriptor: int, at: int, size: int) -> int:
    """Where data begins from there on; the size if there is no more."""
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return size


def _on(path: Path, request: int, argument: int | bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, request, argument)
    finally:
        os.close(descriptor)

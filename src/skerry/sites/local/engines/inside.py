"""The last program before a task's command, inside its sandbox, and then the command itself.

Run by the host's own Python as ``python -I -S FILE UID [ROOT]``, in an empty environment: engines,
shells and loaders must not meet the tenant's variables (``LD_PRELOAD``), nor a shell the tenant's
names. It becomes the task's user for good, if the engine has not done so, says that the sandbox
stands, and waits at the gate. What comes through the gate is the command and its variables,
secrets included, which so are in no file, no list of arguments and no engine's configuration.

**Images.** With ``ROOT`` (a ``Root`` as JSON) the task is to run in an image, which need hold
neither Python nor a shell. The sandbox stands in the host's userland, as any; this program, which
is in memory by then, mounts the image, carries into it what the sandbox has to offer (``/proc``,
``/dev``, ``/work``, volumes), makes it the root and lets go of the host's userland. What the task
writes goes to a directory of its own (overlayfs). The image's users are mapped to numbers of the
host that are this task's alone: its root is nobody's root but its own.
"""

import contextlib
import ctypes
import errno
import json
import os
import signal
import stat
import sys

READY, GATE = 3, 4
_HIGHEST = 64
"""No descriptor that was handed on is higher."""
_SECCOMP, _CAPBSET_DROP, _NO_NEW_PRIVS, _SECCOMP_FILTER = 22, 24, 38, 2
_CAPABILITY_VERSION = 0x20080522
_NEW_USER = 0x10000000
_OPEN_TREE, _MOVE_MOUNT, _OPENAT2, _MOUNT_SETATTR = 428, 429, 437, 442
"""The same numbers on all processors."""
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_HERE, _EMPTY_PATH, _TREE_CLONE, _CLOSE = -100, 0x1000, 1, 0x80000
_FROM_EMPTY, _TO_EMPTY = 0x04, 0x40
_IN_ROOT = 0x10
_READ_ONLY, _NO_SUID, _NO_DEVICES, _DETACH, _IDMAP = 1, 2, 4, 2, 0x100000
_libc = ctypes.CDLL(None, use_errno=True)


class Root:
    """An image to be run in."""

    image: str
    """Where the sandbox has it, and ..."""
    disk: str
    """... where the task's own directory with ``upper`` and ``work``, and ..."""
    root: str
    """... an empty directory to mount both on."""
    carry: "list[list[str]]"
    """Mounts of the sandbox, and where they are to be in the image."""
    base: int
    """The host's number for the image's user 0; 0 if there is but a single one, ours."""
    count: int
    """How many follow it."""
    uid: int
    gid: int
    groups: "list[int]"
    """The command's, by the image's numbers."""
    directory: str
    """Where the command starts; made if it is not there."""
    keep: "list[int]"
    """Capabilities that the image's root has, over what is its own."""
    filter: int
    """Descriptor of a file with the system call filter."""

    def __init__(self, fields: "dict[str, object]") -> None:
        self.__dict__.update(fields)


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def main() -> None:
    for unusual in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(unusual, signal.SIG_DFL)  # Python's own ways with them are not the command's
    if len(sys.argv) > 2:
        try:
            enter(Root(json.loads(sys.argv[2])))
        except OSError as error:
            os.write(2, f"the image can't be entered: {error}\n".encode())
            os._exit(126)
    else:
        become(int(sys.argv[1]))
    os.write(READY, b"\n")
    os.close(READY)
    with open(GATE, "rb") as gate:
        order = json.loads(gate.read() or b"null")
    if order is None:
        os._exit(125)  # the gate was never opened
    os.closerange(READY, _HIGHEST)
    variables = {encoded(name): encoded(value) for name, value in order["env"].items()}
    execute([encoded(word) for word in order["command"]], variables)


def become(uid: int) -> None:
    """Take on a user number, without any capability; 0: stay who you are."""
    if uid:
        for capability in range(64):
            _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


def enter(root: Root) -> None:
    """Make the image this process' root, and its user this process' own. Raises ``OSError``."""
    numbers = _numbers(root) if root.base else -1
    if root.base:
        for number in range(3):  # so that it may open /dev/stdout, as images like to
            os.fchown(number, root.base + root.uid, root.base + root.gid)
    _mount(root, numbers)
    for source, target in root.carry:
        _carry(root, source, target)
    os.chdir(root.root)
    _check("pivot_root", _libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."))
    _check("umount", _libc.umount2(b".", _DETACH))
    os.chdir("/")
    if numbers >= 0:
        _check("setns", _libc.setns(numbers, _NEW_USER))
        os.close(numbers)
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    with contextlib.suppress(FileExistsError):
        os.makedirs(root.directory)
    if not root.base and root.uid:
        _rename(root.uid, root.gid)
    _reduce(root)
    os.chdir(root.directory)
    with open(root.filter, "rb") as file:
        code = file.read()
    program = _Program(len(code) // 8, code)
    _check("prctl", _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check("seccomp", _libc.prctl(_SECCOMP, _SECCOMP_FILTER, ctypes.byref(program), 0, 0))


def _numbers(root: Root) -> int:
    """A user namespace in which the task's numbers are those of the image."""
    born, let_go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _libc.unshare(_NEW_USER)
        os.write(born[1], b"!")
        os.read(let_go[0], 1)
        os._exit(0)
    os.read(born[0], 1)
    try:
        for kind in ("uid", "gid"):
            _write(f"/proc/{child}/{kind}_map", f"0 {root.base} {root.count}")
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
    finally:
        os.write(let_go[1], b"!")
        os.waitpid(child, 0)
        for descriptor in (*born, *let_go):
            os.close(descriptor)


def _mount(root: Root, numbers: int) -> None:
    """The image below, the task's own directory above. One image serves many tasks, so each sees
    it through a mount of its own that maps its users."""
    options = f"lowerdir={root.image},upperdir={root.disk}/upper,workdir={root.disk}/work"
    if numbers >= 0:
        tree = _libc.syscall(_OPEN_TREE, _HERE, root.image.encode(), _TREE_CLONE | _CLOSE)
        _check("open_tree", tree)
        wanted = (ctypes.c_uint64 * 4)(_IDMAP | _READ_ONLY, 0, 0, numbers)
        _check("idmap", _libc.syscall(_MOUNT_SETATTR, tree, b"", _EMPTY_PATH, wanted, 32))
        image = os.open(root.image, os.O_PATH)
        _move(tree, image)
        os.close(tree)
        os.close(image)
    else:
        options += ",userxattr"
    os.mkdir(root.root)
    flags = ctypes.c_ulong(_NO_SUID | _NO_DEVICES)
    mounted = _libc.mount(b"overlay", root.root.encode(), b"overlay", flags, options.encode())
    _check("overlay", mounted)


def _carry(root: Root, source: str, target: str) -> None:
    """Move a mount from the sandbox into the image."""
    tree = _libc.syscall(_OPEN_TREE, _HERE, source.encode(), _CLOSE)
    _check("open_tree", tree)
    place = _place(root, target, stat.S_ISDIR(os.fstat(tree).st_mode))
    _move(tree, place)
    os.close(tree)
    os.close(place)


def _move(tree: int, place: int) -> None:
    flags = _FROM_EMPTY | _TO_EMPTY
    _check("move_mount", _libc.syscall(_MOVE_MOUNT, tree, b"", place, b"", flags))


def _place(root: Root, target: str, directory: bool) -> int:
    """A directory or file of the image to mount on, made if it is not there.

    Links in the image lead nowhere outside it.
    """
    top = os.open(root.root, os.O_PATH)
    found, path = os.dup(top), ""
    names = target.strip("/").split("/")
    for number, name in enumerate(names):
        path = f"{path}/{name}"
        wanted = directory or number < len(names) - 1
        below = _open_in(top, path)
        if below >= 0 and stat.S_ISDIR(os.fstat(below).st_mode) != wanted:
            raise OSError(errno.EEXIST, f"{path} of the image is in the way of {target}")
        if below < 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=found)  # a link to nowhere
            if wanted:
                os.mkdir(name, 0o755, dir_fd=found)
            else:
                os.close(os.open(name, os.O_CREAT | os.O_EXCL, 0o644, dir_fd=found))
            os.chown(name, root.base, root.base, dir_fd=found, follow_symlinks=False)
            below = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=found)
        os.close(found)
        found = below
    os.close(top)
    return found


def _open_in(top: int, path: str) -> int:
    """The file at ``path`` with ``top`` as its root; -1 if there is none."""
    how = (ctypes.c_uint64 * 3)(os.O_PATH | os.O_CLOEXEC, 0, _IN_ROOT)
    found = _libc.syscall(_OPENAT2, top, path.encode(), how, 24)
    if found < 0 and ctypes.get_errno() != errno.ENOENT:
        _check(path, found)
    return int(found)


def _rename(uid: int, gid: int) -> None:
    """Without root's rights there is a single number: let it be the image's user."""
    outside = os.getuid(), os.getgid()
    _check("unshare", _libc.unshare(_NEW_USER))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {outside[0]} 1")
    _write("/proc/self/gid_map", f"{gid} {outside[1]} 1")


def _reduce(root: Root) -> None:
    """Take on the user, with no more rights than the image's root is to have."""
    keep = root.keep if root.uid == 0 else []
    for capability in range(64):
        if capability not in keep:
            _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    if root.base:
        os.setgroups(root.groups)
        os.setresgid(root.gid, root.gid, root.gid)
        os.setresuid(root.uid, root.uid, root.uid)
    bits = sum(1 << capability for capability in keep)
    rights = (ctypes.c_uint32 * 6)(bits, bits)
    _check("capset", _libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), rights))


def _check(what: str, result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def execute(command: "list[bytes]", variables: "dict[bytes, bytes]") -> None:
    """Turn into the command, looked for along the variables' ``PATH``; 127 if it is not there."""
    path = variables.get(b"PATH", os.defpath.encode()).split(b":")
    problem: OSError = FileNotFoundError(2, "not found")
    for directory in path if b"/" not in command[0] else (b"",):
        try:
            os.execve(os.path.join(directory, command[0]), command, variables)  # noqa: S606
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = error
    os.write(2, command[0] + b": " + str(problem.strerror).encode() + b"\n")
    os._exit(127 if isinstance(problem, FileNotFoundError) else 126)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main()

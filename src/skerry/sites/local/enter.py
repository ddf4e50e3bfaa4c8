"""Go into a running task's sandbox: run a command beside it, or connect to its ports.

A program of its own (``python -I -S enter.py DESCRIPTOR``), as only a process with a single thread
can enter namespaces, and as it must not carry anything of the agent into them. The descriptor is
a socket to the driver, which sends one ``Order`` as a line of JSON.

For a command it makes the task's rights its own before it runs anything: user, no capabilities,
no new privileges, system call filter, control group. Until then it can't be traced or looked
into by what runs in the sandbox. It answers when the command is about to run, with the terminal
if one is wanted, and ends with the command's exit code.

For ports it enters only the network and then answers each ``{"port": N}`` with a connected socket.
"""

import base64
import ctypes
import fcntl
import json
import os
import signal
import socket
import sys
import termios

_PDEATHSIG, _DUMPABLE, _SECCOMP, _CAPBSET_DROP, _NO_NEW_PRIVS = 1, 4, 22, 24, 38
_SECCOMP_FILTER = 2
_CAPABILITY_VERSION = 0x20080522
_KINDS = ("cgroup", "ipc", "uts", "net", "pid", "mnt")
"""Mount last, as it hides this program's files."""
_NS_GET_USERNS = 0xB701
"""Asks a namespace for the user namespace that it belongs to."""
_CONNECT_SECONDS = 5
_libc = ctypes.CDLL(None, use_errno=True)


class Order:
    """What the driver wants."""

    process: int
    """The task's command, by whose process its sandbox is known."""
    shim: int
    """Its ancestor, by which it is known for certain."""
    command: list[str]
    """Empty: connect to ports."""
    env: dict[str, str]
    """What the driver knows of the task's variables; secrets are taken from the process."""
    directory: str
    uid: int
    """0: stay who you are."""
    image: "dict[str, list[int]] | None"
    """For a task in an image: ``user``, its user, group and further groups by the image's numbers,
    empty where there is but one number; ``keep``, the capabilities it may have."""
    tty: bool
    filter: str
    """Base64 of the system call filter; empty for none."""
    groups: list[str]
    """Directories of the task's control groups."""

    def __init__(self, fields: dict[str, object]) -> None:
        self.__dict__.update(fields)


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def main() -> None:
    driver = socket.socket(fileno=int(sys.argv[1]))
    driver.set_inheritable(False)
    _control(_PDEATHSIG, signal.SIGKILL)
    try:
        order = Order(json.loads(driver.makefile().readline()))
        spaces = _spaces(order.process, _KINDS if order.command else ("net",))
        known = {os.fsencode(name): os.fsencode(value) for name, value in order.env.items()}
        variables = {**_variables(order.process), **known}
        if not _descends(order.process, order.shim):
            raise ProcessLookupError("the task has ended")
        groups = [os.open(f"{path}/cgroup.procs", os.O_WRONLY) for path in order.groups]
        _control(_DUMPABLE, 0)
        for space in spaces:
            if _libc.setns(space, 0) != 0:
                raise OSError(ctypes.get_errno(), "its namespaces can't be entered")
        if not order.command:
            _connect(driver)
        code = _run(driver, order, variables, groups)
    except OSError as error:
        _tell(driver, {"error": str(error)})
        sys.exit(1)
    sys.exit(code)


def _spaces(process: int, kinds: "tuple[str, ...]") -> "list[int]":
    """Its namespaces that differ from our own, open, in the order to enter them.

    A sandbox made without root's rights has a user namespace that its other namespaces belong to,
    which gives the right to enter them, and within that another one that the task is in.
    """
    found = [_space(process, kind) for kind in kinds]
    inner = _space(process, "user")
    if inner >= 0:
        first = next(space for space in found if space >= 0)
        outer = fcntl.ioctl(first, _NS_GET_USERNS)
        owning, own_of_task = (os.fstat(space).st_ino for space in (outer, inner))
        own = os.stat("/proc/self/ns/user").st_ino
        found = [
            *([outer] if owning != own else []),
            *found,
            *([inner] if own_of_task != owning else []),
        ]
    return [space for space in found if space >= 0]


def _space(process: int, kind: str) -> int:
    """-1 if it is our own, too, or if this kernel has no such thing."""
    theirs, ours = f"/proc/{process}/ns/{kind}", f"/proc/self/ns/{kind}"
    if not os.path.exists(ours) or os.stat(theirs).st_ino == os.stat(ours).st_ino:
        return -1
    return os.open(theirs, os.O_RDONLY)


def _variables(process: int) -> "dict[bytes, bytes]":
    """Its own, as it was started with; some programs write over them, so not all may be true."""
    with open(f"/proc/{process}/environ", "rb") as file:
        pairs = [pair.partition(b"=") for pair in file.read().split(b"\0")]
    return {name: value for name, equals, value in pairs if equals}


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        with open(f"/proc/{pid}/stat", "rb") as file:
            pid = int(file.read().rpartition(b")")[2].split()[1])
    return False


def _run(
    driver: socket.socket, order: Order, variables: "dict[bytes, bytes]", groups: "list[int]"
) -> int:
    terminal, other = os.openpty() if order.tty else (-1, -1)
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            for group in groups:
                os.write(group, b"0")
            if order.tty:
                owner = order.image["user"][0] if order.image and order.image["user"] else order.uid
                os.fchown(other, owner or -1, -1)
                fcntl.ioctl(other, termios.TIOCSCTTY, 0)
                for number in range(3):
                    os.dup2(other, number)
                variables[b"TERM"] = b"xterm-256color"
            os.chdir(order.directory)
            _become(order)
            _tell(driver, {"ok": True}, terminal)
            _execute([os.fsencode(word) for word in order.command], variables)
        except OSError as error:
            _tell(driver, {"error": str(error)})
        finally:
            os._exit(126)
    for descriptor in (terminal, other, 0, 1, 2):
        if descriptor >= 0:
            os.close(descriptor)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def _become(order: Order) -> None:
    """Take on the task's rights; there is no way back."""
    keep = order.image["keep"] if order.image else []
    if order.filter:
        for capability in range(64):
            if capability not in keep:
                _control(_CAPBSET_DROP, capability)
    if order.image:
        _become_of_image(order.image["user"], keep)
    elif order.uid:
        os.setgroups([])
        os.setresgid(order.uid, order.uid, order.uid)
        os.setresuid(order.uid, order.uid, order.uid)
    _control(_DUMPABLE, 0)
    _control(_PDEATHSIG, signal.SIGKILL)
    if order.filter:
        code = base64.b64decode(order.filter)
        program = _Program(len(code) // 8, code)
        if _control(_NO_NEW_PRIVS, 1) or _control(_SECCOMP, _SECCOMP_FILTER, program):
            raise OSError("the system call filter can't be set")


def _become_of_image(user: "list[int]", keep: "list[int]") -> None:
    if user:
        uid, gid, *groups = user
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    bits = sum(1 << capability for capability in keep)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    if _libc.capset(header, (ctypes.c_uint32 * 6)(bits, bits)) != 0:
        raise OSError(ctypes.get_errno(), "its rights can't be taken on")


def _execute(command: "list[bytes]", variables: "dict[bytes, bytes]") -> None:
    name = command[0]
    path = [b""] if b"/" in name else variables.get(b"PATH", os.defpath.encode()).split(b":")
    problem: OSError = FileNotFoundError(2, "not found")
    for directory in path:
        try:
            os.execve(os.path.join(directory, name), command, variables)  # noqa: S606
        except OSError as error:
            if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                problem = error
    os.write(2, name + b": " + str(problem.strerror).encode() + b"\n")
    os._exit(127 if isinstance(problem, FileNotFoundError) else 126)


def _connect(driver: socket.socket) -> None:
    """Answer requests until the driver is gone."""
    _tell(driver, {"ok": True})
    for line in driver.makefile():
        port = json.loads(line)["port"]
        try:
            with _connected(port) as connection:
                _tell(driver, {"ok": True}, connection.fileno())
        except OSError as error:
            _tell(driver, {"error": str(error)})
    sys.exit()


def _connected(port: int) -> socket.socket:
    try:
        return socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS)
    except ConnectionRefusedError:
        return socket.create_connection(("::1", port), _CONNECT_SECONDS)


def _control(option: int, value: int, more: object = 0) -> int:
    """``prctl``; 0 if it did."""
    argument = ctypes.byref(more) if isinstance(more, _Program) else more
    return int(_libc.prctl(option, value, argument, 0, 0))


def _tell(driver: socket.socket, message: "dict[str, object]", descriptor: int = -1) -> None:
    data = json.dumps(message).encode() + b"\n"
    if descriptor >= 0:
        socket.send_fds(driver, [data], [descriptor])
    else:
        driver.sendall(data)


if __name__ == "__main__":
    main()

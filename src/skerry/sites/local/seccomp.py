"""System calls that a sandboxed task is denied, for runc (by name) and bubblewrap (a filter).

A list of what is denied, not of what is allowed: a task has no capabilities, no new privileges
and its own namespaces, so this is the second wall. It holds off what opens new attack surface
to the unprivileged (new user namespaces, bpf, io_uring, userfaultfd, keyrings, perf) and what
only a machine's owner needs. Denied calls fail with EPERM, ``clone3`` with ENOSYS, as its flags
lie where no filter can look and the C library then takes ``clone``.
"""

import errno
import platform
import struct
from typing import Any

_CALLS: dict[str, tuple[int, int]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, -1),
    "iopl": (172, -1),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, -1),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
"""Numbers on x86-64 and on 64-bit Arm; -1 where the call is not known."""

_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_NEW_NAMESPACES = 0x7E020000
"""All ``CLONE_NEW*`` flags that ``clone`` takes."""
_TTY_INPUT = (0x5412, 0x541C)
"""``TIOCSTI`` and ``TIOCLINUX``: would type into the terminal of who looks in."""
_FAMILIES = (38, 40)
"""``AF_ALG`` and ``AF_VSOCK``: the kernel's ciphers, the hypervisor's door."""

_ARCHITECTURES = {
    "x86_64": (0, 0xC000003E, "SCMP_ARCH_X86_64"),
    "aarch64": (1, 0xC00000B7, "SCMP_ARCH_AARCH64"),
}

_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _FIRST_ARG = 0, 4, 16
_X32 = 0x40000000


class UnknownArchitecture(Exception):
    """There is no table of system calls for this processor."""


def _machine(machine: str) -> tuple[int, int, str]:
    try:
        return _ARCHITECTURES[machine or platform.machine()]
    except KeyError as error:
        raise UnknownArchitecture(f"no system call filter for {error.args[0]}") from error


def for_runc(machine: str = "") -> dict[str, Any]:
    """The ``linux.seccomp`` section of an OCI configuration."""
    _, _, architecture = _machine(machine)

    def rule(name: str, number: int, *args: dict[str, Any]) -> dict[str, Any]:
        action = {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": number}
        return {**action, "args": list(args)} if args else action

    def arg(index: int, value: int, op: str = "SCMP_CMP_EQ", two: int = 0) -> dict[str, Any]:
        return {"index": index, "value": value, "valueTwo": two, "op": op}

    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": [architecture],
        "syscalls": [
            {
                "names": sorted(_CALLS),
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": errno.EPERM,
            },
            rule("clone3", errno.ENOSYS),
            *(
                rule("clone", errno.EPERM, arg(0, 1 << bit, "SCMP_CMP_MASKED_EQ", 1 << bit))
                for bit in range(32)
                if _NEW_NAMESPACES >> bit & 1
            ),
            *(rule("ioctl", errno.EPERM, arg(1, request)) for request in _TTY_INPUT),
            *(rule("socket", errno.EPERM, arg(0, family)) for family in _FAMILIES),
        ],
    }


def for_bubblewrap(machine: str = "") -> bytes:
    """The same as a program for the kernel, an array of ``struct sock_filter``."""
    column, architecture, _ = _machine(machine)
    denied, missing = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    program = [
        _op(_LOAD, _ARCH),
        _op(_JEQ, architecture, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
    ]
    if column == 0:
        program += [_op(_JGE, _X32, 0, 1), _op(_RETURN, denied)]
    for numbers in _CALLS.values():
        if numbers[column] >= 0:
            program += [_op(_JEQ, numbers[column], 0, 1), _op(_RETURN, denied)]
    program += [_op(_JEQ, _CLONE3[column], 0, 1), _op(_RETURN, missing)]
    program += _if_call(_CLONE[column], 0, [_op(_JSET, _NEW_NAMESPACES, 0, 1)], denied)
    for request in _TTY_INPUT:
        program += _if_call(_IOCTL[column], 1, [_op(_JEQ, request, 0, 1)], denied)
    for family in _FAMILIES:
        program += _if_call(_SOCKET[column], 0, [_op(_JEQ, family, 0, 1)], denied)
    return b"".join([*program, _op(_RETURN, _ALLOW)])


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _if_call(number: int, argument: int, test: list[bytes], action: int) -> list[bytes]:
    """For call ``number``, look at the lower half of an argument; then have the number again."""
    body = [
        _op(_LOAD, _FIRST_ARG + 8 * argument),
        *test,
        _op(_RETURN, action),
        _op(_LOAD, _NUMBER),
    ]
    return [_op(_JEQ, number, 0, len(body)), *body]

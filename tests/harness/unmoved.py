"""A program that does not see networks come and go: ``python unmoved.py PROGRAM ...``

Chromium drops all its connections whenever an address of the machine changes, and tests beside make
and remove network interfaces all the time. Without netlink sockets it is told of none: as on a
system that has none, it takes itself to be online.
"""

import ctypes
import os
import platform
import struct
import sys

_SOCKET = {"x86_64": 41, "aarch64": 198}
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 97
"""``EAFNOSUPPORT``."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def blind() -> None:
    """Refuse netlink sockets to this process and all that it starts. Raises ``OSError``."""
    steps = [
        (_LOAD, 0, 0, 0),  # the number of the call
        (_EQUAL, 0, 3, _SOCKET[platform.machine()]),
        (_LOAD, 0, 0, 16),  # its first argument
        (_EQUAL, 0, 1, 16),  # AF_NETLINK
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(steps), code)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(
        _SECCOMP, _FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    if platform.machine() in _SOCKET:
        blind()
    os.execvp(sys.argv[1], sys.argv[1:])

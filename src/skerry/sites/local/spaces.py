"""The tasks' own networks, entered by a thread for the moment in which it makes a socket.

A socket belongs for ever to the network it was made in, whoever holds it. So an agent that is root
needs no process inside a task's network to connect to its ports: it enters, makes the socket and
comes back, in a few microseconds and without waiting for anything in between.
"""

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator

from skerry.sites.local.shim.sandbox import descendants

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Spaces:
    """The network namespaces of tasks, each opened once and kept until it is forgotten."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, int]] = {}

    def find(self, name: str, process: int, shim: int) -> int:
        """That of the task ``name``, whose command is ``process``. Raises ``OSError``."""
        known = self._open.get(name)
        if known is not None and known[0] == process:
            return known[1]
        self.forget(name)
        space = os.open(f"/proc/{process}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if process not in descendants(shim):
            # The number may be another process' by now; the namespace is the task's if it is not.
            os.close(space)
            raise ProcessLookupError("the task has ended")
        self._open[name] = (process, space)
        return space

    def forget(self, name: str) -> None:
        known = self._open.pop(name, None)
        if known is not None:
            os.close(known[1])

    def close(self) -> None:
        for name in list(self._open):
            self.forget(name)


def socket_in(space: int, family: socket.AddressFamily) -> socket.socket:
    """A TCP socket made in another network. Raises ``OSError``."""
    with inside(space):
        return socket.socket(family, socket.SOCK_STREAM)


@contextlib.contextmanager
def inside(space: int) -> Iterator[None]:
    """This thread is in that network while the block runs, which must not wait."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(space)
        try:
            yield
        finally:
            try:
                _enter(home)
            except OSError:  # nothing that this process does next would be where it belongs
                os.abort()
    finally:
        os.close(home)


def _enter(space: int) -> None:
    if _libc.setns(space, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"a network can't be entered: {os.strerror(error)}")

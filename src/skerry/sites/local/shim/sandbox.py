"""One run of the engine's command: start it, know its processes, end and remove it."""

import binascii
import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import time

from .cgroup import Group
from .plan import Plan

_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNET = 0x40000000
_ABOVE = 64
"""Descriptors are first moved from here on, out of the way of their final numbers."""
_PIPE_SIZE = 256 << 10
_ENV = {"PATH": os.defpath}
"""For the engine; the tenant's variables are not for it to see."""
_OOM_SCORE = 500
"""So that the kernel, when the whole host lacks memory, ends tasks before what looks after them."""


def adopt_orphans() -> None:
    """Become the parent of all that descends from this process and loses its own."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Sandbox:
    """The descriptors ``output``, ``errors``, ``ready`` and ``ended`` are for polling."""

    def __init__(self, plan: Plan, group: Group) -> None:
        self._plan, self._group = plan, group
        self._codes: dict[int, int] = {}
        self.output = self.errors = self.ready = self.ended = self._gate = -1
        self._pid = 0
        self._before = _children_time()
        self.command = 0
        """The command's process, by the host's number, once the sandbox stands."""
        self._command = -1

    def start(self) -> None:
        """Start the engine's command. Raises ``OSError``."""
        if self._plan.pid_file:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._plan.pid_file)
        memory = [_memory_file(content) for content in self._plan.memory_files]
        self.output, output = _pipe()
        self.errors, errors = _pipe()
        self.ready, ready = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        gate, self._gate = os.pipe2(os.O_CLOEXEC)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        given = [null, output, errors, ready, gate, *memory]
        self._pid = os.fork()
        if self._pid == 0:
            self._become(given)
        for descriptor in given:
            os.close(descriptor)
        self.ended = os.pidfd_open(self._pid)

    def _become(self, descriptors: list[int]) -> None:
        """In the child: turn into the engine's command, or say why not and end."""
        try:
            os.setsid()
            os.umask(0o022)
            for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(ignored, signal.SIG_DFL)
            if self._plan.join:
                self._group.join()
            if self._plan.network >= 0:
                _enter(self._plan.network)
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write(str(_OOM_SCORE))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if self._plan.disk:
                resource.setrlimit(resource.RLIMIT_FSIZE, (self._plan.disk, self._plan.disk))
            os.chdir(self._plan.directory)
            high = [fcntl.fcntl(d, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for d in descriptors]
            for number, descriptor in enumerate(high):
                os.dup2(descriptor, number)
            os.execve(self._plan.argv[0], self._plan.argv, _ENV)  # noqa: S606
        except OSError as error:
            message = f"{self._plan.argv[0]} can't be started: {error}\n"
            os.write(descriptors[2], message.encode())
        finally:
            os._exit(126)

    def take_detached(self) -> None:
        """The engine's command has ended and left the first process behind: wait on that.

        Raises ``ChildProcessError`` if it has failed.
        """
        if self.reap():
            raise ChildProcessError(self.obituary())
        with open(self._plan.pid_file) as file:
            self._pid = int(file.read())
        os.close(self.ended)
        self.ended = os.pidfd_open(self._pid)

    def obituary(self) -> str:
        return f"{self._plan.argv[0]} ended with {self.reap()}"

    def stands(self) -> None:
        """Now that it does, know the command's process. Raises ``ChildProcessError``."""
        self.command = self._pid
        for _ in range(self._plan.depth):
            below = _children(self.command)
            if not below:
                raise ChildProcessError("the sandbox has ended")
            self.command = below[0]
        self._command = os.pidfd_open(self.command)

    def open_gate(self) -> None:
        """Let the command run. Raises ``BrokenPipeError`` if the sandbox has died."""
        order = {"command": self._plan.command, "env": self._plan.env}
        with open(self._gate, "w") as gate:
            self._gate = -1
            json.dump(order, gate)

    def signal(self, number: int) -> None:
        """To the command, if it still runs."""
        if self._command >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._command, number)

    def reap(self) -> int | None:
        """Bury the dead; the main process' exit code once it is among them."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                code = os.waitstatus_to_exitcode(status)
                self._codes[pid] = code if code >= 0 else 128 - code
        return self._codes.get(self._pid)

    def processor_time(self) -> int:
        """Nanoseconds that all it has buried have used: a lower bound, for want of a group."""
        return _children_time() - self._before

    def kill(self) -> None:
        """End all of it, at once and for certain. Raises ``TimeoutError`` if that can't be."""
        for _ in range(500):
            living = descendants(os.getpid())
            if not living:
                break
            for pid in living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)
            self.reap()
        else:
            raise TimeoutError(f"processes {living} can't be killed")
        self._group.kill()

    def close(self) -> None:
        """Remove what the engine keeps of it, and the group. Raises ``OSError``."""
        for descriptor in (
            *(self.output, self.errors, self.ready, self.ended),
            *(self._gate, self._command),
        ):
            if descriptor >= 0:
                os.close(descriptor)
        self._command = -1
        for command in self._plan.cleanup:
            null = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in range(3)]
            pid = os.posix_spawn(command[0], command, {}, file_actions=null)
            os.waitpid(pid, 0)
        self._group.remove()


def descendants(pid: int) -> list[int]:
    """All living processes below it, parents first; the dead that wait for burial count, too."""
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found[1:]


def _children(pid: int) -> list[int]:
    """Oldest first. The list of a process includes those of its main thread only, which is all
    for processes without threads and for orphans."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _enter(network: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "its network can't be entered")


def _children_time() -> int:
    buried = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((buried.ru_utime + buried.ru_stime) * 1e9)


def _memory_file(content: str) -> int:
    descriptor = os.memfd_create("skerry", os.MFD_CLOEXEC)
    data = binascii.a2b_base64(content)
    while data:
        data = data[os.write(descriptor, data) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _pipe() -> tuple[int, int]:
    """For output: the reading end does not block; as roomy as the host allows."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    with contextlib.suppress(OSError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    return reading, writing
